/** Funding: position × mark × rate; longs pay when the rate is positive. Isolated margin pays its own. */
import * as D from '../../core/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { changeWallet, MONEY_PLACES } from './account.ts';
import type { Market, Venue } from './engine-state.ts';
import { emit, positionMoved } from './engine-state.ts';
import { markOf } from './margin.ts';

export function settleFunding(venue: Venue, market: Market, instrument: Instrument, rate: number): void {
  const markPrice = markOf(market);
  const exact = D.fromNumber(rate);
  const { symbol } = instrument;
  for (const position of market.positions) {
    const due = D.mul(D.mul(position.quantity, markPrice), exact);
    const amount = D.neg(D.round(due, MONEY_PLACES, 'half-up'));
    position.isolated = D.add(position.isolated, amount);
    emit(venue, position.owner, { type: 'FUNDING_SETTLED', symbol, amount, rate: exact, markPrice });
    if (!D.isZero(amount)) changeWallet(venue, instrument.quote, amount, 'FUNDING_FEE', { symbol });
    positionMoved(venue, market, symbol, position.side);
  }
}
