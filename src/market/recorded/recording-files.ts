/**
 * One recording file into columns: candles, aggregated trades, mark prices, funding rates.
 * Times may be seconds, milliseconds, microseconds or nanoseconds; all become the epoch ms of the bar's open.
 */
import { BulkheadError } from '../../core/errors.ts';
import { TIMEFRAME_MS, type Timeframe } from '../../domain/candle.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import { readRecordingFile } from './archive.ts';
import type { CandleColumns } from './candle-columns.ts';
import { parseTable, type TableFormat } from './number-table.ts';

const TIME_NAMES = ['open_time', 'opentime', 'timestamp', 'time', 'ts', 'date', 'datetime', 'unix', 'start'];
const PRICE_COLUMNS = [
  { name: 'ts_ms', aliases: TIME_NAMES, position: 0 },
  { name: 'open', aliases: ['o', 'open_price'], position: 1 },
  { name: 'high', aliases: ['h', 'high_price'], position: 2 },
  { name: 'low', aliases: ['l', 'low_price'], position: 3 },
  { name: 'close', aliases: ['c', 'close_price'], position: 4 },
];
const CANDLES: TableFormat = {
  what: 'candles',
  columns: [...PRICE_COLUMNS, { name: 'volume', aliases: ['v', 'vol', 'base_volume'], position: 5 }],
  headerlessWidths: [6, 11, 12],
};
const MARKS: TableFormat = { what: 'mark prices', columns: PRICE_COLUMNS, headerlessWidths: [5, 6, 11, 12] };
const FUNDING: TableFormat = {
  what: 'funding rates',
  columns: [
    { name: 'ts_ms', aliases: ['calc_time', 'funding_time', 'fundingtime', ...TIME_NAMES], position: 0 },
    {
      name: 'funding_rate',
      aliases: ['last_funding_rate', 'fundingrate', 'lastfundingrate', 'rate'],
      position: 1,
    },
  ],
  headerlessWidths: [2],
};
const TRADES: TableFormat = {
  what: 'aggregated trades',
  columns: [
    { name: 'price', aliases: ['p'], position: 1 },
    { name: 'quantity', aliases: ['qty', 'q'], position: 2 },
    { name: 'transact_time', aliases: ['t', ...TIME_NAMES], position: 5 },
  ],
  headerlessWidths: [7, 8],
};

const MINUTE_MS = TIMEFRAME_MS['1m'];
/** Thirty years: one wrong time must not ask for the memory of centuries. */
const MOST_MINUTES = 30 * 366 * 1_440;

/** Divides by what turns this era's epoch times in the file's unit into milliseconds. */
function toMilliseconds(times: Float64Array, file: string): void {
  const first = times.find((time) => !Number.isNaN(time));
  if (first === undefined) return;
  if (first < 1e8 || first >= 1e20) {
    throw new BulkheadError('DATA_INVALID', `${file}: ${first} is not an epoch time`, {
      hint: 'The time column must hold UTC epoch seconds, milliseconds or microseconds.',
    });
  }
  if (first < 1e11 || first >= 1e14) {
    const factor = first < 1e11 ? 1000 : first < 1e17 ? 1e-3 : 1e-6;
    for (let i = 0; i < times.length; i++) times[i] = Math.floor((times[i] as number) * factor);
  }
  // One that is far off would make all rows after it late.
  const odd = times.findIndex((time) => time < 1e11 || time >= 1e14);
  if (odd < 0) return;
  throw new BulkheadError(
    'DATA_INVALID',
    `${file}, data row ${odd + 1}: ${times[odd]} ms is no time of this era`,
    {
      hint: 'The time column must hold one unit throughout: UTC epoch seconds, milliseconds or microseconds. Correct the row, or fetch the file again.',
    },
  );
}

function requireAligned(times: Float64Array, timeframe: Timeframe, file: string): void {
  const step = TIMEFRAME_MS[timeframe];
  for (let i = 0; i < times.length; i++) {
    if ((times[i] as number) % step !== 0) {
      throw new BulkheadError(
        'DATA_INVALID',
        `${file}, data row ${i + 1}, column "ts_ms": ${times[i]} is not the open time of a ${timeframe} bar`,
        { hint: `Expected the UTC epoch time of the bar's OPEN, a multiple of ${timeframe}.` },
      );
    }
  }
}

