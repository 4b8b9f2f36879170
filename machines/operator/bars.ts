/**
 * What people's decisions forbid, in the terms of breakers: that is how the portfolio and the venue's door hear of
 * it. Pure: derived from the decisions, never stored beside them.
 *
 * Invariant: what changed between two states is told once to both, the door first.
 */
import type { Emitted } from '../../src/domain/events.ts';
import { PORTFOLIO, VENUE } from '../../src/domain/events.ts';
import type { Direction } from '../../src/domain/order.ts';
import { type BreakerChanged, type BreakerScope, OPERATOR_BAR } from '../messages.ts';
import { send } from '../step.ts';
import type { Mark, OperatorContext } from './context.ts';

interface Bar {
  readonly state: 'reducing' | 'halted';
  readonly cause: string;
  readonly scope?: BreakerScope;
}

type Bars = Readonly<Record<string, Bar>>;

const minute = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** "paused by alice since 2026-01-05 12:00 UTC until …: news" */
export function wordOf(what: string, { by, at, reason }: Mark, until: number | null = null): string {
  const end = until === null ? '' : ` until ${minute(until)}`;
  return `${what} by ${by} since ${minute(at)}${end}${reason === null ? '' : `: ${reason}`}`;
}

export function barsOf(context: OperatorContext): Bars {
  const { stopped, paused, locks, blacklist } = context;
  const bars: Record<string, Bar> = {};
  const bar = (name: string, cause: string, scope?: BreakerScope, state: Bar['state'] = 'reducing'): void => {
    bars[`${OPERATOR_BAR}${name}`] = { state, cause, ...(scope ? { scope } : {}) };
  };
  if (stopped) bar('stop', wordOf('stopped', stopped), undefined, 'halted');
  if (paused) bar('pause', wordOf('paused', paused, paused.until));
  for (const direction of forbidden(context)) {
    const mark = context.direction.mark ?? { by: 'nobody', at: context.at, reason: null };
    bar(`no-${direction}`, wordOf(`${direction} entries forbidden`, mark), { direction });
  }
  for (const [symbol, mark] of Object.entries(blacklist))
    bar(`blacklist/${symbol}`, wordOf(`${symbol} blacklisted`, mark), { symbols: [symbol] });
  const outside = notWhitelisted(context);
  if (outside) bar('whitelist', outside.cause, { symbols: outside.symbols });
  for (const [symbol, lock] of Object.entries(locks)) {
    const scope = { symbols: [symbol], ...(lock.direction === null ? {} : { direction: lock.direction }) };
    bar(`lock/${symbol}`, wordOf(`${symbol} locked`, lock, lock.until), scope);
  }
  return bars;
}

function forbidden({ direction: { allowed } }: OperatorContext): readonly Direction[] {
  if (allowed === 'both') return [];
  if (allowed === 'none') return ['long', 'short'];
  return [allowed === 'long' ? 'short' : 'long'];
}

function notWhitelisted({ whitelist, symbols }: OperatorContext) {
  const newest = Object.values(whitelist).reduce<Mark | undefined>(
    (last, mark) => (last && last.at > mark.at ? last : mark),
    undefined,
  );
  if (!newest) return undefined;
  const outside = symbols.filter((symbol) => !(symbol in whitelist));
  return outside.length === 0
    ? undefined
    : { symbols: outside, cause: wordOf('not on the whitelist, changed', newest) };
}

/** What the portfolio and the venue's door must hear after a change. */
export function tellBars(before: OperatorContext, after: OperatorContext): readonly Emitted[] {
  const was = barsOf(before);
  const is = barsOf(after);
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  return names.flatMap((breaker) => {
    const bar = is[breaker];
    if (JSON.stringify(was[breaker]) === JSON.stringify(bar)) return [];
    const changed: Omit<BreakerChanged, 'at'> = bar
      ? { type: 'BREAKER_CHANGED', breaker, ...bar }
      : { type: 'BREAKER_CHANGED', breaker, state: 'closed', cause: '' };
    return [send(VENUE, changed), send(PORTFOLIO, changed)];
  });
}
