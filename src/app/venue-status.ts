/** How things stand with a remote venue, for the status document: put together when somebody looks. */
import type { ExecutorState } from '../execution/executor.ts';
import type { LiveDriver } from './live-driver.ts';
import type { HistogramStatus, LiveMetrics } from './live-metrics.ts';
import type { RateUse } from './venue-seams.ts';

export interface VenueStatus {
  readonly name: string;
  /** Why it is not there yet; null: it is. */
  readonly waitingFor: string | null;
  readonly checks: readonly { readonly check: string; readonly ok: boolean; readonly detail: string }[];
  readonly stream: {
    readonly state: 'up' | 'down' | 'not yet';
    readonly since: number | null;
    readonly reason: string | null;
  };
  /** The venue's clock against the runtime's. */
  readonly clock: { readonly offsetMs: number | null; readonly roundTripMs: number | null };
  readonly calls: {
    readonly inFlight: number;
    readonly ended: Readonly<Record<string, { done: number; rejected: number; unknown: number }>>;
    readonly latency: HistogramStatus;
  };
  readonly rate: (RateUse & { readonly throttledUntil: number | null }) | null;
  readonly reconcile: {
    /** Until a full reading is done after a start or a lost stream nothing new is entered. */
    readonly ready: boolean;
    /** The venue's clock of the newest full reading. */
    readonly at: number | null;
    readonly ageMs: number | null;
    readonly findings: readonly string[];
  };
  /** Orders of which nobody knows whether they exist. */
  readonly unknownOrders: readonly {
    readonly symbol: string;
    readonly owner: string;
    readonly ref: string;
  }[];
  /** What stands at the venue that nobody here made; `bulkhead adopt SYMBOL` and `ignore` settle it. */
  readonly foreign: readonly {
    readonly symbol: string;
    readonly amount: string;
    readonly orders: number;
    readonly ignored: boolean;
  }[];
  readonly protection: {
    readonly fillToStop: HistogramStatus;
    /** Over all positions that this process knew, and of those open now. */
    readonly unprotectedMs: number;
    readonly unprotectedNow: number;
    readonly longestNowMs: number;
  };
  readonly market: {
    readonly lastEventAt: number | null;
    readonly warmingUp: number;
    readonly outOfOrder: readonly string[];
  };
  /** Rejections of libraries that nobody awaited. */
  readonly strayRejections: number;
}

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
    },
    rate: rate ? { ...rate, throttledUntil: metrics.throttledUntil } : null,
    reconcile: {
      ready: executor?.ready ?? false,
      at: read > 0 ? read : null,
      ageMs: read > 0 ? Math.max(0, now - read) : null,
      findings: Object.entries(executor?.findings ?? {})
        .slice(0, LISTED_AT_MOST)
        .map(([what, text]) => `${what}: ${text}`),
    },
    unknownOrders: orders
      .filter(({ status }) => status === 'unknown')
      .slice(0, LISTED_AT_MOST)
      .map(({ order }) => ({ symbol: order.symbol, owner: order.owner, ref: order.ref })),
    foreign: Object.entries(executor?.foreign ?? {}).map(([symbol, { amount, orders: theirs, ignored }]) => ({
      symbol,
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
