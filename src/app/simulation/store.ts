/**
 * The database of a simulated world as one process sees it: each statement takes its time, fails, or takes effect
 * and is never heard of; and the process may die at any of them, before or after it took effect.
 *
 * Invariants: what a statement did, it did whole; a statement of a process that died before it arrived has no effect.
 */
import { BulkheadError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { JournalRow } from '../../journal/journal.ts';
import type { SimProcess } from './process.ts';
import { never } from './process.ts';

export interface StoreFaults {
  /** Nothing of it can be reached. */
  down: boolean;
  full: boolean;
  /** Probabilities, for each append. */
  lostBefore: number;
  commitUnknown: number;
  /** The statement is refused whole for what another one does (40001). */
  serialization: number;
  slow: number;
  /** So many lives had begun when a row was damaged where it lies; undefined: all is as it was written. */
  damagedAfter: number | undefined;
}

export const soundStore = (): StoreFaults => ({
  down: false,
  full: false,
  lostBefore: 0,
  commitUnknown: 0,
  serialization: 0,
  slow: 0,
  damagedAfter: undefined,
});

/** Where a process is to die: at its so-manieth append, before it takes effect or after. */
interface AppendPoint {
  readonly append: number;
  readonly when: 'before' | 'after';
}

/** At its so-manieth request that changes something: before it leaves, once it has left, once its answer is there. */
export interface RequestPoint {
  readonly request: number;
  readonly when: 'unsent' | 'sent' | 'answered';
}

export type CrashPoint = AppendPoint | RequestPoint;

export const nameOf = (point: CrashPoint): string =>
  'append' in point
    ? `killed ${point.when} append ${point.append} took effect`
    : `killed with request ${point.request} ${point.when}`;

export interface StoreHooksOptions {
  readonly process: SimProcess;
  readonly faults: StoreFaults;
  readonly random: Random;
  readonly crashAt?: CrashPoint | undefined;
  /** Rows of a statement that took effect. */
  readonly onRows: (rows: readonly JournalRow[], process: SimProcess) => void;
  readonly onCrash: (process: SimProcess, point: CrashPoint) => void;
  readonly onFault: (what: string) => void;
}

/** In the form in which a memory journal takes them; the operation's name and rows come with each. */
export interface StoreHooks {
  before(operation: string, rows: readonly JournalRow[]): Promise<void>;
  after(operation: string, rows: readonly JournalRow[]): Promise<void>;
}

const away = (what: string): BulkheadError =>
  new BulkheadError('STORE_UNAVAILABLE', `The database cannot be reached: ${what}`);

export function storeHooks(options: StoreHooksOptions): StoreHooks {
  const { process, faults, random, crashAt, onRows, onCrash, onFault } = options;
  let appends = 0;
  const dies = (when: AppendPoint['when']): boolean => {
    if (!crashAt || !('append' in crashAt)) return false;
    if (crashAt.append !== appends || crashAt.when !== when) return false;
    onCrash(process, crashAt);
    return true;
  };
  const legMs = (): number => {
    if (faults.slow > 0 && random.next() < faults.slow) {
      onFault('database:slow');
      return Math.floor(random.next() * 5_000);
    }
    return random.int(3);
  };
  return {
    before: async (operation) => {
      if (process.isDead) return never();
      await process.wait(legMs());
      if (faults.down) {
        onFault('database:down');
        throw away('connection refused');
      }
      if (operation !== 'append') return;
      appends += 1;
      if (dies('before')) return never();
      if (faults.full) {
        onFault('disk:full');
        throw new BulkheadError('STORE_FULL', 'No space left on device.');
      }
      if (random.next() < faults.lostBefore) {
        onFault('database:connection-lost');
        throw away('connection terminated');
      }
      if (faults.serialization > 0 && random.next() < faults.serialization) {
        onFault('database:serialization');
        throw away('could not serialize access due to concurrent update');
      }
    },
    after: async (operation, rows) => {
      if (operation === 'append') {
        onRows(rows, process);
        if (dies('after')) return never();
      }
      await process.wait(legMs());
      if (operation === 'append' && random.next() < faults.commitUnknown) {
        onFault('database:commit-unknown');
        throw away('connection terminated while committing');
      }
    },
  };
}
