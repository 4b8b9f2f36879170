/**
 * What is worth waking somebody for, as data. The same conditions stand in deploy/prometheus/bulkhead.rules.yml for
 * whoever runs Prometheus, and each has its section in docs/RUNBOOK.md (both held to this table by a test).
 */
import { type Expression, expression } from './expression.ts';

/** The gravest first. */
export const SEVERITIES = ['critical', 'warning', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface AlertRule {
  readonly alert: string;
  readonly severity: Severity;
  /** As Prometheus reads it. */
  readonly expr: string;
  /** How long it must hold before it is told. */
  readonly forMs: number;
  readonly summary: string;
  readonly expression: Expression;
}

const SECOND = 1_000;
const MINUTE = 60_000;

type Row = readonly [alert: string, severity: Severity, expr: string, forMs: number, summary: string];

const ROWS: readonly Row[] = [
  ['BulkheadDown', 'critical', 'up{job="bulkhead"} == 0', MINUTE, 'The run does not answer.'],
  ['BulkheadNotReady', 'critical', 'bulkhead_ready == 0', 3 * MINUTE, 'The run is up and does not trade.'],
  [
    'BulkheadRestarted',
    'warning',
    'bulkhead_started_ago_seconds{how="crash"} < 600',
    0,
    'The process ended without a word and was started again.',
  ],
  [
    'AccountTakenOver',
    'warning',
    'bulkhead_started_ago_seconds{how="takeover"} < 600',
    0,
    'A standby took the account over.',
  ],
  [
    'JournalUnwell',
    'critical',
    'bulkhead_health{check="journal"} == 0',
    30 * SECOND,
    'The journal takes no rows: nothing is decided or sent until it does.',
  ],
  [
    'LeaseLost',
    'critical',
    'bulkhead_health{check="lease"} == 0',
    15 * SECOND,
    'Another process may own the account.',
  ],
  [
    'PositionUnprotected',
    'critical',
    'bulkhead_unprotected_longest_seconds > 10',
    10 * SECOND,
    'A position stands without a live stop.',
  ],
  [
    'VenueUnreachable',
    'critical',
    'bulkhead_health{check="venue"} == 0',
    MINUTE,
    'The venue is not reached: stops that rest there hold, nothing else does.',
  ],
  [
    'UnknownOrders',
    'critical',
    'bulkhead_unknown_orders > 0',
    2 * MINUTE,
    'Of an order nobody knows whether it exists.',
  ],
  [
    'ReconciliationStale',
    'warning',
    'bulkhead_reconcile_age_seconds > 300',
    MINUTE,
    'The venue was not read whole for five minutes.',
  ],
  [
    'ReconciliationFindings',
    'critical',
    'bulkhead_health{check="reconciliation"} == 0',
    2 * MINUTE,
    'Journal and venue differ, or were not compared yet.',
  ],
  [
    'ForeignPosition',
    'warning',
    'bulkhead_foreign_positions > 0',
    MINUTE,
    'Somebody else holds a position on a symbol of ours.',
  ],
  [
    'SecretsStale',
    'warning',
    'bulkhead_health{check="secrets"} == 0',
    5 * MINUTE,
    'Secrets cannot be read anew, or a changed one was refused.',
  ],
  [
    'StreamDown',
    'warning',
    'bulkhead_stream_up == 0',
    MINUTE,
    'The private stream is down; the run reads the venue instead.',
  ],
  ['KillSwitchEngaged', 'critical', 'bulkhead_kill_engaged == 1', 0, 'The kill switch is engaged.'],
  [
    'BreakerOpen',
    'warning',
    'bulkhead_breaker_open == 1',
    MINUTE,
    'A breaker is open: it holds entries back.',
  ],
  ['DrawdownDeep', 'warning', 'bulkhead_drawdown_percent > 15', MINUTE, 'Equity is far below its highest.'],
  [
    'LimitNearlyUsed',
    'info',
    'bulkhead_limit_used_ratio > 0.95',
    10 * MINUTE,
    'A risk limit is nearly used up.',
  ],
  [
    'DeadLetters',
    'warning',
    'delta(bulkhead_dead_letters[10m]) > 0',
    0,
    'An event could not be taken by its actor.',
  ],
  [
    'RestartLoop',
    'warning',
    'sum(increase(bulkhead_supervisor_restarts_total[10m])) > 5',
    0,
    'Actors are restarted again and again.',
  ],
  [
    'EventLoopSlow',
    'warning',
    'bulkhead_event_loop_p99_seconds > 0.5',
    2 * MINUTE,
    'The process cannot keep up.',
  ],
  [
    'ApiSlow',
    'warning',
    'bulkhead_api_latency_seconds{percentile="95"} > 0.2',
    5 * MINUTE,
    'Calls to the venue are slow.',
  ],
  [
    'ApiErrors',
    'warning',
    'sum(increase(bulkhead_api_calls{outcome!="done"}[10m])) / sum(increase(bulkhead_api_calls[10m])) > 0.01',
    5 * MINUTE,
    'Many calls to the venue fail.',
  ],
  [
    'RateBudgetNearlySpent',
    'warning',
    'bulkhead_api_rate_used_ratio > 0.7',
    MINUTE / 2,
    'The venue\u2019s request weight is nearly spent.',
  ],
  [
    'ClockOff',
    'warning',
    'abs(bulkhead_clock_offset_seconds) > 1',
    2 * MINUTE,
    'The machine\u2019s clock is off.',
  ],
  [
    'DiskLow',
    'warning',
    'bulkhead_health{check="disk"} == 0',
    5 * MINUTE,
    'The disk of the store runs low: entries halt when it is full.',
  ],
  [
    'LogErrors',
    'warning',
    'increase(bulkhead_log_lines_total{level="error"}[5m]) > 0',
    0,
    'The run logged an error.',
  ],
  [
    'AlertSinkDown',
    'warning',
    'bulkhead_alert_sink_up == 0',
    5 * MINUTE,
    'Alerts do not reach one of the places they are sent to.',
  ],
  ['SloMissed', 'info', 'bulkhead_slo_met == 0', 15 * MINUTE, 'A service level is missed.'],
];

export const ALERT_RULES: readonly AlertRule[] = ROWS.map(([alert, severity, expr, forMs, summary]) => ({
  ...{ alert, severity, expr, forMs, summary },
  expression: expression(expr),
}));

/** Every metric that a rule looks at. */
export const ALERT_METRICS: readonly string[] = [
  ...new Set(ALERT_RULES.flatMap((rule) => rule.expression.metrics)),
];

export const LONGEST_RANGE_MS = Math.max(...ALERT_RULES.map((rule) => rule.expression.rangeMs));
