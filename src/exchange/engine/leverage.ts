/** Changing a symbol's leverage: within the tiers, never below what the margin allows. */
import * as D from '../../core/decimal.ts';
import type { ActorId } from '../../core/ids.ts';
import type { Instrument, SymbolName } from '../../domain/instrument.ts';
import { type VenueError, venueError } from '../venue-errors.ts';
import type { Market, Venue } from './engine-state.ts';
import { emit, instrumentOf, marginModeOf, marketOf } from './engine-state.ts';
import { availableBalance, maxNotional, reachableNotional, symbolMargin } from './margin.ts';

export function setLeverage(venue: Venue, owner: ActorId, symbol: SymbolName, leverage: number): void {
  const instrument = instrumentOf(venue, symbol);
  const market = instrument && marketOf(venue, instrument);
  const error = market ? checkLeverage(venue, market, instrument, leverage) : venueError('BAD_SYMBOL');
  if (error || !market) {
    emit(venue, owner, {
      type: 'LEVERAGE_REJECTED',
      symbol,
      ...(error ?? venueError('BAD_SYMBOL')),
    });
    return;
  }
  market.leverage = leverage;
  emit(venue, owner, { type: 'LEVERAGE_SET', symbol, leverage });
}

function checkLeverage(
  venue: Venue,
  market: Market,
  instrument: Instrument,
  leverage: number,
): VenueError | undefined {
  const highest = instrument.brackets[0]?.initialLeverage ?? 0;
  if (!Number.isInteger(leverage) || leverage < 1 || leverage > highest)
    return venueError('INVALID_LEVERAGE', leverage);
  if (D.gt(D.sum(reachableNotional(market)), maxNotional(instrument, leverage)))
    return venueError('MAX_LEVERAGE_RATIO');
  if (leverage >= market.leverage) return undefined;
  if (marginModeOf(venue, market) === 'isolated' && market.positions.length > 0)
    return venueError('ISOLATED_LEVERAGE');
  const more = D.sub(symbolMargin({ ...market, leverage }), symbolMargin(market));
  return D.gt(more, availableBalance(venue)) ? venueError('MIN_LEVERAGE_RATIO') : undefined;
}
