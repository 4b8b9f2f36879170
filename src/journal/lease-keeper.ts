/**
 * Keeps the account's lease alive, and says when this process may no longer trust it.
 *
 * Invariants: validity is counted on the monotonic clock from before the renewal was sent, so it ends here no
 * later than it does at the store; between 'expired' and a renewal nothing may be sent; 'fenced' is for ever.
 */
import type { Time, TimerHandle } from '../core/clock.ts';
import { sleep } from '../core/clock.ts';
import { isBulkheadError } from '../core/errors.ts';
import type { JournalStore, Lease, LeaseState } from './journal.ts';

export type LeaseStatus = 'valid' | 'expired' | 'fenced';

const MOST_RENEWALS = 2;

export interface LeaseKeeperOptions {
  readonly time: Time;
  readonly ttlMs: number;
  /** Default: a third of the ttl. */
  readonly renewEveryMs?: number;
  readonly onStatus?: (status: LeaseStatus, error?: unknown) => void;
}

export class LeaseKeeper {
  readonly #store: JournalStore;
  readonly #lease: Lease;
  readonly #options: LeaseKeeperOptions;
  readonly #renewEveryMs: number;
  #validUntil: number;
  #status: LeaseStatus = 'valid';
  #renewTimer: TimerHandle | undefined;
  #expiryTimer: TimerHandle | undefined;
  #stopped = false;
  #renewing: Promise<void> | undefined;
  #underWay = 0;

  /** `acquiredAt` is the monotonic time from before the lease was asked for. */
  constructor(store: JournalStore, lease: Lease, acquiredAt: number, options: LeaseKeeperOptions) {
    this.#store = store;
    this.#lease = lease;
    this.#options = options;
    this.#renewEveryMs = options.renewEveryMs ?? options.ttlMs / 3;
    this.#validUntil = acquiredAt + options.ttlMs;
  }

  /** True while no other process can hold the lease. Ask before every send. */
  get valid(): boolean {
    return this.#status !== 'fenced' && this.#options.time.monotonic.now() < this.#validUntil;
  }

  get status(): LeaseStatus {
    return this.#status === 'valid' && !this.valid ? 'expired' : this.#status;
  }

  start(): void {
    this.#armExpiry();
    this.#armRenewal();
  }

  /** Stops renewing and waits for a renewal under way; does not release the lease. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#renewTimer?.cancel();
    this.#expiryTimer?.cancel();
    await this.#renewing;
  }

  #armRenewal(): void {
    if (this.#stopped || this.#status === 'fenced') return;
    this.#renewTimer = this.#options.time.timers.set(this.#renewEveryMs, () => {
      // One that hangs on a dead connection must not keep the next from a live one.
      if (this.#underWay < MOST_RENEWALS) this.#renewing = this.#renewNow(this.#renewing);
      this.#armRenewal();
    });
  }

  async #renewNow(before: Promise<void> | undefined): Promise<void> {
    this.#underWay += 1;
    await this.#renew();
    this.#underWay -= 1;
    await before;
  }

  #armExpiry(): void {
    this.#expiryTimer?.cancel();
    if (this.#stopped) return;
    const leftMs = this.#validUntil - this.#options.time.monotonic.now();
    this.#expiryTimer = this.#options.time.timers.set(leftMs, () => {
      if (this.valid) this.#armExpiry();
      else this.#enter('expired');
    });
  }

  async #renew(): Promise<void> {
    const asked = this.#options.time.monotonic.now();
    try {
      await this.#store.renewLease(this.#lease, this.#options.ttlMs);
    } catch (error) {
      // Any other failure is for the expiry timer to judge: the next renewal may still come in time.
      if (isBulkheadError(error, 'FENCED')) this.#enter('fenced', error);
      return;
    }
    this.#validUntil = Math.max(this.#validUntil, asked + this.#options.ttlMs);
    if (this.#stopped || !this.valid) return;
    this.#armExpiry();
    this.#enter('valid');
  }

  #enter(status: LeaseStatus, error?: unknown): void {
    if (this.#status === status || this.#status === 'fenced') return;
    this.#status = status;
    if (status === 'fenced') {
      this.#expiryTimer?.cancel();
      this.#renewTimer?.cancel();
    }
    this.#options.onStatus?.(status, error);
  }
}

export interface WaitForLeaseOptions {
  readonly time: Time;
  readonly ttlMs: number;
  /** The longest between two looks; the end of the other's lease is waited for to the millisecond. */
  readonly pollMs: number;
  /** Called once per holder that we find in the way. */
  readonly onWaiting?: (held: LeaseState | undefined) => void;
  /** Done between two looks, e.g. following the journal. Its failures are its own. */
  readonly meanwhile?: () => Promise<void>;
  readonly signal?: AbortSignal;
}

/** A standby's wait: looks until the lease is free, and takes it. Undefined when the signal ended the wait. */
export async function waitForLease(
  store: JournalStore,
  owner: string,
  options: WaitForLeaseOptions,
): Promise<{ lease: Lease; acquiredAt: number } | undefined> {
  let seenEpoch: number | undefined;
  while (!options.signal?.aborted) {
    const acquiredAt = options.time.monotonic.now();
    let leftMs = options.pollMs;
    try {
      const held = await store.leaseState();
      if (!held || held.owner === owner || held.leftMs <= 0)
        return { lease: await store.acquireLease(owner, options.ttlMs), acquiredAt };
      if (held.epoch !== seenEpoch) options.onWaiting?.(held);
      seenEpoch = held.epoch;
      ({ leftMs } = held);
    } catch (error) {
      // Somebody was quicker, or the store is away: both are waited out.
      if (!isBulkheadError(error, 'LEASE_HELD') && !isBulkheadError(error, 'STORE_UNAVAILABLE')) throw error;
    }
    await options.meanwhile?.();
    await sleep(options.time.timers, Math.min(options.pollMs, Math.ceil(leftMs)));
  }
  return undefined;
}
