/**
 * The thread that takes a backup: it gets the journal's text page by page, compresses, seals and stores it, restores
 * what it stored into a scratch store, and sweeps what is superfluous. The trading thread only reads pages.
 *
 * Invariant: an older backup goes only after the newer one has been verified as far as the key allows.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import {
  type BackupPlace,
  backupName,
  backupsOf,
  pieceName,
  superfluous,
} from '../../backup/backup-place.ts';
import { canOpen, type SealKey, seal, unseal } from '../../backup/seal.ts';
import { defined } from '../../core/assert.ts';
import { BulkheadError, type ErrorCode, errorText } from '../../core/errors.ts';
import { type ArchiveHeader, openArchive } from '../../journal/journal-archive.ts';
import { readChain } from '../../journal/journal-beginning.ts';
import { pgliteStore } from '../../journal/pglite-journal.ts';
import { RestoredRows } from '../store/restored-rows.ts';
import { openPlace, type PlaceSpec } from './open-backups.ts';

export interface BackupJob {
  readonly place: PlaceSpec;
  readonly key: SealKey;
  /** Of a piece: it is kept under a name of its own, read back, and never swept. */
  readonly header: ArchiveHeader;
  /** 'restored': into a scratch store. Only what the key can open can be restored. */
  readonly verify: boolean;
  readonly keep: number;
}

/** Verifies a backup that is there. */
export interface VerifyJob {
  readonly place: PlaceSpec;
  readonly key: SealKey;
  readonly name: string;
}

export interface BackupReport {
  readonly name: string;
  readonly place: string;
  readonly bytes: number;
  readonly rows: number;
  readonly hash: string;
  /** 'restored' into a scratch store and compared; 'read back' byte for byte; or 'no'. */
  readonly verified: 'restored' | 'read back' | 'no';
  readonly removed: readonly string[];
}

export type ToBackupThread = { readonly type: 'page'; readonly text: string } | { readonly type: 'end' };

export type FromBackupThread =
  | { readonly type: 'more' }
  | { readonly type: 'done'; readonly report: BackupReport }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string; readonly hint?: string };

const parent = defined(parentPort, 'the thread that started this one');
const say = (message: FromBackupThread): void => parent.postMessage(message);

async function* pages(): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for (;;) {
    const answer = new Promise<ToBackupThread>((resolve) => parent.once('message', resolve));
    say({ type: 'more' });
    const message = await answer;
    if (message.type === 'end') return;
    yield encoder.encode(message.text);
  }
}

async function take(job: BackupJob): Promise<BackupReport> {
  const { header, key, keep } = job;
  const place = await openPlace(job.place);
  const { isPiece = false } = header;
  const name = isPiece
    ? pieceName(header.account, (header.after?.n ?? 0) + 1, header.head.n)
    : backupName(header.account, header.createdAt, header.head.n);
  const written = createHash('sha256');
  let bytes = 0;
  const noted = async function* (sealed: AsyncIterable<Uint8Array>) {
    for await (const piece of sealed) {
      written.update(piece);
      bytes += piece.length;
      yield piece;
    }
  };
  await place.write(name, noted(await seal(pages(), key)));
  const report = { name, place: place.name, bytes, rows: header.head.n, hash: header.head.hash };
  let verified: BackupReport['verified'] = 'no';
  if (job.verify && canOpen(key) && !isPiece) {
    const there = await restoreToScratch(place, name, key);
    if (there.hash !== header.head.hash) throw differs(name);
    verified = 'restored';
  } else if (job.verify) {
    if (canOpen(key)) await readThrough(place, name, key);
    if ((await digest(place, name)) !== written.digest('hex')) throw differs(name);
    verified = 'read back';
  }
  const removed: string[] = [];
  for (const old of isPiece ? [] : superfluous(await backupsOf(place, header.account), keep)) {
    await place.remove(old.name);
    removed.push(old.name);
  }
  return { ...report, verified, removed };
}

async function verifyOnly({ place: spec, name, key }: VerifyJob): Promise<BackupReport> {
  const place = await openPlace(spec);
  const bytes = (await place.list()).find((file) => file.name === name)?.bytes ?? 0;
  const { rows, hash } = await restoreToScratch(place, name, key);
  return { name, place: place.name, bytes, rows, hash, verified: 'restored', removed: [] };
}

/** Into a real store that is thrown away; then its chain, its counts and its actors are compared. */
async function restoreToScratch(
  place: BackupPlace,
  name: string,
  key: SealKey,
): Promise<{ rows: number; hash: string }> {
  const { header, start, batches } = await openArchive(await unseal(await place.read(name), key));
  const dir = mkdtempSync(join(tmpdir(), 'bulkhead-scratch-'));
  const store = pgliteStore({ dir: join(dir, 'journal'), account: header.account });
  try {
    await store.open();
    const rows = new RestoredRows();
    const live = new Set<string>(start?.rows.map(({ actor }) => actor));
    const watched = async function* () {
      for await (const batch of rows.upTo(batches, undefined)) {
        for (const row of batch) {
          if (row.final) live.delete(row.actor);
          else live.add(row.actor);
        }
        yield batch;
      }
    };
    await store.restore({
      ...(start ? { start } : {}),
      batches: watched(),
      end: () => ({
        settledN: rows.settledN,
        meta: header.meta,
        configVersions: header.configVersions ?? [],
      }),
    });
    const { n, hash } = await readChain(store);
    const actors = (await store.liveRows()).length;
    const count = header.head.n - (start?.anchor.n ?? 0);
    const versions = await store.newestConfigVersion();
    const isWhole =
      hash === header.head.hash &&
      rows.count === count &&
      actors === live.size &&
      versions === (header.configVersions ?? []).length;
    if (!isWhole || rows.settledN < header.settledN) throw differs(name);
    return { rows: n, hash };
  } finally {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Opens it, and reads it to its end: its beginning and its chain are checked on the way. */
async function readThrough(place: BackupPlace, name: string, key: SealKey): Promise<void> {
  const { batches } = await openArchive(await unseal(await place.read(name), key));
  for await (const _ of batches);
}

async function digest(place: BackupPlace, name: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of await place.read(name)) hash.update(piece);
  return hash.digest('hex');
}

const differs = (name: string): BulkheadError =>
  new BulkheadError('BACKUP_INVALID', `${name} is not what was written there.`, {
    hint: 'The storage changes what it is given. Keep the older backups, and use another place.',
  });

try {
  const job = workerData as BackupJob | VerifyJob;
  say({ type: 'done', report: await ('name' in job ? verifyOnly(job) : take(job)) });
} catch (error) {
  const known = error instanceof BulkheadError ? error : undefined;
  const { code = 'INTERNAL', message = errorText(error), hint } = known ?? {};
  say({ type: 'failed', code, message, ...(hint === undefined ? {} : { hint }) });
}
