/**
 * A market written down as it happens, in files that a recording is read from: bars, their mark prices, funding.
 *
 * Invariants: a row is whole, and each time stands in its file once, in order: what a process that was killed left
 * unfinished is cut off, and what an earlier one wrote already is not written again.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { BulkheadError, errorText } from '../../core/errors.ts';
import type { Timeframe } from '../../domain/candle.ts';
import type { SymbolName } from '../../domain/instrument.ts';

export interface RecordedBar {
  readonly openTime: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  readonly markOpen: number;
  readonly markHigh: number;
  readonly markLow: number;
  readonly markClose: number;
}

const BARS = 'open_time,open,high,low,close,volume';
const MARKS = 'open_time,open,high,low,close';
const FUNDING = 'calc_time,funding_rate';

export class BarRecorder {
  readonly #dir: string;
  readonly #timeframe: Timeframe;
  /** The time of the last row of each file that was written to. */
  readonly #last = new Map<string, number>();

  constructor(dir: string, timeframe: Timeframe) {
    this.#dir = dir;
    this.#timeframe = timeframe;
    writing(dir, () => mkdirSync(dir, { recursive: true }));
  }

  bar(symbol: SymbolName, bar: RecordedBar): void {
    const { openTime, open, high, low, close, volume, markOpen, markHigh, markLow, markClose } = bar;
    const name = `${symbol}-${this.#timeframe}`;
    this.#write(`${name}.csv`, BARS, openTime, [open, high, low, close, volume]);
    if (markOpen > 0)
      this.#write(`${name}-mark.csv`, MARKS, openTime, [markOpen, markHigh, markLow, markClose]);
  }

  funding(symbol: SymbolName, at: number, rate: number | string): void {
    this.#write(`${symbol}-funding.csv`, FUNDING, at, [rate]);
  }

  #write(name: string, header: string, at: number, values: readonly (number | string)[]): void {
    const file = join(this.#dir, name);
    writing(file, () => {
      const last = this.#last.get(name) ?? begun(file, header);
      if (at > last) appendFileSync(file, `${[at, ...values].join(',')}\n`);
      this.#last.set(name, Math.max(at, last));
    });
  }
}

/** The time of a file's last whole row, after which the next one goes; a new file gets its header. */
function begun(file: string, header: string): number {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) truncateSync(file, Buffer.byteLength(whole));
  if (whole === '') appendFileSync(file, `${header}\n`);
  const last = Number(whole.trimEnd().split('\n').at(-1)?.split(',')[0]);
  return Number.isFinite(last) ? last : 0;
}

function writing(file: string, act: () => unknown): void {
  try {
    act();
  } catch (error) {
    throw new BulkheadError('CANNOT_WRITE', `${file} cannot be written: ${errorText(error)}`, {
      hint: 'Make room, or name another folder with --record.',
      cause: error,
    });
  }
}
