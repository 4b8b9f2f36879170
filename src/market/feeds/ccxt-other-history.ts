/**
 * Closed bars from Bybit's and OKX's REST, and OKX's contract sizes. Both give the newest rows first.
 *
 * Invariants: as for Binance's history: oldest first, each once, and never the bar that is still forming.
 */
import { type Candle, TIMEFRAME_MS } from '../../domain/candle.ts';
import { fieldsOf } from '../live/live-session.ts';
import { figureOf, isSoundBar, unreadable } from './ccxt-answers.ts';
import type { HistoryRange } from './ccxt-history.ts';
import type { PublicRest } from './ccxt-public-rest.ts';

const BYBIT_PAGE = 1000;
const OKX_PAGE = 100;
/** The newest 1440 bars have an endpoint of their own; the other one's newest may be missing. */
const OKX_RECENT = 1400;
const SETTLED_MS = 3000;

export function bybitHistory(rest: PublicRest, interval: string, range: HistoryRange): Promise<Candle[]> {
  return paged(range, BYBIT_PAGE, async (from, to) => {
    const params = {
      category: 'linear',
      symbol: range.symbol,
      interval,
      start: from,
      end: to,
      limit: BYBIT_PAGE,
    };
    const answer = (await rest.get('publicGetV5MarketKline', params, 1)) as Enveloped;
    return rowsOf(answer?.result?.list, range, 5, undefined);
  });
}

export function okxHistory(
  rest: PublicRest,
  instId: string,
  bar: string,
  range: HistoryRange,
): Promise<Candle[]> {
  return paged(range, OKX_PAGE, async (from, to) => {
    // Both bounds are exclusive, and `after` means older than.
    const params = { instId, bar, before: from - 1, after: to + 1, limit: OKX_PAGE };
    const age = (range.now() - from) / TIMEFRAME_MS[range.timeframe];
    const verb = age < OKX_RECENT ? 'publicGetMarketCandles' : 'publicGetMarketHistoryCandles';
    const answer = (await rest.get(verb, params, 1)) as Enveloped;
    // Volume counts contracts; the next column is the base asset. The last says whether the bar is closed.
    return rowsOf(answer?.data, range, 6, 8);
  });
}

/** The base asset in one contract, by OKX's name. */
export async function okxContractSizes(rest: PublicRest): Promise<ReadonlyMap<string, number>> {
  const answer = (await rest.get('publicGetPublicInstruments', { instType: 'SWAP' }, 1)) as Enveloped;
  // Without the sizes every quantity would be wrong by a factor.
  if (!Array.isArray(answer?.data)) throw unreadable('OKX', 'contract sizes');
  const sizes = new Map<string, number>();
  for (const row of fieldsOf(answer.data)) {
    const size = figureOf(row.ctVal) * figureOf(row.ctMult || 1);
    // Of inverse contracts the size is in dollars.
    if (row.ctType === 'linear' && typeof row.instId === 'string' && size > 0) sizes.set(row.instId, size);
  }
  return sizes;
}

/** Around what was asked for; what the venue sends in its stead may be anything. */
type Enveloped =
  | { readonly result?: { readonly list?: unknown } | null; readonly data?: unknown }
  | null
  | undefined;

interface Row extends Candle {
  readonly confirmed: boolean | undefined;
}

/** Page after page of opens in [from, to], each oldest first. */
async function paged(
  { timeframe, after, until, now }: HistoryRange,
  pageSize: number,
  ask: (from: number, to: number) => Promise<Row[]>,
): Promise<Candle[]> {
  const spanMs = TIMEFRAME_MS[timeframe];
  const bars: Candle[] = [];
  for (let from = after - (after % spanMs); from + spanMs <= until; from += (pageSize - 1) * spanMs) {
    // One more than wanted: it proves that the one before it is closed.
    const to = Math.min(from + (pageSize - 1) * spanMs, until);
    const page = await ask(from, to);
    for (const [i, { confirmed, ...bar }] of page.entries()) {
      const closesAt = bar.openTime + spanMs;
      const isClosed = confirmed ?? (i + 1 < page.length || closesAt <= now() - SETTLED_MS);
      if (
        isClosed &&
        closesAt <= until &&
        bar.openTime >= from &&
        bar.openTime > (bars.at(-1)?.openTime ?? 0)
      )
        bars.push(bar);
    }
  }
  return bars;
}

function rowsOf(
  rows: unknown,
  { symbol, timeframe }: HistoryRange,
  volumeAt: number,
  confirmedAt: number | undefined,
): Row[] {
  if (!Array.isArray(rows)) throw unreadable(symbol, 'history');
  const bars = rows.toReversed().map((row): Row => {
    const numbers: number[] = Array.isArray(row) ? row.map(figureOf) : [];
    const [openTime = Number.NaN, open = 0, high = 0, low = 0, close = 0] = numbers;
    const volume = numbers[volumeAt] ?? Number.NaN;
    const confirmed = confirmedAt === undefined ? undefined : numbers[confirmedAt] === 1;
    return { symbol, timeframe, openTime, open, high, low, close, volume, confirmed };
  });
  for (const [i, bar] of bars.entries())
    if (!isSoundBar(bar) || !(bar.openTime > (bars[i - 1]?.openTime ?? 0)))
      throw unreadable(symbol, 'history');
  return bars;
}
