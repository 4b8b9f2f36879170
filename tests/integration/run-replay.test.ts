/** Replaying a run's journal, to its end and to a moment, and noticing that somebody changed a row. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import pg from 'pg';
import { type CliEnd, cli, errorOf, jsonLines } from '../support/cli-process.ts';
import { startPostgres } from '../support/postgres.ts';
import { writeSmallRecording } from '../support/small-recording.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';

const server = await startPostgres({ durable: true });

describe('replay', { skip: typeof server === 'string' ? server : false }, () => {
  assert.ok(typeof server !== 'string');
  const dir = makeTempDir('replay');
  let client: pg.Client;
  let env: Record<string, string>;
  let rows: number;

  before(async () => {
    const url = await server.createDatabase();
    env = { BULKHEAD_STORE_ENGINE: 'postgres', BULKHEAD_DATABASE_URL: url };
    client = new pg.Client({ connectionString: url });
    await client.connect();
    const recording = await writeSmallRecording(path.join(dir, 'recording'));
    const args = ['run', '--recording', recording, '--speed', 'max', '--until-end', '--json'];
    const end = await cli([...args, '--data-dir', dir], { env });
    assert.equal(end.code, 0, end.stderr);
    rows = Number(jsonLines(end).at(-1)?.rows);
    assert.ok(rows > 1_000);
  });
  after(async () => {
    await client.end();
    await server.stop();
    removeTempDir(dir);
  });

  const replay = (...flags: string[]): Promise<CliEnd> =>
    cli(['replay', '--json', '--data-dir', dir, ...flags], { env });

  test('--verify: every row comes out byte for byte', async () => {
    const end = await replay('--verify');
    assert.equal(end.code, 0, end.stderr);
    const [result] = jsonLines(end);
    assert.deepEqual([result?.n, result?.rows, result?.verified, result?.mismatches], [rows, rows, true, []]);
  });

  test('--to N stops at that row', async () => {
    const n = Math.floor(rows / 2);
    const [result] = jsonLines(await replay('--to', String(n), '--verify'));
    const { rows: found } = await client.query('select at, hash from bulkhead.journal where n = $1', [n]);
    assert.deepEqual([result?.n, result?.rows, result?.hash], [n, n, found[0].hash]);
    assert.equal(result?.at, Number(found[0].at));
    const actors = result?.actors as { actor: string; n: number }[];
    assert.ok(actors.every((actor) => actor.n <= n));
    assert.equal(Math.max(...actors.map((actor) => actor.n)), n);
  });

  test('--to TIME stops at the last row up to that moment', async () => {
    const time = '2025-01-05T12:00:00Z';
    const [result] = jsonLines(await replay('--to', time));
    const { rows: found } = await client.query(
      'select max(n)::int as n from bulkhead.journal where at <= $1',
      [Date.parse(time)],
    );
    assert.ok(found[0].n > 0 && found[0].n < rows);
    assert.equal(result?.n, found[0].n);
  });

  test('a number past the end is the end; a time without a zone is refused', async () => {
    const [result] = jsonLines(await replay('--to', String(rows + 1_000)));
    assert.equal(result?.n, rows);
    const end = await replay('--to', '2025-01-05T12:00');
    assert.equal(end.code, 64);
    assert.match(errorOf(end).hint, /with its zone/);
  });

  test('steps of which there is none are an error, and not silence', async () => {
    const nobody = await replay('--step', '--actor', 'position/NOWHERE/BOTH/1');
    assert.deepEqual([nobody.code, errorOf(nobody).code, nobody.stdout], [66, 'NOT_FOUND', '']);
    const backwards = await replay('--from', '20', '--to', '10');
    assert.deepEqual([backwards.code, errorOf(backwards).code], [64, 'USAGE']);
  });

  test('an account without a run says so', async () => {
    const end = await cli(['replay', '--json', '--data-dir', dir], {
      env: { ...env, BULKHEAD_ACCOUNT: 'other' },
    });
    assert.equal(end.code, 66);
    assert.equal(errorOf(end).code, 'NOT_FOUND');
  });

  const TAMPERING: readonly [what: string, sql: string][] = [
    [
      'a snapshot',
      `update bulkhead.journal set snapshot = replace(snapshot::text, '"', ' "')::json where n = $1`,
    ],
    ['a moment', 'update bulkhead.journal set at = at + 1 where n = $1'],
    ['a note', `update bulkhead.journal set note = 'added' where n = $1`],
  ];
  for (const [what, sql] of TAMPERING) {
    test(`${what} changed behind its back is found, with the row's number`, async () => {
      const { rows: found } = await client.query(
        'select n::int, snapshot::text, at, note from bulkhead.journal where n >= $1 and snapshot is not null order by n limit 1',
        [Math.floor(rows / 3)],
      );
      const [{ n, snapshot, at, note }] = found;
      await client.query(sql, [n]);
      try {
        for (const flags of [['--verify'], []]) {
          const end = await replay(...flags);
          assert.equal(end.code, 74, end.stderr);
          const { code, message, hint } = errorOf(end);
          assert.equal(code, 'STORE_CORRUPT');
          assert.match(message, new RegExp(`\\b${n}\\b`));
          assert.ok(hint);
        }
      } finally {
        const restore = 'update bulkhead.journal set snapshot = $2::json, at = $3, note = $4 where n = $1';
        await client.query(restore, [n, snapshot, at, note]);
      }
      assert.equal((await replay('--verify')).code, 0, 'and all is well when it is put right');
    });
  }

  test('a run does not build on a state that is not as it was written, however old', async () => {
    const { rows: found } = await client.query(
      `select n::int, snapshot::text from (
         select distinct on (actor) actor, n, snapshot from bulkhead.journal order by actor, n desc
       ) as last join bulkhead.live_actors using (actor)
       where snapshot is not null and n < (select max(settled_n) - 64 from bulkhead.leases) limit 1`,
    );
    assert.equal(found.length, 1, 'one that nothing but its own hash tells of');
    const [{ n, snapshot }] = found;
    const change = 'update bulkhead.journal set snapshot = $2::json where n = $1';
    await client.query(change, [
      n,
      snapshot.replace(/\d/, (digit: string) => String((Number(digit) + 1) % 10)),
    ]);
    try {
      const recording = path.join(dir, 'recording');
      const end = await cli(['run', '--recording', recording, '--json', '--data-dir', dir], { env });
      assert.equal(end.code, 74, end.stderr);
      assert.equal(errorOf(end).code, 'STORE_CORRUPT');
      assert.match(errorOf(end).message, new RegExp(`row ${n} \\(`));
    } finally {
      await client.query(change, [n, snapshot]);
    }
  });

  test('a missing row is found', async () => {
    const n = Math.floor(rows / 2);
    await client.query('begin');
    await client.query('create table kept as select * from bulkhead.journal where n = $1', [n]);
    await client.query('delete from bulkhead.journal where n = $1', [n]);
    await client.query('commit');
    const end = await replay('--verify');
    assert.equal(end.code, 74, end.stderr);
    assert.match(errorOf(end).message, new RegExp(`\\b(${n}|${n + 1})\\b`));
  });
});
