/**
 * The emergency log of one kill: what it is about to do at the venue, on the disk before it is done, because the
 * journal may be out of reach. A process that takes the kill over after a crash goes on from here, and the next
 * process with a journal brings every entry into it, under the ids that were used.
 *
 * Invariants: append-only; an intent is flushed before its request leaves, so an id in the log may have been sent and
 * one that is not certainly was not; a last line that a crash cut short was never acted on.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { PositionKey } from '../../domain/position-key.ts';
import type { RemoteCall } from '../../domain/remote.ts';
import { emergencyFolder, flushFolder } from './kill-file.ts';

export type KillIntent = Extract<RemoteCall, { readonly call: 'submit' | 'cancel' }>;

export type KillEntry =
  | { readonly kind: 'owned'; readonly symbols: readonly PositionKey[] }
  | { readonly kind: 'intent'; readonly call: KillIntent }
  /** `of` is its intent's seq. Unknown is no outcome: it is looked up until it is one. */
  | {
      readonly kind: 'outcome';
      readonly of: number;
      readonly outcome: 'done' | 'rejected';
      readonly reason: string;
    }
  | { readonly kind: 'flat' };

export type NumberedEntry = KillEntry & { readonly seq: number; readonly at: number };

const LOG = '.log.jsonl';

export const killLogPath = (dataDir: string, id: string): string =>
  join(emergencyFolder(dataDir), `${id}${LOG}`);

/** Whole lines only. */
export function readKillLog(path: string): { entries: NumberedEntry[]; bytes: number } {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return { entries: [], bytes: 0 };
  }
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const entries = whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as NumberedEntry);
  return { entries, bytes: Buffer.byteLength(whole) };
}

/** Of every kill that this folder has seen. */
export function killLogText(dataDir: string): string {
  const folder = emergencyFolder(dataDir);
  if (!existsSync(folder)) return '';
  const names = readdirSync(folder).filter((name) => name.endsWith(LOG));
  return names.map((name) => readFileSync(join(folder, name), 'utf8')).join('');
}

export class KillLog {
  readonly #file: number;
  readonly #now: () => number;
  readonly entries: NumberedEntry[];

  constructor(dataDir: string, id: string, now: () => number) {
    mkdirSync(emergencyFolder(dataDir), { recursive: true });
    const path = killLogPath(dataDir, id);
    const { entries, bytes } = readKillLog(path);
    this.entries = entries;
    this.#now = now;
    this.#file = openSync(path, 'a');
    // What a crash cut short would make the next line unreadable.
    truncateSync(path, bytes);
    flushFolder(emergencyFolder(dataDir));
  }

  /** On the disk when it returns. */
  append(entry: KillEntry): NumberedEntry {
    const numbered = { ...entry, seq: this.nextSeq, at: this.#now() };
    writeSync(this.#file, `${JSON.stringify(numbered)}\n`);
    fsyncSync(this.#file);
    this.entries.push(numbered);
    return numbered;
  }

  get nextSeq(): number {
    return (this.entries.at(-1)?.seq ?? 0) + 1;
  }

  /** Orders that may have been sent and of which nobody knows yet what became. */
  unresolved(): (NumberedEntry & { readonly kind: 'intent' })[] {
    const ended = new Set(this.entries.flatMap((entry) => (entry.kind === 'outcome' ? [entry.of] : [])));
    return this.entries.filter(
      (entry): entry is NumberedEntry & { kind: 'intent' } =>
        entry.kind === 'intent' && !ended.has(entry.seq),
    );
  }

  close(): void {
    closeSync(this.#file);
  }
}
