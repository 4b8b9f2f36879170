/**
 * Alerts of real processes: an incident that outlives the process that reported it, is healed while nobody runs, and is
 * resolved by the next one under the same key; a run that fails says so before it ends.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import pg from 'pg';
import type { Incident } from '../../src/alerts/incident.ts';
import { type AlertServer, alertServer, ROUTING_KEY } from '../support/alert-server.ts';
import { CliProcess, cli } from '../support/cli-process.ts';
import { startPostgres } from '../support/postgres.ts';
import { tempDir } from '../support/temp.ts';

const PASSPHRASE = 'correct-horse-battery';

const database = await startPostgres({ durable: true });
after(async () => {
  if (typeof database !== 'string') await database.stop();
});

function start(
  t: TestContext,
  server: AlertServer,
  dataDir: string,
  { env = {}, flags = [] }: { env?: Record<string, string>; flags?: readonly string[] } = {},
): CliProcess {
  const args = ['run', '--data-dir', dataDir, '--seed', '42', '--symbols', 'BTCUSDT', '--json', ...flags];
  const run = new CliProcess(args, {
    env: {
      BULKHEAD_PAGERDUTY_ROUTING_KEY: ROUTING_KEY,
      BULKHEAD_SENTRY_DSN: server.dsn,
      BULKHEAD_BACKUP_PASSPHRASE: PASSPHRASE,
      BULKHEAD_ALERTS_PAGERDUTY_URL: server.url,
      BULKHEAD_ALERTS_EVERY_MS: '200',
      BULKHEAD_ALERTS_HEAL_AFTER_MS: '400',
      BULKHEAD_ALERTS_FIRST_RETRY_MS: '50',
      BULKHEAD_MARKET_WARM_UP_DAYS: '1',
      ...env,
    },
  });
  t.after(() => run.reap());
  return run;
}

const remembered = (dataDir: string): Incident[] =>
  JSON.parse(readFileSync(path.join(dataDir, 'alerts.json'), 'utf8')) as Incident[];

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('alerts of a run', { timeout: 500_000 }, () => {
  it('an incident that heals while nobody runs is resolved by the next process, and not reported anew', async (t) => {
    const server = await alertServer(t);
    const dataDir = path.join(tempDir(t, 'alerts'), 'data');
    const run = start(t, server, dataDir);
    await run.said(/"event":"running"/);
    const reason = `a try with ${PASSPHRASE}`;
    assert.equal((await cli(['kill', '--data-dir', dataDir, '--reason', reason])).code, 0);
    await server.until(() => server.incident('KillSwitchEngaged')?.isOpen);
    // What is on survives the process, an error of its log does not.
    await server.until(() => server.sentry.some(({ tags }) => tags.alert === 'KillSwitchEngaged'));
    await server.until(() =>
      server.sentry.some(({ level, message }) => level === 'error' && /kill switch/.test(message.formatted)),
    );
    await until(() =>
      remembered(dataDir).some(
        ({ alert, told }) => alert === 'KillSwitchEngaged' && told.pagerduty === 'opened',
      ),
    );
    run.kill('SIGKILL');
    await run.ended;
    const released = await cli(['release', '--data-dir', dataDir, '--reason', 'over']);
    assert.equal(released.code, 0, released.stderr);

    const next = start(t, server, dataDir);
    await server.until(() => server.incident('KillSwitchEngaged')?.isOpen === false);
    await server.until(() => server.incident('BulkheadRestarted')?.isOpen);
    const { opened, triggers, key } = server.incident('KillSwitchEngaged') ?? {};
    assert.deepEqual([opened, triggers], [1, 1]);
    assert.deepEqual(
      server.events.filter(({ dedup_key }) => dedup_key === key).map(({ event_action }) => event_action),
      ['trigger', 'resolve'],
    );
    const trigger = server.events.find(({ dedup_key }) => dedup_key === key);
    const { summary, severity, custom_details: details } = trigger?.payload ?? {};
    assert.match(summary ?? '', /^main \(demo\): KillSwitchEngaged: /);
    assert.equal(severity, 'critical');
    assert.equal(details?.reason, 'a try with ***');
    for (const body of server.bodies) assert.ok(!body.includes(PASSPHRASE), body);
    for (const { stderr, stdout } of [run, next])
      for (const secret of [ROUTING_KEY, server.dsn, PASSPHRASE])
        assert.ok(!(stderr + stdout).includes(secret));

    // The status file is written once a second: what PagerDuty has heard comes into it a moment later.
    const look = async () => (await cli(['status', '--data-dir', dataDir])).stdout;
    let status = await look();
    for (; !/BulkheadRestarted warning, since/.test(status); status = await look());
    assert.match(status, /^Alerts +\d+ on {2}pagerduty up {2}sentry up$/m);
    next.kill('SIGTERM');
    assert.equal((await next.ended).code, 143);
  });

  it('a standby that takes over keeps what is still on under its key, and resolves what is well', {
    skip: typeof database === 'string' ? database : false,
  }, async (t) => {
    assert.ok(typeof database !== 'string');
    const server = await alertServer(t);
    const env = {
      BULKHEAD_STORE_ENGINE: 'postgres',
      BULKHEAD_DATABASE_URL: await database.createDatabase(),
      BULKHEAD_LEASE_TTL_MS: '3000',
    };
    const dir = tempDir(t, 'alerts');
    const leader = start(t, server, path.join(dir, 'leader'), { env });
    await leader.said(/"event":"running"/);
    const standby = start(t, server, path.join(dir, 'standby'), { env, flags: ['--standby'] });
    await standby.said(/"event":"standby"/);
    const kill = ['kill', '--data-dir', path.join(dir, 'leader'), '--reason', 'a try'];
    assert.equal((await cli(kill)).code, 0);
    await server.until(() => server.incident('KillSwitchEngaged')?.isOpen);
    leader.kill('SIGKILL');
    await leader.ended;
    await standby.said(/"event":"running"/);
    await server.until(() => server.incident('AccountTakenOver')?.isOpen);
    // Whatever the leader may have left open: nobody here knows what that was.
    await server.until(() =>
      server.events.some(
        ({ dedup_key: key, event_action: action }) => action === 'resolve' && key.endsWith('/JournalUnwell'),
      ),
    );
    const { isOpen, opened } = server.incident('KillSwitchEngaged') ?? {};
    assert.deepEqual([isOpen, opened], [true, 1]);

    // A failure is said before the process ends: the journal is changed under it.
    const client = new pg.Client({ connectionString: env.BULKHEAD_DATABASE_URL });
    await client.connect();
    await client.query('update bulkhead.leases set head_n = head_n + 1000');
    await client.end();
    const { code } = await standby.ended;
    assert.equal(code, 74, standby.tail());
    const down = await server.until(() =>
      server.events.find(
        ({ dedup_key: key, event_action: action }) => action === 'trigger' && key.endsWith('/BulkheadDown'),
      ),
    );
    assert.equal(down.payload?.severity, 'critical');
    assert.match(String(down.payload?.custom_details?.error), /cannot follow the journal's last row/);
  });

  it('sinks that are away are said in the status, and slow nothing', async (t) => {
    const server = await alertServer(t);
    server.trouble(...Array.from({ length: 10_000 }, () => ({ status: 503 }) as const));
    const dataDir = path.join(tempDir(t, 'alerts'), 'data');
    const run = start(t, server, dataDir);
    await run.said(/"event":"running"/);
    assert.equal((await cli(['kill', '--data-dir', dataDir, '--reason', 'a try'])).code, 0);
    await run.said(/alerts: pagerduty takes none; they wait/, 'stderr');
    const look = async () => (await cli(['status', '--data-dir', dataDir])).stdout;
    for (let text = await look(); !/pagerduty down for .*waiting: 503/.test(text); text = await look());
    const begun = performance.now();
    run.kill('SIGTERM');
    assert.equal((await run.ended).code, 143);
    assert.ok(performance.now() - begun < 20_000);
  });
});
