/**
 * A strategy that trades all the time, for runs that need many trades and no sense: by a hash of symbol and bar it
 * enters either way at almost every close, with a stop so near that it is often hit, and now and then it wants out.
 */
import type { Json } from '../../core/json.ts';
import { closeTime } from '../../domain/candle.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { ClosedCandles, Signal, Strategy } from '../../domain/signal.ts';

export const RESTLESS = 'restless';
const STOP_SHARE = 0.003;
const TRAIL_SHARE = 0.002;
/** One signal in so many is an exit. */
const EXITS_ONE_IN = 3;

/** FNV-1a: the same for the same text, whoever asks. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash;
}

export class Restless implements Strategy {
  readonly name = RESTLESS;
  readonly version = 1;
  readonly #exitsOneIn: number;

  constructor({ exitsOneIn = EXITS_ONE_IN }: { readonly exitsOneIn?: number } = {}) {
    this.#exitsOneIn = exitsOneIn;
  }
  readonly warmUpMs = 0;

  initial(symbol: SymbolName): Json {
    return { symbol, bars: 0 };
  }

  step(json: Json, closed: ClosedCandles): { readonly state: Json; readonly signal?: Signal } {
    const bar = closed['15m'];
    if (!bar) return { state: json };
    const state = json as { symbol: SymbolName; bars: number };
    const { symbol } = state;
    const hash = hashOf(`${symbol} ${closeTime(bar)}`);
    const direction = hash % 2 === 0 ? 'long' : 'short';
    const next = { symbol, bars: state.bars + 1 };
    if ((hash >>> 1) % this.#exitsOneIn === 0)
      return { state: next, signal: { kind: 'exit', direction, symbol, reason: 'restless' } };
    const price = bar.close;
    const away = price * STOP_SHARE;
    const signal: Signal = {
      kind: 'enter',
      direction,
      symbol,
      price,
      stopPrice: direction === 'long' ? price - away : price + away,
      trailDistance: price * TRAIL_SHARE,
      atrPercent: 0.5,
      reason: 'restless',
    };
    return { state: next, signal };
  }
}
