/**
 * A recording as a market. Everything is loaded and judged once, on opening; steps are then cut from columns.
 *
 * Invariants: deterministic and restartable at any `after`, because verdicts do not depend on where reading starts;
 * a withheld bar is not in any step, its fault is; a missing bar is reported at the time it should have closed; a
 * symbol's bars begin and end with its own recording.
 */
import { type Decimal, fromNumber, min } from '../../core/decimal.ts';
import { TIMEFRAME_MS, type Timeframe } from '../../domain/candle.ts';
import type { Instrument, SymbolName } from '../../domain/instrument.ts';
import { instrumentFor } from '../instrument-table.ts';
import type {
  FundingRate,
  MarketBar,
  MarketData,
  MarketFault,
  MarketRange,
  MarketStep,
} from '../market-data.ts';
import { lowerBound } from './candle-columns.ts';
import { chooseSymbols, chooseTimeframe, indexRecording } from './recording-index.ts';
import { loadSymbol, type SymbolRecording } from './symbol-recording.ts';

export interface RecordingOptions {
  /** A folder of recordings or one file. */
  readonly path: string;
  /** Default: the layout's usual ones, else all that are there. */
  readonly symbols?: readonly SymbolName[];
  /** Bars that open at or after this epoch ms … */
  readonly from?: number;
  /** … and before this one. */
  readonly to?: number;
  /** Default: the finest there is. */
  readonly timeframe?: Timeframe;
}

const CHUNK_STEPS = 1440;

/** Where a reader stands in one symbol's recording. */
interface Cursor {
  readonly recording: SymbolRecording;
  bar: number;
  funding: number;
  fault: number;
}

export class RecordedMarketData implements MarketData {
  readonly name: string;
  readonly timeframe: Timeframe;
  /** What a person should know about this recording, such as files that disagree. */
  readonly notes: readonly string[];
  readonly #recordings: readonly SymbolRecording[];

  constructor(name: string, timeframe: Timeframe, recordings: readonly SymbolRecording[]) {
    this.name = name;
    this.timeframe = timeframe;
    this.#recordings = recordings;
    this.notes = recordings.flatMap((recording) => recording.notes);
  }

  instruments(): readonly Instrument[] {
    return this.#recordings.map(({ symbol, bars }) => {
      const known = instrumentFor(symbol, bars.close[0] ?? 1);
      const tickSize = min(known.tickSize, observedTick(bars.close));
      return { ...known, tickSize, minPrice: tickSize };
    });
  }

  range(): MarketRange {
    const stepMs = TIMEFRAME_MS[this.timeframe];
    const from = Math.min(...this.#recordings.map(({ bars }) => (bars.openTime[0] ?? Infinity) + stepMs));
    const to = Math.max(...this.#recordings.map(({ bars }) => (bars.openTime.at(-1) ?? -Infinity) + stepMs));
    return from <= to ? { from, to, steps: (to - from) / stepMs + 1 } : { from: 0, to: 0, steps: 0 };
  }

  async *steps(after: number | undefined): AsyncIterable<readonly MarketStep[]> {
    const cursors = this.#recordings.map((recording) => cursorAfter(recording, after ?? -Infinity));
    for (;;) {
      const chunk: MarketStep[] = [];
      while (chunk.length < CHUNK_STEPS) {
        const step = nextStep(cursors);
        if (!step) break;
        chunk.push(step);
      }
      if (chunk.length === 0) return;
      yield chunk;
    }
  }

  async close(): Promise<void> {}
}

const TICK_SAMPLES = 500;

/** Old recordings may have finer ticks than today's filters; their prices must stay valid ones. */
function observedTick(prices: Float64Array): Decimal {
  const stride = Math.max(1, Math.floor(prices.length / TICK_SAMPLES));
  let places = 0;
  for (let i = 0; i < prices.length; i += stride) {
    const [, fraction = ''] = fromNumber(prices[i] as number).split('.');
    places = Math.max(places, fraction.length);
  }
  return places === 0 ? '1' : `0.${'0'.repeat(places - 1)}1`;
}

function cursorAfter(recording: SymbolRecording, after: number): Cursor {
  const { closeAt, fundingAt, faults } = recording;
  const firstFault = faults.findIndex((fault) => fault.at > after);
  return {
    recording,
    // Times are whole milliseconds.
    bar: lowerBound(closeAt, after + 1),
    funding: lowerBound(fundingAt, after + 1),
    fault: firstFault < 0 ? faults.length : firstFault,
  };
}

const nextAt = ({ recording, bar, funding, fault }: Cursor): number =>
  Math.min(
    recording.closeAt[bar] ?? Infinity,
    recording.fundingAt[funding] ?? Infinity,
    recording.faults[fault]?.at ?? Infinity,
  );

function nextStep(cursors: readonly Cursor[]): MarketStep | undefined {
  let at = Infinity;
  for (const cursor of cursors) at = Math.min(at, nextAt(cursor));
  if (at === Infinity) return undefined;
  const bars: MarketBar[] = [];
  const funding: FundingRate[] = [];
  const faults: MarketFault[] = [];
  for (const cursor of cursors) {
    const { recording } = cursor;
    for (; recording.faults[cursor.fault]?.at === at; cursor.fault++)
      faults.push((recording.faults[cursor.fault] as { fault: MarketFault }).fault);
    if (recording.closeAt[cursor.bar] === at) bars.push(barAt(recording, cursor.bar++));
    for (; recording.fundingAt[cursor.funding] === at; cursor.funding++)
      funding.push({ symbol: recording.symbol, rate: recording.fundingRate[cursor.funding] as number });
  }
  return { at, bars, funding, faults };
}

function barAt({ symbol, bars, marks }: SymbolRecording, i: number): MarketBar {
  const bar: MarketBar = {
    symbol,
    timeframe: bars.timeframe,
    openTime: bars.openTime[i] as number,
    open: bars.open[i] as number,
    high: bars.high[i] as number,
    low: bars.low[i] as number,
    close: bars.close[i] as number,
    volume: bars.volume[i] as number,
  };
  const markClose = marks?.close[i];
  if (!marks || markClose === undefined || Number.isNaN(markClose)) return bar;
  return { ...bar, markHigh: marks.high[i] as number, markLow: marks.low[i] as number, markClose };
}

/** Opens a folder or file; a BulkheadError says what is wrong with it. */
export function openRecording(options: RecordingOptions): RecordedMarketData {
  const { path, from = -Infinity, to = Infinity } = options;
  const index = indexRecording(path);
  const timeframe = chooseTimeframe(index, options.timeframe, path);
  const symbols = chooseSymbols(index, timeframe, options.symbols, path);
  const recordings = symbols.map((symbol) => loadSymbol(index, symbol, timeframe, { from, to }));
  return new RecordedMarketData(`recording ${path}`, timeframe, recordings);
}
