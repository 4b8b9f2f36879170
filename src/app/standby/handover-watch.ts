/**
 * The leader's side of a planned handover, and its view of who stands by.
 *
 * Invariant: the account is let go only when a standby is there, has followed to the newest rows and has its venue
 * ready, unless a person insists; letting go is the ordinary end of a run, so nothing is lost by it.
 */
import type { Time, TimerHandle } from '../../core/clock.ts';
import { isBulkheadError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { JournalStore, StandbyState } from '../../journal/journal.ts';
import { answerWish, type HandoverAnswer, type HandoverWish, takeWish } from './handover-file.ts';

const LOOK_EVERY_MS = 250;
const ASK_STORE_EVERY_MS = 2_000;
/** A standby reports every second. */
const HEARD_WITHIN_MS = 5_000;
/** So far behind, a standby is still reading what it missed. */
const MOST_ROWS_BEHIND = 2_000;

export interface HandoverWatchOptions {
  readonly dataDir: string;
  readonly store: Pick<JournalStore, 'standbys' | 'head'>;
  readonly time: Time;
  readonly log: Logger;
  readonly onStandbys: (standbys: readonly StandbyState[]) => void;
  readonly onHandover: (answer: HandoverAnswer) => void;
}

interface Standing {
  readonly headN: number;
  readonly standbys: readonly StandbyState[];
}

export class HandoverWatch {
  readonly #options: HandoverWatchOptions;
  #timer: TimerHandle | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  #isOver = false;

  constructor(options: HandoverWatchOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#isOver) return;
    void this.#look().finally(() => {
      if (!this.#isOver) this.#timer = this.#options.time.timers.set(LOOK_EVERY_MS, () => this.start());
    });
  }

  stop(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const { dataDir, time, onStandbys } = this.#options;
    const wish = takeWish(dataDir, time.clock.now());
    const now = time.monotonic.now();
    if (!wish && now - this.#askedAt < ASK_STORE_EVERY_MS) return;
    this.#askedAt = now;
    const found = await this.#standing();
    if (found) onStandbys(found.standbys);
    if (wish && !this.#isOver) this.#decide(wish, found);
  }

  async #standing(): Promise<Standing | undefined> {
    const { store } = this.#options;
    try {
      const [{ n }, standbys] = await Promise.all([store.head(), store.standbys()]);
      return { headN: n, standbys };
    } catch (error) {
      if (!isBulkheadError(error)) throw error;
      return undefined;
    }
  }

  #decide({ id, by, force }: HandoverWish, standing: Standing | undefined): void {
    const { dataDir, log, onHandover } = this.#options;
    const ready = standing?.standbys.find((standby) => whyNot(standby, standing.headN) === undefined);
    const refused = ready || force ? null : whyRefused(standing);
    const standby = ready ? { owner: ready.owner, host: ready.host } : null;
    const answer = { id, standby, refused };
    answerWish(dataDir, answer);
    if (refused !== null) log.warn('a handover was asked for and refused', { by, reason: refused });
    else {
      log.info('handing the account over', { by, to: standby?.owner ?? 'whoever comes' });
      this.stop();
      onHandover(answer);
    }
  }
}

function whyNot(
  { owner, host, ageMs, followedN, notReady }: StandbyState,
  headN: number,
): string | undefined {
  const name = `${owner} on ${host}`;
  if (ageMs > HEARD_WITHIN_MS) return `${name} was last heard of ${Math.round(ageMs / 1000)} s ago`;
  if (notReady !== null) return `${name} is not ready: ${notReady}`;
  const behind = headN - followedN;
  return behind > MOST_ROWS_BEHIND ? `${name} is ${behind} rows behind` : undefined;
}

function whyRefused(standing: Standing | undefined): string {
  if (!standing) return 'the store cannot be asked who stands by';
  const { standbys, headN } = standing;
  if (standbys.length === 0) return 'nobody stands by for this account';
  return standbys.map((standby) => whyNot(standby, headN)).join('; ');
}
