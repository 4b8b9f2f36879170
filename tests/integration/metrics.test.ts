/** Metrics, alerts, dashboards and runbook: one vocabulary, checked by promtool and by names. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { ALERT_METRICS } from '../../src/alerts/alert-rules.ts';
import { AlertWatch } from '../../src/alerts/alert-watch.ts';
import { parseCommand } from '../../src/app/cli/cli-parse.ts';
import { LiveMetrics } from '../../src/app/live/live-metrics.ts';
import { venueStatus } from '../../src/app/live/venue-status.ts';
import { setGauges } from '../../src/app/metrics/gauges.ts';
import { RowMetrics } from '../../src/app/metrics/row-metrics.ts';
import { sloLines } from '../../src/app/metrics/slo.ts';
import { Uptime } from '../../src/app/metrics/uptime.ts';
import type { ExecutorState } from '../../src/execution/executor.ts';
import { METRICS, Metrics } from '../../src/http/metrics-registry.ts';
import { VIEW_ROUTES } from '../../src/http/view-routes.ts';
import type { CommittedRow } from '../../src/operator/feed.ts';
import type { StatusDocument } from '../../src/operator/status-document.ts';
import type { Views } from '../../src/operator/views.ts';
import { tempDir } from '../support/temp.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (name: string): string => readFileSync(path.join(ROOT, name), 'utf8');

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string }[];
  }[];
}
const RULES = (parse(read('deploy/prometheus/bulkhead.rules.yml')) as Rules).groups.flatMap(
  ({ rules }) => rules,
);
const DASHBOARDS = readdirSync(path.join(ROOT, 'deploy/grafana/dashboards'));

const promtool = (() => {
  try {
    execFileSync('promtool', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** Names of series in an expression, their histograms' endings taken off. */
const namesIn = (expr: string): string[] =>
  [...expr.matchAll(/\b(?:bulkhead|nodejs|process)_[a-z0-9_]+/g)].map(([name]) =>
    name in METRICS ? name : name.replace(/_(bucket|sum|count)$/, ''),
  );

const STATUS = {
  version: '1',
  mode: 'live',
  state: 'running',
  startedAt: Date.UTC(2026, 0, 1),
  store: { engine: 'PostgreSQL', durable: true, bytes: 5_000_000, freeBytes: 9_000_000 },
  journal: { n: 9, durableN: 9 },
  tradingState: 'active',
  account: {
    equity: '1000',
    wallet: '990',
    openPnl: '10',
    realised: '1',
    fees: '2',
    funding: '3',
    initial: '900',
  },
  positions: [{ direction: 'long' }],
  breakers: [{ name: 'drawdown', state: 'open' }],
  alerts: {
    open: [{ key: 'BreakerOpen/breaker=drawdown', severity: 'warning', since: 1 }],
    sinks: [{ name: 'pagerduty', state: 'down', waiting: 2, reason: '500' }],
  },
  tree: {
    id: 'root',
    kind: 'supervisor',
    restarts: 0,
    children: [{ id: 'a', kind: 'worker', restarts: 3, children: [] }],
  },
  venue: {
    calls: {
      ended: { submit: { done: 998, rejected: 1, unknown: 1 } },
      latency: { count: 5, p50Ms: 10, p95Ms: 50, p99Ms: 100 },
      recentLatency: { count: 2, p50Ms: 11, p95Ms: 51, p99Ms: 101 },
      inFlight: 1,
    },
    rate: { weight: 600, weightLimit: 2400 },
    stream: { state: 'up' },
    clock: { offsetMs: -20 },
    reconcile: { ready: true, ageMs: 1500 },
    unknownOrders: [],
    foreign: [{ ignored: true }, { ignored: false }],
    protection: { unprotectedNow: 1, longestNowMs: 2500, unprotectedMs: 9000 },
  },
} as unknown as StatusDocument;

