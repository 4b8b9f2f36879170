/**
 * The little that Telegram's part must remember over restarts, in one file of the data folder: which updates were
 * handled, what waits for a confirmation, what quiet hours hold back, which reports went out.
 *
 * Invariants: written whole beside the old one, flushed, renamed over it, one write at a time and off the runtime's
 * thread of thought; a file that cannot be read is put aside and never stops a run. What an acting command did is not
 * known from here but from the journal, where its id is.
 */
import { readFile, rename } from 'node:fs/promises';
import { errorText } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { replaceFile } from '../core/replace-file.ts';
import type { Command } from '../domain/command.ts';
import type { Level } from './people.ts';

/** A question that waits for its button. */
export interface Pending {
  readonly token: string;
  readonly userId: number;
  readonly chatId: number;
  /** The request's id at the operator: the one the command came with. */
  readonly requestId: string;
  readonly command: Command;
  /** Epoch ms, our clock. */
  readonly askedAt: number;
  /** The process that asked: after a restart less time is left. */
  readonly run: string;
  /** The update whose press was taken as the answer: the same one may come again, another may not. */
  readonly takenBy: number | undefined;
}

export interface Held {
  /** Epoch ms of the real clock. */
  readonly at: number;
  readonly level: Level;
  readonly text: string;
}

export interface Remembered {
  /** Update ids, newest last. */
  readonly seen: readonly number[];
  readonly pending: readonly Pending[];
  /** Lines that quiet hours hold back, oldest first, and how many found no room. */
  readonly held: readonly Held[];
  readonly heldLost: number;
  /** Of the newest reports: their day, and the Monday of their week, as "2025-01-31". */
  readonly lastDaily: string | undefined;
  readonly lastWeekly: string | undefined;
}

const EMPTY: Remembered = {
  seen: [],
  pending: [],
  held: [],
  heldLost: 0,
  lastDaily: undefined,
  lastWeekly: undefined,
};
const MOST_SEEN = 1_000;
const MOST_PENDING = 100;
export const MOST_HELD = 200;

export class Memory {
  readonly #path: string;
  readonly #log: Logger;
  #now: Remembered = EMPTY;
  #seen = new Set<number>();
  #writing: Promise<void> | undefined;
  #isDirty = false;
  #isUnwritable = false;

  private constructor(path: string, log: Logger) {
    this.#path = path;
    this.#log = log;
  }

  static async open(path: string, log: Logger): Promise<Memory> {
    const memory = new Memory(path, log);
    await memory.#read();
    return memory;
  }

  get now(): Remembered {
    return this.#now;
  }

  hasSeen(updateId: number): boolean {
    return this.#seen.has(updateId);
  }

  see(updateId: number): Promise<void> {
    return this.change(({ seen }) => ({ seen: [...seen, updateId].slice(-MOST_SEEN) }));
  }

  /** Resolves when it is on the disk, or known not to be writable: Telegram goes on either way. */
  change(step: (now: Remembered) => Partial<Remembered>): Promise<void> {
    const next = { ...this.#now, ...step(this.#now) };
    this.#now = { ...next, pending: next.pending.slice(-MOST_PENDING) };
    this.#seen = new Set(this.#now.seen);
    this.#isDirty = true;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  /** Until nothing more is to be written. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#isDirty) {
      this.#isDirty = false;
      try {
        await replaceFile(this.#path, JSON.stringify(this.#now));
        this.#isUnwritable = false;
      } catch (error) {
        if (!this.#isUnwritable)
          this.#log.error('telegram: its memory cannot be written; commands go on', {
            reason: errorText(error),
          });
        this.#isUnwritable = true;
      }
    }
  }

  async #read(): Promise<void> {
    try {
      const content = JSON.parse(await readFile(this.#path, 'utf8')) as Partial<Remembered>;
      if (!Array.isArray(content.seen) || !Array.isArray(content.pending) || !Array.isArray(content.held))
        throw new Error('it is none of ours');
      this.#now = { ...EMPTY, ...content };
      this.#seen = new Set(this.#now.seen);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      this.#log.warn('telegram: its memory cannot be read and is begun anew', {
        path: this.#path,
        reason: errorText(error),
      });
      await rename(this.#path, `${this.#path}.damaged`).catch(() => {});
    }
  }
}