export function loadCandles(file: string, symbol: SymbolName, timeframe: Timeframe): CandleColumns {
  const [openTime, open, high, low, close, volume] = parseTable(
    readRecordingFile(file),
    file,
    CANDLES,
  ) as Columns6;
  toMilliseconds(openTime, file);
  requireAligned(openTime, timeframe, file);
  return { symbol, timeframe, length: openTime.length, openTime, open, high, low, close, volume };
}

type Columns6 = [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];

/** Mark prices have no volume. */
export function loadMarks(file: string, symbol: SymbolName, timeframe: Timeframe): CandleColumns {
  const [openTime, open, high, low, close] = parseTable(readRecordingFile(file), file, MARKS) as Columns6;
  toMilliseconds(openTime, file);
  requireAligned(openTime, timeframe, file);
  const volume = new Float64Array(openTime.length);
  return { symbol, timeframe, length: openTime.length, openTime, open, high, low, close, volume };
}

/** Settlement times carry a jitter of some milliseconds; they are rounded to the minute. */
export function loadFunding(file: string): { readonly at: Float64Array; readonly rate: Float64Array } {
  const [at, rate] = parseTable(readRecordingFile(file), file, FUNDING) as [Float64Array, Float64Array];
  toMilliseconds(at, file);
  for (let i = 0; i < at.length; i++) at[i] = Math.round((at[i] as number) / MINUTE_MS) * MINUTE_MS;
  return { at, rate };
}

/** Candles of 1m from aggregated trades. A minute without a trade is flat at the last price, as Binance's own are. */
export function loadTradesAsCandles(file: string, symbol: SymbolName): CandleColumns {
  const [price, quantity, time] = parseTable(readRecordingFile(file), file, TRADES) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  toMilliseconds(time, file);
  const count = time.length;
  const minute = (i: number): number => Math.floor((time[i] as number) / MINUTE_MS);
  const first = count > 0 ? minute(0) : 0;
  const length = count > 0 ? minute(count - 1) - first + 1 : 0;
  if (!(length <= MOST_MINUTES)) throw tooLong(file);
  const [openTime, open, high, low, close, volume] = Array.from(
    { length: 6 },
    () => new Float64Array(Math.max(0, length)),
  ) as Columns6;
  let trade = 0;
  let last = Number.NaN;
  for (let bar = 0; bar < length; bar++) {
    openTime[bar] = (first + bar) * MINUTE_MS;
    const opening = trade < count && minute(trade) === first + bar ? (price[trade] as number) : last;
    let top = opening;
    let bottom = opening;
    let traded = 0;
    last = opening;
    for (; trade < count && minute(trade) <= first + bar; trade++) {
      if (minute(trade) < first + bar) throw outOfOrder(file, trade);
      last = price[trade] as number;
      if (last > top) top = last;
      if (last < bottom) bottom = last;
      traded += quantity[trade] as number;
    }
    open[bar] = opening;
    high[bar] = top;
    low[bar] = bottom;
    close[bar] = last;
    volume[bar] = traded;
  }
  if (trade < count) throw outOfOrder(file, trade);
  return { symbol, timeframe: '1m', length, openTime, open, high, low, close, volume };
}

const tooLong = (file: string): BulkheadError =>
  new BulkheadError(
    'DATA_INVALID',
    `${file}: its first and its last trade are more than thirty years apart`,
    {
      hint: 'Correct column "transact_time" of the last row, or fetch the file again.',
    },
  );

function outOfOrder(file: string, trade: number): BulkheadError {
  return new BulkheadError(
    'DATA_INVALID',
    `${file}, data row ${trade + 1}, column "transact_time": earlier than the row before it`,
    { hint: 'Aggregated trades must be in the order of their time; sort the file or fetch it again.' },
  );
}