/** A healthy demo that has not traded yet: no remote venue, no sinks, nothing measured. */
const { venue: _venue, alerts: _alerts, ...OWN } = STATUS;
const DEMO = {
  ...OWN,
  mode: 'demo',
  store: { engine: 'embedded', durable: true },
  positions: [],
  breakers: [{ name: 'drawdown', state: 'closed' }],
} as unknown as StatusDocument;

const RESULTS = {
  total: { winRate: 0.5, profitFactor: '1.2', wins: 3, trades: 6 },
  ...{ maxDrawdownPercent: 4, sharpe: 1, sortino: 2, dailyVar95Percent: 3 },
};
const NO_RESULTS = {
  total: { winRate: null, profitFactor: null, wins: 0, trades: 0 },
  ...{ maxDrawdownPercent: null, sharpe: null, sortino: null, dailyVar95Percent: null },
};

const viewsOf = (rows: RowMetrics, status = STATUS, results: object = RESULTS): Views =>
  ({
    status: () => status,
    health: () => ({ state: 'ok', ready: true, checks: [{ check: 'journal', ok: true, detail: '' }] }),
    breakers: () => ({ kill: null }),
    results: () => results,
    risk: () => ({
      dayPnl: '5',
      weekPnl: '6',
      drawdownPercent: 1,
      use: [{ limit: 'positions', share: 0.1 }],
    }),
    slo: () => sloLines(status, rows, new Uptime()),
  }) as unknown as Views;

/** A row with what the metrics look at. */
function row(n: number, actor: string, event: object, cause: object, more: object = {}): CommittedRow {
  return {
    row: { n, actor, at: 1_000 * n, snapshot: null, ...more },
    event,
    cause,
    intents: [],
    ...more,
  } as unknown as CommittedRow;
}

const SOURCES = { pendingRows: 1, deadLetters: 0, eventLoopDelayMs: 10, streams: { clients: 1, dropped: 0 } };

async function textOfAll(timeFactor?: number): Promise<{ text: string; rows: RowMetrics }> {
  const metrics = new Metrics();
  let now = 0;
  const rows = new RowMetrics(metrics, { now: () => (now += 2) }, timeFactor);
  const order = { type: 'MARKET', clientOrderId: 'c1' };
  rows.observe(row(1, 'scanner/B', { type: 'CANDLES' }, { kind: 'input' }));
  rows.observe(
    row(
      2,
      'position/B',
      { type: 'CONFIRMED' },
      { kind: 'intent', n: 1 },
      { intents: [{ type: 'order.submit', order }] },
    ),
  );
  rows.observe(
    row(
      3,
      'position/B',
      { type: 'ORDER_FILLED', clientOrderId: 'c1', complete: true },
      { kind: 'intent', n: 2 },
    ),
  );
  rows.observe(row(4, 'position/B', { type: 'ORDER_ACKNOWLEDGED', ref: 'stop-1' }, { kind: 'intent', n: 3 }));
  metrics.count('bulkhead_log_lines_total', { level: 'error' });
  metrics.count('bulkhead_commands_total', { kind: 'pause', outcome: 'accepted' });
  setGauges(metrics, {
    ...SOURCES,
    views: viewsOf(rows),
    start: { how: 'crash', agoMs: 90_000 },
  });
  metrics.count('bulkhead_alert_reports_total', { sink: 'pagerduty', outcome: 'taken' });
  return { text: (await metrics.text()).text, rows };
}

