/** What people and the venue itself do to an account: trades by hand, transfers, ADL, shocks, coarser filters. */
import * as D from '../../core/decimal.ts';
import { logUniform, type Random } from '../../core/random.ts';
import { hedgeSide, modeOf } from '../../domain/position-key.ts';
import { orderByHand } from './script.ts';
import type { SimWorld } from './world.ts';

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
}
