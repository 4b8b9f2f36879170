/** How large the store is and how much room it has, looked at once a minute. */
import type { Config } from '../../config/schema.ts';
import type { Time, TimerHandle } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import type { JournalStore } from '../../journal/journal.ts';
import type { RunProgress } from '../status/run-status.ts';

const LOOK_EVERY_MS = 60_000;
const MIB = 1_048_576;

/** Less than this on the store's disk is too little. */
export const minFreeBytes = ({ retention }: Config): number => retention.minFreeMb * MIB;

export interface StoreWatchOptions {
  readonly store: JournalStore;
  readonly time: Time;
  readonly log: Logger;
  readonly minFreeBytes: () => number;
  readonly progress: Pick<RunProgress, 'storeSize'>;
}

export class StoreWatch {
  readonly #options: StoreWatchOptions;
  #timer: TimerHandle | undefined;
  #isStopped = false;
  /** Said once each time it gets so. */
  #isShort = false;

  constructor(options: StoreWatchOptions) {
    this.#options = options;
  }

  async look(): Promise<void> {
    const { store, progress, time } = this.#options;
    try {
      const size = await store.size();
      const { n: anchorN } = await store.anchor();
      progress.storeSize = { ...size, anchorN };
      this.#warn(size.freeBytes);
    } catch {
      // The journal says by itself that its store is away.
    }
    if (!this.#isStopped) this.#timer = time.timers.set(LOOK_EVERY_MS, () => void this.look());
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #warn(freeBytes: number | null): void {
    const { log } = this.#options;
    const least = this.#options.minFreeBytes();
    const isShort = freeBytes !== null && freeBytes < least;
    if (isShort && !this.#isShort)
      log.warn('the disk of the store runs low; entries halt when it is full', {
        freeBytes,
        minFreeBytes: least,
      });
    this.#isShort = isShort;
  }
}