describe('the metrics', () => {
  test('every one that is declared is shown by a run that has all parts, with its value', async () => {
    const { text, rows } = await textOfAll();
    for (const name of Object.keys(METRICS))
      assert.match(text, new RegExp(`^${name}(?:_count|_total)?(?:\\{[^}]*\\})? [-\\d]`, 'm'), name);
    assert.match(text, /^bulkhead_equity_usdt 1000$/m);
    assert.match(
      text,
      /^bulkhead_supervisor_restarts_total\{supervisor="root"\} 0$/m,
      'none yet, of a root there is',
    );
    assert.match(text, /^bulkhead_foreign_positions 1$/m);
    assert.match(text, /^bulkhead_started_ago_seconds\{how="crash"\} 90$/m);
    assert.match(text, /^bulkhead_alerts_open\{severity="warning"\} 1$/m);
    assert.match(text, /^bulkhead_alert_sink_up\{sink="pagerduty"\} 0$/m);
    assert.match(text, /^bulkhead_api_rate_used_ratio 0.25$/m);
    assert.match(text, /^bulkhead_api_latency_seconds\{percentile="95"\} 0.051$/m, 'of late');
    assert.match(text, /^bulkhead_order_fill_seconds_sum 1$/m, 'submitted at row 2, filled at row 3');
    assert.match(text, /^bulkhead_fill_to_stop_seconds_sum 1$/m);
    assert.match(text, /^bulkhead_tick_to_order_seconds_count 1$/m);
    const since = STATUS.startedAt;
    assert.match(text, new RegExp(`^bulkhead_slo_since_timestamp_seconds\\{.*\\} ${since / 1_000}$`, 'm'));
    assert.deepEqual(
      sloLines(STATUS, rows, new Uptime()).map((line) => [line.objective, line.value, line.met, line.since]),
      [
        ['uptime', null, null, null],
        ['API latency p95', 50, true, since],
        ['fill time p95', 1_000, false, since],
        ['error rate', 0.2, false, since],
      ],
    );
  });

  test('a venue whose clock runs faster is measured in real time, which people and alerts wait in', async () => {
    const { text, rows } = await textOfAll(10);
    assert.match(text, /^bulkhead_order_fill_seconds_sum 0\.1$/m);
    assert.match(text, /^bulkhead_fill_to_stop_seconds_sum 0\.1$/m);
    const fills = sloLines(STATUS, rows, new Uptime())[2];
    assert.deepEqual([fills?.value, fills?.met], [100, true]);

    const metrics = new LiveMetrics({ now: () => 0 }, 60);
    metrics.hear({ type: 'clock', offsetMs: 6_000, roundTripMs: 1_200 }, 0);
    const bare = { firstFillAt: 60_000, protectedAt: null, unprotectedMs: 0, unprotectedSince: 60_000 };
    metrics.seed('position/BTCUSDT/1', JSON.stringify({ context: bare }));
    const covered = { firstFillAt: 0, protectedAt: 30_000, unprotectedMs: 30_000, unprotectedSince: null };
    const snapshot = JSON.stringify({ context: covered });
    metrics.observe(row(1, 'position/ETHUSDT/1', {}, {}, { snapshot, final: true }));
    const { clock, reconcile, protection } = venueStatus({
      ...{ name: 'here', waitingFor: null, checks: [], inFlight: 0, rate: undefined, driver: undefined },
      executor: {
        ...{ ready: true, baseline: {}, cursor: 60_000, report: { failures: 2 } },
      } as unknown as Readonly<ExecutorState>,
      ...{ metrics, strayRejections: 0, now: 660_000 },
    });
    // Ten minutes of the venue's are ten seconds of ours.
    assert.equal(reconcile.ageMs, 10_000);
    assert.deepEqual(clock, { offsetMs: 100, roundTripMs: 20 });
    const { unprotectedMs, longestNowMs, fillToStop } = protection;
    assert.deepEqual([unprotectedMs, longestNowMs, fillToStop.maxMs], [10_500, 10_000, 500]);
  });

  test('what a demo does not know it does not show, and for ten minutes no alert takes that for trouble', async () => {
    const metrics = new Metrics();
    const rows = new RowMetrics(metrics, { now: () => 0 });
    for (const level of ['error', 'warn', 'info']) metrics.countFrom('bulkhead_log_lines_total', { level });
    const watch = new AlertWatch({ healAfterMs: () => 0 });
    for (let at = 0; at <= 600_000; at += 5_000) {
      const start = { how: 'first', agoMs: at };
      setGauges(metrics, { ...SOURCES, start, views: viewsOf(rows, DEMO, NO_RESULTS) });
      const samples = new Map(await metrics.samples(ALERT_METRICS));
      assert.deepEqual(watch.look({ at, samples }, true).opened, [], `after ${at} ms`);
    }
    const { text } = await metrics.text();
    const shown = new Set([...text.matchAll(/^(bulkhead_\w+?)(?:\{[^}]*\})? /gm)].map(([, name]) => name));
    for (const name of ['bulkhead_equity_usdt', 'bulkhead_ready', 'bulkhead_dead_letters'])
      assert.ok(shown.has(name), `${name} is known`);
    const ofVenue = /_(stream_up|api_|reconcile_|clock_offset|unknown_orders|foreign_|unprotected_)/;
    const ofResults = /_(win_rate|profit_factor|sharpe|sortino|daily_var95|max_drawdown)/;
    for (const name of shown)
      assert.doesNotMatch(name ?? '', new RegExp(`${ofVenue.source}|${ofResults.source}`), 'not known');
  });

  test('what is known no more is shown no more', async () => {
    const metrics = new Metrics();
    const show = async (share: number | null, labels?: Record<string, string>) => {
      metrics.set(labels ? 'bulkhead_slo_value' : 'bulkhead_stream_up', share, labels);
      return (await metrics.text()).text.match(/^bulkhead_(slo_value|stream_up)\b.*$/gm) ?? [];
    };
    assert.deepEqual(await show(null), []);
    assert.deepEqual(await show(1), ['bulkhead_stream_up 1']);
    assert.deepEqual(await show(Number.NaN), []);
    assert.deepEqual(await show(3, { objective: 'x' }), ['bulkhead_slo_value{objective="x"} 3']);
    assert.deepEqual(await show(null, { objective: 'x' }), []);
  });

  test('a check, a breaker or a limit that is not there any more is shown no more', async () => {
    const metrics = new Metrics();
    const rows = new RowMetrics(metrics, { now: () => 0 });
    const start = { how: 'first', agoMs: 0 };
    const bar = { name: 'guardian/breaker/clock', state: 'open' };
    const seen = { ...STATUS, breakers: [...STATUS.breakers, bar] } as unknown as StatusDocument;
    const checks = [
      { check: 'journal', ok: true, detail: '' },
      { check: 'disk', ok: false, detail: '' },
    ];
    const use = [{ limit: 'exposure-BTCUSDT', share: 1 }];
    const views = {
      ...viewsOf(rows, seen),
      health: () => ({ state: 'degraded', ready: true, checks }),
      risk: () => ({ dayPnl: '5', weekPnl: '6', drawdownPercent: 1, use }),
    } as unknown as Views;
    const vanishing = /^bulkhead_.*"(disk|guardian\/breaker\/clock|exposure-BTCUSDT)".*$/gm;
    const shown = async () => (await metrics.text()).text.match(vanishing) ?? [];
    setGauges(metrics, { ...SOURCES, start, views });
    assert.deepEqual((await shown()).sort(), [
      'bulkhead_breaker_open{breaker="guardian/breaker/clock"} 1',
      'bulkhead_health{check="disk"} 0',
      'bulkhead_limit_used_ratio{limit="exposure-BTCUSDT"} 1',
    ]);
    setGauges(metrics, { ...SOURCES, start, views: viewsOf(rows) });
    assert.deepEqual(await shown(), []);
    assert.match((await metrics.text()).text, /^bulkhead_health\{check="journal"\} 1$/m);
  });

  test('promtool finds nothing to say about their text', {
    skip: promtool ? false : 'promtool is not installed (apt-get install prometheus)',
  }, async () => {
    const { text } = await textOfAll();
    // What prom-client itself names against the custom is not ours to name.
    const own = text
      .split('\n')
      .filter((line) => !line.includes('nodejs_active_'))
      .join('\n');
    const said = execFileSync('promtool', ['check', 'metrics'], { input: own, encoding: 'utf8' });
    assert.equal(said, '');
  });
});

