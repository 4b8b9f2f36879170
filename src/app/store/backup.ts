/**
 * `bulkhead backup`: the journal as it stands now, sealed, stored and verified; the backups that there are; one of
 * them verified; a new key. Beside a run with an embedded store the run takes it, for it has the store open.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { backupsOf } from '../../backup/backup-place.ts';
import { newIdentity } from '../../backup/seal.ts';
import { BulkheadError, errorText, isBulkheadError } from '../../core/errors.ts';
import type { BackupOptions, CreateStore, Io } from '../cli/io.ts';
import { columns, moment } from '../cli/render-text.ts';
import type { BackupReport } from '../compose/open-backup-thread.ts';
import { openPlace, placeOf, sealKeyOf } from '../compose/open-backups.ts';
import { askDesk } from '../requests/ask-desk.ts';
import { takeBackup, verifyBackup } from './backup-job.ts';

export async function backup(options: BackupOptions, io: Io, createStore: CreateStore): Promise<number> {
  if (options.newKey !== undefined) return makeKey(options.newKey, options, io);
  if (options.list) return list(options, io);
  if (options.verifyName !== undefined) return verify(options.verifyName, options, io);
  const report = await take(options, io, createStore);
  print(report, options, io);
  return 0;
}

async function take(options: BackupOptions, io: Io, createStore: CreateStore): Promise<BackupReport> {
  const { config, secrets, place: named } = options;
  const verifies = options.verify ?? config.backup.verify;
  const place = placeOf(config, secrets, io.cwd, named);
  const store = await createStore(options, io, 'existing');
  try {
    try {
      await store.open();
    } catch (error) {
      if (!isBulkheadError(error, 'STORE_LOCKED')) throw error;
      return await askRun(options, io, verifies, error);
    }
    const key = sealKeyOf(secrets);
    const { keep } = config.backup;
    const { account } = config;
    return await takeBackup({
      ...{ store, account, place, key, verify: verifies, keep, time: io.time },
      beside: 'nothing',
    });
  } finally {
    await store.close();
  }
}

/** The run that has the store open takes the backup, with its own key. */
function askRun(
  { config, place: named }: BackupOptions,
  io: Io,
  verify: boolean,
  locked: BulkheadError,
): Promise<BackupReport> {
  const isPath = named !== undefined && !named.startsWith('s3://') && !isAbsolute(named);
  const place = isPath ? resolve(io.cwd, named) : named;
  return askDesk(config, io, { verify, ...(place === undefined ? {} : { place }) }, locked);
}

async function verify(name: string, options: BackupOptions, io: Io): Promise<number> {
  const { config, secrets, place: named } = options;
  const place = placeOf(config, secrets, io.cwd, named);
  print(await verifyBackup({ place, key: sealKeyOf(secrets), name }), options, io);
  return 0;
}

async function list(options: BackupOptions, io: Io): Promise<number> {
  const { config, secrets, json } = options;
  const place = await openPlace(placeOf(config, secrets, io.cwd, options.place));
  const files = await backupsOf(place, config.account);
  if (json) for (const file of files) io.stdout.write(`${JSON.stringify(file)}\n`);
  else if (files.length === 0)
    io.stdout.write(`There are no backups of ${config.account} in ${place.name}.\n`);
  else {
    const rows = files.map(({ name, at, n, bytes }) => [moment(at), String(n), String(bytes), name]);
    io.stdout.write(`${columns(['taken', 'row', 'bytes', 'name'], rows, new Set([1, 2])).join('\n')}\n`);
  }
  return 0;
}

async function makeKey(file: string, { json }: BackupOptions, io: Io): Promise<number> {
  const path = resolve(io.cwd, file);
  const { identity, recipient } = await newIdentity();
  try {
    // Never over another key: what that one sealed could not be opened any more.
    const handle = openSync(path, 'wx', 0o600);
    writeSync(handle, `# public key: ${recipient}\n${identity}\n`);
    closeSync(handle);
  } catch (error) {
    throw new BulkheadError('CANNOT_WRITE', `${path} cannot be written: ${errorText(error)}`, {
      hint: 'Name a file that is not there yet.',
    });
  }
  const text = `${path} opens and seals backups: keep a copy where the backups are not.\nOnly sealing: ${recipient}`;
  io.stdout.write(`${json ? JSON.stringify({ file: path, recipient }) : text}\n`);
  return 0;
}

function print(report: BackupReport, { json }: BackupOptions, io: Io): void {
  if (json) {
    io.stdout.write(`${JSON.stringify(report)}\n`);
    return;
  }
  const { name, place, bytes, rows, verified, removed } = report;
  const proof = {
    restored: 'restored into a scratch store and compared',
    'read back': 'read back byte for byte (this key can seal only: verify it where it can be opened)',
    no: 'not verified',
  }[verified];
  const gone = removed.length > 0 ? `\n${removed.length} older ones are gone: ${removed.join(', ')}` : '';
  io.stdout.write(`${name}: ${rows} rows, ${bytes} bytes in ${place}; ${proof}.${gone}\n`);
}
