/**
 * Every metric there is, by name, and their text for Prometheus. The home of prom-client.
 *
 * Invariants: a name that stands in a dashboard, in an alert or in the runbook stands in METRICS (held by a test); what
 * is not known is not shown, rather than shown as zero, which an alert would take for trouble.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface MetricSpec {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels?: readonly string[];
  /** Of a histogram, in seconds. */
  readonly buckets?: readonly number[];
}

const QUICK = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const SLOW = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

const gauge = (help: string, ...labels: string[]): MetricSpec => ({ type: 'gauge', help, labels });
const counter = (help: string, ...labels: string[]): MetricSpec => ({ type: 'counter', help, labels });

export const METRICS = {
  bulkhead_info: gauge('1; its labels say what runs', 'version', 'mode', 'engine'),
  bulkhead_health: gauge('1: this check passes', 'check'),
  bulkhead_ready: gauge('1: it trades or could'),
  bulkhead_trading_active: gauge('1: entries are open as a whole'),
  bulkhead_kill_engaged: gauge('1: the kill switch is engaged'),
  bulkhead_equity_usdt: gauge('Wallet and open P&L at the newest marks'),
  bulkhead_wallet_usdt: gauge('Wallet balance'),
  bulkhead_open_pnl_usdt: gauge('P&L of open positions at the newest marks'),
  bulkhead_realised_pnl_usdt: gauge('Realised P&L before fees and funding, since the account began'),
  bulkhead_fees_usdt: gauge('Fees paid since the account began'),
  bulkhead_funding_usdt: gauge('Funding received since the account began'),
  bulkhead_day_pnl_usdt: gauge('Change of equity since midnight UTC'),
  bulkhead_week_pnl_usdt: gauge('Change of equity since Monday UTC'),
  bulkhead_drawdown_percent: gauge('From the highest equity'),
  bulkhead_max_drawdown_percent: gauge('Deepest drawdown of the closed trades'),
  bulkhead_win_rate: gauge('Share of closed trades that won'),
  bulkhead_profit_factor: gauge('Won over lost, closed trades'),
  bulkhead_sharpe_ratio: gauge('Of daily returns, yearly'),
  bulkhead_sortino_ratio: gauge('Of daily returns, yearly'),
  bulkhead_daily_var95_percent: gauge('What the worst day in twenty loses at least'),
  bulkhead_positions: gauge('Open positions', 'side'),
  bulkhead_limit_used_ratio: gauge('Use of a risk limit, 1: all of it', 'limit'),
  bulkhead_breaker_open: gauge('1 open, 0.5 half-open, 0 closed', 'breaker'),
  bulkhead_closed_trades: gauge('Closed trades since the account began', 'outcome'),
  bulkhead_journal_rows_total: counter('Durable rows in this process', 'type'),
  bulkhead_journal_pending_rows: gauge('Rows that wait for the journal'),
  bulkhead_journal_durable_n: gauge('Number of the newest durable row'),
  bulkhead_journal_begins_after_n: gauge('Number of the last row that was removed for its age; 0: none'),
  bulkhead_store_bytes: gauge('What the store takes on its disk'),
  bulkhead_store_free_bytes: gauge('What the disk of the embedded store has left'),
  bulkhead_dead_letters: gauge('Events that no actor could take, in this process'),
  bulkhead_supervisor_restarts_total: counter('Restarts of children in this process', 'supervisor'),
  bulkhead_order_events_total: counter('What became of orders', 'event'),
  bulkhead_order_fill_seconds: {
    type: 'histogram',
    help: 'From an order at market to its last fill, by the runtime\u2019s clock',
    buckets: SLOW,
  },
  bulkhead_fill_to_stop_seconds: {
    type: 'histogram',
    help: 'From a position\u2019s first fill to its first live stop, by the runtime\u2019s clock',
    buckets: SLOW,
  },
  bulkhead_tick_to_order_seconds: {
    type: 'histogram',
    help: 'From the durable row of a market event to the durable row of the order it led to, real time',
    buckets: QUICK,
  },
  bulkhead_unprotected_positions: gauge('Open positions without a live stop now'),
  bulkhead_unprotected_longest_seconds: gauge('How long the longest of them has stood so'),
  bulkhead_unprotected_seconds: gauge('Time without a stop, over all positions of this process'),
  bulkhead_api_calls: gauge('Calls to the venue in this process', 'call', 'outcome'),
  bulkhead_api_latency_seconds: gauge('Latency of calls to the venue in the last ten minutes', 'percentile'),
  bulkhead_api_rate_used_ratio: gauge('Use of the venue\u2019s request weight of this minute'),
  bulkhead_api_in_flight: gauge('Calls to the venue without an answer yet'),
  bulkhead_stream_up: gauge('1: the private stream is up'),
  bulkhead_clock_offset_seconds: gauge('The venue\u2019s clock less the runtime\u2019s'),
  bulkhead_reconcile_age_seconds: gauge('Since the newest full reading of the venue'),
  bulkhead_reconcile_ready: gauge('1: journal and venue were compared since the start'),
  bulkhead_unknown_orders: gauge('Orders of which nobody knows whether they exist'),
  bulkhead_foreign_positions: gauge('Positions at the venue that nobody here opened'),
  bulkhead_event_loop_p99_seconds: gauge('How late the event loop was in the last minute or two'),
  bulkhead_log_lines_total: counter('Lines of the log', 'level'),
  bulkhead_commands_total: counter('Commands of people', 'kind', 'outcome'),
  bulkhead_streams: gauge('Pages that look on'),
  bulkhead_streams_dropped: gauge('Pages cut off because they did not read'),
  bulkhead_started_ago_seconds: gauge(
    'Since this process has the account; how: how the one before ended',
    'how',
  ),
  bulkhead_alerts_open: gauge('Alerts that are on, as sent to the sinks', 'severity'),
  bulkhead_alert_sink_up: gauge('1: the sink takes alerts, as far as was tried', 'sink'),
  bulkhead_alert_sink_waiting: gauge('Alerts that the sink has still to hear of', 'sink'),
  bulkhead_alert_reports_total: counter('What was told to the sinks', 'sink', 'outcome'),
  bulkhead_slo_value: gauge('A service level as measured', 'objective'),
  bulkhead_slo_met: gauge('1: the service level is met', 'objective'),
  bulkhead_slo_since_timestamp_seconds: gauge(
    'From when on the service level counts, Unix time',
    'objective',
  ),
} as const satisfies Readonly<Record<string, MetricSpec>>;

