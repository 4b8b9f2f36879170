/**
 * The runtime's side of bench/venue-load.ts, in a process of its own: the whole paper runtime on the embedded
 * journal. It takes bars by the minute (a run takes them by the quarter of an hour; here they are rolled), so that
 * there is something to lose, holds so many positions, and closes some all the time to open others.
 */
import { join } from 'node:path';
import { pgliteStore } from '../src/journal/pglite-journal.ts';
import { CandleRollup } from '../src/market/candle-rollup.ts';
import type { LiveMarketData, LiveMarketEvent, LiveMarketOptions } from '../src/market/live/live-market.ts';
import type { MarketBar } from '../src/market/market-data.ts';
import { LiveRuntime } from './live-runtime.ts';
import { ProcessProbe, type ProcessSample } from './process-probe.ts';

export interface LoadOptions {
  readonly restUrl: string;
  readonly streamUrl: string;
  readonly speed: number;
  readonly symbols: readonly string[];
  readonly positions: number;
  readonly dir: string;
  readonly reconcileEveryMs: number;
}

export interface LoadQuestion {
  readonly id: number;
  readonly ask: 'begin' | 'sample' | 'collect' | 'rest' | 'end';
}

export interface LoadAnswer {
  readonly id: number;
  readonly sample: ProcessSample;
  readonly bars: Readonly<Record<string, number>>;
  readonly barFaults: number;
  readonly heard: Readonly<Record<string, number>>;
  /** Private events by kind. */
  readonly events: Readonly<Record<string, number>>;
  readonly held: number;
  readonly protected: number;
  readonly rows: number;
  readonly failures: readonly string[];
}

const CHURN_EVERY_MS = 250;
/** So many close in a minute of the market, and others open instead: what the venue's weights can carry all the time. */
const CLOSED_PER_MINUTE = 24;
/** So many entries are under way at once: more would only wait for one another until their time is over. */
const UNDER_WAY = 40;
const MINUTE_MS = 60_000;

/** Counts what the market says on its way to the driver, and whether each bar is the next one. */
class CountedMarket implements LiveMarketData {
  readonly name = 'counted';
  readonly heard: Record<string, number> = {};
  bars: Record<string, number> = {};
  /** Bars that were not the next one of their symbol. */
  barFaults = 0;
  readonly #market: LiveMarketData;
  readonly #rollups = new Map<string, CandleRollup>();
  readonly #lastOpen = new Map<string, number>();

  constructor(market: LiveMarketData) {
    this.#market = market;
  }

  start(options: LiveMarketOptions, onEvent: (event: LiveMarketEvent) => void): Promise<void> {
    return this.#market.start({ ...options, timeframe: '1m' }, (event) => {
      this.heard[event.type] = (this.heard[event.type] ?? 0) + 1;
      if (event.type !== 'bar') onEvent(event);
      else for (const bar of this.#rolled(event.bar)) onEvent({ type: 'bar', bar });
    });
  }

  history(...wanted: Parameters<LiveMarketData['history']>): ReturnType<LiveMarketData['history']> {
    return this.#market.history(...wanted);
  }

  book(symbol: string): ReturnType<LiveMarketData['book']> {
    return this.#market.book(symbol);
  }

  stop(): Promise<void> {
    return this.#market.stop();
  }

  #rolled(bar: MarketBar): readonly MarketBar[] {
    const { symbol, openTime } = bar;
    this.bars[openTime] = (this.bars[openTime] ?? 0) + 1;
    const last = this.#lastOpen.get(symbol);
    if (last !== undefined && openTime !== last + MINUTE_MS) this.barFaults++;
    this.#lastOpen.set(symbol, openTime);
    let rollup = this.#rollups.get(symbol);
    if (!rollup) {
      rollup = new CandleRollup('1m', ['15m']);
      this.#rollups.set(symbol, rollup);
    }
    return rollup.push(bar).closed;
  }
}

const say = (...what: unknown[]): void => {
  if (process.env.BENCH_VERBOSE) console.error(Math.round(performance.now()), ...what);
};

const options = JSON.parse(process.argv[2] ?? '{}') as LoadOptions;
const { symbols, positions, dir } = options;
const probe = new ProcessProbe();
const events: Record<string, number> = {};
let rows = 0;
let isChurning = true;
let market: CountedMarket | undefined;
const runtime = await LiveRuntime.open({
  ...options,
  store: pgliteStore({ dir: join(dir, 'journal'), account: 'main' }),
  market: (inner) => {
    market = new CountedMarket(inner);
    return market;
  },
  onGatewayEvent: (event) => {
    const kind = event.type === 'stream' ? event.event.kind : event.type;
    events[kind] = (events[kind] ?? 0) + 1;
  },
});
runtime.system.runtime.observe(() => {
  rows++;
});

say('every symbol has its past');
/** A desk takes a moment from its signal to its position; one that came to nothing is asked again later. */
const ASKED_AGAIN_MS = 15_000;
const asked = new Map<string, number>();
let turn = 0;
/** Enters where nothing is held, in order, and closes some of what is; a desk that is busy passes it over. */
function churn(close: number): void {
  const { held, protected: safe } = runtime.positions();
  const now = performance.now();
  for (const [symbol, at] of asked) if (held.has(symbol) || now - at > ASKED_AGAIN_MS) asked.delete(symbol);
  const free = positions - held.size - asked.size;
  const wanted = Math.min(free, UNDER_WAY - asked.size - (held.size - safe.size));
  for (let entered = 0, looked = 0; entered < wanted && looked < symbols.length; looked++) {
    const symbol = symbols[turn++ % symbols.length] as string;
    if (held.has(symbol) || asked.has(symbol) || !runtime.enter(symbol)) continue;
    asked.set(symbol, now);
    entered++;
  }
  if (held.size >= positions * 0.95) for (const symbol of [...safe].slice(0, close)) runtime.exit(symbol);
}

function answer({ id, ask }: LoadQuestion): void {
  if (ask === 'begin') {
    probe.begin();
    rows = 0;
    if (market) market.bars = {};
  }
  if (ask === 'rest') isChurning = false;
  const { held, protected: safe } = runtime.positions();
  process.send?.({
    id,
    sample: probe.sample(ask === 'collect'),
    bars: market?.bars ?? {},
    barFaults: market?.barFaults ?? 0,
    heard: { ...market?.heard },
    events: { ...events },
    held: held.size,
    protected: safe.size,
    rows,
    failures: runtime.failures.map(String),
  } satisfies LoadAnswer);
  if (ask === 'end') void runtime.close().then(() => process.exit(0));
}

process.on('message', answer);
process.on('disconnect', () => process.exit(0));
for (let filled = false; !filled; ) {
  churn(0);
  await new Promise((resolve) => setTimeout(resolve, CHURN_EVERY_MS));
  const { held, protected: safe } = runtime.positions();
  say(
    'held',
    held.size,
    'protected',
    safe.size,
    'calls',
    runtime.runner.inFlight,
    'rows',
    rows,
    runtime.rateUse(),
  );
  filled = safe.size >= positions * 0.95;
  if (runtime.failures.length > 0) throw runtime.failures[0];
}
let closing = 0;
const churning = setInterval(() => {
  if (!isChurning) return;
  closing += (CLOSED_PER_MINUTE * options.speed * CHURN_EVERY_MS) / MINUTE_MS;
  churn(Math.floor(closing));
  closing %= 1;
}, CHURN_EVERY_MS);
churning.unref();
process.send?.({ ready: true });
