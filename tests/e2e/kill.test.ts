/**
 * The kill switch as a person would need it: an exchange in one process, the runtime in another or dead, the
 * database gone, the killer itself killed.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { ALERT_RULES } from '../../src/alerts/alert-rules.ts';
import { readKillLog } from '../../src/app/kill/kill-log.ts';
import { readStatus, type StatusDocument } from '../../src/app/status/status-file.ts';
import { alertServer, ROUTING_KEY } from '../support/alert-server.ts';
import { CliProcess, cli, errorOf, jsonLines } from '../support/cli-process.ts';
import { ExchangeProcess } from '../support/exchange-process.ts';
import { startPostgres } from '../support/postgres.ts';
import { readScrape } from '../support/scrape.ts';
import { BUSY_CONFIG } from '../support/system-harness.ts';
import { tempDir } from '../support/temp.ts';

const LIMIT_MS = 90_000;
/** In this market ETHUSDT breaks out at 03:45. */
const START = '2025-01-13T03:20:00Z';
const SPEED = '60';

const server = await startPostgres({ durable: true });
after(async () => {
  if (typeof server !== 'string') await server.stop();
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + LIMIT_MS; Date.now() < end; await pause(100)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`never: ${what}`);
}

const statusWhere = (dataDir: string, what: string, isSo: (status: StatusDocument) => boolean) =>
  until(what, () => {
    const status = readStatus(dataDir);
    return isSo(status) ? status : undefined;
  });

interface Bench {
  readonly exchange: ExchangeProcess;
  readonly dataDir: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly start: () => CliProcess;
}

async function bench(t: TestContext, env: Record<string, string> = {}): Promise<Bench> {
  const dir = tempDir(t, 'kill');
  const config = path.join(dir, 'busy.json');
  const { strategy } = BUSY_CONFIG;
  writeFileSync(config, JSON.stringify({ strategy, entry: { coolDownMs: 3_600_000 } }));
  const exchange = await ExchangeProcess.start(t, [
    ...['--synthetic', '--seed', '7', '--symbols', 'ETHUSDT,BTCUSDT', '--start', START],
    ...['--speed', SPEED, '--admin-port', '0', '--state', path.join(dir, 'venue')],
  ]);
  const dataDir = path.join(dir, 'data');
  const args = [
    ...['run', '--mode', 'paper', '--venue', exchange.url, '--time-factor', SPEED, '--symbols', 'ETHUSDT'],
    ...['--config', config, '--data-dir', dataDir, '--json'],
  ];
  const start = (): CliProcess => {
    const run = new CliProcess(args, { env });
    t.after(() => run.reap());
    return run;
  };
  return { exchange, dataDir, args, env, start };
}

/** A run with a position that has its stop. */
async function holding(b: Bench): Promise<CliProcess> {
  const run = b.start();
  await run.said(/"event":"running"/);
  await statusWhere(
    b.dataDir,
    'a protected position',
    ({ positions, venue }) => positions.length === 1 && (venue?.protection.fillToStop.count ?? 0) >= 1,
  );
  return run;
}

const rowsOf = async (exchange: ExchangeProcess, url: string) =>
  (await exchange.signed('GET', url)).json as unknown as readonly Record<string, string>[];

async function amounts(exchange: ExchangeProcess): Promise<Record<string, number>> {
  const rows = await rowsOf(exchange, '/fapi/v3/positionRisk');
  const open = rows.filter(({ positionAmt }) => Number(positionAmt) !== 0);
  return Object.fromEntries(open.map(({ symbol, positionAmt }) => [symbol, Number(positionAmt)]));
}

async function standing(exchange: ExchangeProcess): Promise<number> {
  const plain = await rowsOf(exchange, '/fapi/v1/openOrders');
  return plain.length + (await rowsOf(exchange, '/fapi/v1/openAlgoOrders')).length;
}

const kill = (b: Bench, ...more: string[]) => cli(['kill', '--data-dir', b.dataDir, '--json', ...more]);

