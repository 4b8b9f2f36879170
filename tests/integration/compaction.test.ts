/**
 * A real journal loses its oldest rows: what people are told stays the same to the letter, the rest is rebuilt and
 * verified from the anchor on, and backups go on.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type {
  BackupOptions,
  CompactOptions,
  CreateStore,
  ExplainOptions,
  RestoreOptions,
} from '../../src/app/cli/io.ts';
import { type Past, registryOf, replayPast } from '../../src/app/replay/past.ts';
import { whatIf, whatIfText } from '../../src/app/replay/what-if.ts';
import { EntryTally } from '../../src/app/results/entry-statistics.ts';
import { explain } from '../../src/app/results/explain.ts';
import { exportLines } from '../../src/app/results/export.ts';
import { exitStatistics } from '../../src/app/results/statistics.ts';
import { readIdentity } from '../../src/app/run/run-identity.ts';
import { backup } from '../../src/app/store/backup.ts';
import { compactCommand } from '../../src/app/store/compact.ts';
import type { CompactionReport } from '../../src/app/store/compaction.ts';
import { restore } from '../../src/app/store/restore.ts';
import { TradeHistory } from '../../src/app/views/trade-history.ts';
import { backupsOf } from '../../src/backup/backup-place.ts';
import { FolderBackupPlace } from '../../src/backup/folder-backup-place.ts';
import { newIdentity, unseal } from '../../src/backup/seal.ts';
import { configSchema } from '../../src/config/schema.ts';
import type { Secrets } from '../../src/config/secrets.ts';
import { systemTime } from '../../src/core/clock.ts';
import { instanceAt, readInstances } from '../../src/journal/instances.ts';
import type { JournalRow, JournalStore } from '../../src/journal/journal.ts';
import { openArchive } from '../../src/journal/journal-archive.ts';
import { allRows, readBeginning, readChain } from '../../src/journal/journal-beginning.ts';
import { MemoryDatabase, MemoryJournal } from '../../src/journal/memory-journal.ts';
import { pgliteStore } from '../../src/journal/pglite-journal.ts';
import { postgresStore } from '../../src/journal/postgres-journal.ts';
import { Moments } from '../../supervisors/moments.ts';
import { readRecovery } from '../../supervisors/recovery.ts';
import { Replay } from '../../supervisors/replay.ts';
import { fakeIo } from '../support/fake-io.ts';
import { type Golden, goldenNames, readGolden } from '../support/golden.ts';
import { startPostgres } from '../support/postgres.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';

const ACCOUNT = 'main';
const HOUR = 3_600_000;
const server = await startPostgres();

let dir: string;
let secrets: Secrets;
const goldens: Golden[] = [];

before(async () => {
  dir = makeTempDir('compaction');
  for (const name of goldenNames()) goldens.push(await readGolden(name));
  secrets = { backupKey: (await newIdentity()).identity } as Secrets;
});
after(async () => {
  if (typeof server !== 'string') await server.stop();
  removeTempDir(dir);
});

const io = () => fakeIo({ time: systemTime(), cwd: dir });
const config = (more: object = {}) =>
  configSchema.parse({ account: ACCOUNT, data: { dir: path.join(dir, 'data') }, ...more });

async function filled(create: CreateStore, { rows, header }: Golden): Promise<JournalStore> {
  const store = await create({} as BackupOptions, io(), 'apply');
  await store.open();
  const batches = (async function* () {
    for (let at = 0; at < rows.length; at += 500) yield rows.slice(at, at + 500);
  })();
  await store.restore({ batches, end: () => ({ settledN: header.settledN, meta: header.meta }) });
  return store;
}

/** A store that a command may close, and that goes on. */
const lent = (store: JournalStore): CreateStore => {
  const held = new Proxy(store, {
    get(target, name) {
      if (name === 'close' || name === 'open') return async () => ({ engine: '', checks: [] });
      const member = Reflect.get(target, name) as unknown;
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  return async () => held;
};

async function compactTo(store: JournalStore, keepMs: number, more: object = {}): Promise<CompactionReport> {
  const out = io();
  const options = { config: config(more), secrets, json: true, quiet: true, keepMs, dryRun: false };
  assert.equal(await compactCommand(options as unknown as CompactOptions, out, lent(store)), 0);
  return JSON.parse(out.out()) as CompactionReport;
}

/** Everything that statistics, exports and stories say. */
async function told(store: JournalStore) {
  const exported: Record<string, string> = {};
  for (const what of ['trades', 'orders', 'fills', 'equity'] as const) {
    exported[what] = '';
    for await (const text of exportLines({ what, format: 'csv' }, allRows(store))) exported[what] += text;
  }
  const tally = new EntryTally();
  for await (const row of allRows(store)) tally.take(row);
  const history = new TradeHistory();
  await history.load(store, (await store.head()).n, systemTime().timers);
  const stories: string[] = [];
  for (const { actor } of history.all) {
    const out = io();
    const options = { config: config(), json: true, position: actor } as unknown as ExplainOptions;
    await explain(options, out, lent(store));
    const { story } = JSON.parse(out.out()) as { story: { lines: { what: string }[] } };
    // What risk said of the size stands in the desk's row, which is not kept.
    const [begin, ...rest] = story.lines;
    stories.push(JSON.stringify({ ...story, lines: [begin?.what.split(',')[0], ...rest] }));
  }
  return {
    exported,
    exits: await exitStatistics(allRows(store)),
    entries: tally.statistics(),
    trades: history.all,
    stories,
  };
}

async function registryFor(store: JournalStore) {
  const identity = await readIdentity(store);
  assert.ok(identity);
  return registryOf(identity);
}

/** `bulkhead replay --verify` from the anchor on. */
async function replayed(store: JournalStore): Promise<number> {
  const instances = await readInstances(store);
  const replay = new Replay(await registryFor(store), (n) => instanceAt(instances, n));
  const { anchor, rows } = await readBeginning(store);
  replay.seed(rows);
  const mismatches = [];
  for (const row of await store.rowsAfter(anchor.n, 100_000)) mismatches.push(...replay.take(row));
  assert.deepEqual(mismatches, []);
  return replay.rowCount;
}

const stores: Readonly<Record<string, () => Promise<CreateStore> | string>> = {
  memory: async () => {
    const database = new MemoryDatabase();
    return async () => new MemoryJournal({ account: ACCOUNT, clock: systemTime().clock, database });
  },
  embedded: async () => async () => pgliteStore({ dir: path.join(dir, 'embedded'), account: ACCOUNT }),
  PostgreSQL: () =>
    typeof server === 'string'
      ? server
      : server
          .createDatabase()
          .then((url) => async () => postgresStore({ url, account: ACCOUNT, allowNonDurable: true })),
};

describe('a journal that loses its oldest rows', () => {
  for (const [name, make] of Object.entries(stores))
    test(`${name}: tells the same, recovers the same, replays from the anchor on`, async (t) => {
      const create = make();
      if (typeof create === 'string') return t.skip(create);
      const golden = goldens.find((each) => each.name.endsWith('-demo')) as Golden;
      const store = await filled(await create, golden);
      const [was, recovered] = [await told(store), await readRecovery(store)];
      assert.ok(was.trades.length > 5);
      let anchorN = 0;
      for (const keepMs of [16 * HOUR, 8 * HOUR, HOUR]) {
        const { removed, anchorN: n } = await compactTo(store, keepMs);
        assert.ok(removed > 50 && n > anchorN, `${keepMs}: ${removed} rows up to ${n}`);
        anchorN = n;
        assert.deepEqual(await readRecovery(store), recovered);
        assert.deepEqual(await told(store), was);
        assert.equal(await replayed(store), golden.rows.length - n);
      }
      assert.ok(anchorN > golden.rows.length / 2);
      await store.close();
    });

  test('a run against a venue: the executor’s checkpoints and orders stay whole', async () => {
    for (const golden of goldens) {
      const store = await filled(await (stores.memory?.() as Promise<CreateStore>), golden);
      const recovered = await readRecovery(store);
      const span = (golden.rows.at(-1)?.at ?? 0) - (golden.rows[0]?.at ?? 0);
      for (let keep = span; keep > 0; keep = Math.floor(keep - span / 12)) {
        await compactTo(store, keep);
        assert.deepEqual(await readRecovery(store), recovered);
        await replayed(store);
      }
      assert.ok((await store.anchor()).n > 100, golden.name);
    }
  });

  test('what if, of a run against a venue: goes back to the cut, and says so', async () => {
    const golden = goldens.find((each) => each.name === '0.1.0-paper') as Golden;
    const store = await filled(await (stores.memory?.() as Promise<CreateStore>), golden);
    const identity = await readIdentity(store);
    assert.ok(identity);
    const ask = async () => {
      const { n } = await store.head();
      const changes = ['entry.coolDownMs=7200000'];
      return whatIf(store, identity, n, { config: config(), changes, io: io() });
    };
    const all = await ask();
    assert.equal(all.since, null);
    assert.doesNotMatch(whatIfText(all), /retention/);
    const span = (golden.rows.at(-1)?.at ?? 0) - (golden.rows[0]?.at ?? 0);
    const { anchorN, anchorAt } = await compactTo(store, Math.floor(span / 2));
    assert.ok(anchorN > 0);
    const some = await ask();
    assert.deepEqual(some.since, { n: anchorN, at: anchorAt });
    assert.ok(
      some.trades.every(({ before, after }) => Date.parse(String((before ?? after)?.openedAt)) >= anchorAt),
    );
    assert.match(whatIfText(some), /rows up to \d+ were removed \(retention\).*"bulkhead restore"/);
    const options = { config: config(), whatIf: ['entry.coolDownMs=7200000'], to: { n: anchorN - 1 } };
    const past = { store, identity, options, io: io() } as unknown as Past;
    await assert.rejects(replayPast(past), { code: 'NOT_FOUND', hint: /archive of those rows/ });
  });
});

describe('backups of it', () => {
  const place = () => path.join(dir, 'place');
  const keep = { backup: { to: 'place' }, retention: { archive: true } };
  let store: JournalStore;
  let golden: Golden;
  let report: CompactionReport;

  before(async () => {
    golden = goldens.find((each) => each.name.endsWith('-demo')) as Golden;
    store = await filled(await (stores.memory?.() as Promise<CreateStore>), golden);
    report = await compactTo(store, 8 * HOUR, keep);
  });

  const bring = async (what: string, to?: { n: number }) => {
    const create = await (stores.memory?.() as Promise<CreateStore>);
    const out = io();
    const options = { config: config(), secrets, json: true, quiet: true, to, backup: what, place: place() };
    await restore(options as unknown as RestoreOptions, out, create);
    const other = await create({} as BackupOptions, io(), 'apply');
    await other.open();
    return other;
  };

  test('the rows were put aside first, whole and sealed; "latest" does not take them for a backup', async () => {
    assert.ok(report.archived);
    const folder = new FolderBackupPlace(place());
    const key = { kind: 'identity', text: String(secrets.backupKey) } as const;
    const { header, batches } = await openArchive(await unseal(await folder.read(report.archived), key));
    const rows: JournalRow[] = [];
    for await (const batch of batches) rows.push(...batch);
    assert.deepEqual([header.after, header.isPiece, rows.at(-1)?.n], [undefined, true, report.targetN]);
    assert.deepEqual(rows, golden.rows.slice(0, report.targetN));
    assert.deepEqual(await backupsOf(folder, ACCOUNT), []);
    await assert.rejects(bring('latest'), { code: 'NOT_FOUND' });
  });

  test('any row that was ever removed is given back by its archive alone, and every moment with it', async () => {
    const whole = await filled(await (stores.memory?.() as Promise<CreateStore>), golden);
    const cut = await filled(await (stores.memory?.() as Promise<CreateStore>), golden);
    const registry = await registryFor(whole);
    let from = 0;
    for (const keepMs of [16 * HOUR, 8 * HOUR, HOUR]) {
      const { archived, targetN } = await compactTo(cut, keepMs, keep);
      const old = await bring(String(archived));
      const { anchor } = await readBeginning(old);
      assert.deepEqual([anchor.n, (await old.head()).n], [from, targetN]);
      assert.deepEqual(await old.rowsAfter(from, 100_000), golden.rows.slice(from, targetN));
      assert.equal(await replayed(old), targetN - from);
      for (let n = from + 1; n <= targetN; n += 29)
        assert.deepEqual(
          await new Moments(old, registry).actors(n, 'alive'),
          await new Moments(whole, registry).actors(n, 'alive'),
        );
      const to = from + 30;
      assert.equal((await (await bring(String(archived), { n: to })).head()).n, to);
      // What the next one follows is where this compaction stopped, which may be below what it put aside.
      from = (await cut.anchor()).n;
    }
    assert.ok(from > golden.rows.length / 2);
  });

  test('one is verified by restoring, restored, and restored to a row; not to one that was removed', async () => {
    const out = io();
    const flags = {
      list: false,
      verifyName: undefined,
      verify: undefined,
      newKey: undefined,
      place: undefined,
    };
    const options = { config: config(keep), secrets, json: true, quiet: true, ...flags };
    assert.equal(await backup(options as unknown as BackupOptions, out, lent(store)), 0);
    const { name, verified } = JSON.parse(out.out()) as { name: string; verified: string };
    assert.equal(verified, 'restored');
    const other = await bring(name);
    assert.deepEqual(await readChain(other), await store.head());
    assert.deepEqual(await told(other), await told(store));
    await replayed(other);
    const to = report.anchorN + 40;
    const past = await bring(name, { n: to });
    assert.equal((await past.head()).n, to);
    await replayed(past);
    await assert.rejects(bring(name, { n: report.anchorN }), {
      code: 'NOT_FOUND',
      message: new RegExp(`before row ${report.anchorN}`),
    });
  });
});
