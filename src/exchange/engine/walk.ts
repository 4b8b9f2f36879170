/**
 * Carries a symbol's orders and positions along a price path, one event at a time in the order of the path.
 *
 * Invariants: a trigger inside a leg executes at the price where the leg reaches it, one already passed at the
 * leg's start executes at the start (a gap is never bettered); a resting limit fills at its own price and only
 * when the price goes strictly beyond it, for we are last in its queue; at one instant limits come first, then
 * triggers by age, then the margin call, then liquidation.
 */
import { assert } from '../../core/assert.ts';
import * as D from '../../core/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { lowerRoot, type Stake, surplus, upperRoot } from '../../domain/margin-tiers.ts';
import { type Leg, still } from './candle-path.ts';
import { activationOf, improves, isProtected, reached, triggerOf, workingPrice } from './conditional.ts';
import type { Conditional, Market, Resting, Venue } from './engine-state.ts';
import { detail } from './engine-state.ts';
import type { Quote } from './engine-types.ts';
import { callMargin, liquidate } from './liquidation.ts';
import { type Exposed, exposedOf } from './liquidation-price.ts';
import { tidy } from './matching.ts';
import { fillResting, openQuantity } from './orders.ts';
import { trigger } from './trigger.ts';

export interface Tape {
  readonly legs: readonly Leg[];
  /** The bar's volume, for impact. */
  readonly volume?: number;
  /**
   * 'triggers' in order-book mode, where resting orders fill from trades and books only; 'margin' when no
   * price moved.
   */
  readonly scope: 'all' | 'triggers' | 'margin';
  /** What our resting orders may still get along this path, in base asset. */
  makerVolume: number;
}

const LIMIT_FILL = 0;
const TRIGGER = 1;
const MARGIN_CALL = 2;
const LIQUIDATION = 3;

interface Moment {
  /** Along the leg, 0 to 1. */
  readonly at: number;
  /** At one instant: the lower class first, then the lower key, then the older. */
  readonly class: number;
  readonly key: number;
  readonly quote: Quote;
  readonly run: () => void;
}

/** Generous: each order has at most a handful of events a leg. */
const MOST_EVENTS = 100_000;

export function walk(venue: Venue, market: Market, instrument: Instrument, tape: Tape): void {
  const path = new Walk(venue, market, instrument, tape);
  for (const leg of tape.legs) path.go(leg);
}

class Walk {
  readonly #venue: Venue;
  readonly #market: Market;
  readonly #instrument: Instrument;
  readonly #tape: Tape;
  /** Resting orders that have had all they can get on this leg. */
  readonly #stalled = new Set<Resting>();
  #leg: Leg = still(0, 0);
  /** How far along the leg things have happened already. */
  #from = 0;
  #best: Moment | undefined;
  /** Known until something happens. */
  #exposed: readonly Exposed[] | undefined;

  constructor(venue: Venue, market: Market, instrument: Instrument, tape: Tape) {
    this.#venue = venue;
    this.#market = market;
    this.#instrument = instrument;
    this.#tape = tape;
  }

  go(leg: Leg): void {
    const market = this.#market;
    this.#leg = leg;
    this.#from = 0;
    this.#stalled.clear();
    let events = 0;
    for (let next = this.#next(); next; next = this.#next()) {
      this.#from = next.at;
      market.last = next.quote.last;
      market.mark = next.quote.mark;
      next.run();
      this.#exposed = undefined;
      assert(++events < MOST_EVENTS, `no end of events on ${this.#instrument.symbol}`);
    }
    market.last = leg.last[1];
    market.mark = leg.mark[1];
    extendTrails(market);
  }

