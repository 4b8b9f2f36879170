/**
 * What open breakers do to what is there already: entries that are on their way are called back, and what a halt
 * wants closed is closed.
 *
 * Invariant: what fills while everything is to be closed is closed, too, however late it fills.
 */
import { cmp, type Decimal, eq, mul, ZERO } from '../src/core/decimal.ts';
import type { ActorId } from '../src/core/ids.ts';
import type { Emitted } from '../src/domain/events.ts';
import {
  type HeldExposure,
  type PortfolioContext,
  type PortfolioEvent,
  scopedRefusal,
  tradingRefusal,
} from './portfolio-account.ts';
import { type Step, send, step } from './step.ts';

type Next = Step<PortfolioContext>;

const without = <T>(record: { readonly [key: string]: T }, key: string): { readonly [key: string]: T } => {
  const { [key]: _, ...rest } = record;
  return rest;
};

/** While everything is to be closed, what fills late is closed, too. */
export function killLate(
  before: PortfolioContext,
  after: PortfolioContext,
  actor: ActorId,
): readonly Emitted[] {
  const held = after.exposures[actor];
  const reason = closingAll(after);
  if (held === undefined || reason === undefined || eq(held.quantity, ZERO)) return [];
  const was = before.exposures[actor];
  return was !== undefined && !eq(was.quantity, ZERO) ? [] : [kill(actor, reason)];
}

const kill = (actor: ActorId, reason: string): Emitted => send(actor, { type: 'KILL', reason });

/** The breaker that wants everything closed. */
function closingAll({ breakers }: PortfolioContext): string | undefined {
  const found = Object.entries(breakers).find(
    ([, { state, closing }]) => state === 'halted' && closing === 'all',
  );
  return found && `breaker ${found[0]}: ${found[1].cause}`;
}

/** Why nothing may be opened on the symbol and side of an exposure. */
export function barring(context: PortfolioContext, held: HeldExposure): string | undefined {
  return tradingRefusal(context) ?? scopedRefusal(context, held);
}

export const isOpening = (held: HeldExposure): boolean => eq(held.quantity, ZERO) || held.unknown;

export const abort = (context: PortfolioContext, actor: ActorId, held: HeldExposure): Emitted =>
  send(actor, { type: 'ABORT_ENTRY', reason: barring(context, held) ?? 'a breaker opened' });

/** What was sent and did not fill yet is called back; what is filled keeps its stop and its plan. */
export function abortEntries(before: PortfolioContext, after: PortfolioContext): Next {
  const opening = Object.entries(after.exposures).filter(
    ([, held]) =>
      isOpening(held) && barring(before, held) === undefined && barring(after, held) !== undefined,
  );
  return step(after, ...opening.map(([actor, held]) => abort(after, actor, held)));
}

export function changeBreaker(context: PortfolioContext, event: PortfolioEvent): Next {
  if (event.type !== 'BREAKER_CHANGED') return step(context);
  const { breaker, state, cause, scope, closing } = event;
  const noted = { state, cause, ...(scope ? { scope } : {}), ...(closing ? { closing } : {}) };
  const breakers =
    state === 'closed' ? without(context.breakers, breaker) : { ...context.breakers, [breaker]: noted };
  const next = abortEntries(context, { ...context, breakers });
  return { context: next.context, intents: [...next.intents, ...closeFor(next.context, event)] };
}

/** What a halt wants closed: everything, or what is largest now. */
function closeFor(
  { exposures, marks }: PortfolioContext,
  { breaker, state, cause, closing }: Extract<PortfolioEvent, { type: 'BREAKER_CHANGED' }>,
): readonly Emitted[] {
  if (state !== 'halted' || closing === undefined || closing === 'none') return [];
  const value = ([, held]: readonly [ActorId, HeldExposure]): Decimal =>
    mul(held.quantity, marks[held.symbol] ?? held.entryPrice);
  const held = Object.entries(exposures).filter(([, each]) => !eq(each.quantity, ZERO));
  const largest = held.sort((a, b) => cmp(value(b), value(a)) || (a[0] < b[0] ? -1 : 1)).slice(0, 1);
  return (closing === 'all' ? held : largest).map(([actor]) => kill(actor, `breaker ${breaker}: ${cause}`));
}
