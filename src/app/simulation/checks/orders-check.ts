/**
 * Each order at the venue: intended before it came, as it came, once (1, 2); no entry past a breaker (8); sent in
 * time and under a lease that holds (11); within the limits on size (6) and on rate (14).
 */
import { isReducing } from '../../../domain/order.ts';
import { keyOf } from '../../../domain/position-key.ts';
import type { VenueRequest } from '../../../exchange/venue-client.ts';
import type { SimProcess } from '../process.ts';
import type { Intended } from './journal-index.ts';
import type { Oracle } from './oracle.ts';
import { DUST, isByHand } from './ownership.ts';
import type { Arrival } from './venue-eye.ts';

/** Ours carry it; the kill switch's own, which go past the journal, and people's by hand, do not. */
const OURS = /^bh-/;
const OF_KILL = /^bhk-/;
/** Marks move between the decision and the look. */
const SLACK = 1.02;

export type LimitKind = 'rate' | 'count' | 'size';

/** The venue's refusals of what it limits, by their codes. */
const LIMITS: Readonly<Record<number, LimitKind>> = {
  [-1003]: 'rate',
  [-1015]: 'rate',
  // Open orders, and conditional ones.
  [-2025]: 'count',
  [-4045]: 'count',
  // Too large, too small, off the step, of too little worth.
  [-1111]: 'size',
  [-2027]: 'size',
  [-4003]: 'size',
  [-4004]: 'size',
  [-4005]: 'size',
  [-4023]: 'size',
  [-4164]: 'size',
};

function readRefusal(body: string): { readonly code?: number } {
  try {
    return JSON.parse(body) as { readonly code?: number };
  } catch {
    // A proxy's page, or a body that broke off.
    return {};
  }
}

export class OrdersCheck {
  readonly #oracle: Oracle;
  readonly #mostExposure: number;
  readonly #seen = new Set<string>();
  /** By id, of the process that sent it. */
  readonly sent = new Map<string, number>();
  #highestWallet: number;

  constructor(oracle: Oracle, mostExposure: number) {
    this.#oracle = oracle;
    this.#mostExposure = mostExposure;
    this.#highestWallet = oracle.venue.wallet;
  }

  /** A request leaves a process. */
  sending(process: SimProcess, { method, path, params }: VenueRequest): void {
    const { violate, journal } = this.#oracle;
    if (method === 'GET' || (path !== 'order' && path !== 'algoOrder')) return;
    const id = String(params.newClientOrderId ?? params.clientAlgoId ?? params.origClientOrderId ?? '');
    if (!OURS.test(id)) return;
    this.#checkLease(process, id);
    if (method !== 'POST') return;
    const times = (this.sent.get(id) ?? 0) + 1;
    this.sent.set(id, times);
    if (times > 1) violate(2, `${id} is sent ${times} times (life ${process.life})`);
    const call = journal.calls.get(id);
    const here = process.time.clock.now();
    if (call && here > call.sendBy + 1)
      violate(11, `${id} is sent ${Math.round(here - call.sendBy)} ms after its time`);
  }

  #checkLease(process: SimProcess, id: string): void {
    const { violate, lease, epochOf, now } = this.#oracle;
    const held = lease();
    const epoch = epochOf(process);
    if (epoch !== undefined && (held?.epoch !== epoch || held.expiresAt <= now()))
      violate(11, `life ${process.life} (epoch ${epoch}) sends ${id}; the lease is epoch ${held?.epoch}'s`);
  }

  /** An owner was told that the venue does not have it: then it must not. */
  rejected(id: string, n: number): void {
    if (this.#seen.has(id))
      this.#oracle.violate(3, `${id} is called refused (row ${n}), and was at the venue`);
  }

  /** The venue's books have moved. */
  moved(): void {
    const { venue, violate } = this.#oracle;
    const arrivals = venue.look();
    for (const arrival of arrivals) this.#arrived(arrival);
    this.#highestWallet = Math.max(this.#highestWallet, venue.wallet);
    // A person who adds to what is ours has no limit; the next of ours that opens has.
    if (!arrivals.some(({ reduces, clientOrderId }) => !reduces && !isByHand(clientOrderId))) return;
    const worst = venue.worstCase();
    const most = this.#mostExposure * this.#highestWallet * SLACK;
    if (worst > most) violate(6, `${worst.toFixed(2)} is or may be open, and ${most.toFixed(2)} is the most`);
  }

  /** The venue refused a request for one of its limits, and no fault made it do so. */
  answered(
    { status, body }: { readonly status: number; readonly body: string },
    { method, path, params }: VenueRequest,
    excused: ReadonlySet<LimitKind>,
  ): void {
    if (status < 400) return;
    const { code = 0 } = readRefusal(body);
    const kind = status === 429 ? 'rate' : LIMITS[code];
    if (kind === undefined || excused.has(kind)) return;
    const id = String(params.newClientOrderId ?? params.clientAlgoId ?? '');
    this.#oracle.violate(
      14,
      `the venue's limit on ${kind} was exceeded: ${method} ${path} ${id} was refused with ${status}, ${code}`,
    );
  }

  #arrived(arrival: Arrival): void {
    const { violate, journal } = this.#oracle;
    const { clientOrderId: id, symbol } = arrival;
    if (isByHand(id)) return;
    if (this.#seen.has(id)) violate(2, `${id} stands at the venue twice`);
    this.#seen.add(id);
    if (journal.rejected.has(id)) violate(3, `${id} comes to the venue after it was called refused`);
    if (OF_KILL.test(id)) {
      this.#checkKill(arrival);
      return;
    }
    const intended = journal.intended.get(id);
    if (!intended) {
      violate(1, `${id} on ${symbol} is at the venue, and no durable row intends it`);
      return;
    }
    if (!isAs(intended, arrival))
      violate(1, `${id}: intended ${JSON.stringify(intended.order)}, came ${JSON.stringify(arrival)}`);
    if (!arrival.reduces) this.#checkBreakers(arrival);
  }

  /** No row intends it, but its log has it before it leaves; and it can open nothing. */
  #checkKill({ clientOrderId: id, symbol, reduces }: Arrival): void {
    const { violate, killLog } = this.#oracle;
    if (!reduces) violate(15, `${id} is the kill switch's own, and opens on ${symbol}`);
    if (!killLog().includes(`"clientOrderId":"${id}"`))
      violate(1, `${id} on ${symbol} is at the venue, and no log of the kill switch has it`);
  }

  #checkBreakers({ clientOrderId, symbol, side }: Arrival): void {
    const { violate, journal } = this.#oracle;
    const call = journal.calls.get(clientOrderId);
    if (!call) return;
    const direction = side === 'BUY' ? 'long' : 'short';
    for (const span of journal.spans) {
      const concerns =
        (span.symbols === undefined || span.symbols.includes(symbol)) &&
        (span.direction === undefined || span.direction === direction);
      if (concerns && span.from < call.n && call.n < span.to)
        violate(
          8,
          `${clientOrderId} was released by row ${call.n}; ${span.breaker} is open since row ${span.from}`,
        );
    }
  }
}

/** Cut to the venue's steps, and what only reduces to what there is to reduce; never more. */
function isAs({ order }: Intended, arrival: Arrival): boolean {
  const isSize = arrival.quantity <= Number(order.quantity ?? arrival.quantity) + DUST;
  return (
    keyOf(order) === arrival.place &&
    order.side === arrival.side &&
    isReducing(order) === arrival.reduces &&
    (order.triggerPrice !== undefined) === arrival.conditional &&
    isSize
  );
}
