/**
 * The long tail: indicators that trading-signals has and that no strategy's hot path needs.
 *
 * Invariant: their state lives in private fields of the library and cannot be saved, so they are for research
 * and replay only: after a restart they must be fed their whole warm-up again. Nothing that stands in a journal
 * row may depend on them; that is why this is not an `Indicator` with `save` and `load`.
 */
import {
  AO,
  CCI,
  CHOP,
  CMF,
  CMO,
  HMA,
  KAMA,
  MFI,
  ROC,
  TSI,
  UltimateOscillator,
  WilliamsR,
} from 'trading-signals';
import type { Bar } from './indicator.ts';

/** What every trading-signals indicator can do; `replace` rewrites the newest input. */
interface Source<Input> {
  getRequiredInputs(): number;
  update(input: Input, replace: boolean): number | null;
}

export class LongTailIndicator {
  readonly name: LongTailName;
  readonly warmup: number;
  value = NaN;
  readonly #feed: (bar: Bar, replace: boolean) => number | null;
  #forming = false;

  constructor(name: LongTailName, period?: number) {
    const { source, feed } = LONG_TAIL[name](period);
    this.name = name;
    this.warmup = source.getRequiredInputs();
    this.#feed = feed;
  }

  update(bar: Bar): number {
    this.value = this.#feed(bar, this.#forming) ?? NaN;
    this.#forming = false;
    return this.value;
  }

  /** The value with this bar still forming; the next `update` or `peek` takes its place. */
  peek(bar: Bar): number {
    const value = this.#feed(bar, this.#forming) ?? NaN;
    this.#forming = true;
    return value;
  }
}

const onBars = (source: Source<Bar>) => ({
  source,
  feed: (bar: Bar, replace: boolean) => source.update(bar, replace),
});

const onCloses = (source: Source<number>) => ({
  source,
  feed: (bar: Bar, replace: boolean) => source.update(bar.close, replace),
});

const LONG_TAIL = {
  'awesome-oscillator': () => onBars(new AO(5, 34)),
  cci: (period = 20) => onBars(new CCI(period)),
  'chaikin-money-flow': (period = 20) => onBars(new CMF(period)),
  choppiness: (period = 14) => onBars(new CHOP(period)),
  cmo: (period = 14) => onCloses(new CMO(period)),
  hma: (period = 16) => onCloses(new HMA(period)),
  kama: (period = 10) => onCloses(new KAMA(period)),
  'money-flow-index': (period = 14) => onBars(new MFI(period)),
  roc: (period = 10) => onCloses(new ROC(period)),
  tsi: () => onCloses(new TSI()),
  'ultimate-oscillator': () => onBars(new UltimateOscillator()),
  'williams-r': (period = 14) => onBars(new WilliamsR(period)),
} satisfies Record<string, (period?: number) => { source: { getRequiredInputs(): number }; feed: Feed }>;

type Feed = (bar: Bar, replace: boolean) => number | null;

export type LongTailName = keyof typeof LONG_TAIL;
export const LONG_TAIL_NAMES = Object.keys(LONG_TAIL) as readonly LongTailName[];
