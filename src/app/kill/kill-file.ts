/**
 * The kill switch as a file named KILL in the data folder: while it is there, nothing is opened, by whatever
 * process and after however many restarts. Anybody can engage it with `touch`; only `bulkhead release` lifts it.
 *
 * Invariants: it appears whole and is on the disk before anything is done about it; every reader gives it the same
 * id; a release leaves its record before the file goes, and a file that was merely deleted is no release.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { BulkheadError, errorText } from '../../core/errors.ts';
import { freshId } from '../../core/ids.ts';
import { lockFolder } from '../../journal/pglite-lock.ts';

export interface KillOrder {
  /** The fencing token: who acts for another kill than the one that stands here acts for none. */
  readonly id: string;
  readonly by: string;
  readonly reason: string;
  /** Everything on the account, and not only what Bulkhead owns. */
  readonly accountWide: boolean;
  /** Epoch ms of the real clock. */
  readonly at: number;
}

export interface KillRelease {
  readonly id: string;
  readonly by: string;
  readonly reason: string;
  readonly at: number;
}

const FOLDER = 'emergency';
const RELEASED = '.released.json';

export const killPath = (dataDir: string): string => join(dataDir, 'KILL');
export const emergencyFolder = (dataDir: string): string => join(dataDir, FOLDER);

/** Held by whoever closes, and for the moment of a release; the folder may not be there yet, as the file is made by hand. */
export function lockKill(dataDir: string): ReturnType<typeof lockFolder> {
  mkdirSync(emergencyFolder(dataDir), { recursive: true });
  return lockFolder(join(dataDir, FOLDER, 'kill'));
}

/** The kill that is engaged; undefined: none. */
export function readKill(dataDir: string): KillOrder | undefined {
  const path = killPath(dataDir);
  let at: number;
  let text: string;
  try {
    // Asked four times a second for a lifetime: a file that is not there must cost no exception.
    const there = statSync(path, { throwIfNoEntry: false });
    if (!there) return undefined;
    text = readFileSync(path, 'utf8');
    at = Math.floor(there.mtimeMs);
  } catch (error) {
    // Whatever else keeps it from being read, it is there.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return byHand('', 0);
  }
  try {
    const order = JSON.parse(text) as KillOrder;
    if (typeof order.id === 'string') return { ...order, accountWide: order.accountWide === true };
  } catch {
    // Made by hand: its text is the reason.
  }
  return byHand(text, at);
}

const byHand = (text: string, at: number): KillOrder => ({
  id: `kill-file-${at}`,
  by: 'the file KILL',
  reason: text.trim().slice(0, 200) || 'no reason given',
  accountWide: false,
  at,
});

/** Engages it. One that is engaged already stays, and grows to the whole account when that is asked. */
export function engageKill(
  dataDir: string,
  wanted: Omit<KillOrder, 'id'>,
): { readonly order: KillOrder; readonly isNew: boolean } {
  const known = readKill(dataDir);
  if (known && (known.accountWide || !wanted.accountWide)) return { order: known, isNew: false };
  const order = known ? { ...known, accountWide: true } : { id: freshId('kill'), ...wanted };
  writeWhole(dataDir, killPath(dataDir), order);
  return { order, isNew: known === undefined };
}

/** Lifts it; undefined: it was not engaged. */
export function releaseKill(dataDir: string, by: string, reason: string, at: number): KillOrder | undefined {
  const order = readKill(dataDir);
  if (!order) return undefined;
  const release: KillRelease = { id: order.id, by, reason, at };
  writeWhole(dataDir, join(emergencyFolder(dataDir), `${order.id}${RELEASED}`), release);
  rmSync(killPath(dataDir), { force: true });
  return order;
}

/** The newest release on record. */
export function lastRelease(dataDir: string): KillRelease | undefined {
  let names: string[];
  try {
    names = readdirSync(emergencyFolder(dataDir)).filter((name) => name.endsWith(RELEASED));
  } catch {
    return undefined;
  }
  const releases = names.map(
    (name) => JSON.parse(readFileSync(join(emergencyFolder(dataDir), name), 'utf8')) as KillRelease,
  );
  return releases.sort((a, b) => a.at - b.at).at(-1);
}

/** Written beside, flushed, renamed, and the folder flushed, so that it outlives the power. */
function writeWhole(dataDir: string, path: string, content: object): void {
  try {
    mkdirSync(emergencyFolder(dataDir), { recursive: true });
    const next = `${path}.${process.pid}.tmp`;
    const file = openSync(next, 'w');
    writeSync(file, `${JSON.stringify(content)}\n`);
    fsyncSync(file);
    closeSync(file);
    renameSync(next, path);
    for (const dir of [dataDir, emergencyFolder(dataDir)]) flushFolder(dir);
  } catch (error) {
    throw new BulkheadError('CANNOT_WRITE', `${path} cannot be written: ${errorText(error)}`, {
      hint: 'Make room there, run it as the user who runs Bulkhead, or name another folder with --data-dir, and the venue with --mode.',
      cause: error,
    });
  }
}

export function flushFolder(dir: string): void {
  const folder = openSync(dir, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
