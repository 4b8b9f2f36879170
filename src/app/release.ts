/**
 * `bulkhead release` and `bulkhead trip`: a person's word on the kill switch or on one breaker. Who and why is kept, in
 * the journal's row and in the breaker's own audit.
 */
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { BulkheadError } from '../core/errors.ts';
import { didYouMean } from '../core/suggest.ts';
import { lockFolder } from '../journal/pglite-lock.ts';
import type { BreakerWordOptions, Io } from './io.ts';
import { killLock, readKill, releaseKill } from './kill-file.ts';
import { leaveRequest } from './person-requests.ts';
import { isAlive } from './status.ts';
import { readStatus } from './status-file.ts';

const KILL = 'kill';

export async function breakerWord(options: BreakerWordOptions, io: Io): Promise<number> {
  const { config, request, reason, json } = options;
  const dataDir = resolve(io.cwd, config.data.dir);
  const breaker = options.breaker ?? KILL;
  const by = userInfo().username;
  if (breaker === KILL && request === 'trip')
    throw new BulkheadError('USAGE', 'The kill switch is engaged with "bulkhead kill".', {
      hint: 'Try: bulkhead kill --reason WHY',
    });
  const text =
    breaker === KILL
      ? liftKill(dataDir, by, reason, io.time.clock.now())
      : askBreaker(dataDir, { request, breaker, by, reason });
  io.stdout.write(`${json ? JSON.stringify({ asked: request, breaker }) : text}\n`);
  return 0;
}

function liftKill(dataDir: string, by: string, reason: string, at: number): string {
  const order = readKill(dataDir);
  if (!order)
    throw new BulkheadError('NOT_FOUND', `No kill switch is engaged in ${dataDir}.`, {
      hint: 'Name the data folder with --data-dir; "bulkhead breakers" shows what is open.',
    });
  // Whoever is still closing must not be cut off unnoticed: the lock is free once it is done.
  const lock = lockFolder(killLock(dataDir));
  try {
    releaseKill(dataDir, by, reason, at);
  } finally {
    lock.release();
  }
  return `${order.id} is released; entries open again with the run that uses this folder.`;
}

function askBreaker(
  dataDir: string,
  word: { request: 'trip' | 'release'; breaker: string; by: string; reason: string },
): string {
  const status = readStatus(dataDir);
  const names = status.breakers.map(({ name }) => name);
  if (!names.includes(word.breaker))
    throw new BulkheadError(
      'USAGE',
      `There is no breaker "${word.breaker}". ${didYouMean(word.breaker, names)}`.trim(),
      { hint: '"bulkhead breakers" lists them.' },
    );
  leaveRequest(dataDir, word);
  return `${isAlive(status.pid) ? 'The run takes it up now' : 'The next start takes it up'}; bulkhead breakers shows what became of it.`;
}
