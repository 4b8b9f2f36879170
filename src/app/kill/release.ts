/**
 * `bulkhead release` without a breaker: lifts the kill switch. Who and why is kept on record beside the file, and in
 * the breaker's own audit.
 */
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { BulkheadError, isBulkheadError } from '../../core/errors.ts';
import type { Io, ReleaseOptions } from '../cli/io.ts';
import { lockKill, readKill, releaseKill } from './kill-file.ts';

export async function release({ config, reason, json }: ReleaseOptions, io: Io): Promise<number> {
  const dataDir = resolve(io.cwd, config.data.dir);
  const text = liftKill(dataDir, userInfo().username, reason, io.time.clock.now());
  io.stdout.write(`${json ? JSON.stringify({ asked: 'release', breaker: 'kill' }) : text}\n`);
  return 0;
}

export function liftKill(dataDir: string, by: string, reason: string, at: number): string {
  const order = readKill(dataDir);
  if (!order) throw notEngaged(dataDir);
  // Whoever is still closing must not be cut off unnoticed: the lock is free once it is done.
  const lock = lockWhenDone(dataDir, order.id);
  try {
    releaseKill(dataDir, by, reason, at);
  } finally {
    lock.release();
  }
  return `${order.id} is released; entries open again with the run that uses this folder.`;
}

function lockWhenDone(dataDir: string, id: string): ReturnType<typeof lockKill> {
  try {
    return lockKill(dataDir);
  } catch (error) {
    if (!isBulkheadError(error, 'STORE_LOCKED')) throw error;
    throw new BulkheadError(
      'STORE_LOCKED',
      `${id} is still being carried out: it is released once that is done.`,
      {
        hint: '"bulkhead status" shows what is open and whether the venue answers; leave the run alone, and ask again.',
        cause: error,
      },
    );
  }
}

export const notEngaged = (dataDir: string): BulkheadError =>
  new BulkheadError('NOT_FOUND', `No kill switch is engaged in ${dataDir}.`, {
    hint: 'Name the data folder with --data-dir. Where "bulkhead breakers" shows the breaker kill open all the same (its file was deleted, or the journal came from elsewhere): "bulkhead kill", then "bulkhead release".',
  });