test('nobody runs and no database answers: what is ours goes, what is not stays', {
  timeout: 240_000,
}, async (t) => {
  const b = await bench(t);
  const run = await holding(b);
  run.kill('SIGKILL');
  await run.ended;
  const byHand = { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: '0.01' };
  assert.equal((await b.exchange.signed('POST', '/fapi/v1/order', byHand)).status, 200);
  assert.deepEqual(Object.keys(await amounts(b.exchange)).sort(), ['BTCUSDT', 'ETHUSDT']);
  assert.ok((await standing(b.exchange)) > 0, 'its stop');

  const first = await kill(b, '--reason', 'test');
  assert.equal(first.code, 0, first.stderr + first.stdout);
  assert.deepEqual(Object.keys(await amounts(b.exchange)), ['BTCUSDT']);
  assert.equal(await standing(b.exchange), 0);

  const again = await kill(b);
  assert.equal(again.code, 0, 'twice is once');
  assert.deepEqual(Object.keys(await amounts(b.exchange)), ['BTCUSDT']);
  const wide = await kill(b, '--account-wide');
  assert.equal(wide.code, 0, wide.stderr + wide.stdout);
  assert.deepEqual(await amounts(b.exchange), {});

  const second = b.start();
  await second.said(/"event":"running"/);
  const halted = await statusWhere(
    b.dataDir,
    'a run that is shut, and books its loss',
    ({ tradingState, positions, trades }) =>
      tradingState === 'halted' && positions.length === 0 && trades.count === 1,
  );
  assert.equal(halted.breakers.find(({ name }) => name === 'kill')?.state, 'open');
  second.kill('SIGTERM');
  await second.ended;
  const third = b.start();
  await third.said(/"event":"running"/);
  await statusWhere(
    b.dataDir,
    'still shut',
    ({ tradingState, pid }) => tradingState === 'halted' && pid === third.pid,
  );
  const unreasoned = await cli(['release', '--data-dir', b.dataDir, '--json']);
  assert.equal(errorOf(unreasoned).code, 'USAGE');
  const released = await cli(['release', '--data-dir', b.dataDir, '--reason', 'looked into']);
  assert.equal(released.code, 0, released.stderr);
  await statusWhere(b.dataDir, 'open again', ({ tradingState }) => tradingState === 'active');
  await until(
    'the log is in the journal',
    () =>
      readdirSync(path.join(b.dataDir, 'emergency')).some((name) => name.endsWith('.merged.jsonl')) ||
      undefined,
  );
  third.kill('SIGTERM');
  await third.ended;
  const [, , , , , config] = ['', '', '', '', '', b.args[b.args.indexOf('--config') + 1] ?? ''];
  const exported = await cli([
    'export',
    'journal',
    '--format',
    'json',
    '--config',
    config,
    '--data-dir',
    b.dataDir,
  ]);
  const rows = jsonLines(exported);
  const emergency = rows.map((row) => JSON.stringify(row)).filter((row) => row.includes('EMERGENCY'));
  assert.ok(
    emergency.some((row) => /bhk-/.test(row)),
    'under the ids that were used',
  );
  const verified = await cli(['replay', '--verify', '--config', config, '--data-dir', b.dataDir, '--json']);
  assert.equal(verified.code, 0, verified.stdout);
});

test('killed with -9 in the middle, the next one goes on, and no id is used twice', {
  timeout: 240_000,
}, async (t) => {
  const b = await bench(t);
  const run = await holding(b);
  run.kill('SIGKILL');
  await run.ended;
  const first = new CliProcess(['kill', '--data-dir', b.dataDir, '--json']);
  t.after(() => first.reap());
  await first.said(/closing/);
  first.kill('SIGKILL');
  await first.ended;
  const second = await kill(b);
  assert.equal(second.code, 0, second.stderr + second.stdout);
  assert.deepEqual(await amounts(b.exchange), {});
  assert.equal(await standing(b.exchange), 0);
  const folder = path.join(b.dataDir, 'emergency');
  const [log] = readdirSync(folder).filter((name) => name.endsWith('.log.jsonl'));
  const { entries } = readKillLog(path.join(folder, log ?? ''));
  const sent = entries.flatMap((entry) =>
    entry.kind === 'intent' && entry.call.call === 'submit' ? [entry.call.order.clientOrderId] : [],
  );
  assert.ok(sent.length >= 1);
  assert.equal(new Set(sent).size, sent.length);
  assert.deepEqual(
    entries.map(({ seq }) => seq),
    entries.map((_, index) => index + 1),
  );
  assert.equal(entries.at(-1)?.kind, 'flat');
});

