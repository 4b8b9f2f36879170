/** What a private endpoint works with, and how endpoints are declared. */
import type { Json } from '../../core/json.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { Quote } from '../../exchange/engine/engine-types.ts';
import type { FundingTerms, MarketQuote } from '../core-types.ts';
import { type Endpoint, type Params, WireError } from '../protocol.ts';
import type { Account } from './account.ts';
import type { Refusal } from './digest.ts';

export interface Context {
  readonly account: Account;
  readonly at: number;
  readonly params: Params;
  /** Queries do not see what was placed after this. */
  readonly visibleUntil: number;
  /** The newest price; what a changing request asks for is journaled with it. */
  readonly quote: (symbol: SymbolName) => MarketQuote | undefined;
  /** Only for answers that change nothing. */
  readonly funding: (symbol: SymbolName) => FundingTerms | undefined;
  readonly symbols: () => readonly SymbolName[];
}

export interface Route extends Omit<Endpoint, 'handle'> {
  readonly handle: (context: Context) => Json;
}

export function refuse(refusal: Refusal | undefined): void {
  if (refusal) throw new WireError(refusal.code, refusal.reason);
}

/** The prices that go into the engine with a command: the symbol's own, and the marks behind cross margin. */
export function prices(
  { account, quote }: Context,
  symbol: SymbolName,
): { readonly quote?: Quote; readonly marks: Readonly<Record<SymbolName, number>> } {
  const own = quote(symbol);
  const marks: Record<SymbolName, number> = {};
  for (const busy of account.engine.busySymbols()) {
    if (busy === symbol || !account.engine.hasPosition(busy)) continue;
    const other = quote(busy);
    if (other) marks[busy] = other.mark;
  }
  return { ...(own ? { quote: own } : {}), marks };
}

/** Marks of everything the account holds or has on order, for pages. */
export function marksOf({ account, quote }: Context): ReadonlyMap<SymbolName, number> {
  const marks = new Map<SymbolName, number>();
  for (const symbol of account.engine.busySymbols()) {
    const mark = quote(symbol)?.mark;
    if (mark !== undefined && mark > 0) marks.set(symbol, mark);
  }
  return marks;
}

export const DONE = { code: 200, msg: 'success' } as const;
