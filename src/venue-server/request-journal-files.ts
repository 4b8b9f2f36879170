/**
 * The files of the venue's state: logs of entries, one line each, and snapshots.
 *
 *     000000000123 5f3a9c21 {"type":"request",…}      number, CRC-32 of the JSON, JSON
 *
 * Invariants: a line counts only when it is whole, its checksum fits and its number follows; only the last line
 * of the last log may be torn (the process was killed in it, so it was never acknowledged), any other damage is
 * an error; a snapshot is written beside and renamed, so it is whole or not there.
 */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { BulkheadError, errorText } from '../core/errors.ts';
import type { Json } from '../core/json.ts';

const FORMAT = 1;
const DIGITS = 12;

export interface Numbered<E> {
  readonly n: number;
  readonly entry: E;
}

export interface Snapshot {
  /** The last entry that is in it. */
  readonly n: number;
  readonly state: Json;
}

const checksum = (text: string): string => crc32(text).toString(16).padStart(8, '0');

const padded = (n: number): string => String(n).padStart(DIGITS, '0');

export const logName = (first: number): string => `log-${padded(first)}.jsonl`;
export const snapshotName = (n: number): string => `snapshot-${padded(n)}.json`;

export function entryLine(n: number, entry: unknown): string {
  const json = JSON.stringify(entry);
  return `${padded(n)} ${checksum(json)} ${json}\n`;
}

function readLine<E>(line: string): Numbered<E> | undefined {
  const match = /^(\d{12}) ([0-9a-f]{8}) (.*)$/s.exec(line);
  const [, n, sum, json] = match ?? [];
  if (n === undefined || json === undefined || checksum(json) !== sum) return undefined;
  return { n: Number(n), entry: JSON.parse(json) as E };
}

/** The numbers in the names of the folder's logs or snapshots, ascending. */
export function numbersOf(dir: string, kind: 'log' | 'snapshot'): number[] {
  const pattern = kind === 'log' ? /^log-(\d{12})\.jsonl$/ : /^snapshot-(\d{12})\.json$/;
  return readdirSync(dir)
    .flatMap((name) => pattern.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** The entries of one log. A torn end is cut off the file when it is the last one. */
export function readLog<E>(dir: string, first: number, isLast: boolean): Numbered<E>[] {
  const path = join(dir, logName(first));
  const bytes = readFileSync(path);
  const entries: Numbered<E>[] = [];
  let from = 0;
  while (from < bytes.length) {
    const end = bytes.indexOf(10, from);
    const read = end < 0 ? undefined : readLine<E>(bytes.toString('utf8', from, end));
    if (read?.n !== first + entries.length) {
      // Whatever follows it was written by nobody: the log is written line after line by one process.
      const isTail = end < 0 || end === bytes.length - 1;
      if (!isLast || !isTail) throw damaged(path, first + entries.length);
      truncate(path, from);
      break;
    }
    entries.push(read);
    from = end + 1;
  }
  return entries;
}

function truncate(path: string, length: number): void {
  const file = openSync(path, 'r+');
  ftruncateSync(file, length);
  closeSync(file);
}

export function writeSnapshot(dir: string, { n, state }: Snapshot): void {
  const json = JSON.stringify(state);
  const path = join(dir, snapshotName(n));
  writeWhole(path, `${JSON.stringify({ format: FORMAT, n, crc: checksum(json) })}\n${json}\n`);
}

/** Undefined when it is damaged: then the one before it and the logs since then tell the same. */
export function readSnapshot(dir: string, n: number): Snapshot | undefined {
  const [head = '', json = ''] = readFileSync(join(dir, snapshotName(n)), 'utf8').split('\n');
  try {
    const { format, crc } = JSON.parse(head) as { format: number; crc: string };
    if (format !== FORMAT || crc !== checksum(json)) return undefined;
    return { n, state: JSON.parse(json) as Json };
  } catch {
    return undefined;
  }
}

/** Whole or not at all, also when the machine loses power. */
export function writeWhole(path: string, text: string): void {
  const next = `${path}.tmp`;
  try {
    const file = openSync(next, 'w');
    writeSync(file, text);
    fdatasyncSync(file);
    closeSync(file);
    renameSync(next, path);
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

export function remove(path: string): void {
  if (existsSync(path)) rmSync(path);
}

export const cannotWrite = (path: string, error: unknown): BulkheadError =>
  new BulkheadError('CANNOT_WRITE', `${path} cannot be written: ${errorText(error)}`, {
    hint: 'Make room, or give the user who runs the exchange write access to its --state folder.',
    cause: error,
  });

export const damaged = (path: string, n: number): BulkheadError =>
  new BulkheadError('DATA_INVALID', `${path} is damaged at entry ${n}.`, {
    hint: 'Restore the state folder from a copy, or name another with --state to begin anew.',
  });
