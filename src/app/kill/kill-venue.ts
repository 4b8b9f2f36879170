/**
 * Cancels and flattens at the venue itself, with nothing but a gateway and the emergency log: no journal, no
 * actors, no runtime.
 *
 * Invariants: only market orders that reduce and cancels leave, so nothing it does can open a position, however often
 * it is done; each is in the log before it leaves and leaves once; one whose fate is unknown holds its symbol up until
 * evidence ends it; protective orders stay until what they protect is gone; nothing leaves once the kill was released
 * or belongs to another. It ends when two readings in a row show nothing.
 */
import { sleep, type Time } from '../../core/clock.ts';
import type { Decimal } from '../../core/decimal.ts';
import * as D from '../../core/decimal.ts';
import { KILL_ORDERS } from '../../core/ids.ts';
import type { Instrument, SymbolName } from '../../domain/instrument.ts';
import { opensPosition, orderTerms } from '../../domain/order.ts';
import { keyOf, type PositionKey } from '../../domain/position-key.ts';
import type { OrderBookKind, RemoteCall, RemotePosition, RemoteReport } from '../../domain/remote.ts';
import type { VenueGateway } from '../../exchange/venue-gateway.ts';
import type { KillOrder } from './kill-file.ts';
import type { KillIntent, KillLog, NumberedEntry } from './kill-log.ts';

/** What of the venue is Bulkhead's, by what its run last said of itself. */
export interface OwnedView {
  readonly places: readonly PositionKey[];
  /** Signed amounts that somebody else opened. */
  readonly foreign: Readonly<Record<PositionKey, Decimal>>;
}

export interface KillVenueOptions {
  readonly order: KillOrder;
  readonly gateway: Pick<VenueGateway, 'call' | 'venueNow' | 'instruments'>;
  readonly log: KillLog;
  readonly owned: OwnedView;
  /** The runtime's time: the venue's own, where that is faster. */
  readonly time: Time;
  readonly realTime: Time;
  readonly timeFactor: number;
  /** Asked right before each request: false once the kill was released. */
  readonly isEngaged: () => boolean;
  readonly isStopped?: () => boolean;
  readonly say: (text: string) => void;
}

export type KillEnd = 'flat' | 'released' | 'stopped';

const OWN_ID = /^bh[a-z]?-/;
const SEND_WINDOW_MS = 5_000;
/** The venue takes no request that is older; nothing of it is seen any later. */
const LANDING_MS = 20_000;
const PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 5_000;
const QUIET_READINGS = 2;

interface StandingOrder {
  readonly symbol: SymbolName;
  /** What it opens or closes. */
  readonly place: PositionKey;
  readonly book: OrderBookKind;
  readonly orderId: string;
  readonly clientOrderId: string;
  readonly opens: boolean;
}

export class KillVenue {
  readonly #options: KillVenueOptions;
  readonly #owned: Set<PositionKey>;
  #maxQuantity = new Map<SymbolName, Instrument>();

  constructor(options: KillVenueOptions) {
    this.#options = options;
    const before = options.log.entries.flatMap((entry) => (entry.kind === 'owned' ? entry.symbols : []));
    this.#owned = new Set([...before, ...options.owned.places]);
    const news = options.owned.places.filter((place) => !before.includes(place));
    if (news.length > 0) options.log.append({ kind: 'owned', symbols: news });
  }

  /** Goes on until the venue shows nothing, the kill is released, or the caller stops it. */
  async run(): Promise<KillEnd> {
    const { isEngaged, isStopped, say, realTime, log } = this.#options;
    let quiet = 0;
    for (let failures = 0; ; ) {
      if (!isEngaged()) return 'released';
      if (isStopped?.()) return 'stopped';
      const report = await this.#read();
      if (report === undefined) {
        failures += 1;
        if (failures === 1) say('the account cannot be read; trying again');
      } else {
        failures = 0;
        quiet = (await this.#round(report)) ? quiet + 1 : 0;
        if (quiet >= QUIET_READINGS) {
          log.append({ kind: 'flat' });
          return 'flat';
        }
      }
      await sleep(realTime.timers, Math.min(PAUSE_MS * 2 ** Math.min(failures, 8), LONGEST_PAUSE_MS));
    }
  }

  async #read(): Promise<RemoteReport | undefined> {
    const { gateway, say } = this.#options;
    const id = `kill-read-${gateway.venueNow()}`;
    const read = await gateway.call({ call: 'report', id, since: gateway.venueNow(), symbols: [] });
    if (read.outcome === 'done') return read.value;
    say(`reading the account: ${read.reason}`);
    return undefined;
  }

