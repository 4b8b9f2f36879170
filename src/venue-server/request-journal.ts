/**
 * What the venue has acknowledged, on disk before it is acknowledged: a log of entries, and now and then a
 * snapshot after which a new log begins.
 *
 * Invariants: an entry is handed to the system before `append` returns, so that killing the process loses
 * nothing (with `sync`, cutting the power neither); numbers have no gap; a snapshot is taken only between inputs;
 * the snapshot before the newest and the logs since then stay, for the case that the newest is damaged. After a
 * failed write the journal takes nothing more: the venue must stop rather than acknowledge what it may forget.
 */
import { closeSync, fdatasyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { BulkheadError, errorText } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import {
  cannotWrite,
  damaged,
  entryLine,
  logName,
  numbersOf,
  readLog,
  readSnapshot,
  remove,
  snapshotName,
  writeSnapshot,
} from './request-journal-files.ts';

export interface RequestJournalOptions {
  readonly dir: string;
  /** Entries between snapshots. */
  readonly snapshotEvery?: number;
  /** Also survive the machine's power loss: a flush to the disk with each entry. */
  readonly sync?: boolean;
}

const SNAPSHOT_EVERY = 5_000;

/** `E` is what the core writes down: plain JSON. */
export class RequestJournal<E> {
  readonly #dir: string;
  readonly #every: number;
  readonly #sync: boolean;
  #next: number;
  #sinceSnapshot: number;
  #file: number;
  #failure: BulkheadError | undefined;
  /** What the venue was when it last stopped: restore this, then replay the entries. */
  readonly recovered: { readonly snapshot: Json | undefined; readonly entries: readonly E[] };

  constructor({ dir, snapshotEvery = SNAPSHOT_EVERY, sync = false }: RequestJournalOptions) {
    this.#dir = dir;
    this.#every = snapshotEvery;
    this.#sync = sync;
    makeFolder(dir);
    const { snapshot, entries, next } = recover<E>(dir);
    this.recovered = { snapshot, entries };
    this.#next = next;
    this.#sinceSnapshot = entries.length;
    this.#file = openLog(dir, numbersOf(dir, 'log').at(-1) ?? next);
  }

  /** The number of the last entry. */
  get last(): number {
    return this.#next - 1;
  }

  append(entry: E): void {
    if (this.#failure) throw this.#failure;
    try {
      const line = Buffer.from(entryLine(this.#next, entry));
      for (let at = 0; at < line.length; ) at += writeSync(this.#file, line, at);
      if (this.#sync) fdatasyncSync(this.#file);
    } catch (error) {
      this.#failure = cannotWrite(this.#dir, error);
      throw this.#failure;
    }
    this.#next++;
    this.#sinceSnapshot++;
  }

  /** Takes a snapshot when enough has happened since the last. Call it between inputs only. */
  snapshotWhenDue(state: () => Json): void {
    if (this.#sinceSnapshot >= this.#every) this.snapshot(state);
  }

  snapshot(state: () => Json): void {
    if (this.#failure) throw this.#failure;
    if (this.#sinceSnapshot === 0) return;
    const kept = numbersOf(this.#dir, 'snapshot').at(-1);
    writeSnapshot(this.#dir, { n: this.last, state: state() });
    closeSync(this.#file);
    this.#file = openLog(this.#dir, this.#next);
    this.#sinceSnapshot = 0;
    this.#forgetBefore(kept ?? 0);
  }

  close(): void {
    closeSync(this.#file);
    this.#failure ??= new BulkheadError('INTERNAL', 'The venue\u2019s journal is closed.');
  }

  /** Files that neither the newest snapshot nor the one before it needs. */
  #forgetBefore(kept: number): void {
    for (const n of numbersOf(this.#dir, 'snapshot')) if (n < kept) remove(join(this.#dir, snapshotName(n)));
    // A log ends where the next begins.
    const logs = numbersOf(this.#dir, 'log');
    logs.forEach((first, i) => {
      const next = logs[i + 1];
      if (next !== undefined && next <= kept + 1) remove(join(this.#dir, logName(first)));
    });
  }
}

function makeFolder(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true });
  } catch (error) {
    throw new BulkheadError('CANNOT_WRITE', `The state folder ${dir} cannot be made: ${errorText(error)}`, {
      hint: 'Give the user who runs the exchange write access there, or name another with --state.',
      cause: error,
    });
  }
}

function openLog(dir: string, first: number): number {
  const path = join(dir, logName(first));
  try {
    return openSync(path, 'a');
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

interface Recovered<E> {
  readonly snapshot: Json | undefined;
  readonly entries: readonly E[];
  readonly next: number;
}

function recover<E>(dir: string): Recovered<E> {
  const snapshots = numbersOf(dir, 'snapshot').reverse();
  const logs = numbersOf(dir, 'log');
  const newest = snapshots.flatMap((n) => readSnapshot(dir, n) ?? [])[0];
  const unreadable = snapshots.length > 0 && newest === undefined;
  if (unreadable && logs[0] !== 1)
    throw damaged(join(dir, snapshotName(snapshots[0] ?? 0)), snapshots[0] ?? 0);
  let next = (newest?.n ?? 0) + 1;
  const entries: E[] = [];
  logs.forEach((first, i) => {
    const isLast = i === logs.length - 1;
    // Killed between writing a snapshot and opening the next log: the old one goes on.
    for (const { n, entry } of readLog<E>(dir, first, isLast)) {
      if (n < next) continue;
      if (n > next) throw damaged(join(dir, logName(first)), next);
      entries.push(entry);
      next++;
    }
  });
  return { snapshot: newest?.state, entries, next };
}
