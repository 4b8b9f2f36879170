/**
 * One symbol's whole recording: its files merged, its bars judged, marks and funding laid beside them.
 * Invariant: `closeAt`, `fundingAt` and the faults' times ascend; `marks`, if any, has one entry for each bar, NaN
 * where the recording has no mark for all of the bar.
 */
import { BulkheadError } from '../../core/errors.ts';
import { type Candle, TIMEFRAME_MS, type Timeframe } from '../../domain/candle.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { MarketFault } from '../market-data.ts';
import { QualityGate } from '../quality.ts';
import { type CandleColumns, lowerBound, mergeColumns, pickRows, sliceRows } from './candle-columns.ts';
import { loadCandles, loadFunding, loadMarks, loadTradesAsCandles } from './recording-files.ts';
import type { RecordingFile, RecordingIndex } from './recording-index.ts';

export interface TimedFault {
  readonly at: number;
  readonly fault: MarketFault;
}

export interface SymbolRecording {
  readonly symbol: SymbolName;
  /** Only bars that passed the quality gate. */
  readonly bars: CandleColumns;
  readonly closeAt: Float64Array;
  readonly marks:
    | { readonly high: Float64Array; readonly low: Float64Array; readonly close: Float64Array }
    | undefined;
  readonly fundingAt: Float64Array;
  readonly fundingRate: Float64Array;
  readonly faults: readonly TimedFault[];
  readonly notes: readonly string[];
}

/** Open times, inclusive and exclusive. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** A row that is not where its time belongs; `after` is the open time of the last row in order before it. */
interface Misplaced {
  readonly after: number;
  readonly openTime: number;
}

interface Raw {
  readonly rows: CandleColumns;
  readonly misplaced: readonly Misplaced[];
  readonly disagreements: readonly number[];
}

/** Splits a file into the rows that ascend and those that come late or twice. */
function inOrder(rows: CandleColumns): Raw {
  const misplaced: Misplaced[] = [];
  const picks: number[] = [];
  let last = -Infinity;
  for (let i = 0; i < rows.length; i++) {
    const openTime = rows.openTime[i] as number;
    if (openTime > last) {
      last = openTime;
      picks.push(i);
    } else misplaced.push({ after: last, openTime });
  }
  return { rows: misplaced.length > 0 ? pickRows(rows, picks) : rows, misplaced, disagreements: [] };
}

function mergeRaw(earlier: Raw, later: Raw): Raw {
  const { merged, disagreements } = mergeColumns(earlier.rows, later.rows);
  return {
    rows: merged,
    misplaced: [...earlier.misplaced, ...later.misplaced].sort((a, b) => a.after - b.after),
    disagreements: [...earlier.disagreements, ...disagreements].sort((a, b) => a - b),
  };
}

function loadRaw(
  files: readonly RecordingFile[],
  symbol: SymbolName,
  timeframe: Timeframe,
  window: Window,
): Raw {
  const parts = files.map(({ kind, file }) => {
    const rows = kind === 'trades' ? loadTradesAsCandles(file, symbol) : loadCandles(file, symbol, timeframe);
    return inOrder(rows);
  });
  const [first, ...rest] = parts;
  if (!first) throw new BulkheadError('DATA_INVALID', `no candles of ${symbol}`);
  const whole = rest.reduce(mergeRaw, first);
  const start = lowerBound(whole.rows.openTime, window.from);
  const end = lowerBound(whole.rows.openTime, window.to);
  return {
    rows: sliceRows(whole.rows, start, end),
    misplaced: whole.misplaced.filter(({ after }) => after >= window.from && after < window.to),
    disagreements: whole.disagreements.filter((time) => time >= window.from && time < window.to),
  };
}

/** Lets every row pass the gate, in the order in which it would have come. */
function judge(raw: Raw): { readonly bars: CandleColumns; readonly faults: TimedFault[] } {
  const { rows } = raw;
  const { symbol, timeframe } = rows;
  const stepMs = TIMEFRAME_MS[timeframe];
  const gate = new QualityGate(symbol, timeframe);
  const faults: TimedFault[] = [];
  const accepted: number[] = [];
  let misplaced = 0;
  let disagreement = 0;
  for (let i = 0; i < rows.length; i++) {
    const bar = rowAt(rows, i);
    const at = bar.openTime + stepMs;
    const verdict = gate.push(bar);
    if (verdict.accepted) accepted.push(i);
    for (const fault of verdict.faults) {
      // A gap is known when the first missing bar should have closed and did not.
      const missedAt = fault.kind === 'gap' ? (rows.openTime[i - 1] as number) + 2 * stepMs : at;
      faults.push({ at: missedAt, fault });
    }
    for (; raw.disagreements[disagreement] === bar.openTime; disagreement++)
      faults.push({
        at,
        fault: gate.flag('duplicate', 'two files disagree about this bar; the later one is used'),
      });
    for (; raw.misplaced[misplaced]?.after === bar.openTime; misplaced++) {
      const late = rowLike(bar, (raw.misplaced[misplaced] as Misplaced).openTime);
      for (const fault of gate.push(late).faults) faults.push({ at, fault });
    }
  }
  return { bars: accepted.length === rows.length ? rows : pickRows(rows, accepted), faults };
}

function rowAt(rows: CandleColumns, i: number): Candle {
  return {
    symbol: rows.symbol,
    timeframe: rows.timeframe,
    openTime: rows.openTime[i] as number,
    open: rows.open[i] as number,
    high: rows.high[i] as number,
    low: rows.low[i] as number,
    close: rows.close[i] as number,
    volume: rows.volume[i] as number,
  };
}