describe('alerts, dashboards, runbook', () => {
  test('promtool accepts the rules and the configuration', {
    skip: promtool ? false : 'promtool is not installed (apt-get install prometheus)',
  }, (t) => {
    const rules = path.join(ROOT, 'deploy/prometheus/bulkhead.rules.yml');
    execFileSync('promtool', ['check', 'rules', rules]);
    const dir = tempDir(t);
    writeFileSync(path.join(dir, 'token'), 'x');
    const config = read('deploy/prometheus/prometheus.yml')
      .replace('/etc/prometheus/bulkhead.rules.yml', rules)
      .replace('/run/secrets/bulkhead_http_token', path.join(dir, 'token'));
    writeFileSync(path.join(dir, 'prometheus.yml'), config);
    execFileSync('promtool', ['check', 'config', path.join(dir, 'prometheus.yml')]);
  });

  test('each metric that an alert or a dashboard names is one that a run shows', async () => {
    const { text } = await textOfAll();
    const exprs = [
      ...RULES.map(({ expr }) => expr),
      ...DASHBOARDS.flatMap((name) => {
        const { panels } = JSON.parse(read(`deploy/grafana/dashboards/${name}`)) as {
          panels: { targets: { expr: string }[] }[];
        };
        return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
      }),
    ];
    assert.ok(exprs.length > 60);
    for (const name of exprs.flatMap(namesIn)) assert.match(text, new RegExp(`^# TYPE ${name} `, 'm'), name);
    const shown = new Set(exprs.flatMap(namesIn));
    assert.deepEqual(
      Object.keys(METRICS).filter((name) => !shown.has(name)),
      [],
      'declared and never looked at',
    );
  });

  test('health checks that alerts name exist', () => {
    const health = read('src/app/views/health.ts');
    for (const { expr } of RULES)
      for (const [, check = ''] of expr.matchAll(/check="([^"]+)"/g))
        assert.ok(health.includes(`'${check}'`), check);
  });

  test('every command and address of the runbook is one that there is, flags included', () => {
    const runbook = read('docs/RUNBOOK.md').replaceAll(/[\u2026]/g, 'x');
    const said = [...runbook.matchAll(/`(bulkhead [^`]+)`|^(bulkhead .+)$/gm)].map(([, one, other]) =>
      String(one ?? other),
    );
    assert.ok(said.length > 25, `${said.length} commands`);
    for (const text of said) {
      // Words in quotes are one word; what the answer is piped into is not ours.
      const [own = ''] = text.split(' | ');
      const [, ...words] = [...own.matchAll(/"[^"]*"|\S+/g)].map(([word]) => word.replaceAll('"', ''));
      assert.doesNotThrow(() => parseCommand(words), text);
    }
    const addresses = [...runbook.matchAll(/\/api\/([a-z/-]+)/g)].map(([, name = '']) => name);
    assert.ok(addresses.length > 6);
    for (const name of addresses) assert.ok(Object.hasOwn(VIEW_ROUTES, name), `/api/${name}`);
  });

  test('every alert has its section, with what it means, where to look and what to do', () => {
    const runbook = read('docs/RUNBOOK.md');
    for (const { alert, expr } of RULES) {
      const section = runbook.split(/^## /m).find((text) => text.startsWith(`${alert}\n`)) ?? '';
      assert.ok(section.includes(`\`${expr}\``), `${alert} with its expression`);
      for (const part of ['**What it means.**', '**Look.**', '**What to do.**'])
        assert.ok(section.includes(part), `${alert} ${part}`);
    }
    const alerts = new Set(RULES.map(({ alert }) => alert));
    const [, ofAlerts = ''] = runbook.split(/^# /m);
    for (const [, title = ''] of ofAlerts.matchAll(/^## (.+)$/gm)) assert.ok(alerts.has(title), title);
  });
});