/** A run on a database of its own, which is gone by the time that somebody wants everything closed. */
async function killedWithoutDatabase(
  t: TestContext,
  env: Record<string, string>,
  engage: (b: Bench) => Promise<void> | void,
): Promise<void> {
  assert.ok(typeof server !== 'string' && server.crash && server.restart);
  const b = await bench(t, {
    BULKHEAD_STORE_ENGINE: 'postgres',
    BULKHEAD_DATABASE_URL: await server.createDatabase(),
    ...env,
  });
  const run = await holding(b);
  await server.crash();
  await engage(b);
  await until('the venue is flat', async () =>
    Object.keys(await amounts(b.exchange)).length === 0 && (await standing(b.exchange)) === 0
      ? true
      : undefined,
  );
  assert.equal(run.isOver, false);
  await server.restart();
  const told = await statusWhere(
    b.dataDir,
    'the journal hears of it',
    ({ tradingState, positions, trades }) =>
      tradingState === 'halted' && positions.length === 0 && trades.count === 1,
  );
  assert.match(told.breakers.find(({ name }) => name === 'kill')?.reason ?? '', /the market is mad/);
  assert.ok(existsSync(path.join(b.dataDir, 'KILL')));
  assert.deepEqual(await amounts(b.exchange), {});
  run.kill('SIGTERM');
  assert.equal((await run.ended).code, 143, run.tail());
}

/** `up` is the scraper's own; the next two show themselves at such a start only. */
const ONLY_THEN = ['BulkheadDown', 'BulkheadRestarted', 'AccountTakenOver'];
/** A key file or Vault is what can go stale, and a disk is seen beside an embedded store only. */
const ONLY_THERE = ['SecretsStale', 'DiskLow'];
const NOT_HERE = new Set([...ONLY_THEN, ...ONLY_THERE]);
const withoutServer = { timeout: 240_000, skip: typeof server === 'string' ? server : false };

test('its database gone, a running Bulkhead acts on the file KILL alone', withoutServer, async (t) => {
  // Made by hand, as anybody can who has no terminal but a file manager.
  await killedWithoutDatabase(t, {}, ({ dataDir }) =>
    writeFileSync(path.join(dataDir, 'KILL'), 'the market is mad\n'),
  );
});

test(
  'its database gone, it acts on a kill over HTTP, shows its metrics and wakes somebody',
  withoutServer,
  async (t) => {
    const alerts = await alertServer(t);
    const token = 'a-token-for-the-kill-test';
    const env = {
      BULKHEAD_HTTP_ENABLED: 'true',
      BULKHEAD_HTTP_PORT: '0',
      BULKHEAD_HTTP_TOKEN: token,
      BULKHEAD_PAGERDUTY_ROUTING_KEY: ROUTING_KEY,
      BULKHEAD_ALERTS_PAGERDUTY_URL: alerts.url,
      BULKHEAD_ALERTS_EVERY_MS: '200',
    };
    await killedWithoutDatabase(t, env, async ({ dataDir }) => {
      const { url = '' } = readStatus(dataDir).http ?? {};
      const scrape = readScrape(await (await fetch(`${url}/metrics`)).text());
      // What rises within a time is seen against an earlier look.
      const before = [...scrape].map(
        ([name, all]) => [name, all.map((one) => ({ ...one, value: 0 }))] as const,
      );
      const looks = [
        { at: 0, samples: new Map(before) },
        { at: 5_000, samples: scrape },
      ];
      for (const { alert, expression } of ALERT_RULES.filter(({ alert }) => !NOT_HERE.has(alert)))
        assert.ok(expression.values(looks).length > 0, `${alert}: nothing of it is in the scrape`);
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const command = { kind: 'kill', reason: 'the market is mad' };
      const body = JSON.stringify({ id: 'kill-test-1', command, confirmed: true, by: 'ann' });
      const answer = await fetch(`${url}/api/commands`, { method: 'POST', headers, body });
      assert.equal(answer.status, 200);
      assert.match(await answer.text(), /"outcome":"accepted"/);
      const page = await alerts.until(() =>
        alerts.events.find(({ dedup_key: key }) => /KillSwitch/.test(key)),
      );
      assert.equal(page.payload?.custom_details?.reason, 'the market is mad');
    });
    assert.equal(alerts.incident('KillSwitchEngaged')?.opened, 1);
  },
);

