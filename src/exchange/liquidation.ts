/**
 * Liquidation: at which mark a margin balance no longer covers the maintenance margin, and what follows then.
 *
 * The surplus (balance − maintenance) of one symbol as a function of its mark is concave and piecewise linear,
 * because maintenance rates rise with notional and each tier's `cum` joins the pieces. Newton's method from
 * outside is therefore exact after a few tiers, and its roots are Binance's formula with the tier of the
 * notional at the liquidation price itself.
 */

import type { Decimal } from '../core/decimal.ts';
import * as D from '../core/decimal.ts';
import type { Instrument, SymbolName } from '../domain/instrument.ts';
import { bookFill, changeWallet, feeOf } from './account.ts';
import type { Market, Position, Venue } from './engine-state.ts';
import { closeOrder, emit, instrumentOf } from './engine-state.ts';
import type { Quote } from './engine-types.ts';
import { bracketOf } from './margin.ts';
import { planTake, takeBound } from './matching.ts';

/** One group of positions of a symbol that stand or fall together, as floats for the hot path. */
export interface Stake {
  readonly legs: readonly { readonly quantity: number; readonly entryNotional: number }[];
  readonly instrument: Instrument;
  /** Balance from outside the symbol: wallet, other positions' surplus. */
  readonly outside: number;
  /** 1 for liquidation; 1 ÷ ratio for the margin call. */
  readonly maintenanceFactor: number;
}

interface Line {
  readonly slope: number;
  readonly intercept: number;
}

