/** The alert rules: what the run judges is what Prometheus would, and when. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { ALERT_RULES, type AlertRule } from '../../src/alerts/alert-rules.ts';
import { AlertWatch } from '../../src/alerts/alert-watch.ts';
import { expression, type Sample } from '../../src/alerts/expression.ts';
import { METRICS } from '../../src/http/metrics-registry.ts';
import { tempDir } from '../support/temp.ts';

const RULES_FILE = fileURLToPath(new URL('../../deploy/prometheus/bulkhead.rules.yml', import.meta.url));
const STEP_MS = 5_000;

/** Of each rule series that violate it, as [name, labels, value]; a rising one as a step at the second look. */
type Series = readonly [metric: string, labels: Readonly<Record<string, string>>, value: number];
const VIOLATIONS: Readonly<Record<string, readonly Series[]>> = {
  BulkheadDown: [['up', { job: 'bulkhead' }, 0]],
  BulkheadNotReady: [['bulkhead_ready', {}, 0]],
  BulkheadRestarted: [['bulkhead_started_ago_seconds', { how: 'crash' }, 599]],
  AccountTakenOver: [['bulkhead_started_ago_seconds', { how: 'takeover' }, 1]],
  JournalUnwell: [['bulkhead_health', { check: 'journal' }, 0]],
  LeaseLost: [['bulkhead_health', { check: 'lease' }, 0]],
  PositionUnprotected: [['bulkhead_unprotected_longest_seconds', {}, 10.5]],
  VenueUnreachable: [['bulkhead_health', { check: 'venue' }, 0]],
  UnknownOrders: [['bulkhead_unknown_orders', {}, 1]],
  ReconciliationStale: [['bulkhead_reconcile_age_seconds', {}, 301]],
  ReconciliationFindings: [['bulkhead_health', { check: 'reconciliation' }, 0]],
  ForeignPosition: [['bulkhead_foreign_positions', {}, 1]],
  SecretsStale: [['bulkhead_health', { check: 'secrets' }, 0]],
  StreamDown: [['bulkhead_stream_up', {}, 0]],
  KillSwitchEngaged: [['bulkhead_kill_engaged', {}, 1]],
  BreakerOpen: [['bulkhead_breaker_open', { breaker: 'drawdown' }, 1]],
  DrawdownDeep: [['bulkhead_drawdown_percent', {}, 16]],
  LimitNearlyUsed: [['bulkhead_limit_used_ratio', { limit: 'positions' }, 0.96]],
  DeadLetters: [['bulkhead_dead_letters', {}, 1]],
  RestartLoop: [['bulkhead_supervisor_restarts_total', { supervisor: 'root' }, 90]],
  EventLoopSlow: [['bulkhead_event_loop_p99_seconds', {}, 0.6]],
  ApiSlow: [['bulkhead_api_latency_seconds', { percentile: '95' }, 0.25]],
  ApiErrors: [
    ['bulkhead_api_calls', { call: 'submit', outcome: 'done' }, 97],
    ['bulkhead_api_calls', { call: 'submit', outcome: 'rejected' }, 2],
    ['bulkhead_api_calls', { call: 'cancel', outcome: 'unknown' }, 1],
  ],
  RateBudgetNearlySpent: [['bulkhead_api_rate_used_ratio', {}, 0.71]],
  ClockOff: [['bulkhead_clock_offset_seconds', {}, -1.5]],
  DiskLow: [['bulkhead_health', { check: 'disk' }, 0]],
  LogErrors: [['bulkhead_log_lines_total', { level: 'error' }, 1]],
  AlertSinkDown: [['bulkhead_alert_sink_up', { sink: 'sentry' }, 0]],
  SloMissed: [['bulkhead_slo_met', { objective: 'uptime' }, 0]],
};
/** Of these a value says nothing: they rise from zero at the second look. */
const RISING = ['DeadLetters', 'RestartLoop', 'ApiErrors', 'LogErrors'];

