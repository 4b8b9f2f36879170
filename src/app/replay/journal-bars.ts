/**
 * The market as the scanners of a journal saw it: their candles, as bars. For runs against a remote venue, whose
 * market nobody recorded. Coarse: what happened inside a quarter of an hour is walked from its four prices.
 */
import { TIMEFRAME_MS } from '../../domain/candle.ts';
import type { ActorEvent } from '../../domain/events.ts';
import type { Instrument } from '../../domain/instrument.ts';
import type { JournalRow } from '../../journal/journal.ts';
import type { MarketBar, MarketData, MarketStep } from '../../market/market-data.ts';

const TIMEFRAME = '15m';

type Closed = { readonly [TIMEFRAME]?: MarketBar };

/** Takes rows in any order; what several rows tell of one bar is told once. */
export class JournalBars {
  readonly #bars = new Map<number, Map<string, MarketBar>>();

  take({ actor, event }: Pick<JournalRow, 'actor' | 'event'>): void {
    if (!actor.startsWith('scanner/')) return;
    const { type, closed, history } = JSON.parse(event) as ActorEvent & {
      readonly closed?: Closed;
      readonly history?: readonly Closed[];
    };
    if (type === 'CANDLES' && closed) this.#note(closed);
    if (type === 'SEED') for (const each of history ?? []) this.#note(each);
  }

  #note({ [TIMEFRAME]: bar }: Closed): void {
    if (!bar) return;
    const at = bar.openTime + TIMEFRAME_MS[TIMEFRAME];
    const others = this.#bars.get(at) ?? new Map<string, MarketBar>();
    others.set(bar.symbol, bar);
    this.#bars.set(at, others);
  }

  /** Undefined: the scanners saw nothing. */
  market(instruments: readonly Instrument[]): MarketData | undefined {
    const steps = [...this.#bars]
      .sort(([a], [b]) => a - b)
      .map(([at, bars]): MarketStep => ({ at, bars: [...bars.values()], funding: [], faults: [] }));
    const [first, last] = [steps[0], steps.at(-1)];
    if (!first || !last) return undefined;
    const range = { from: first.at - TIMEFRAME_MS[TIMEFRAME], to: last.at, steps: steps.length };
    return {
      name: 'the candles of this journal',
      timeframe: TIMEFRAME,
      instruments: () => instruments,
      range: () => range,
      async *steps(after) {
        yield steps.filter(({ at }) => after === undefined || at > after);
      },
      close: async () => {},
    };
  }
}
