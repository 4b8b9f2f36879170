/**
 * How many requests may leave, and which go first. The venue counts weight by the minute and orders by ten seconds
 * and by the minute; we count the same over sliding windows, which is never laxer than its fixed ones.
 *
 * Invariants: in any window the granted sum never exceeds the limit, and what others use on the same account or
 * address is counted as soon as a header tells of it; the reserve is used by protection only; nobody takes what
 * somebody before him waits for, in his own lane or a more urgent one, and nobody waits for what he does not need:
 * a cancel passes an order that waits for the limit of orders; nothing is granted while the venue keeps us out.
 */
import type { Time, TimerHandle } from '../core/clock.ts';
import type { CallLane } from '../domain/remote.ts';

export interface CallCost {
  /** Of the requests a minute, for the address. */
  readonly weight: number;
  /** Orders placed, for the account. */
  readonly orders?: number;
}

export interface RateLimits {
  readonly weightPerMinute: number;
  readonly ordersPer10Seconds: number;
  readonly ordersPerMinute: number;
}

/** Binance's for USD-M futures, unless exchangeInfo says otherwise. */
export const DEFAULT_LIMITS: RateLimits = {
  weightPerMinute: 2400,
  ordersPer10Seconds: 300,
  ordersPerMinute: 1200,
};

export type Admission = { readonly admitted: true; readonly refund: () => void } | Refused;
interface Refused {
  readonly admitted: false;
  readonly reason: string;
}

export interface Admit {
  readonly lane: CallLane;
  readonly cost: CallCost;
  /** On the budget's clock: not admitted by then, it is given up. */
  readonly giveUpAt?: number;
  readonly signal?: AbortSignal;
}

/** From the most urgent. */
const LANES: readonly CallLane[] = ['protect', 'resolve', 'entry', 'data'];
/** How much of a limit each lane may fill; above it is the reserve of those before it. */
const SHARE: Readonly<Record<CallLane, number>> = { protect: 0.95, resolve: 0.8, entry: 0.7, data: 0.5 };
/** Before the venue's word that we are in again is believed. */
const REOPEN_MARGIN_MS = 250;

/** One window: what was granted in it, oldest first. */
class Window {
  readonly spanMs: number;
  limit: number;
  #entries: { at: number; amount: number }[] = [];
  #first = 0;
  #sum = 0;

  constructor(spanMs: number, limit: number) {
    this.spanMs = spanMs;
    this.limit = limit;
  }

  used(now: number): number {
    let head = this.#entries[this.#first];
    while (head !== undefined && head.at <= now - this.spanMs) {
      this.#sum -= head.amount;
      head = this.#entries[++this.#first];
    }
    if (this.#first > 1024) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
    return this.#sum;
  }

  take(now: number, amount: number): { at: number; amount: number } {
    const entry = { at: now, amount };
    this.#entries.push(entry);
    this.#sum += amount;
    return entry;
  }

  giveBack(now: number, entry: { at: number; amount: number }): void {
    if (entry.at <= now - this.spanMs) return;
    this.#sum -= entry.amount;
    entry.amount = 0;
  }

  /** The venue's count for its own window: the difference is what others used, or what we never knew of. */
  heard(now: number, count: number): void {
    const missing = count - this.used(now);
    if (missing > 0) this.take(now, missing);
  }

  fits(now: number, amount: number, share: number): boolean {
    return amount === 0 || this.used(now) + amount <= Math.floor(this.limit * share);
  }

  /** When so much will have left the window that `amount` fits. */
  freeAt(now: number, amount: number, share: number): number {
    let left = this.used(now) + amount - Math.floor(this.limit * share);
    for (let i = this.#first; left > 0 && i < this.#entries.length; i++) {
      const entry = this.#entries[i];
      if (entry === undefined) break;
      left -= entry.amount;
      if (left <= 0) return entry.at + this.spanMs;
    }
    return left <= 0 ? now : Number.POSITIVE_INFINITY;
  }
}

interface Waiting extends Admit {
  readonly settle: (admission: Admission) => void;
}

export interface BudgetUse {
  readonly weight: number;
  readonly weightLimit: number;
  readonly orders10s: number;
  readonly orders1m: number;
  readonly waiting: number;
  /** How much longer the venue keeps us out. */
  readonly closedForMs: number;
}

export class RateBudget {
  readonly #time: Time;
  readonly #weight: Window;
  readonly #orders10s: Window;
  readonly #orders1m: Window;
  readonly #queues: Readonly<Record<CallLane, Waiting[]>> = { protect: [], resolve: [], entry: [], data: [] };
  #closedUntil = 0;
  #ordersClosedUntil = 0;
  #timer: TimerHandle | undefined;

