/**
 * An order book around a price that a bar's path has reached: nobody recorded one, so it is made up.
 *
 * Invariants: fixed by the seed, the price and the minute; never crossed; its touch is never wider than what the
 * engine charges a taker without a book (half the modelled spread), and its levels are deeper than the engine's
 * impact, so that no fill is better than what was shown; levels keep their
 * size within a minute as the price moves, the touch within a second, so that every second says something.
 */
import { DEFAULT_SLIPPAGE } from '../../exchange/engine/engine-types.ts';
import { spot } from './dice.ts';
import type { NumberText } from './number-text.ts';

/** [price, quantity]; best first. */
export type ShownLevel = readonly [price: number, quantity: number];

export interface ShownBook {
  readonly bids: readonly ShownLevel[];
  readonly asks: readonly ShownLevel[];
}

export interface Touch {
  readonly bid: number;
  readonly bidQuantity: number;
  readonly ask: number;
  readonly askQuantity: number;
}

export interface LadderState {
  readonly last: number;
  /** The last trade was a sale, at the bid. */
  readonly atBid: boolean;
  /** Base asset traded in an ordinary bar. */
  readonly volume: number;
  readonly at: number;
}

/** Of the engine's modelled half spread: what the shown spread may be as a whole. */
const SPREAD_SHARE = 0.4;
/** Typical distance between occupied levels, as a fraction of price. */
const SPACING = 0.00005;
/** Of a bar's volume: an ordinary level. */
const LEVEL_SHARE = 0.02;
const LEVELS = 100;
const SECOND = 1000;
const MINUTE = 60_000;

export class Ladder {
  readonly #text: NumberText;
  readonly #seed: number;

  constructor(text: NumberText, seed: number) {
    this.#text = text;
    this.#seed = seed;
  }

  touch(state: LadderState): Touch {
    const { bid, ask } = this.#best(state);
    return {
      bid: this.#text.atTick(bid),
      bidQuantity: this.#size(bid, state, 1, SECOND),
      ask: this.#text.atTick(ask),
      askQuantity: this.#size(ask, state, 2, SECOND),
    };
  }

  book(state: LadderState): ShownBook {
    const { bid, ask } = this.#best(state);
    const spacing = Math.max(1, Math.round((state.last * SPACING) / this.#text.tick));
    return { bids: this.#side(bid, -spacing, state, 1), asks: this.#side(ask, spacing, state, 2) };
  }

  #best({ last, atBid }: LadderState): { readonly bid: number; readonly ask: number } {
    const { tick } = this.#text;
    const at = this.#text.ticksOf(last);
    const modelled = (last * DEFAULT_SLIPPAGE.halfSpreadRate) / tick;
    const spread = Math.max(1, Math.floor(modelled * SPREAD_SHARE));
    if (atBid || at <= spread) return { bid: at, ask: at + spread };
    return { bid: at - spread, ask: at };
  }

  /** From the best price on, the multiples of the spacing beyond it. */
  #side(best: number, spacing: number, state: LadderState, salt: number): ShownLevel[] {
    const levels: ShownLevel[] = [[this.#text.atTick(best), this.#size(best, state, salt, SECOND)]];
    const width = Math.abs(spacing);
    let ticks =
      spacing > 0 ? Math.floor(best / width) * width + width : Math.ceil(best / width) * width - width;
    for (; levels.length < LEVELS && ticks > 0; ticks += spacing)
      levels.push([this.#text.atTick(ticks), this.#size(ticks, state, salt, MINUTE)]);
    return levels;
  }

  /** The same for `heldMs`. */
  #size(ticks: number, { volume, at }: LadderState, salt: number, heldMs: number): number {
    const share = LEVEL_SHARE * (0.3 + 1.4 * spot(this.#seed + salt, ticks, Math.floor(at / heldMs)));
    return Math.max(this.#text.step, this.#text.floorQuantity(volume * share));
  }
}
