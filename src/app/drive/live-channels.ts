/** What a live run listens to: the same for whoever runs and for whoever stands by. */
import type { Timeframe } from '../../domain/candle.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { LiveChannel, LiveMarketOptions } from '../../market/live/live-market.ts';

/** Live bars are taken as the strategy wants them; longer candles are rolled from them. */
export const LIVE_TIMEFRAME: Timeframe = '15m';
/**
 * The quotes of more symbols than this are not listened to: in a busy market they would cost more than all the
 * rest together, and only the spread is taken from them. Risk then says that it did not judge it.
 */
const QUOTED_SYMBOLS = 100;

const channelsFor = (symbols: number): readonly LiveChannel[] =>
  symbols > QUOTED_SYMBOLS ? ['bars', 'marks', 'contracts'] : ['bars', 'marks', 'quotes', 'contracts'];

export const liveChannels = (symbols: readonly SymbolName[]): LiveMarketOptions => ({
  symbols,
  timeframe: LIVE_TIMEFRAME,
  channels: channelsFor(symbols.length),
});