  /** True when there is nothing left to do. */
  async #round(report: RemoteReport): Promise<boolean> {
    const orders = standing(report).filter((order) => this.#isMine(order));
    this.#claim(orders.map(({ place }) => place));
    const waiting = await this.#resolve();
    // First what could still open.
    const opening = orders.filter(({ opens }) => opens);
    for (const order of opening) await this.#cancel(order);
    const open = report.positions.filter((position) => !D.isZero(this.#toClose(position)));
    for (const position of open) if (!waiting.has(keyOf(position))) await this.#close(position);
    const held = new Set(open.map(keyOf));
    const idle = orders.filter(({ opens, place }) => !opens && !held.has(place));
    for (const order of idle) await this.#cancel(order);
    return open.length === 0 && orders.length === 0 && waiting.size === 0;
  }

  #isMine({ clientOrderId }: StandingOrder): boolean {
    return this.#options.order.accountWide || OWN_ID.test(clientOrderId);
  }

  /** An order of ours on a symbol (in hedge mode, on a side of it) says that what stands there is ours. */
  #claim(places: readonly PositionKey[]): void {
    const news = [...new Set(places)].filter((place) => !this.#owned.has(place));
    if (news.length === 0) return;
    this.#options.log.append({ kind: 'owned', symbols: news });
    for (const place of news) this.#owned.add(place);
  }

  /** Signed: what of the position is to go. */
  #toClose(position: RemotePosition): Decimal {
    const { order, owned } = this.#options;
    const { amount } = position;
    const place = keyOf(position);
    if (order.accountWide) return amount;
    if (!this.#owned.has(place)) return D.ZERO;
    const left = D.sub(amount, owned.foreign[place] ?? D.ZERO);
    // Somebody else's part may have gone meanwhile, and ours cannot be on the other side of the whole.
    if (D.sign(left) !== D.sign(amount)) return D.ZERO;
    return D.gt(D.abs(left), D.abs(amount)) ? amount : left;
  }

  async #close(position: RemotePosition): Promise<void> {
    const { log, order, time, say } = this.#options;
    const { symbol, positionSide } = position;
    const amount = this.#toClose(position);
    const quantity = await this.#upToMaximum(symbol, D.abs(amount));
    const clientOrderId = `${KILL_ORDERS}${order.id.slice(-12)}-${log.nextSeq}`;
    const terms = orderTerms('close', D.sign(amount) > 0 ? 'long' : 'short', positionSide);
    say(`${keyOf(position)}: closing ${quantity} of ${amount}`);
    await this.#perform({
      call: 'submit',
      id: clientOrderId,
      sendBy: time.clock.now() + SEND_WINDOW_MS * this.#options.timeFactor,
      order: {
        ref: clientOrderId,
        clientOrderId,
        owner: 'kill',
        symbol,
        side: terms.side,
        positionSide,
        type: 'MARKET',
        quantity,
        reduceOnly: terms.reduceOnly,
      },
    });
  }

  /** The venue takes only so much in one market order; the rest goes in the next round. */
  async #upToMaximum(symbol: SymbolName, quantity: Decimal): Promise<Decimal> {
    const { gateway } = this.#options;
    if (!this.#maxQuantity.has(symbol)) {
      const known = await gateway.instruments([symbol]).catch(() => []);
      for (const instrument of known) this.#maxQuantity.set(instrument.symbol, instrument);
    }
    const instrument = this.#maxQuantity.get(symbol);
    return instrument === undefined ? quantity : D.min(quantity, instrument.marketMaxQuantity);
  }

  async #cancel({ symbol, book, orderId, clientOrderId }: StandingOrder): Promise<void> {
    this.#options.say(`${symbol}: cancelling ${clientOrderId}`);
    const id = `kill-cancel-${this.#options.log.nextSeq}`;
    await this.#perform({ call: 'cancel', id, symbol, book, clientOrderId, orderId });
  }

  async #perform(call: KillIntent): Promise<void> {
    const { log, isEngaged, gateway, say } = this.#options;
    if (!isEngaged()) return;
    const { seq } = log.append({ kind: 'intent', call });
    const ended = await gateway.call<RemoteCall>(call);
    if (ended.outcome === 'unknown') {
      say(`${call.call}: no answer, ${ended.reason}; looking it up`);
      // A cancel may be repeated, and the next reading shows whether it must be.
      if (call.call === 'submit') return;
    }
    if (ended.outcome === 'rejected') say(`${call.call}: refused, ${ended.code} ${ended.reason}`);
    const outcome = ended.outcome === 'done' ? 'done' : 'rejected';
    log.append({ kind: 'outcome', of: seq, outcome, reason: ended.outcome === 'done' ? '' : ended.reason });
  }

  /** Looks up what was sent without an answer, also by a process before this one; names the places that wait. */
  async #resolve(): Promise<Set<PositionKey>> {
    const waiting = new Set<PositionKey>();
    for (const entry of this.#options.log.unresolved()) {
      const { call, seq } = entry;
      const settle = (outcome: 'done' | 'rejected', reason: string) =>
        this.#options.log.append({ kind: 'outcome', of: seq, outcome, reason });
      if (call.call === 'cancel') {
        settle('rejected', 'not known; the next reading shows it');
        continue;
      }
      const found = await this.#lookUp(entry, call);
      if (found === undefined) waiting.add(keyOf(call.order));
      else settle(found ? 'done' : 'rejected', found ? 'found at the venue' : 'never reached the venue');
    }
    return waiting;
  }

  /** Whether the venue has it; undefined: that is not certain yet. */
  async #lookUp(
    { at }: NumberedEntry,
    { order }: Extract<KillIntent, { call: 'submit' }>,
  ): Promise<boolean | undefined> {
    const { gateway, realTime } = this.#options;
    const { symbol, clientOrderId } = order;
    const isSettled = realTime.clock.now() - at > LANDING_MS;
    const asked = await gateway.call({
      ...{ call: 'query', id: `kill-query-${clientOrderId}`, book: 'plain', symbol, clientOrderId },
    });
    if (asked.outcome !== 'done') return undefined;
    if (asked.value !== null) return true;
    return isSettled ? false : undefined;
  }
}

function standing({ openOrders, openAlgoOrders }: RemoteReport): StandingOrder[] {
  return [
    ...openOrders.map((order) => ({
      ...{ symbol: order.symbol, orderId: order.orderId, clientOrderId: order.clientOrderId },
      ...{ book: 'plain' as const, place: keyOf(order), opens: opensPosition(order) },
    })),
    ...openAlgoOrders.map((algo) => ({
      ...{ symbol: algo.symbol, orderId: algo.algoId, clientOrderId: algo.clientOrderId },
      ...{ book: 'algo' as const, place: keyOf(algo), opens: opensPosition(algo) },
    })),
  ];
}
