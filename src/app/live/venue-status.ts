/** How things stand with a remote venue, for the status document: put together when somebody looks. */

import { namedSide, type PositionKey, symbolOf } from '../../domain/position-key.ts';
import type { ExecutorState } from '../../execution/executor.ts';
import { READINGS_MAY_FAIL } from '../../execution/executor-state.ts';
import type { VenueStatus } from '../../operator/venue-view.ts';
import type { LiveDriver } from '../drive/live-driver.ts';
import type { LiveMetrics } from './live-metrics.ts';
import type { RateUse } from './venue-seams.ts';

export type { VenueStatus } from '../../operator/venue-view.ts';

export interface VenueSources {
  readonly name: string;
  readonly waitingFor: string | null;
  readonly checks: VenueStatus['checks'];
  readonly metrics: LiveMetrics;
  readonly inFlight: number;
  readonly rate: RateUse | undefined;
  readonly executor: Readonly<ExecutorState> | undefined;
  readonly driver: LiveDriver | undefined;
  readonly strayRejections: number;
  /** The runtime's clock. */
  readonly now: number;
}

const LISTED_AT_MOST = 20;

export function venueStatus(sources: VenueSources): VenueStatus {
  const { metrics, executor, driver, rate, now } = sources;
  const orders = Object.values(executor?.orders ?? {});
  const unprotected = metrics.unprotected(now);
  const read = executor?.baseline === null ? 0 : (executor?.cursor ?? 0);
  return {
    name: sources.name,
    waitingFor: sources.waitingFor,
    checks: sources.checks,
    stream: { state: metrics.stream, since: metrics.streamSince, reason: metrics.streamReason },
    clock: { offsetMs: metrics.offsetMs, roundTripMs: metrics.roundTripMs },
    calls: {
      inFlight: sources.inFlight,
      ended: Object.fromEntries(metrics.calls),
      latency: metrics.latency.status(),
      recentLatency: metrics.recentLatency.status(),
    },
    rate: rate ? { ...rate, throttledUntil: metrics.throttledUntil } : null,
    reconcile: {
      ready: executor?.ready ?? false,
      isFailing: (executor?.report.failures ?? 0) >= READINGS_MAY_FAIL,
      at: read > 0 ? read : null,
      ageMs: read > 0 ? metrics.real(Math.max(0, now - read)) : null,
      findings: Object.entries(executor?.findings ?? {})
        .slice(0, LISTED_AT_MOST)
        .map(([what, text]) => `${what}: ${text}`),
    },
    unknownOrders: orders
      .filter(({ status }) => status === 'unknown')
      .slice(0, LISTED_AT_MOST)
      .map(({ order }) => ({ symbol: order.symbol, owner: order.owner, ref: order.ref })),
    foreign: Object.entries(executor?.foreign ?? {}).map(([place, { amount, orders: theirs, ignored }]) => ({
      symbol: symbolOf(place as PositionKey),
      ...namedSide(place as PositionKey),
      amount,
      orders: theirs.length,
      ignored,
    })),
    protection: {
      fillToStop: metrics.fillToStop.status(),
      unprotectedMs: unprotected.totalMs,
      unprotectedNow: unprotected.openNow,
      longestNowMs: unprotected.longestMs,
    },
    market: {
      lastEventAt: driver?.lastEventAt ?? null,
      warmingUp: driver?.warmingUp ?? 0,
      outOfOrder: driver?.outOfOrder ?? [],
    },
    strayRejections: sources.strayRejections,
  };
}
