/** Sets every gauge from the views, when somebody asks for the metrics. */

import { SEVERITIES } from '../../alerts/alert-rules.ts';
import type { TreeNode } from '../../domain/tree-node.ts';
import type { Metrics } from '../../http/metrics-registry.ts';
import type { StatusDocument } from '../../operator/status-document.ts';
import type { Views } from '../../operator/views.ts';

export interface GaugeSources {
  readonly views: Views;
  readonly pendingRows: number;
  readonly deadLetters: number;
  readonly eventLoopDelayMs: number;
  /** How the process before this one ended, and since when this one has the account. */
  readonly start: { readonly how: string; readonly agoMs: number };
  readonly streams: { readonly clients: number; readonly dropped: number };
}

const BREAKER = { closed: 0, 'half-open': 0.5, open: 1 } as const;

export function setGauges(metrics: Metrics, sources: GaugeSources): void {
  const { views } = sources;
  const status = views.status();
  setRun(metrics, status, sources);
  setMoney(metrics, status, views);
  metrics.setAll(
    'bulkhead_breaker_open',
    status.breakers.map(({ name, state }) => [{ breaker: name }, BREAKER[state]]),
  );
  // Whoever took the account over has the breaker from the journal, and no file in a folder of its own.
  const isKillOpen = status.breakers.some(({ name, state }) => name === 'kill' && state === 'open');
  metrics.set('bulkhead_kill_engaged', views.breakers().kill !== null || isKillOpen);
  setVenue(metrics, status);
  setAlerts(metrics, status);
  for (const { objective, value, met, since } of views.slo()) {
    metrics.set('bulkhead_slo_value', value, { objective });
    metrics.set('bulkhead_slo_met', met, { objective });
    metrics.set('bulkhead_slo_since_timestamp_seconds', seconds(since), { objective });
  }
}

function setRun(metrics: Metrics, status: StatusDocument, sources: GaugeSources): void {
  const health = sources.views.health();
  const { version, mode, store, journal } = status;
  metrics.set('bulkhead_info', 1, { version, mode, engine: store.engine });
  metrics.setAll(
    'bulkhead_health',
    health.checks.map(({ check, ok }) => [{ check }, ok]),
  );
  metrics.set('bulkhead_ready', health.ready);
  metrics.set('bulkhead_trading_active', status.tradingState === 'active');
  metrics.set('bulkhead_journal_pending_rows', sources.pendingRows);
  metrics.set('bulkhead_journal_durable_n', journal.durableN);
  metrics.set('bulkhead_journal_begins_after_n', store.anchorN ?? 0);
  metrics.set('bulkhead_store_bytes', store.bytes ?? null);
  metrics.set('bulkhead_store_free_bytes', store.freeBytes ?? null);
  metrics.set('bulkhead_dead_letters', sources.deadLetters);
  metrics.set('bulkhead_event_loop_p99_seconds', sources.eventLoopDelayMs / 1_000);
  metrics.set('bulkhead_started_ago_seconds', sources.start.agoMs / 1_000, { how: sources.start.how });
  metrics.set('bulkhead_streams', sources.streams.clients);
  metrics.set('bulkhead_streams_dropped', sources.streams.dropped);
  if (status.tree) countRestarts(metrics, status.tree);
}

/** From zero on: the tree says who could restart somebody, its events who did. */
function countRestarts(metrics: Metrics, { id, kind, children }: TreeNode): void {
  if (kind !== 'supervisor') return;
  metrics.countFrom('bulkhead_supervisor_restarts_total', { supervisor: id });
  for (const child of children) countRestarts(metrics, child);
}

