/** Reading the parameters of public requests, with the venue's own refusals. */
import { optional, type Params, required, WireError } from '../protocol.ts';
import { isInterval } from './intervals.ts';
import type { SymbolMarket } from './symbol-market.ts';

export type Markets = ReadonlyMap<string, SymbolMarket>;

export const invalidSymbol = (): WireError => new WireError(-1121, 'Invalid symbol.');

export function marketOf(markets: Markets, params: Params, name = 'symbol'): SymbolMarket {
  const market = markets.get(required(params, name).toUpperCase());
  if (!market) throw invalidSymbol();
  return market;
}

/** The one asked for, or all. */
export function marketsOf(markets: Markets, params: Params): SymbolMarket[] | SymbolMarket {
  if (optional(params, 'symbol') !== undefined) return marketOf(markets, params);
  return [...markets.values()].filter((market) => market.priced);
}

/** One answer for one symbol, an array for all. */
export function eachOf<T>(
  found: SymbolMarket[] | SymbolMarket,
  answer: (market: SymbolMarket) => T,
): T | T[] {
  return Array.isArray(found) ? found.map(answer) : answer(found);
}

export function intervalOf(params: Params, name = 'interval'): string {
  const interval = required(params, name);
  if (!isInterval(interval)) throw new WireError(-1120, 'Invalid interval.');
  return interval;
}

/** A whole number without a sign. */
export function wholeOf(params: Params, name: string): number | undefined {
  const text = optional(params, name);
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,20}$/.test(text))
    throw new WireError(
      -1100,
      `Illegal characters found in parameter '${name}'; legal range is '^[0-9]{1,20}$'.`,
    );
  return Number(text);
}

export function limitOf(params: Params, usual: number, most: number): number {
  const limit = wholeOf(params, 'limit') ?? usual;
  if (limit < 1 || limit > most) throw new WireError(-1130, `Data sent for parameter 'limit' is not valid.`);
  return limit;
}

export interface TimeRange {
  readonly start: number | undefined;
  readonly end: number | undefined;
}

export function rangeOf(params: Params): TimeRange {
  const start = wholeOf(params, 'startTime');
  const end = wholeOf(params, 'endTime');
  if (start !== undefined && end !== undefined && start > end)
    throw new WireError(-1023, 'Start time is greater than end time.');
  return { start, end };
}

/** For weights, where a bad limit is not yet refused. */
export const limitText = (params: Params, usual: number): number => {
  const limit = Number(optional(params, 'limit') ?? usual);
  return Number.isFinite(limit) ? limit : usual;
};

export const hasSymbol = (params: Params): boolean => optional(params, 'symbol') !== undefined;
