/**
 * Numbers of a live run that nothing decides by: how calls end and how long they take, how long positions stood
 * without their stop. Kept in memory, shown in the status.
 *
 * Invariant: every length of time is real, however much faster the venue's clock runs: people and alerts wait in it.
 */
import type { PositionContext } from '../../../machines/position/context.ts';
import type { Committed } from '../../../supervisors/actor-runtime.ts';
import type { Monotonic } from '../../core/clock.ts';
import { type ActorId, actorType } from '../../core/ids.ts';
import { type SnapshotParts, snapshotParts } from '../../core/snapshot-parts.ts';
import type { RemoteCall } from '../../domain/remote.ts';
import type { GatewayEvent } from '../../exchange/venue-gateway.ts';
import { Histogram } from '../status/histogram.ts';
import { RecentHistogram } from '../status/recent-histogram.ts';

interface Position extends SnapshotParts {
  readonly context: PositionContext;
}

export interface CallCounts {
  done: number;
  rejected: number;
  unknown: number;
}

export class LiveMetrics {
  readonly calls = new Map<RemoteCall['call'], CallCounts>();
  readonly latency = new Histogram();
  readonly recentLatency: RecentHistogram;
  /** From a position's first fill to its first live stop. */
  readonly fillToStop = new Histogram();
  offsetMs: number | null = null;
  roundTripMs: number | null = null;
  throttledUntil: number | null = null;
  stream: 'up' | 'down' | 'not yet' = 'not yet';
  streamSince: number | null = null;
  streamReason: string | null = null;
  readonly #protectedOnce = new Set<ActorId>();
  /** How much faster the runtime's clock runs than people's. */
  readonly timeFactor: number;
  #unprotectedMs = 0;
  readonly #open = new Map<ActorId, { readonly unprotectedMs: number; readonly since: number | null }>();

  /** `monotonic` is the real clock. */
  constructor(monotonic: Monotonic, timeFactor = 1) {
    this.recentLatency = new RecentHistogram(monotonic);
    this.timeFactor = timeFactor;
  }

  /** Of a length on the runtime's clock. */
  real(ms: number): number {
    return Math.round(ms / this.timeFactor);
  }

  hear(event: GatewayEvent, now: number | null): void {
    switch (event.type) {
      case 'called': {
        const counts = this.calls.get(event.call) ?? { done: 0, rejected: 0, unknown: 0 };
        counts[event.outcome] += 1;
        this.calls.set(event.call, counts);
        this.latency.add(event.latencyMs);
        this.recentLatency.add(event.latencyMs);
        break;
      }
      case 'clock':
        this.offsetMs = this.real(event.offsetMs);
        this.roundTripMs = this.real(event.roundTripMs);
        break;
      case 'throttled':
        this.throttledUntil = event.untilMs;
        break;
      case 'stream-up':
        Object.assign(this, { stream: 'up', streamSince: now, streamReason: null });
        break;
      case 'stream-down':
        Object.assign(this, { stream: 'down', streamSince: now, streamReason: event.reason });
        break;
      default:
        break;
    }
  }

  /** The runtime's clock begins: what was heard before it has no other time. */
  beginAt(now: number): void {
    if (this.stream !== 'not yet') this.streamSince ??= now;
  }

  /** An observer of committed rows. */
  readonly observe = ({ row, context: known }: Pick<Committed, 'row' | 'context'>): void => {
    if (actorType(row.actor) !== 'position' || row.snapshot === null) return;
    const context = (known as PositionContext | undefined) ?? snapshotParts<Position>(row.snapshot).context;
    const { firstFillAt, protectedAt, unprotectedMs, unprotectedSince } = context;
    if (firstFillAt !== null && protectedAt !== null && !this.#protectedOnce.has(row.actor)) {
      this.#protectedOnce.add(row.actor);
      this.fillToStop.add(this.real(Math.max(0, protectedAt - firstFillAt)));
    }
    if (!row.final) {
      this.#open.set(row.actor, { unprotectedMs, since: unprotectedSince });
      return;
    }
    this.#unprotectedMs += unprotectedMs;
    this.#open.delete(row.actor);
    this.#protectedOnce.delete(row.actor);
  };

  /** At a start: what the journal says of an open position; its first stop is no news. */
  seed(actor: ActorId, snapshot: string | null): void {
    if (actorType(actor) !== 'position' || snapshot === null) return;
    const { context } = snapshotParts<Position>(snapshot);
    if (context.protectedAt !== null) this.#protectedOnce.add(actor);
    this.#open.set(actor, { unprotectedMs: context.unprotectedMs, since: context.unprotectedSince });
  }

  /** Over all positions since this process began to look, and of those that stand open now. */
  unprotected(now: number): {
    readonly totalMs: number;
    readonly openNow: number;
    readonly longestMs: number;
  } {
    const open = [...this.#open.values()];
    const uncovered = open.flatMap(({ since }) => (since === null ? [] : [Math.max(0, now - since)]));
    const past = open.reduce((sum, { unprotectedMs }) => sum + unprotectedMs, this.#unprotectedMs);
    return {
      totalMs: this.real(past + uncovered.reduce((sum, ms) => sum + ms, 0)),
      openNow: uncovered.length,
      longestMs: this.real(Math.max(0, ...uncovered)),
    };
  }
}
