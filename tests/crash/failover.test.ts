/** One account, two processes, one of them struck: killed, frozen and woken, asked to hand over. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CliProcess, cli, errorOf } from '../support/cli-process.ts';
import { drill } from '../support/failover-drill.ts';
import { startPostgres } from '../support/postgres.ts';
import { tempDir } from '../support/temp.ts';

const probe = await startPostgres();
if (typeof probe !== 'string') await probe.stop();
const skip = typeof probe === 'string' ? probe : false;

test('the standby takes over; whoever was struck can place nothing any more; nothing is lost', {
  skip,
  timeout: 540_000,
}, async (t) => {
  const report = await drill({
    dir: tempDir(t, 'failover'),
    speed: 60,
    seed: 5,
    ttlMs: 3_000,
    symbols: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'],
    rounds: ['freeze', 'handover', 'kill'],
    longestMs: 2_000,
  });
  assert.ok(typeof report !== 'string');
  assert.deepEqual(report.problems, []);
  assert.equal(report.epochs, 4, 'each of the four lives wrote');
  assert.ok(report.orders > 0, 'something was traded');
});

test('a handover without anybody to take over is refused, and the run goes on', { skip }, async (t) => {
  const server = await startPostgres({ durable: true });
  assert.ok(typeof server !== 'string');
  t.after(() => server.stop());
  const env = {
    BULKHEAD_STORE_ENGINE: 'postgres',
    BULKHEAD_DATABASE_URL: await server.createDatabase(),
  };
  const dataDir = tempDir(t, 'alone');
  const run = new CliProcess(['run', '--seed', '3', '--json', '--data-dir', dataDir], { env });
  t.after(() => run.reap());
  await run.said(/"event":"running"/);
  const refused = await cli(['handover', '--json', '--data-dir', dataDir], { env });
  assert.equal(refused.code, 75, refused.stderr);
  const { code, message, hint } = errorOf(refused);
  assert.equal(code, 'HANDOVER_REFUSED');
  assert.match(message, /nobody stands by/);
  assert.match(hint, /--standby/);
  assert.equal(run.isOver, false);
  const elsewhere = await cli(['handover', '--json', '--data-dir', tempDir(t, 'elsewhere')], { env });
  assert.equal(errorOf(elsewhere).code, 'NOT_FOUND', elsewhere.stderr);
  const forced = cli(['handover', '--json', '--force', '--data-dir', dataDir], { env });
  assert.equal((await run.ended).code, 0, run.tail());
  const next = new CliProcess(
    ['run', '--seed', '3', '--json', '--standby', '--data-dir', tempDir(t, 'next')],
    { env },
  );
  t.after(() => next.reap());
  await next.said(/"event":"running"/);
  const { code: done, stdout } = await forced;
  assert.equal(done, 0, stdout);
  assert.match(stdout, /"handedOver":true/);
});

test('an embedded store cannot be handed over', async (t) => {
  const end = await cli(['handover', '--json', '--data-dir', tempDir(t, 'embedded')]);
  assert.equal(errorOf(end).code, 'MODE_UNAVAILABLE');
});
