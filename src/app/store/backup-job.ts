/**
 * A backup seen from the thread that trades: it hands the journal's pages to the backup's own thread, one when that
 * one asks, and breathes between two.
 */
import { Worker } from 'node:worker_threads';
import type { SealKey } from '../../backup/seal.ts';
import { sleep, type Time } from '../../core/clock.ts';
import { BulkheadError } from '../../core/errors.ts';
import type { JournalAnchor } from '../../journal/cut-types.ts';
import type { JournalHead, JournalStore } from '../../journal/journal.ts';
import { archiveHeader, archiveText, pieceHeader } from '../../journal/journal-archive.ts';
import type {
  BackupJob,
  BackupReport,
  FromBackupThread,
  ToBackupThread,
  VerifyJob,
} from '../compose/open-backup-thread.ts';
import type { PlaceSpec } from '../compose/open-backups.ts';
import { VERSION } from '../version.ts';

const THREAD = new URL('../compose/open-backup-thread.ts', import.meta.url);

export interface BackupOrder {
  readonly store: JournalStore;
  readonly account: string;
  readonly place: PlaceSpec;
  readonly key: SealKey;
  readonly verify: boolean;
  readonly keep: number;
  readonly time: Time;
  /** What else the process does meanwhile: 'trading' reads small pages and pauses between them. */
  readonly beside: 'trading' | 'nothing';
  readonly signal?: AbortSignal;
}

const GENTLE = { pageRows: 100, pauseMs: 5 };
const SWIFT = { pageRows: 1_000, pauseMs: 0 };

export async function takeBackup(order: BackupOrder): Promise<BackupReport> {
  const { store, account, time, place, key, verify, keep } = order;
  const { pageRows, pauseMs } = order.beside === 'trading' ? GENTLE : SWIFT;
  const header = await archiveHeader(store, { bulkhead: VERSION, account, createdAt: time.clock.now() });
  if (header.head.n === 0)
    throw new BulkheadError('NOT_FOUND', `Account ${account} has no journal yet.`, {
      hint: 'Start a run first, or name its folder with --data-dir.',
    });
  const pages = archiveText(store, header, pageRows);
  return inThread({ place, key, header, verify, keep }, order.signal, () => nextPage(pages, pauseMs, time));
}

/** Puts rows that are about to be removed where the backups are; done only once they have been read back. */
export async function archivePiece(
  order: Pick<BackupOrder, 'store' | 'account' | 'place' | 'key' | 'time' | 'beside' | 'signal'>,
  from: JournalAnchor,
  head: JournalHead,
): Promise<BackupReport> {
  const { store, account, time, place, key } = order;
  const { pageRows, pauseMs } = order.beside === 'trading' ? GENTLE : SWIFT;
  const about = { bulkhead: VERSION, account, createdAt: time.clock.now() };
  const header = await pieceHeader(store, about, from, head);
  const pages = archiveText(store, header, pageRows);
  const job: BackupJob = { place, key, header, verify: true, keep: 0 };
  return inThread(job, order.signal, () => nextPage(pages, pauseMs, time));
}

async function nextPage(pages: AsyncGenerator<string>, pauseMs: number, time: Time): Promise<ToBackupThread> {
  if (pauseMs > 0) await sleep(time.timers, pauseMs);
  const page = await pages.next();
  return page.done === true ? { type: 'end' } : { type: 'page', text: page.value };
}

export const verifyBackup = (job: VerifyJob): Promise<BackupReport> =>
  inThread(job, undefined, async () => ({ type: 'end' }));

function inThread(
  job: BackupJob | VerifyJob,
  signal: AbortSignal | undefined,
  next: () => Promise<ToBackupThread>,
): Promise<BackupReport> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(THREAD, { workerData: job });
    const end = (outcome: () => void): void => {
      signal?.removeEventListener('abort', stop);
      outcome();
      void worker.terminate();
    };
    const fail = (error: unknown): void => end(() => reject(error));
    const stop = (): void =>
      fail(new BulkheadError('BACKUP_UNREACHABLE', 'The backup was stopped with the run.'));
    signal?.addEventListener('abort', stop);
    worker.on('error', fail);
    worker.on('exit', () => fail(new BulkheadError('INTERNAL', 'the backup\u2019s thread ended')));
    worker.on('message', (message: FromBackupThread) => {
      if (message.type === 'more') next().then((answer) => worker.postMessage(answer), fail);
      else if (message.type === 'done') end(() => resolve(message.report));
      else {
        const { code, message: text, hint } = message;
        fail(new BulkheadError(code, text, hint === undefined ? {} : { hint }));
      }
    });
  });
}
