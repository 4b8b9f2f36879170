/**
 * Standing by: waits for the account while another process trades it, follows its journal, keeps the venue warm, and
 * says all the while that it is there.
 *
 * Invariants: it writes nothing but its own word about itself until the lease is its own; what it has ready is only a
 * head start, since recovery ends on what the journal holds then; a store or venue that is away is waited for.
 */
import { hostname } from 'node:os';
import { type Recovered, readRecovery } from '../../../supervisors/recovery.ts';
import { followOnce, RecoveryFollower } from '../../../supervisors/recovery-follower.ts';
import { errorText, isBulkheadError } from '../../core/errors.ts';
import type { JournalStore, Lease, StandbyWord } from '../../journal/journal.ts';
import { waitForLease } from '../../journal/lease-keeper.ts';
import type { WarmVenue } from '../live/warm-venue.ts';
import { readIdentity } from '../run/run-identity.ts';
import type { Run } from '../run/run-session.ts';
import { VERSION } from '../version.ts';

/** At most so long after the leader's lease is free it is asked for. */
const POLL_MS = 100;
const REPORT_EVERY_MS = 1_000;

export interface TakenOver {
  readonly lease: Lease;
  readonly acquiredAt: number;
  /** Another process had the account while this one stood by. */
  readonly tookOver: boolean;
  readonly recovered: () => Promise<Recovered>;
}

/** Undefined: the run was stopped while it stood by. */
export async function standBy(
  run: Run,
  store: JournalStore,
  owner: string,
  warm: WarmVenue | undefined,
): Promise<TakenOver | undefined> {
  const { options, io, signals, screen, log } = run;
  const { ttlMs } = options.config.lease;
  screen.to('standby');
  const abort = new AbortController();
  signals.onStop(() => abort.abort());
  const follower = new RecoveryFollower(store);
  const word = new Word(run, store, owner);
  warm?.start(async () => {
    const identity = await readIdentity(store);
    return identity && { symbols: identity.market.symbols, headAt: follower.headAt };
  });
  let tookOver = false;
  const taken = await waitForLease(store, owner, {
    time: io.time,
    ttlMs,
    pollMs: Math.min(POLL_MS, ttlMs / 4),
    onWaiting: (held) => {
      tookOver ||= held !== undefined && held.owner !== owner;
      log.info('waiting for the account', { holder: held?.owner ?? 'unknown' });
    },
    meanwhile: async () => {
      const isFollowing = await followOnce(follower);
      const behind = isFollowing ? null : 'the journal cannot be read';
      await word.say(follower.followedN, behind ?? warm?.notReady ?? null);
    },
    signal: abort.signal,
  });
  if (!taken) {
    await word.takeBack();
    return undefined;
  }
  const recovered = async (): Promise<Recovered> => {
    const [found] = await Promise.all([recover(follower, store, run), word.takeBack()]);
    return found;
  };
  return { ...taken, tookOver, recovered };
}

/** What was followed is a head start and no more: whatever is wrong with it, the journal is read anew. */
async function recover(follower: RecoveryFollower, store: JournalStore, { log }: Run): Promise<Recovered> {
  try {
    return await follower.finish();
  } catch (error) {
    log.warn('what the standby had read is of no use; reading the journal anew', {
      reason: errorText(error),
    });
    return readRecovery(store);
  }
}

/** Its word about itself: said when it changes, and every second. */
class Word {
  readonly #run: Run;
  readonly #store: JournalStore;
  readonly #owner: string;
  #saidAt = Number.NEGATIVE_INFINITY;
  #notReady: string | null | undefined;

  constructor(run: Run, store: JournalStore, owner: string) {
    this.#run = run;
    this.#store = store;
    this.#owner = owner;
  }

  async say(followedN: number, notReady: string | null): Promise<void> {
    const { io, screen } = this.#run;
    const now = io.time.monotonic.now();
    const isNews = notReady !== this.#notReady;
    if (!isNews && now - this.#saidAt < REPORT_EVERY_MS) return;
    const word: StandbyWord = {
      owner: this.#owner,
      host: hostname(),
      pid: io.pid,
      version: VERSION,
      followedN,
      notReady,
    };
    screen.standby(word);
    if (!(await this.#quietly(() => this.#store.reportStandby(word)))) return;
    this.#saidAt = now;
    this.#notReady = notReady;
    if (isNews) screen.announce({ event: 'standby', ready: notReady === null, reason: notReady, followedN });
  }

  async takeBack(): Promise<void> {
    await this.#quietly(() => this.#store.removeStandby(this.#owner));
  }

  /** Nobody's safety hangs on it. */
  async #quietly(act: () => Promise<void>): Promise<boolean> {
    try {
      await act();
      return true;
    } catch (error) {
      if (!isBulkheadError(error)) throw error;
      return false;
    }
  }
}