const promtool = (() => {
  try {
    execFileSync('promtool', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

const samplesOf = (series: readonly Series[], isZero: boolean): Map<string, Sample[]> => {
  const samples = new Map<string, Sample[]>();
  for (const [metric, labels, value] of series)
    samples.set(metric, [...(samples.get(metric) ?? []), { labels, value: isZero ? 0 : value }]);
  return samples;
};

/** The look, counted from zero, at which the run itself tells the alert. */
function firstTold({ alert }: AlertRule, looks: number): number {
  const watch = new AlertWatch({ healAfterMs: () => 0 });
  const series = VIOLATIONS[alert] ?? [];
  for (let i = 0; i <= looks; i++) {
    const samples = samplesOf(series, RISING.includes(alert) && i === 0);
    const { opened } = watch.look({ at: i * STEP_MS, samples }, true);
    if (opened.some((firing) => firing.alert === alert)) return i;
  }
  return -1;
}

const seconds = (ms: number): string => `${ms / 1_000}s`;

describe('the alert rules', () => {
  it('are those of the file for Prometheus, word for word', () => {
    const { groups } = parse(readFileSync(RULES_FILE, 'utf8')) as {
      groups: { rules: Record<string, string | Record<string, string>>[] }[];
    };
    const duration = (ms: number): string => (ms >= 60_000 ? `${ms / 60_000}m` : seconds(ms));
    assert.deepEqual(
      groups.flatMap(({ rules }) => rules),
      ALERT_RULES.map(({ alert, severity, expr, forMs, summary }) => ({
        alert,
        expr,
        for: duration(forMs),
        labels: { severity },
        annotations: { summary, runbook: `docs/RUNBOOK.md#${alert.toLowerCase()}` },
      })),
    );
  });

  it('fire when their time is over, and not before', () => {
    for (const rule of ALERT_RULES) {
      const due = rule.forMs / STEP_MS + (RISING.includes(rule.alert) ? 1 : 0);
      assert.equal(firstTold(rule, due + 3), due, rule.alert);
    }
  });

  it('fire at the same looks as in Prometheus', {
    skip: promtool ? false : 'promtool is not installed (apt-get install prometheus)',
  }, (t: TestContext) => {
    const tests = ALERT_RULES.map((rule) => {
      const series = VIOLATIONS[rule.alert] ?? [];
      const due = firstTold(rule, 400);
      const isRising = RISING.includes(rule.alert);
      const named = ([metric, labels]: Series): string =>
        `${metric}{${Object.entries(labels)
          .map(([label, value]) => `${label}="${value}"`)
          .join(',')}}`;
      // Prometheus sums the labels away where the rule does.
      const isSum = rule.expr.startsWith('sum(');
      const labels = isSum ? {} : (series[0]?.[1] ?? {});
      const fired = {
        exp_labels: { ...labels, severity: rule.severity },
        exp_annotations: { summary: rule.summary, runbook: `docs/RUNBOOK.md#${rule.alert.toLowerCase()}` },
      };
      const at = (look: number, exp_alerts: object[]) => ({
        eval_time: seconds(look * STEP_MS),
        alertname: rule.alert,
        exp_alerts,
      });
      return {
        interval: seconds(STEP_MS),
        input_series: series.map((one) => ({
          series: named(one),
          values: isRising ? `0 ${one[2]}x190` : `${one[2]}x190`,
        })),
        alert_rule_test: [
          ...(due > 0 ? [at(due - 1, [])] : []),
          // Where Prometheus extrapolates a rise it may be a look later.
          at(due + (isRising ? 1 : 0), [fired]),
        ],
      };
    });
    const file = path.join(tempDir(t), 'tests.yml');
    writeFileSync(
      file,
      stringify(
        { rule_files: [RULES_FILE], evaluation_interval: seconds(STEP_MS), tests },
        { aliasDuplicateObjects: false },
      ),
    );
    execFileSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
  });

  it('look at the calls of late: failures of an hour ago are over, those of now are seen after a good day', () => {
    const rule = ALERT_RULES.find(({ alert }) => alert === 'ApiErrors');
    const look = (minute: number, done: number, rejected: number) => ({
      at: minute * 60_000,
      samples: samplesOf(
        [
          ['bulkhead_api_calls', { call: 'submit', outcome: 'done' }, done],
          ['bulkhead_api_calls', { call: 'submit', outcome: 'rejected' }, rejected],
        ],
        false,
      ),
    });
    const holds = (...looks: ReturnType<typeof look>[]) => (rule?.expression.holds(looks) ?? []).length > 0;
    assert.ok(!holds(look(0, 100, 90), look(60, 200, 90), look(65, 300, 90)), 'over');
    assert.ok(holds(look(0, 100_000, 0), look(5, 100_100, 3)), 'new');
    assert.ok(!holds(look(0, 100_000, 0), look(5, 100_000, 0)), 'nobody called');
  });

  it('say nothing of what the metrics do not show', () => {
    for (const { expression, alert } of ALERT_RULES) {
      assert.deepEqual(expression.holds([{ at: 0, samples: new Map() }]), [], alert);
      assert.ok(expression.metrics.length > 0, alert);
    }
  });

  it('look at metrics of our own: the platform\u2019s are brought up to date by a whole scrape alone', () => {
    const others = ALERT_RULES.flatMap(({ expression }) => expression.metrics).filter(
      (name) => !(name in METRICS),
    );
    assert.deepEqual(others, ['up']);
  });

  it('are refused where they are written in a way that is not understood', () => {
    for (const text of ['up', 'up >= 1', 'rate(up[5m]) > 0', 'up{job=~"b.*"} > 0', 'sum by (x) (up) > 1'])
      assert.throws(() => expression(text), /missing/, text);
  });
});

describe('the watch', () => {
  const open = new Map([['bulkhead_breaker_open', [{ labels: { breaker: 'clock' }, value: 1 }]]]);
  const closed = new Map([['bulkhead_breaker_open', [{ labels: { breaker: 'clock' }, value: 0 }]]]);
  const key = 'BreakerOpen/breaker=clock';

  it('begins anew when a condition breaks off before its time', () => {
    const watch = new AlertWatch({ healAfterMs: () => 0 });
    const told = (at: number, samples: typeof open) => watch.look({ at, samples }, true).opened.length;
    assert.deepEqual(
      [told(0, open), told(59_000, open), told(59_500, closed), told(60_000, open), told(119_000, open)],
      [0, 0, 0, 0, 0],
    );
    assert.equal(told(120_000, open), 1);
    assert.equal(told(180_000, open), 0, 'told once');
  });

  it('calls healed what stayed well for a while, and not what flaps', () => {
    const watch = new AlertWatch({ healAfterMs: () => 15_000, inherited: [key] });
    const healed = (at: number, samples: typeof open) => watch.look({ at, samples }, true).healed;
    assert.deepEqual(healed(0, closed), []);
    assert.deepEqual(healed(14_000, closed), []);
    assert.deepEqual(healed(14_500, open), []);
    assert.deepEqual(healed(15_000, closed), []);
    assert.deepEqual(healed(29_999, closed), []);
    assert.deepEqual(healed(30_000, closed), [key]);
    assert.deepEqual(healed(60_000, closed), []);
  });

  it('keeps what an earlier life reported until this one is ready', () => {
    const watch = new AlertWatch({ healAfterMs: () => 0, inherited: [key] });
    assert.deepEqual(watch.look({ at: 0, samples: new Map() }, false).healed, []);
    assert.deepEqual(watch.look({ at: 900_000, samples: closed }, false).healed, []);
    assert.deepEqual(watch.look({ at: 900_001, samples: closed }, true).healed, [key]);
  });

  it('does not tell again what an earlier life told', () => {
    const watch = new AlertWatch({ healAfterMs: () => 0, inherited: [key] });
    assert.deepEqual(watch.look({ at: 0, samples: open }, true).opened, []);
    assert.deepEqual(watch.look({ at: 900_000, samples: open }, true), { opened: [], healed: [] });
  });
});
