/**
 * What people and the venue itself do to an account: trades by hand, transfers, ADL, liquidations, shocks, thin books,
 * coarser filters.
 */
import * as D from '../../core/decimal.ts';
import { logUniform, type Random } from '../../core/random.ts';
import { hedgeSide, modeOf } from '../../domain/position-key.ts';
import { orderByHand, positionsAtRisk, setDepth } from './venue-person.ts';
import type { SimWorld } from './world.ts';

/** With cross margin the liquidation price is none that a market sees. */
const FARTHEST_GAP = 0.3;

/** Each says whether there was anything to do. */
export class VenueHands {
  readonly #world: SimWorld;
  readonly #random: Random;
  #orders = 0;

  constructor(world: SimWorld, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  #anySymbol(): string {
    const { symbols } = this.#world;
    return symbols[this.#random.int(symbols.length)] ?? '';
  }

  /** A person at the venue, with hands of his own. */
  trade(type: 'MARKET' | 'LIMIT'): boolean {
    const { venue } = this.#world;
    const symbol = this.#anySymbol();
    const instrument = venue.market.instrument(symbol);
    const quote = venue.market.quote(symbol);
    if (!instrument || !quote) return false;
    const size = D.ceilTo(
      D.div(D.mul(instrument.minNotional, '3'), D.fromNumber(quote.last), 12),
      instrument.stepSize,
    );
    const away = D.floorTo(D.fromNumber(quote.last * 0.97), instrument.tickSize);
    const side = this.#random.next() < 0.5 || type === 'LIMIT' ? 'BUY' : 'SELL';
    const isHedged = modeOf(this.#world.options) === 'hedge';
    return orderByHand(this.#world, {
      ...{ symbol, side, type, quantity: size },
      ...(isHedged ? { positionSide: hedgeSide(side === 'BUY' ? 'long' : 'short') } : {}),
      ...(type === 'LIMIT' ? { price: away, timeInForce: 'GTC' } : {}),
      newClientOrderId: `web_${++this.#orders}`,
    });
  }

  adl(): boolean {
    const { venue, scheduler } = this.#world;
    const held = venue.core.ledger(venue.account)?.positions ?? [];
    const position = held[this.#random.int(Math.max(1, held.length))];
    if (!position) return false;
    const mark = venue.market.quote(position.symbol)?.mark;
    venue.server.feed({
      ...{ type: 'ADL', at: Math.floor(scheduler.now()), symbol: position.symbol },
      ...(mark === undefined ? {} : { mark }),
    });
    return true;
  }

  /** The lots become ten times as coarse for a while. */
  filters(): boolean {
    const { market } = this.#world.venue;
    const symbol = this.#anySymbol();
    const before = market.instrument(symbol);
    if (before?.status !== 'TRADING') return false;
    market.changeInstrument({
      ...before,
      stepSize: D.mul(before.stepSize, '10'),
      minQuantity: D.mul(before.minQuantity, '10'),
    });
    return true;
  }

  transfer(): boolean {
    const { venue, scheduler } = this.#world;
    const amount = D.decimal(String(50 + this.#random.int(200)));
    venue.server.feed({
      type: 'DEPOSIT',
      at: Math.floor(scheduler.now()),
      amount: this.#random.next() < 0.5 ? amount : D.neg(amount),
    });
    return true;
  }

  shock(): boolean {
    const fraction = (this.#random.next() < 0.5 ? -1 : 1) * (0.02 + this.#random.next() * 0.08);
    this.#world.venue.market.shock(this.#anySymbol(), fraction, logUniform(this.#random, 5_000, 120_000));
    return true;
  }

  /** Every book at once: some too thin for one of our orders, some thinner than that. */
  thin(): void {
    for (const symbol of this.#world.symbols)
      setDepth(this.#world, symbol, {
        levels: 1 + this.#random.int(6),
        worth: logUniform(this.#random, 30, 200),
      });
  }

  deepen(): void {
    for (const symbol of this.#world.symbols) setDepth(this.#world, symbol);
  }

  /** The price goes past stop and liquidation price of something held at once, and stays there for a while. */
  gap(): boolean {
    const { venue, scheduler } = this.#world;
    const atRisk = positionsAtRisk(this.#world);
    const { symbol, markPrice, liquidationPrice } =
      atRisk[this.#random.int(Math.max(1, atRisk.length))] ?? {};
    const prices = symbol === undefined ? undefined : venue.market.prices(symbol);
    const way = Number(liquidationPrice) / Number(markPrice) - 1;
    if (symbol === undefined || !prices || !(Math.abs(way) < FARTHEST_GAP)) return false;
    const fraction = way * (1 + this.#random.next() * 0.3) + Math.sign(way) * 1e-4;
    const moved = (price: number): number => Number((price * (1 + fraction)).toPrecision(8));
    const [last, mark] = [moved(prices.last), moved(prices.mark)];
    venue.server.feed({
      ...{ type: 'PRICE', at: Math.floor(scheduler.now()), symbol, last, mark, marginFirst: true },
    });
    venue.market.shock(symbol, fraction, logUniform(this.#random, 5_000, 120_000));
    return true;
  }
}