  constructor(time: Time, limits: RateLimits = DEFAULT_LIMITS) {
    this.#time = time;
    this.#weight = new Window(60_000, limits.weightPerMinute);
    this.#orders10s = new Window(10_000, limits.ordersPer10Seconds);
    this.#orders1m = new Window(60_000, limits.ordersPerMinute);
  }

  /** As the venue's exchangeInfo states them. */
  setLimits(limits: RateLimits): void {
    this.#weight.limit = limits.weightPerMinute;
    this.#orders10s.limit = limits.ordersPer10Seconds;
    this.#orders1m.limit = limits.ordersPerMinute;
    this.#serve();
  }

  /** Resolves once the request may leave, or with why it may not. */
  admit(request: Admit): Promise<Admission> {
    const never = this.#hopeless(request);
    if (never !== undefined) return Promise.resolve({ admitted: false, reason: never });
    return new Promise((resolve) => {
      const { signal } = request;
      const onAbort = (): void => this.#giveUp(waiting, 'the time for it ran out while it waited its turn');
      const waiting: Waiting = {
        ...request,
        settle: (admission) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(admission);
        },
      };
      signal?.addEventListener('abort', onAbort);
      this.#queues[request.lane].push(waiting);
      this.#serve();
    });
  }

  /** What the venue's headers say is used; the larger of its count and ours goes on. */
  heard(counts: { weight1m?: number; orders10s?: number; orders1m?: number }): void {
    const now = this.#now();
    if (counts.weight1m !== undefined) this.#weight.heard(now, counts.weight1m);
    if (counts.orders10s !== undefined) this.#orders10s.heard(now, counts.orders10s);
    if (counts.orders1m !== undefined) this.#orders1m.heard(now, counts.orders1m);
  }