const rowLike = (bar: Candle, openTime: number): Candle => ({ ...bar, openTime });

const ofSymbol = (index: RecordingIndex, symbol: SymbolName, kind: RecordingFile['kind']): RecordingFile[] =>
  index.files.filter((entry) => entry.kind === kind && entry.symbol === symbol);

/** Marks of the bars' own or a finer resolution, rolled up to the bars; undefined when there are none. */
function loadMarksFor(index: RecordingIndex, bars: CandleColumns): SymbolRecording['marks'] {
  const stepMs = TIMEFRAME_MS[bars.timeframe];
  const fine = ofSymbol(index, bars.symbol, 'mark').filter(
    ({ timeframe }) => timeframe !== undefined && TIMEFRAME_MS[timeframe] <= stepMs,
  );
  const coarsest = fine.reduce<Timeframe | undefined>(
    (best, { timeframe }) =>
      timeframe && (!best || TIMEFRAME_MS[timeframe] > TIMEFRAME_MS[best]) ? timeframe : best,
    undefined,
  );
  if (!coarsest) return undefined;
  const rows = fine
    .filter(({ timeframe }) => timeframe === coarsest)
    .map(({ file }) => inOrder(loadMarks(file, bars.symbol, coarsest)))
    .reduce(mergeRaw).rows;
  const parts = stepMs / TIMEFRAME_MS[coarsest];
  const blank = (): Float64Array => new Float64Array(bars.length).fill(Number.NaN);
  const marks = { high: blank(), low: blank(), close: blank() };
  for (let i = 0; i < bars.length; i++) {
    const openTime = bars.openTime[i] as number;
    const first = lowerBound(rows.openTime, openTime);
    const last = first + parts - 1;
    if (rows.openTime[first] !== openTime || rows.openTime[last] !== openTime + stepMs - stepMs / parts)
      continue;
    const high = Math.max(...rows.high.subarray(first, last + 1));
    const low = Math.min(...rows.low.subarray(first, last + 1));
    const close = rows.close[last] as number;
    // No gate judges marks: what cannot be one is as good as not recorded.
    if (!(low > 0 && low <= close && close <= high && Number.isFinite(high))) continue;
    marks.high[i] = high;
    marks.low[i] = low;
    marks.close[i] = close;
  }
  return marks;
}

/** Settlements from the first bar's close to the last one's; overlapping files settle once. */
function loadFundingFor(
  index: RecordingIndex,
  symbol: SymbolName,
  firstAt: number,
  lastAt: number,
): { readonly at: Float64Array; readonly rate: Float64Array; readonly disagreements: number } {
  const rates = new Map<number, number>();
  let disagreements = 0;
  for (const { file } of ofSymbol(index, symbol, 'funding')) {
    const { at, rate } = loadFunding(file);
    at.forEach((time, i) => {
      const before = rates.get(time);
      if (before !== undefined && before !== rate[i]) disagreements++;
      if (time >= firstAt && time <= lastAt && Number.isFinite(rate[i])) rates.set(time, rate[i] as number);
    });
  }
  const times = [...rates.keys()].sort((a, b) => a - b);
  return {
    at: Float64Array.from(times),
    rate: Float64Array.from(times, (time) => rates.get(time) as number),
    disagreements,
  };
}

export function loadSymbol(
  index: RecordingIndex,
  symbol: SymbolName,
  timeframe: Timeframe,
  window: Window,
): SymbolRecording {
  const files = index.files.filter(
    (entry) =>
      (entry.kind === 'candles' || entry.kind === 'trades') &&
      (entry.timeframe ?? '1m') === timeframe &&
      (entry.symbol ?? symbol) === symbol,
  );
  const raw = loadRaw(files, symbol, timeframe, window);
  const { bars, faults } = judge(raw);
  if (bars.length === 0) {
    throw new BulkheadError('DATA_INVALID', `the recording has no usable ${timeframe} bars of ${symbol}`, {
      hint: 'Widen the range of dates, or leave this symbol out.',
    });
  }
  const stepMs = TIMEFRAME_MS[timeframe];
  const closeAt = bars.openTime.map((openTime) => openTime + stepMs);
  const firstAt = closeAt[0] as number;
  const lastAt = closeAt.at(-1) as number;
  const funding = loadFundingFor(index, symbol, firstAt, lastAt);
  return {
    symbol,
    bars,
    closeAt,
    marks: loadMarksFor(index, bars),
    fundingAt: funding.at,
    fundingRate: funding.rate,
    faults: faults.sort((a, b) => a.at - b.at),
    notes: notesOn(symbol, raw, funding, lastAt),
  };
}

const DAY_MS = 86_400_000;

function notesOn(
  symbol: SymbolName,
  raw: Raw,
  funding: { readonly at: Float64Array; readonly disagreements: number },
  lastAt: number,
): string[] {
  const notes: string[] = [];
  if (raw.disagreements.length > 0)
    notes.push(
      `${symbol}: two files disagree about ${raw.disagreements.length} bars; the later file is used`,
    );
  if (raw.misplaced.length > 0)
    notes.push(`${symbol}: ${raw.misplaced.length} rows come twice or out of order`);
  if (funding.disagreements > 0)
    notes.push(
      `${symbol}: two files disagree about ${funding.disagreements} funding rates; the later file is used`,
    );
  const settled = funding.at.at(-1);
  if (settled === undefined) notes.push(`${symbol}: no funding rates are recorded; none will be settled`);
  else if (lastAt - settled > DAY_MS)
    notes.push(`${symbol}: no funding rates after ${new Date(settled).toISOString().slice(0, 10)}`);
  return notes;
}
