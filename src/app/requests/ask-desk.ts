/** Asking the run that has the store open for what only it can do, and waiting for its answer. */
import { resolve } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { sleep } from '../../core/clock.ts';
import { BulkheadError } from '../../core/errors.ts';
import type { Io } from '../cli/io.ts';
import { isAlive } from '../status/status.ts';
import { readStatus } from '../status/status-file.ts';
import { type BackupWish, type CompactionWish, deskAnswer, leaveWish } from '../store/backup-desk.ts';

const ASK_EVERY_MS = 250;

/** `locked` is what the store said; thrown where it is no run that has it. */
export async function askDesk<Report>(
  config: Config,
  io: Io,
  wish: BackupWish | CompactionWish,
  locked: BulkheadError,
): Promise<Report> {
  const dataDir = resolve(io.cwd, config.data.dir);
  const isRunning = (): boolean => isAlive(readStatus(dataDir).pid);
  if (!isRunning()) throw locked;
  const id = leaveWish(dataDir, wish);
  for (;;) {
    const answer = deskAnswer<Report>(dataDir, id);
    if (answer && 'report' in answer) return answer.report;
    if (answer) {
      const { code, message, hint } = answer.error;
      throw new BulkheadError(code, `The run says: ${message}`, hint === undefined ? {} : { hint });
    }
    if (!isRunning()) throw endedBefore();
    await sleep(io.time.timers, ASK_EVERY_MS);
  }
}

const endedBefore = (): BulkheadError =>
  new BulkheadError('STORE_UNAVAILABLE', 'The run ended before it was done with what it was asked for.', {
    hint: 'Ask again: without a run this command opens the store itself.',
  });
