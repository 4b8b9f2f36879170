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
      this.#renewing = this.#renew().finally(() => this.#armRenewal());
    });
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
    this.#validUntil = asked + this.#options.ttlMs;
    if (this.#stopped || !this.valid) return;
    this.#armExpiry();
    this.#enter('valid');
  }

  #enter(status: LeaseStatus, error?: unknown): void {
    if (this.#status === status || this.#status === 'fenced') return;
    this.#status = status;
    if (status === 'fenced') this.#expiryTimer?.cancel();
    this.#options.onStatus?.(status, error);
  }
}

export interface WaitForLeaseOptions {
  readonly time: Time;
  readonly ttlMs: number;
  readonly pollMs: number;
  /** Called once per holder that we find in the way. */
  readonly onWaiting?: (held: LeaseState | undefined) => void;
  readonly signal?: AbortSignal;
}

/** A standby's wait: asks again until the lease is ours. Undefined when the signal ended the wait. */
export async function waitForLease(
  store: JournalStore,
  owner: string,
  options: WaitForLeaseOptions,
): Promise<{ lease: Lease; acquiredAt: number } | undefined> {
  let seenEpoch: number | undefined;
  while (!options.signal?.aborted) {
    const acquiredAt = options.time.monotonic.now();
    try {
      return { lease: await store.acquireLease(owner, options.ttlMs), acquiredAt };
    } catch (error) {
      if (!isBulkheadError(error, 'LEASE_HELD') && !isBulkheadError(error, 'STORE_UNAVAILABLE')) throw error;
    }
    const held = await store.leaseState().catch(() => undefined);
    if (held && held.epoch !== seenEpoch) options.onWaiting?.(held);
    seenEpoch = held?.epoch ?? seenEpoch;
    await sleep(options.time.timers, options.pollMs);
  }
  return undefined;
}