function setMoney(metrics: Metrics, { account, positions }: StatusDocument, views: Views): void {
  metrics.set('bulkhead_equity_usdt', account.equity);
  metrics.set('bulkhead_wallet_usdt', account.wallet);
  metrics.set('bulkhead_open_pnl_usdt', account.openPnl);
  metrics.set('bulkhead_realised_pnl_usdt', account.realised);
  metrics.set('bulkhead_fees_usdt', account.fees);
  metrics.set('bulkhead_funding_usdt', account.funding);
  for (const side of ['long', 'short'] as const)
    metrics.set('bulkhead_positions', positions.filter(({ direction }) => direction === side).length, {
      side,
    });
  const { total, maxDrawdownPercent, sharpe, sortino, dailyVar95Percent } = views.results();
  metrics.set('bulkhead_win_rate', total.winRate);
  metrics.set('bulkhead_profit_factor', total.profitFactor);
  metrics.set('bulkhead_closed_trades', total.wins, { outcome: 'won' });
  metrics.set('bulkhead_closed_trades', total.trades - total.wins, { outcome: 'lost' });
  metrics.set('bulkhead_max_drawdown_percent', maxDrawdownPercent);
  metrics.set('bulkhead_sharpe_ratio', sharpe);
  metrics.set('bulkhead_sortino_ratio', sortino);
  metrics.set('bulkhead_daily_var95_percent', dailyVar95Percent);
  setRisk(metrics, views);
}

function setRisk(metrics: Metrics, views: Views): void {
  let risk: ReturnType<Views['risk']>;
  try {
    risk = views.risk();
  } catch {
    // The account is not known before the tree is up.
    return;
  }
  metrics.set('bulkhead_day_pnl_usdt', risk.dayPnl);
  metrics.set('bulkhead_week_pnl_usdt', risk.weekPnl);
  metrics.set('bulkhead_drawdown_percent', risk.drawdownPercent);
  metrics.setAll(
    'bulkhead_limit_used_ratio',
    risk.use.map(({ limit, share }) => [{ limit }, share]),
  );
}

function setAlerts(metrics: Metrics, { alerts }: StatusDocument): void {
  if (!alerts) return;
  for (const severity of SEVERITIES) {
    const open = alerts.open.filter((one) => one.severity === severity);
    metrics.set('bulkhead_alerts_open', open.length, { severity });
  }
  for (const { name: sink, state, waiting } of alerts.sinks) {
    metrics.set('bulkhead_alert_sink_up', state === 'up', { sink });
    metrics.set('bulkhead_alert_sink_waiting', waiting, { sink });
  }
}

const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1_000);

function setVenue(metrics: Metrics, { venue }: StatusDocument): void {
  if (!venue) return;
  const { calls, rate, stream, clock, reconcile, protection } = venue;
  for (const [call, ended] of Object.entries(calls.ended))
    for (const [outcome, count] of Object.entries(ended))
      metrics.set('bulkhead_api_calls', count, { call, outcome });
  for (const [percentile, ms] of [
    ['50', calls.recentLatency.p50Ms],
    ['95', calls.recentLatency.p95Ms],
    ['99', calls.recentLatency.p99Ms],
  ] as const)
    metrics.set('bulkhead_api_latency_seconds', seconds(ms), { percentile });
  metrics.set('bulkhead_api_in_flight', calls.inFlight);
  metrics.set('bulkhead_api_rate_used_ratio', rate && rate.weight / rate.weightLimit);
  metrics.set('bulkhead_stream_up', stream.state === 'up');
  metrics.set('bulkhead_clock_offset_seconds', seconds(clock.offsetMs));
  metrics.set('bulkhead_reconcile_age_seconds', seconds(reconcile.ageMs));
  metrics.set('bulkhead_reconcile_ready', reconcile.ready);
  metrics.set('bulkhead_unknown_orders', venue.unknownOrders.length);
  metrics.set('bulkhead_foreign_positions', venue.foreign.filter(({ ignored }) => !ignored).length);
  metrics.set('bulkhead_unprotected_positions', protection.unprotectedNow);
  metrics.set('bulkhead_unprotected_longest_seconds', seconds(protection.longestNowMs));
  metrics.set('bulkhead_unprotected_seconds', seconds(protection.unprotectedMs));
}