  /** The venue keeps us out, for this long from now; orders only, or everything. */
  closeFor(ms: number, what: 'everything' | 'orders' = 'everything'): void {
    const until = this.#now() + Math.max(0, ms) + REOPEN_MARGIN_MS;
    if (what === 'everything') this.#closedUntil = Math.max(this.#closedUntil, until);
    else this.#ordersClosedUntil = Math.max(this.#ordersClosedUntil, until);
    for (const lane of LANES) {
      for (const waiting of [...this.#queues[lane]]) {
        const never = this.#hopeless(waiting);
        if (never !== undefined) this.#giveUp(waiting, never);
      }
    }
    this.#serve();
  }

  use(): BudgetUse {
    const now = this.#now();
    return {
      weight: this.#weight.used(now),
      weightLimit: this.#weight.limit,
      orders10s: this.#orders10s.used(now),
      orders1m: this.#orders1m.used(now),
      waiting: LANES.reduce((total, lane) => total + this.#queues[lane].length, 0),
      closedForMs: Math.max(0, this.#closedUntil - now),
    };
  }

  /** Refuses all that waits, and whatever comes. */
  close(): void {
    this.#closedUntil = Number.POSITIVE_INFINITY;
    this.#timer?.cancel();
    for (const lane of LANES) {
      for (const waiting of [...this.#queues[lane]]) this.#giveUp(waiting, 'shutting down');
    }
  }

  /** Monotonic: a wall clock that jumps must not open a window. */
  #now(): number {
    return this.#time.monotonic.now();
  }

  #hopeless({ cost, giveUpAt, signal, lane }: Admit): string | undefined {
    if (signal?.aborted) return 'the time for it had run out';
    if (this.#closedUntil === Number.POSITIVE_INFINITY) return 'shutting down';
    const leftMs = giveUpAt === undefined ? Number.POSITIVE_INFINITY : giveUpAt - this.#time.clock.now();
    if (leftMs <= 0) return 'its time to be sent had passed';
    const opens = Math.max(this.#closedUntil, cost.orders ? this.#ordersClosedUntil : 0);
    if (opens - this.#now() > leftMs) return 'the venue keeps us out for its rate limits';
    const most = Math.floor(this.#weight.limit * SHARE[lane]);
    if (cost.weight > most) return `weighs ${cost.weight}, more than its lane may ever use (${most})`;
    return undefined;
  }

  #giveUp(waiting: Waiting, reason: string): void {
    const queue = this.#queues[waiting.lane];
    const index = queue.indexOf(waiting);
    if (index < 0) return;
    queue.splice(index, 1);
    waiting.settle({ admitted: false, reason });
    this.#serve();
  }

  /** Lets go what fits, most urgent first, and sets the alarm for the next moment at which something may fit. */
  #serve(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const now = this.#now();
    const wall = this.#time.clock.now();
    const awaited = { weight: false, orders: false };
    let wakeAt = Number.POSITIVE_INFINITY;
    for (const lane of LANES) {
      for (const waiting of [...this.#queues[lane]]) {
        const { giveUpAt, cost } = waiting;
        if (giveUpAt !== undefined && wall >= giveUpAt) {
          this.#settle(waiting, {
            admitted: false,
            reason: 'its time to be sent passed while it waited its turn',
          });
          continue;
        }
        const freeAt = this.#turnAt(now, lane, cost, awaited);
        if (freeAt <= now) {
          const { weight, orders = 0 } = cost;
          this.#settle(waiting, { admitted: true, refund: this.#take(now, weight, orders) });
          continue;
        }
        wakeAt = Math.min(wakeAt, freeAt, now + ((giveUpAt ?? Number.POSITIVE_INFINITY) - wall));
      }
    }
    if (wakeAt < Number.POSITIVE_INFINITY)
      this.#timer = this.#time.timers.set(Math.max(1, Math.ceil(wakeAt - now)), () => this.#serve());
  }

  #settle(waiting: Waiting, admission: Admission): void {
    const queue = this.#queues[waiting.lane];
    queue.splice(queue.indexOf(waiting), 1);
    waiting.settle(admission);
  }

  /**
   * When it may go, as far as that is known; infinity behind others who wait for the same. What it waits for itself
   * is noted as awaited: those behind it take none of that, and go by if they need none. One that lacks weight
   * keeps its turn for orders; one that lacks orders leaves the weight to cancels and questions meanwhile.
   */
  #turnAt(
    now: number,
    lane: CallLane,
    { weight, orders = 0 }: CallCost,
    awaited: { weight: boolean; orders: boolean },
  ): number {
    if (this.#closedUntil > now) return this.#closedUntil;
    const share = SHARE[lane];
    const isBehind = (weight > 0 && awaited.weight) || (orders > 0 && awaited.orders);
    const ordersAt = this.#ordersAt(now, orders, share);
    const weightAt = this.#weight.fits(now, weight, share) ? now : this.#weight.freeAt(now, weight, share);
    if (isBehind || ordersAt > now || weightAt > now) {
      awaited.orders ||= orders > 0;
      awaited.weight ||= weight > 0 && weightAt > now;
    }
    return isBehind ? Number.POSITIVE_INFINITY : Math.max(ordersAt, weightAt);
  }

  #ordersAt(now: number, orders: number, share: number): number {
    if (orders === 0) return now;
    if (this.#ordersClosedUntil > now) return this.#ordersClosedUntil;
    for (const window of [this.#orders10s, this.#orders1m])
      if (!window.fits(now, orders, share)) return window.freeAt(now, orders, share);
    return now;
  }

  #take(now: number, weight: number, orders: number): () => void {
    const taken: [Window, { at: number; amount: number }][] = [];
    if (weight > 0) taken.push([this.#weight, this.#weight.take(now, weight)]);
    if (orders > 0) {
      taken.push([this.#orders10s, this.#orders10s.take(now, orders)]);
      taken.push([this.#orders1m, this.#orders1m.take(now, orders)]);
    }
    return () => {
      for (const [window, entry] of taken) window.giveBack(this.#now(), entry);
      this.#serve();
    };
  }
}
