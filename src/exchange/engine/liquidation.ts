/**
 * What follows when the margin is gone: the warning first, then orders cancelled, positions taken over at the
 * market, the liquidation fee out of what is left, and the insurance fund for what is missing.
 */

import type { Decimal } from '../../core/decimal.ts';
import * as D from '../../core/decimal.ts';
import type { Instrument, SymbolName } from '../../domain/instrument.ts';
import { surplus } from '../../domain/margin-tiers.ts';
import { bookFill, changeWallet, feeOf } from './account.ts';
import type { Market, Position, Venue } from './engine-state.ts';
import { closeOrder, crossWallet, detail, emit, instrumentOf, marginModeOf } from './engine-state.ts';
import type { Quote } from './engine-types.ts';
import { type Exposed, exposedOf } from './liquidation-price.ts';
import { planTake, takeBound } from './matching.ts';

export function callMargin(venue: Venue, symbol: SymbolName, exposed: Exposed, mark: number): void {
  const { positions, liquidation } = exposed;
  const balance = surplus({ ...liquidation, maintenanceFactor: 0 }, mark);
  const maintenance = balance - surplus(liquidation, mark);
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
  if (marginModeOf(venue, market) === 'isolated') {
    cancelAll(venue, [market]);
    for (const position of [...positions]) takeOver(venue, market, instrument, position, quote);
    return;
  }
  const shared = Object.values(venue.state.markets).filter((other) => marginModeOf(venue, other) === 'cross');
  cancelAll(venue, shared);
  // The position at hand first, then the others while the account is still short.
  for (const position of [...positions]) takeOver(venue, market, instrument, position, quote);
  for (const [symbol, other] of Object.entries(venue.state.markets)) {
    const held = instrumentOf(venue, symbol);
    if (other === market || !held || other.positions.length === 0) continue;
    if (!shared.includes(other)) continue;
    const short = exposedOf(venue, other, held).some(
      ({ liquidation }) => surplus(liquidation, other.mark || other.last) <= 0,
    );
    if (!short) break;
    const last = { last: other.last, mark: other.mark };
    for (const position of [...other.positions]) takeOver(venue, other, held, position, last);
  }
}

/** A wallet below zero with nothing open is made good: nobody owes the venue. */
export function clearBankruptcy(venue: Venue, asset: string): void {
  clearCrossBankruptcy(venue, asset);
  if (!venue.state.wallet.startsWith('-')) return;
  const open = Object.values(venue.state.markets).some((market) => market.positions.length > 0);
  if (!open) changeWallet(venue, asset, D.neg(venue.state.wallet), 'INSURANCE_CLEAR');
}

/** With symbols in both modes: nothing isolated answers for what the cross side has lost. */
function clearCrossBankruptcy(venue: Venue, asset: string): void {
  const markets = Object.values(venue.state.markets);
  if (venue.config.marginMode !== 'cross' || !markets.some((market) => market.marginMode === 'isolated'))
    return;
  const open = markets.some(
    (market) => market.positions.length > 0 && marginModeOf(venue, market) === 'cross',
  );
  const missing = D.neg(crossWallet(venue));
  if (!open && D.gt(missing, D.ZERO)) changeWallet(venue, asset, missing, 'INSURANCE_CLEAR');
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
  const isolated = marginModeOf(venue, market) === 'isolated';
  const backing = isolated ? position.isolated : crossWallet(venue);
  const left = D.add(backing, profit);
  const notional = D.mul(quantity, price);
  const fee = D.min(feeOf(notional, instrument.liquidationFeeRate), D.max(left, D.ZERO));
  const orderId = String(venue.state.nextOrderId++);
  const id = `autoclose-${venue.at}${orderId}`;
  detail(venue, {
    type: 'ORDER_STARTED',
    symbol: instrument.symbol,
    ref: id,
    clientOrderId: id,
    orderId,
    side,
    positionSide: position.side,
    quantity,
    price,
    cause: 'liquidation',
  });
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
