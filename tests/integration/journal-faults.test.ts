/** What the writer does when a real PostgreSQL goes away, fills up, or answers nobody. */
import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { systemTime } from '../../src/core/clock.ts';
import type { JournalStore } from '../../src/journal/journal.ts';
import { JournalWriter } from '../../src/journal/journal-writer.ts';
import { waitForLease } from '../../src/journal/lease-keeper.ts';
import { postgresPool, postgresStore } from '../../src/journal/postgres-journal.ts';
import { EMPTY_HEAD, sealRows, verifyChain } from '../../src/journal/row-hash.ts';
import { draft } from '../support/journal-rows.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { PostgresProxy } from '../support/postgres-proxy.ts';

const time = systemTime();
const server: PostgresServer | string = await startPostgres({ durable: true });

interface Run {
  readonly store: JournalStore;
  readonly writer: JournalWriter;
  readonly states: string[];
  readonly released: number[];
  /** Resolves when `count` rows are released. */
  reached(count: number): Promise<void>;
  stop(): Promise<void>;
}

/** Four actors that append one row after the other until stopped. */
async function startRun(t: Pick<TestContext, 'after'>, url: string): Promise<Run> {
  const store = postgresStore({ url, account: 'a', statementTimeoutMs: 2_000 });
  await store.open();
  t.after(() => writer.close().then(() => store.close()));
  const lease = await store.acquireLease('me', 60_000);
  const states: string[] = [];
  const released: number[] = [];
  let goal: { count: number; resolve: () => void } | undefined;
  let stopping = false;
  const writer = new JournalWriter(store, lease, EMPTY_HEAD, {
    time,
    onState: (state, error) => states.push(error ? `${state}:${error.code}` : state),
  });
  const next = (actor: string, seq: number): void => {
    writer.append(draft(actor, seq), (row) => {
      released.push(row.n);
      if (goal && released.length >= goal.count) goal.resolve();
      if (!stopping) next(actor, seq + 1);
    });
  };
  for (const actor of ['a', 'b', 'c', 'd']) next(actor, 1);
  return {
    store,
    writer,
    states,
    released,
    reached: (count) => new Promise((resolve) => (goal = { count, resolve })),
    stop: async () => {
      stopping = true;
      await writer.idle();
      const rows = await store.rowsAfter(0, 1_000_000);
      assert.equal(verifyChain(rows).n, rows.length);
      assert.deepEqual(
        released,
        rows.map((row) => row.n),
        'every row was released once, in order',
      );
      await writer.close();
      await store.close();
    },
  };
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

if (typeof server === 'string') {
  test('journal faults', { skip: server });
} else {
  describe('journal faults on PostgreSQL', { timeout: 60_000 }, () => {
    let url = '';
    before(async () => {
      url = await server.createDatabase();
    });
    after(() => server.stop());

    test('a server with fsync on is taken as durable', async () => {
      const store = postgresStore({ url: await server.createDatabase(), account: 'a' });
      const health = await store.open();
      assert.equal(health.durable, true);
      assert.match(health.engine, /^PostgreSQL \d+/);
      await store.close();
    });

    test('a database that does not wait for its disk is refused, naming the setting', async () => {
      const lazy = await server.createDatabase();
      await query(lazy, `alter database ${new URL(lazy).pathname.slice(1)} set synchronous_commit = off`);
      const store = postgresStore({ url: lazy, account: 'a' });
      await assert.rejects(store.open(), { code: 'STORE_NOT_DURABLE', message: /synchronous_commit is off/ });
      await store.close();
    });

    for (const cut of ['before', 'after'] as const) {
      test(`connection lost ${cut} the commit: looked up, neither lost nor doubled`, async (t) => {
        const database = await server.createDatabase();
        const proxy = new PostgresProxy(database);
        t.after(() => proxy.stop());
        const run = await startRun(t, await proxy.start(database));
        for (let round = 1; round <= 5; round++) {
          await run.reached(run.released.length + 20);
          proxy.cutAt(cut, '"type":"tick"');
          while (proxy.cuts < round) await delay(5);
        }
        await run.reached(run.released.length + 20);
        await run.stop();
        assert.equal(run.states.filter((state) => state === 'halted:STORE_UNAVAILABLE').length, 5);
        assert.equal(run.states.at(-1), 'closed');
      });
    }

    test('backends terminated in mid-run: the pool reconnects and nothing is lost or doubled', async (t) => {
      const database = await server.createDatabase();
      const run = await startRun(t, database);
      const halts = (): number => run.states.filter((state) => state === 'halted:STORE_UNAVAILABLE').length;
      // A backend that dies between two statements is replaced unseen: again, until one dies in the midst.
      while (halts() < 3) {
        await run.reached(run.released.length + 50);
        await query(
          database,
          `select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and pid <> pg_backend_pid()`,
        );
      }
      await run.reached(run.released.length + 50);
      await run.stop();
      assert.equal(run.states.at(-1), 'closed');
    });

    test('a database crash and restart in mid-run: halted, then on as before', async (t) => {
      assert(server.crash && server.restart);
      const run = await startRun(t, url);
      await run.reached(100);
      await server.crash();
      while (run.writer.state !== 'halted') await delay(5);
      const released = run.released.length;
      await delay(50);
      assert.equal(run.released.length, released, 'nothing is released while the database is away');
      await server.restart();
      await run.reached(released + 100);
      await run.stop();
      assert.deepEqual(run.states, ['halted:STORE_UNAVAILABLE', 'ok', 'closed']);
    });

    test('a full disk: halted as STORE_FULL, resumes when there is space', async (t) => {
      const database = await server.createDatabase();
      const run = await startRun(t, database);
      await run.reached(50);
      await query(
        database,
        `create function refuse() returns trigger language plpgsql as
           $$ begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$;
         create trigger full_disk before insert on bulkhead.journal for each row execute function refuse()`,
      );
      while (run.writer.state !== 'halted') await delay(5);
      const released = run.released.length;
      await query(database, 'drop trigger full_disk on bulkhead.journal');
      await run.reached(released + 50);
      await run.stop();
      assert.deepEqual(run.states, ['halted:STORE_FULL', 'ok', 'closed']);
    });

    test('a standby waits for the lease and takes it when it runs out; the old owner writes nothing more', async () => {
      const database = await server.createDatabase();
      const first = postgresStore({ url: database, account: 'a' });
      const second = postgresStore({ url: database, account: 'a' });
      await first.open();
      await second.open();
      const lease = await first.acquireLease('first', 300);
      const seen: (string | undefined)[] = [];
      const taken = await waitForLease(second, 'second', {
        time,
        ttlMs: 60_000,
        pollMs: 20,
        onWaiting: (held) => seen.push(held?.owner),
      });
      assert.deepEqual(seen, ['first']);
      assert.equal(taken?.lease.epoch, lease.epoch + 1);
      const writer = new JournalWriter(first, lease, EMPTY_HEAD, { time });
      writer.append(draft('a', 1), () => assert.fail('released by a stale owner'));
      await assert.rejects(writer.idle(), { code: 'FENCED' });
      assert.equal((await second.head()).n, 0);
      await first.close();
      await second.close();
    });

    test('a takeover in the middle of a run: the old owner is fenced between two rows, without gap', async (t) => {
      const database = await server.createDatabase();
      const run = await startRun(t, database);
      await run.reached(50);
      await query(database, 'update bulkhead.leases set expires_at = clock_timestamp()');
      const successor = postgresStore({ url: database, account: 'a' });
      t.after(() => successor.close());
      await successor.open();
      await successor.acquireLease('successor', 60_000);
      await assert.rejects(run.writer.idle(), { code: 'FENCED' });
      const rows = await successor.rowsAfter(0, 1_000_000);
      assert.equal(verifyChain(rows).n, run.released.length);
    });

    test('a wrong password is told without the password', async () => {
      const wrong = new URL(url);
      wrong.password = 'hunter2';
      wrong.username = 'nobody';
      const store = postgresStore({ url: wrong.href, account: 'a' });
      await assert.rejects(store.open(), (error: Error) => {
        assert(!JSON.stringify([error.message, error.stack, error.cause]).includes('hunter2'));
        return 'code' in error && error.code === 'STORE_UNAVAILABLE';
      });
      await store.close();
      assert.throws(
        () => postgresStore({ url: 'mysql://x:hunter2@y/z', account: 'a' }),
        (error: Error) => {
          assert(!error.message.includes('hunter2'));
          return 'code' in error && error.code === 'CONFIG_INVALID';
        },
      );
    });

    test('a connection that breaks while somebody has it is an error of the statement, not of the process', async () => {
      const url = await server.createDatabase();
      const [pool, other] = [postgresPool(url), new pg.Client({ connectionString: url })];
      const strays: unknown[] = [];
      const stray = (error: unknown): number => strays.push(error);
      process.on('uncaughtException', stray);
      await other.connect();
      const client = await pool.connect();
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
      const asleep = client.query('select pg_sleep(30)');
      const failed = assert.rejects(asleep);
      await other.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
      await failed;
      // The socket's own end comes after the statement's.
      await delay(100);
      client.release(true);
      await other.end();
      await pool.end();
      process.off('uncaughtException', stray);
      assert.deepEqual(strays, []);
    });

    test('the last rows of 10,000 live actors load within the recovery budget', async () => {
      const store = postgresStore({ url: await server.createDatabase(), account: 'a' });
      await store.open();
      const lease = await store.acquireLease('me', 60_000);
      let head = EMPTY_HEAD;
      for (let seq = 1; seq <= 2; seq++) {
        for (let base = 0; base < 10_000; base += 1_000) {
          const batch = Array.from({ length: 1_000 }, (_, i) => draft(`position/S${base + i}/BOTH/1`, seq));
          const rows = sealRows(head, lease.epoch, batch);
          await store.append(lease, rows, 0);
          head = rows.at(-1) ?? head;
        }
      }
      const start = performance.now();
      const live = await store.liveRows();
      const elapsedMs = performance.now() - start;
      assert.equal(live.length, 10_000);
      assert(live.every((row) => row.seq === 2));
      assert(elapsedMs < 2_000, `${elapsedMs} ms`);
      await store.close();
    });
  });
}