test('beside a running Bulkhead: both act, nothing is closed twice, and it goes on after the release', {
  timeout: 240_000,
}, async (t) => {
  const b = await bench(t);
  const run = await holding(b);
  const killed = await kill(b, '--reason', 'lunch');
  assert.equal(killed.code, 0, killed.stderr + killed.stdout);
  assert.deepEqual(await amounts(b.exchange), {});
  const halted = await statusWhere(
    b.dataDir,
    'shut and flat in the books, too',
    ({ tradingState, positions, trades }) =>
      tradingState === 'halted' && positions.length === 0 && trades.count === 1,
  );
  assert.deepEqual(halted.venue?.unknownOrders, []);
  assert.deepEqual(halted.venue?.foreign, []);
  const shown = await cli(['breakers', '--data-dir', b.dataDir, '--json']);
  const { kill: order } = jsonLines(shown)[0] as { kill: { reason: string; accountWide: boolean } };
  assert.deepEqual([order.reason, order.accountWide], ['lunch', false]);
  for (const kind of ['trip', 'release']) {
    const byHand = await cli([kind, 'kill', '--data-dir', b.dataDir, '--reason', 'over', '--json']);
    assert.equal(byHand.code, 64);
    assert.match(errorOf(byHand).message, /"bulkhead kill" engages it, "bulkhead release" without a name/);
  }
  // Until its own look at the venue is over, a release is refused.
  await until('released', async () => {
    const { code } = await cli(['release', '--data-dir', b.dataDir, '--reason', 'back']);
    return code === 0 ? true : undefined;
  });
  await statusWhere(b.dataDir, 'open again', ({ tradingState }) => tradingState === 'active');
  const tripped = await cli(['trip', 'latency', '--data-dir', b.dataDir, '--reason', 'news']);
  assert.equal(tripped.code, 0, tripped.stderr);
  await statusWhere(b.dataDir, 'tripped by hand', ({ tradingState }) => tradingState === 'halted');
  assert.equal((await cli(['release', 'latency', '--data-dir', b.dataDir, '--reason', 'over'])).code, 0);
  await statusWhere(b.dataDir, 'and released', ({ tradingState }) => tradingState === 'active');
  const wrong = await cli(['release', 'latencies', '--data-dir', b.dataDir, '--reason', 'x', '--json']);
  assert.match(errorOf(wrong).message, /latency/);
  run.kill('SIGTERM');
  assert.equal((await run.ended).code, 143, run.tail());
});

test('a demo closes its own positions, and stays shut when it starts again', {
  timeout: 120_000,
}, async (t) => {
  const dataDir = path.join(tempDir(t, 'kill-demo'), 'data');
  const args = ['run', '--seed', '42', '--symbols', 'BTCUSDT,ETHUSDT', '--data-dir', dataDir, '--json'];
  const first = new CliProcess(args);
  t.after(() => first.reap());
  await first.said(/"event":"trade"/);
  assert.equal((await cli(['kill', '--data-dir', dataDir, '--reason', 'enough'])).code, 0);
  const shut = await statusWhere(
    dataDir,
    'shut',
    ({ tradingState, positions }) => tradingState === 'halted' && positions.length === 0,
  );
  first.kill('SIGKILL');
  await first.ended;
  const second = new CliProcess(args);
  t.after(() => second.reap());
  const again = await statusWhere(
    dataDir,
    'shut again, later in the market',
    ({ pid, tradingState, virtualTime }) =>
      pid === second.pid &&
      tradingState === 'halted' &&
      (virtualTime ?? 0) > (shut.virtualTime ?? 0) + 3_600_000,
  );
  assert.equal(again.positions.length, 0);
  assert.equal((await cli(['release', '--data-dir', dataDir, '--reason', 'rested'])).code, 0);
  await statusWhere(dataDir, 'open', ({ tradingState }) => tradingState === 'active');
  second.kill('SIGTERM');
  await second.ended;
});
