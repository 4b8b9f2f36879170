/**
 * Backups of real stores, in a folder and in a bucket: from one kind of store into the other and back, to a row, of a
 * storage that lies, with too many of them.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { BackupOptions, CreateStore, RestoreOptions } from '../../src/app/cli/io.ts';
import type { BackupReport } from '../../src/app/compose/open-backup-thread.ts';
import { backup } from '../../src/app/store/backup.ts';
import { restore } from '../../src/app/store/restore.ts';
import { backupsOf } from '../../src/backup/backup-place.ts';
import { FolderBackupPlace } from '../../src/backup/folder-backup-place.ts';
import { S3BackupPlace } from '../../src/backup/s3-backup-place.ts';
import { newIdentity } from '../../src/backup/seal.ts';
import { configSchema } from '../../src/config/schema.ts';
import type { Secrets } from '../../src/config/secrets.ts';
import { systemTime } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import { instanceAt, readInstances } from '../../src/journal/instances.ts';
import type { JournalRow, JournalStore } from '../../src/journal/journal.ts';
import { MemoryDatabase, MemoryJournal } from '../../src/journal/memory-journal.ts';
import { pgliteStore } from '../../src/journal/pglite-journal.ts';
import { postgresStore } from '../../src/journal/postgres-journal.ts';
import { EMPTY_HEAD, sealRows, verifyChain } from '../../src/journal/row-hash.ts';
import { readRecovery } from '../../supervisors/recovery.ts';
import { fakeIo } from '../support/fake-io.ts';
import { type Golden, goldenDatabase, goldenNames, readGolden } from '../support/golden.ts';
import { drafts } from '../support/journal-rows.ts';
import { startPostgres } from '../support/postgres.ts';
import { S3_BUCKET, S3_KEY, S3_SECRET, type S3Server, startS3 } from '../support/s3-server.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';

const ACCOUNT = 'main';
const server = await startPostgres();
const isPostgres = typeof server !== 'string';

let dir: string;
let golden: Golden;
let secrets: Secrets;
let s3: S3Server;

before(async () => {
  dir = makeTempDir('backup');
  golden = await readGolden(goldenNames().find((name) => name.endsWith('-demo')) ?? '');
  const { identity } = await newIdentity();
  s3 = await startS3();
  secrets = { backupKey: identity, s3AccessKeyId: S3_KEY, s3SecretAccessKey: S3_SECRET } as Secrets;
});
after(async () => {
  await s3.stop();
  if (isPostgres) await server.stop();
  removeTempDir(dir);
});

const io = () => fakeIo({ time: systemTime(), cwd: dir });
const folderOf = (name: string): string => path.join(dir, name);

const configOf = (name: string, more: object = {}) =>
  configSchema.parse({ account: ACCOUNT, data: { dir: folderOf(name) }, ...more });

/** A store that lives as long as the test. */
function inMemory(): CreateStore {
  const database = new MemoryDatabase();
  return async () => new MemoryJournal({ account: ACCOUNT, clock: systemTime().clock, database });
}

function embedded(name: string): CreateStore {
  return async () => pgliteStore({ dir: path.join(folderOf(name), 'journal'), account: ACCOUNT });
}

async function postgres(): Promise<CreateStore> {
  assert.ok(isPostgres);
  const url = await server.createDatabase();
  return async () => postgresStore({ url, account: ACCOUNT, allowNonDurable: true });
}

