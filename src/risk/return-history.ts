/**
 * A week of hourly returns of every symbol: what correlation and value at risk look at. A pure engine, hosted
 * as a durable actor whose rows hold one hour's closes and only now and then a checkpoint.
 *
 * Invariants: the same hours give the same returns; a symbol that missed an hour (halt, outage, gap) begins
 * anew, because a return over a hole is not an hour's; at most `RETURNS_KEPT` are kept.
 */
import type { ActorId } from '../core/ids.ts';
import { cloneJson, type Json } from '../core/json.ts';
import type { SymbolName } from '../domain/instrument.ts';

export const RETURNS: ActorId = 'returns';
export const RETURNS_KEPT = 168;

const HOUR_MS = 3_600_000;
/** Returns are kept as whole hundred-thousandths: exact in JSON, and finer than any tick. */
const UNIT = 100_000;

export interface HourlyCloses {
  readonly type: 'CLOSES';
  /** Oldest first; `hour` is the hour's end. */
  readonly closes: readonly (readonly [symbol: SymbolName, hour: number, close: number])[];
}

type Series = { hour: number; close: number; returns: number[] };

export class ReturnHistory {
  readonly #series: Map<SymbolName, Series>;

  constructor(series: ReadonlyMap<SymbolName, Series> = new Map()) {
    this.#series = new Map(series);
  }

  static restore(checkpoint: Json): ReturnHistory {
    const { series } = cloneJson(checkpoint) as unknown as { series: Record<SymbolName, Series> };
    return new ReturnHistory(new Map(Object.entries(series)));
  }

  apply({ closes }: HourlyCloses): void {
    for (const [symbol, hour, close] of closes) {
      const known = this.#series.get(symbol);
      if (!(close > 0) || (known && hour <= known.hour)) continue;
      const follows = known !== undefined && known.hour === hour - HOUR_MS;
      const returns = follows ? known.returns : [];
      if (follows) returns.push(Math.round(Math.log(close / known.close) * UNIT));
      if (returns.length > RETURNS_KEPT) returns.splice(0, returns.length - RETURNS_KEPT);
      this.#series.set(symbol, { hour, close, returns });
    }
  }

  /** Newest last; of those symbols that have any. */
  of(symbols: Iterable<SymbolName>): Record<SymbolName, readonly number[]> {
    const returns: Record<SymbolName, readonly number[]> = {};
    for (const symbol of symbols) {
      const known = this.#series.get(symbol);
      if (known && known.returns.length > 0) returns[symbol] = [...known.returns];
    }
    return returns;
  }

  checkpoint(): Json {
    return cloneJson({ series: Object.fromEntries(this.#series) }) as unknown as Json;
  }
}
