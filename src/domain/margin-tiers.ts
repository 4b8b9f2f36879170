/**
 * The venue's table of maintenance margin as a function of the mark.
 *
 * The surplus (balance − maintenance) of one symbol as a function of its mark is concave and piecewise linear,
 * because maintenance rates rise with notional and each tier's `cum` joins the pieces. Newton's method from
 * outside is therefore exact after a few tiers, and its roots are Binance's formula with the tier of the
 * notional at the liquidation price itself. Floats: these are comparisons on the way of every bar, never money.
 */

/** One group of positions of a symbol that stand or fall together. */
export interface Stake {
  readonly legs: readonly { readonly quantity: number; readonly entryNotional: number }[];
  readonly tiers: readonly Tier[];
  /** Balance from outside the symbol: wallet, other positions' surplus. */
  readonly outside: number;
  /** 1 for liquidation; 1 ÷ ratio for the margin call. */
  readonly maintenanceFactor: number;
}

export interface Tier {
  readonly cap: number;
  readonly rate: number;
  readonly cum: number;
}

function tangent(stake: Stake, mark: number): { readonly slope: number; readonly intercept: number } {
  let slope = 0;
  let intercept = stake.outside;
  for (const { quantity, entryNotional } of stake.legs) {
    const size = Math.abs(quantity);
    const tier = stake.tiers.find(({ cap }) => size * mark <= cap) ?? stake.tiers.at(-1);
    if (tier) {
      slope -= size * tier.rate * stake.maintenanceFactor;
      intercept += tier.cum * stake.maintenanceFactor;
    }
    slope += quantity;
    intercept -= entryNotional;
  }
  return { slope, intercept };
}

/** Balance less maintenance at this mark. */
export function surplus(stake: Stake, mark: number): number {
  const { slope, intercept } = tangent(stake, mark);
  return intercept + slope * mark;
}

const MOST_TIERS = 64;
const FAR = 1e15;

/** The highest mark below the safe range at which the surplus is gone; 0 when it never is. */
export function lowerRoot(stake: Stake): number {
  let mark = 0;
  for (let i = 0; i < MOST_TIERS; i++) {
    const { slope, intercept } = tangent(stake, mark);
    if (intercept + slope * mark >= 0) return mark;
    // A surplus that only falls from a negative start is never positive: liquidated at every mark.
    if (slope <= 0) return Number.POSITIVE_INFINITY;
    const next = -intercept / slope;
    if (next <= mark) return mark;
    mark = next;
  }
  return mark;
}

/** The lowest mark above the safe range at which the surplus is gone; Infinity when it never is. */
export function upperRoot(stake: Stake): number {
  let mark = FAR;
  for (let i = 0; i < MOST_TIERS; i++) {
    const { slope, intercept } = tangent(stake, mark);
    if (intercept + slope * mark >= 0) return mark === FAR ? Number.POSITIVE_INFINITY : mark;
    if (slope >= 0) return 0;
    const next = -intercept / slope;
    if (next >= mark) return mark;
    mark = next;
  }
  return mark;
}