function tangent(stake: Stake, mark: number): Line {
  let slope = 0;
  let intercept = stake.outside;
  for (const { quantity, entryNotional } of stake.legs) {
    const size = Math.abs(quantity);
    const tier = bracketOf(stake.instrument, size * mark);
    const rate = tier ? Number(tier.maintMarginRate) * stake.maintenanceFactor : 0;
    const cum = tier ? Number(tier.cum) * stake.maintenanceFactor : 0;
    slope += quantity - size * rate;
    intercept += cum - entryNotional;
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

const legOf = ({ quantity, entryNotional }: Position) => ({
  quantity: Number(quantity),
  entryNotional: Number(entryNotional),
});

/** Unrealised profit less maintenance of a symbol at its reference mark. */
function contribution(venue: Venue, symbol: SymbolName, market: Market, factor: number): number {
  const instrument = instrumentOf(venue, symbol);
  if (!instrument || market.positions.length === 0) return 0;
  const stake = { legs: market.positions.map(legOf), instrument, outside: 0, maintenanceFactor: factor };
  return surplus(stake, market.mark || market.last);
}

/** The cross account's balance that does not depend on this symbol's mark, and how many symbols share it. */
function outsideOf(venue: Venue, market: Market, factor: number): { outside: number; sharers: number } {
  let outside = Number(venue.state.wallet);
  let sharers = 0;
  for (const [symbol, other] of Object.entries(venue.state.markets)) {
    if (other.positions.length === 0) continue;
    sharers++;
    if (other !== market) outside += contribution(venue, symbol, other, factor);
  }
  return { outside, sharers };
}

/** A group of positions with the stake that decides its fate. */
export interface Exposed {
  readonly positions: readonly Position[];
  readonly stake: Stake;
}

/** Isolated: each position for itself; cross: all the symbol's positions with the whole account behind them. */
export function exposedOf(venue: Venue, market: Market, instrument: Instrument, factor: number): Exposed[] {
  if (market.positions.length === 0) return [];
  if (venue.config.marginMode === 'isolated')
    return market.positions.map((position) => ({
      positions: [position],
      stake: {
        legs: [legOf(position)],
        instrument,
        outside: Number(position.isolated),
        maintenanceFactor: factor,
      },
    }));
  const { outside } = outsideOf(venue, market, factor);
  const legs = market.positions.map(legOf);
  return [{ positions: market.positions, stake: { legs, instrument, outside, maintenanceFactor: factor } }];
}

/**
 * The marks between which this symbol cannot bring about a liquidation or margin call. In cross mode the
 * account's surplus is divided evenly among the symbols with positions, so that no combination of moves that
 * each stay inside their own band can use it up.
 */
export function safeMarks(
  venue: Venue,
  market: Market,
  instrument: Instrument,
): { low: number; high: number } {
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  const reference = market.mark || market.last;
  for (const factor of [1, 1 / venue.config.marginCallRatio]) {
    for (const { positions, stake } of exposedOf(venue, market, instrument, factor)) {
      if (factor !== 1 && positions.every((position) => position.marginCalled)) continue;
      const share = sharedStake(venue, market, stake, reference, factor);
      low = Math.max(low, lowerRoot(share) * (1 + 1e-9));
      high = Math.min(high, upperRoot(share) * (1 - 1e-9));
    }
  }
  return { low, high };
}

function sharedStake(venue: Venue, market: Market, stake: Stake, reference: number, factor: number): Stake {
  if (venue.config.marginMode === 'isolated') return stake;
  const { sharers } = outsideOf(venue, market, factor);
  if (sharers <= 1) return stake;
  const now = surplus(stake, reference);
  const own = now - stake.outside;
  return { ...stake, outside: now / sharers - own };
}

/** The liquidation price that a report shows: the root on the losing side of the net position. */
export function liquidationPrice(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  position: Position,
): number {
  const exposed = exposedOf(venue, market, instrument, 1).find(({ positions }) =>
    positions.includes(position),
  );
  if (!exposed) return 0;
  const net = exposed.stake.legs.reduce((sum, leg) => sum + leg.quantity, 0);
  const price = net > 0 ? lowerRoot(exposed.stake) : upperRoot(exposed.stake);
  return Number.isFinite(price) ? price : 0;
}

export function callMargin(
  venue: Venue,
  symbol: SymbolName,
  { positions, stake }: Exposed,
  mark: number,
): void {
  const whole: Stake = { ...stake, maintenanceFactor: 1, outside: 0 };
  const withoutMaintenance: Stake = { ...whole, maintenanceFactor: 0 };
  const maintenance = surplus(withoutMaintenance, mark) - surplus(whole, mark);
  const balance = surplus(stake, mark) + maintenance * stake.maintenanceFactor;
  const ratio = balance > 0 ? maintenance / balance : 1;
  for (const position of positions) {
    if (position.marginCalled) continue;
    position.marginCalled = true;
    const marginRatio = D.round(D.fromNumber(ratio), 8);
    emit(venue, position.owner, { type: 'MARGIN_CALLED', symbol, marginRatio });
  }
}

/** Everything that Binance does to an account (cross) or a position (isolated) that is out of margin. */
export function liquidate(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  positions: readonly Position[],
  quote: Quote,
): void {
  if (venue.config.marginMode === 'isolated') {
    cancelAll(venue, [market]);
    for (const position of [...positions]) takeOver(venue, market, instrument, position, quote);
    return;
  }
  cancelAll(venue, Object.values(venue.state.markets));
  // The position at hand first, then the others while the account is still short.
  for (const position of [...positions]) takeOver(venue, market, instrument, position, quote);
  for (const [symbol, other] of Object.entries(venue.state.markets)) {
    const held = instrumentOf(venue, symbol);
    if (other === market || !held || other.positions.length === 0) continue;
    const short = exposedOf(venue, other, held, 1).some(({ stake }) => surplus(stake, other.mark) <= 0);
    if (!short) break;
    const last = { last: other.last, mark: other.mark };
    for (const position of [...other.positions]) takeOver(venue, other, held, position, last);
  }
}

/** A wallet below zero with nothing open is made good: nobody owes the venue. */
export function clearBankruptcy(venue: Venue, asset: string): void {
  if (!venue.state.wallet.startsWith('-')) return;
  const open = Object.values(venue.state.markets).some((market) => market.positions.length > 0);
  if (!open) changeWallet(venue, asset, D.neg(venue.state.wallet), 'INSURANCE_CLEAR');
}

function cancelAll(venue: Venue, markets: readonly Market[]): void {
  for (const market of markets) {
    for (const entry of [...market.orders, ...market.conditionals])
      closeOrder(venue, entry, 'expired', 'account in liquidation');
    market.orders = [];
    market.conditionals = [];
  }
}

/** Closes one position at the market, takes the liquidation fee from what is left, insures the rest. */
function takeOver(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  position: Position,
  quote: Quote,
): void {
  const side = D.gt(position.quantity, D.ZERO) ? 'SELL' : 'BUY';
  const quantity = D.abs(position.quantity);
  const price = takeOverPrice(venue, market, instrument, side, quantity, quote);
  const profit = D.sub(D.mul(position.quantity, price), position.entryNotional);
  const isolated = venue.config.marginMode === 'isolated';
  const backing = isolated ? position.isolated : venue.state.wallet;
  const left = D.add(backing, profit);
  const notional = D.mul(quantity, price);
  const fee = D.min(feeOf(notional, instrument.liquidationFeeRate), D.max(left, D.ZERO));
  const id = `autoclose-${venue.at}${venue.state.nextOrderId++}`;
  bookFill(venue, market, instrument, {
    owner: position.owner,
    ref: id,
    clientOrderId: id,
    positionSide: position.side,
    side,
    price,
    quantity,
    cumulative: quantity,
    complete: true,
    maker: false,
    fee,
    cause: 'liquidation',
  });
  if (isolated && D.lt(left, D.ZERO))
    changeWallet(venue, instrument.quote, D.neg(left), 'INSURANCE_CLEAR', { symbol: instrument.symbol });
}

/** The average of what the market gives; where it gives too little, the venue's bound is the price. */
function takeOverPrice(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  side: 'BUY' | 'SELL',
  quantity: Decimal,
  quote: Quote,
): Decimal {
  const bound = takeBound(instrument, side, quote);
  const lots = planTake(venue, market, instrument, side, quantity, bound, quote);
  let left = quantity;
  let paid = D.ZERO;
  for (const lot of lots) {
    left = D.sub(left, lot.quantity);
    paid = D.add(paid, D.mul(lot.price, lot.quantity));
  }
  paid = D.add(paid, D.mul(left, bound));
  const average = D.div(paid, quantity, 12);
  return side === 'BUY' ? D.ceilTo(average, instrument.tickSize) : D.floorTo(average, instrument.tickSize);
}
