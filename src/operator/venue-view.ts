/** How things stand with a remote venue, as people see it. */
import type { HedgeSide } from '../domain/position-key.ts';

export interface HistogramStatus {
  readonly count: number;
  readonly meanMs: number | null;
  readonly maxMs: number | null;
  /** Under which so many per cent lie, interpolated within a bucket; null without values. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly buckets: readonly { readonly toMs: number | null; readonly count: number }[];
}

export interface RateUse {
  /** Of this minute's weight. */
  readonly weight: number;
  readonly weightLimit: number;
}

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
    /** Of the last ten minutes. */
    readonly recentLatency: HistogramStatus;
  };
  readonly rate: (RateUse & { readonly throttledUntil: number | null }) | null;
  readonly reconcile: {
    /** Until a full reading is done after a start or a lost stream nothing new is entered. */
    readonly ready: boolean;
    /** The account could not be read several times in a row. */
    readonly isFailing: boolean;
    /** The venue's clock of the newest full reading. */
    readonly at: number | null;
    /** Real, as all lengths of time here are, whatever `venue.timeFactor`. */
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
    /** In hedge mode. */
    readonly positionSide?: HedgeSide;
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
