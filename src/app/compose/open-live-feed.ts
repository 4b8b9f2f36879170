/** Another venue's live market as the source of a local exchange: a paper exchange. Names the adapter. */
import type { Time } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { CcxtMarketData } from '../../market/feeds/ccxt-market-data.ts';
import type { OtherMarketOptions } from '../../market/feeds/socket-bybit-market-data.ts';
import { instrumentFor, KNOWN_SYMBOLS } from '../../market/instrument-table.ts';
import type { LiveMarketData } from '../../market/live/live-market.ts';
import type { MarketSource } from '../../venue-server/market/market-feed.ts';
import type { LiveSource } from '../exchange/exchange-flags.ts';

/** Followed when nobody names symbols. */
const LIQUID = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'XRPUSDT', 'BNBUSDT', 'DOGEUSDT'];
const RECENT_MS = 10 * 60_000;

export async function openLiveFeed(
  { protocol, url }: LiveSource,
  symbols: readonly string[],
  real: Time,
  random: Random,
) {
  const where = url === undefined ? {} : { restUrl: url, streamUrl: url.replace(/^http/, 'ws') };
  const market = await marketOf(protocol, { ...where, time: real, realTime: real, random });
  const startAt = real.clock.now();
  const instruments: Instrument[] = [];
  for (const symbol of symbols.length > 0 ? symbols : LIQUID) {
    // Filters of symbols that the table does not know are guessed from what they cost.
    const bars = KNOWN_SYMBOLS.includes(symbol)
      ? []
      : await market.history(symbol, '1m', startAt - RECENT_MS, startAt);
    instruments.push(instrumentFor(symbol, bars.at(-1)?.close ?? 1));
  }
  const source: MarketSource = { kind: 'live', market, instruments, timeframe: '1m' };
  return { source, startAt, close: () => market.stop() };
}

async function marketOf(
  protocol: LiveSource['protocol'],
  options: OtherMarketOptions,
): Promise<LiveMarketData> {
  switch (protocol) {
    case 'binance':
      return new CcxtMarketData(options);
    case 'bybit':
      return new (await import('../../market/feeds/socket-bybit-market-data.ts')).BybitMarketData(options);
    case 'okx':
      return new (await import('../../market/feeds/socket-okx-market-data.ts')).OkxMarketData(options);
  }
}