export type MetricName = keyof typeof METRICS;
export interface Reading {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

type Labels = Readonly<Record<string, string>>;
type Shown = number | string | boolean | null | undefined;

export class Metrics {
  readonly #registry = new Registry();
  readonly #gauges = new Map<string, Gauge>();
  readonly #counters = new Map<string, Counter>();
  readonly #histograms = new Map<string, Histogram>();

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
    const registers = [this.#registry];
    for (const [name, { type, help, labels, buckets }] of Object.entries<MetricSpec>(METRICS)) {
      const common = { name, help, registers, labelNames: [...(labels ?? [])] };
      if (type === 'gauge') this.#gauges.set(name, unset(new Gauge(common)));
      else if (type === 'counter') this.#counters.set(name, new Counter(common));
      else this.#histograms.set(name, new Histogram({ ...common, buckets: [...(buckets ?? SLOW)] }));
    }
  }

  /** What is not known, or not known any more, is not shown. */
  set(name: MetricName, value: Shown, labels: Labels = {}): void {
    const found = this.#gauges.get(name);
    const number = Number(value ?? Number.NaN);
    if (Number.isFinite(number)) found?.set({ ...labels }, number);
    else found?.remove({ ...labels });
  }

  /** All series of a gauge: one that is not among them any more vanishes. */
  setAll(name: MetricName, series: Iterable<readonly [labels: Labels, value: Shown]>): void {
    this.#gauges.get(name)?.reset();
    for (const [labels, value] of series) this.set(name, value, labels);
  }

  count(name: MetricName, labels: Labels = {}): void {
    this.#counters.get(name)?.inc({ ...labels });
  }

  /** From zero on, so that the first of them is an increase. */
  countFrom(name: MetricName, labels: Labels): void {
    this.#counters.get(name)?.inc({ ...labels }, 0);
  }

  /** What gauges and counters of ours show now; the platform's own show what the last whole scrape found. */
  async samples(names: readonly string[]): Promise<ReadonlyMap<string, readonly Reading[]>> {
    const found = names.map(async (name) => {
      const metric = await this.#registry.getSingleMetric(name)?.get();
      const readings = (metric?.values ?? []).map(({ labels, value }) => ({
        labels: Object.fromEntries(Object.entries(labels).map(([label, text]) => [label, String(text)])),
        value,
      }));
      return [name, readings] as const;
    });
    return new Map(await Promise.all(found));
  }

  observe(name: MetricName, seconds: number): void {
    this.#histograms.get(name)?.observe(seconds);
  }

  async text(): Promise<{ readonly type: string; readonly text: string }> {
    return { type: this.#registry.contentType, text: await this.#registry.metrics() };
  }
}

/** One without labels begins at zero by itself. */
function unset(gauge: Gauge): Gauge {
  gauge.remove({});
  return gauge;
}