async function withStore<T>(create: CreateStore, use: (store: JournalStore) => Promise<T>): Promise<T> {
  const store = await create({} as BackupOptions, io(), 'apply');
  await store.open();
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** The golden demo's journal in a store. */
async function filled(create: CreateStore): Promise<void> {
  const rows = golden.rows;
  await withStore(create, (store) =>
    store.restore({
      batches: (async function* () {
        yield rows;
      })(),
      end: () => ({ settledN: golden.header.settledN, meta: golden.header.meta }),
    }),
  );
}

async function take(
  create: CreateStore,
  place: string,
  more: Partial<BackupOptions> = {},
): Promise<BackupReport> {
  const out = io();
  const flags = { list: false, verifyName: undefined, verify: undefined, newKey: undefined };
  const options = { config: configOf('taker'), secrets, json: true, quiet: true, place, ...flags, ...more };
  assert.equal(await backup(options as unknown as BackupOptions, out, create), 0);
  return JSON.parse(out.out()) as BackupReport;
}

async function bring(
  create: CreateStore,
  name: string,
  what: string,
  more: Partial<RestoreOptions> = {},
): Promise<Record<string, unknown>> {
  const out = io();
  const options = { config: configOf(name), secrets, json: true, quiet: true, to: undefined, backup: what };
  const all = { ...options, place: folderOf('place'), ...more };
  assert.equal(await restore(all as unknown as RestoreOptions, out, create), 0);
  return JSON.parse(out.out()) as Record<string, unknown>;
}

const allRows = (create: CreateStore): Promise<readonly JournalRow[]> =>
  withStore(create, (store) => store.rowsAfter(0, 100_000));

test('from one kind of store into the other, and back: the same rows, and recovery finds the same', async (t) => {
  if (!isPostgres) return t.skip(server);
  const first = embedded('first');
  await filled(first);
  const report = await take(first, folderOf('place'));
  assert.deepEqual([report.rows, report.verified], [golden.rows.length, 'restored']);
  const second = await postgres();
  const restored = await bring(second, 'second', 'latest');
  assert.deepEqual(await allRows(second), golden.rows);
  const again = await take(second, folderOf('place'));
  const third = embedded('third');
  await bring(third, 'third', again.name);
  assert.deepEqual(await allRows(third), golden.rows);
  const { store: original } = await goldenDatabase(golden, ACCOUNT, golden.rows.length);
  const wanted = await readRecovery(original);
  await withStore(third, async (store) => {
    const found = await readRecovery(store);
    assert.deepEqual([...found.live.keys()].sort(), [...wanted.live.keys()].sort());
    assert.deepEqual(found.pending, wanted.pending);
    assert.deepEqual(found.cursor, wanted.cursor);
    const instances = await readInstances(store);
    assert.notEqual(instances.current, golden.header.meta.instance);
    assert.notEqual(instances.current, restored.instance);
    assert.equal(instanceAt(instances, golden.rows.length), golden.header.meta.instance);
    assert.equal(instanceAt(instances, golden.rows.length + 1), instances.current);
  });
  await assert.rejects(bring(third, 'third', 'latest'), { code: 'STORE_NOT_EMPTY' });
});

test('to a row or a moment beyond the backup: it is restored whole, and said to end before', async () => {
  const source = inMemory();
  await filled(source);
  const { name } = await take(source, folderOf('short'), { verify: false });
  const { n, at } = golden.rows.at(-1) as JournalRow;
  const endsBefore = async (as: string, to: RestoreOptions['to']) =>
    (await bring(inMemory(), as, name, { to, place: folderOf('short') })).endsBefore;
  assert.deepEqual(
    [
      await endsBefore('beyond-n', { n: n + 1 }),
      await endsBefore('beyond-at', { at: at + 1 }),
      await endsBefore('just-n', { n }),
      await endsBefore('just-at', { at }),
      await endsBefore('whole', undefined),
    ],
    [true, true, false, false, false],
  );
});

test('to any row: what is pending there is what a process killed there would find', async () => {
  const source = inMemory();
  await filled(source);
  const { name } = await take(source, folderOf('cuts'), { verify: false });
  const random = seededRandom('backup/cuts');
  for (let i = 0; i < 4; i++) {
    const n = 1 + random.int(golden.rows.length - 1);
    const create = inMemory();
    await bring(create, `cut-${n}`, name, { to: { n }, place: folderOf('cuts') });
    const { store: original } = await goldenDatabase(golden, ACCOUNT, n);
    const wanted = await readRecovery(original);
    await withStore(create, async (store) => {
      assert.equal((await store.head()).n, n);
      const found = await readRecovery(store);
      assert.deepEqual(found.pending, wanted.pending, `row ${n}`);
      assert.deepEqual([...found.live.keys()].sort(), [...wanted.live.keys()].sort());
      const oldest = found.pending.map(({ cause }) => (cause.kind === 'intent' ? cause.n : n));
      assert.equal(found.settledN, Math.min(n, ...oldest.map((row) => row - 1)), `settled at row ${n}`);
    });
  }
});

test('a storage that changes a byte is found out, and the older backups stay', async () => {
  const source = inMemory();
  await filled(source);
  const place = folderOf('liar-place');
  const { name } = await take(source, place, { verify: false });
  const file = path.join(place, name);
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  const verifying = { config: configOf('taker'), secrets, json: true, quiet: true, place, list: false };
  const options = { ...verifying, verifyName: name, verify: undefined, newKey: undefined };
  await assert.rejects(backup(options as unknown as BackupOptions, io(), source), { code: 'BACKUP_INVALID' });
  const target = inMemory();
  await assert.rejects(bring(target, 'from-liar', name, { place }), { code: 'BACKUP_INVALID' });
  await withStore(target, async (store) => assert.deepEqual(await store.head(), EMPTY_HEAD));
});

test('older ones go once enough newer ones are there; a key that only seals reads back', async () => {
  const source = inMemory();
  await filled(source);
  const place = folderOf('many-place');
  const { recipient } = await newIdentity();
  const config = configOf('taker', { backup: { keep: 1 } });
  const first = await take(source, place, { config, verify: false });
  assert.equal(first.verified, 'no');
  // Names tell seconds: one taken in the same second with the same rows is the same backup.
  await withStore(source, async (store) => {
    const lease = await store.acquireLease('more', 60_000);
    const rows = sealRows(await store.head(), lease.epoch, drafts('late', 1));
    await store.append(lease, rows, 0);
  });
  const sealing = { ...secrets, backupKey: recipient };
  const second = await take(source, place, { config, secrets: sealing });
  assert.deepEqual([second.verified, second.removed], ['read back', [first.name]]);
  assert.deepEqual(readdirSync(place), [second.name]);
});

describe('in a bucket', () => {
  const bucket = (prefix = 'trading/') =>
    new S3BackupPlace({
      ...{ endpoint: s3.url, region: 'us-east-1', bucket: S3_BUCKET, prefix },
      ...{ accessKeyId: S3_KEY, secretAccessKey: S3_SECRET },
    });

  test('taken, listed, restored, removed', async () => {
    const source = inMemory();
    await filled(source);
    const config = configOf('taker', { backup: { bucketEndpoint: s3.url } });
    const place = `s3://${S3_BUCKET}/trading`;
    const report = await take(source, place, { config, verify: false });
    const found = await backupsOf(bucket(), ACCOUNT);
    assert.deepEqual(
      found.map(({ name, bytes }) => [name, bytes]),
      [[report.name, report.bytes]],
    );
    const target = inMemory();
    const options = { place, config: configOf('from-bucket', { backup: { bucketEndpoint: s3.url } }) };
    await bring(target, 'from-bucket', 'latest', options);
    assert.deepEqual(await allRows(target), golden.rows);
    await bucket().remove(report.name);
    assert.deepEqual(await backupsOf(bucket(), ACCOUNT), []);
    await assert.rejects(bucket().read(report.name), { code: 'NOT_FOUND' });
  });

  test('what is larger than one part arrives whole', async () => {
    const random = seededRandom('backup/parts');
    const block = Buffer.from(Array.from({ length: 1_000_000 }, () => random.int(256)));
    const place = bucket('large/');
    const many = async function* () {
      for (let i = 0; i < 37; i++) yield block;
    };
    await place.write('large.age', many());
    assert.deepEqual(await place.list(), [{ name: 'large.age', bytes: 37_000_000 }]);
    let bytes = 0;
    let at = 0;
    for await (const piece of await place.read('large.age')) {
      const isSame = piece.every((byte) => byte === block[at++ % block.length]);
      assert.ok(isSame, `up to byte ${at}`);
      bytes += piece.length;
    }
    assert.equal(bytes, 37_000_000);
    const broken = async function* () {
      yield* many();
      throw new Error('the source ended');
    };
    await assert.rejects(place.write('broken.age', broken()));
    assert.deepEqual(
      (await place.list()).map(({ name }) => name),
      ['large.age'],
    );
  });

  test('many are listed, page by page, each in its own folder; a busy server is asked again', async () => {
    const place = bucket('many/');
    const one = async function* () {
      yield Buffer.from('x');
    };
    for (let i = 0; i < 7; i++) await place.write(`file-${i}.age`, one());
    await bucket('many/below/').write('other.age', one());
    s3.failNext(1);
    assert.equal((await place.list()).length, 7);
  });

  test('a wrong key and an absent server say what to look at', async () => {
    const wrong = new S3BackupPlace({
      ...{ endpoint: s3.url, region: 'us-east-1', bucket: S3_BUCKET, prefix: '' },
      ...{ accessKeyId: S3_KEY, secretAccessKey: 'not it' },
    });
    await assert.rejects(wrong.list(), { code: 'BACKUP_UNREACHABLE', hint: /BULKHEAD_S3_SECRET/ });
    const absent = new S3BackupPlace({
      ...{ endpoint: 'http://127.0.0.1:1', region: 'us-east-1', bucket: S3_BUCKET, prefix: '' },
      ...{ accessKeyId: S3_KEY, secretAccessKey: S3_SECRET },
    });
    const one = (async function* () {
      yield Buffer.from('x');
    })();
    await assert.rejects(absent.write('a', one), { code: 'BACKUP_UNREACHABLE', hint: /bucketEndpoint/ });
  });
});

test('rows of a store that keeps growing: the backup holds those of its first moment', async () => {
  const source = inMemory();
  await filled(source);
  await withStore(source, async (store) => {
    const lease = await store.acquireLease('grower', 60_000);
    let seq = 0;
    const grow = async (): Promise<void> => {
      seq += 1;
      const rows = sealRows(await store.head(), lease.epoch, drafts('grows', 1, seq));
      await store.append(lease, rows, 0);
    };
    // A row comes in between any two pages.
    const busy = new Proxy(store, {
      get(target, name: keyof JournalStore) {
        if (name === 'open' || name === 'close') return async () => {};
        const member = target[name];
        if (typeof member !== 'function') return member;
        const act = member.bind(target) as (...given: unknown[]) => unknown;
        if (name !== 'rowsAfter') return act;
        return async (...given: unknown[]) => {
          await grow();
          return act(...given);
        };
      },
    });
    const report = await take(async () => busy, folderOf('growing-place'), { verify: false });
    assert.ok(seq > 1);
    assert.equal(report.rows, golden.rows.length);
    const target = inMemory();
    await bring(target, 'grown', report.name, { place: folderOf('growing-place') });
    assert.deepEqual(await allRows(target), golden.rows);
    verifyChain(await store.rowsAfter(0, 100_000));
  });
  assert.equal((await backupsOf(new FolderBackupPlace(folderOf('growing-place')), ACCOUNT)).length, 1);
});