  /** The earliest thing to happen on the rest of the leg. */
  #next(): Moment | undefined {
    this.#best = undefined;
    const { scope } = this.#tape;
    if (scope === 'all') for (const entry of this.#market.orders) this.#considerLimit(entry);
    if (scope !== 'margin') for (const entry of this.#market.conditionals) this.#considerConditional(entry);
    if (this.#market.positions.length > 0) this.#considerMargin();
    return this.#best;
  }

  #offer(moment: Moment): void {
    const best = this.#best;
    if (best) {
      const later = moment.at - best.at || moment.class - best.class || moment.key - best.key;
      if (later >= 0) return;
    }
    this.#best = moment;
  }

  /** Where on the rest of the leg the price passes `level`; `strict` when reaching it is not enough. */
  #crossing(
    range: readonly [number, number],
    level: number,
    rising: boolean,
    strict: boolean,
  ): number | undefined {
    const passed = (price: number): boolean => {
      if (price === level) return !strict;
      return rising ? price > level : price < level;
    };
    if (passed(along(range, this.#from))) return this.#from;
    if (!passed(range[1])) return undefined;
    const at = (level - range[0]) / (range[1] - range[0]);
    return Math.min(Math.max(at, this.#from), 1);
  }

  /** Both prices at a point of the leg, with one of them known exactly. */
  #quote(at: number, exact?: { readonly price: number; readonly of: 'last' | 'mark' }): Quote {
    const { volume } = this.#tape;
    // A price already passed at the start is not bettered: the start itself is the price there.
    const inside = exact !== undefined && at > this.#from ? exact : undefined;
    return {
      last: inside?.of === 'last' ? inside.price : along(this.#leg.last, at),
      mark: inside?.of === 'mark' ? inside.price : along(this.#leg.mark, at),
      ...(volume === undefined ? {} : { volume }),
    };
  }

  #considerLimit(entry: Resting): void {
    if (this.#stalled.has(entry)) return;
    const price = Number(entry.order.price);
    const buying = entry.order.side === 'BUY';
    const at = this.#crossing(this.#leg.last, price, !buying, true);
    if (at === undefined) return;
    this.#offer({
      at,
      class: LIMIT_FILL,
      key: buying ? -price : price,
      quote: this.#quote(at, { price, of: 'last' }),
      run: () => this.#fillLimit(entry),
    });
  }

  #fillLimit(entry: Resting): void {
    const share = D.floorTo(tidy(Math.max(this.#tape.makerVolume, 0)), this.#instrument.stepSize);
    const quantity = D.min(openQuantity(this.#market, entry), share);
    if (D.gt(quantity, D.ZERO)) {
      this.#tape.makerVolume -= Number(quantity);
      fillResting(this.#venue, this.#market, this.#instrument, entry, quantity);
    }
    this.#stalled.add(entry);
  }

  #considerConditional(entry: Conditional): void {
    const of = workingPrice(entry);
    const range = this.#leg[of];
    const activation = activationOf(entry);
    if (activation) {
      const at = this.#crossing(range, activation.price, activation.direction === 'at-or-above', false);
      if (at === undefined) return;
      const quote = this.#quote(at, { price: activation.price, of });
      const arm = (): void => {
        entry.armed = true;
        entry.extreme = quote[of];
        detail(this.#venue, { type: 'TRAIL_ARMED', symbol: entry.order.symbol, ref: entry.order.ref });
      };
      this.#offer({ at, class: TRIGGER, key: entry.rank, quote, run: arm });
      return;
    }
    const threshold = triggerOf(entry);
    if (!threshold) return;
    const at = this.#crossing(range, threshold.price, threshold.direction === 'at-or-above', false);
    if (at === undefined) return;
    const found = this.#triggerQuote(entry, at, { price: threshold.price, of });
    if (!found) return;
    const run = (): void => trigger(this.#venue, this.#market, this.#instrument, entry, found.quote);
    this.#offer({ ...found, class: TRIGGER, key: entry.rank, run });
  }

  /** A protected trigger waits for the spread: it is looked at where it is reached and at the leg's end. */
  #triggerQuote(
    entry: Conditional,
    at: number,
    exact: { readonly price: number; readonly of: 'last' | 'mark' },
  ): { readonly at: number; readonly quote: Quote } | undefined {
    const { triggerProtectRate } = this.#instrument;
    const quote = this.#quote(at, exact);
    if (!isProtected(entry, quote.last, quote.mark, triggerProtectRate)) return { at, quote };
    const end = this.#quote(1);
    const threshold = triggerOf(entry);
    const stays = threshold !== undefined && reached(threshold, end[exact.of]);
    if (!stays || isProtected(entry, end.last, end.mark, triggerProtectRate)) return undefined;
    return { at: 1, quote: end };
  }

  #considerMargin(): void {
    this.#exposed ??= exposedOf(this.#venue, this.#market, this.#instrument);
    for (const exposed of this.#exposed) {
      const { positions, liquidation, call } = exposed;
      if (!positions.every((position) => position.marginCalled))
        this.#onSurplusGone(call, MARGIN_CALL, (quote) =>
          callMargin(this.#venue, this.#instrument.symbol, exposed, quote.mark),
        );
      this.#onSurplusGone(liquidation, LIQUIDATION, (quote) =>
        liquidate(this.#venue, this.#market, this.#instrument, positions, quote),
      );
    }
  }

  #onSurplusGone(stake: Stake, order: number, act: (quote: Quote) => void): void {
    const { mark } = this.#leg;
    const here = along(mark, this.#from);
    if (surplus(stake, here) <= 0) {
      const quote = this.#quote(this.#from);
      this.#offer({ at: this.#from, class: order, key: 0, quote, run: () => act(quote) });
      return;
    }
    if (surplus(stake, mark[1]) > 0) return;
    const rising = mark[1] > mark[0];
    const price = rising ? upperRoot(stake) : lowerRoot(stake);
    const at = this.#crossing(mark, price, rising, false) ?? 1;
    const quote = this.#quote(at, { price, of: 'mark' });
    this.#offer({ at, class: order, key: 0, quote, run: () => act(quote) });
  }
}

function along([from, to]: readonly [number, number], at: number): number {
  if (at <= 0) return from;
  if (at >= 1) return to;
  return Number((from + (to - from) * at).toPrecision(12));
}

/** At a leg's end every armed trailing stop has seen its best price of the leg. */
function extendTrails(market: Market): void {
  for (const entry of market.conditionals) {
    const price = workingPrice(entry) === 'mark' ? market.mark : market.last;
    if (entry.armed && improves(entry, price)) entry.extreme = price;
  }
}
