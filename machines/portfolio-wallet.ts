/**
 * What a change of the wallet does to the account.
 *
 * Invariant: money that was moved in or out changes no percentage of what was lost.
 */
import { add, type Decimal, eq, sub, ZERO } from '../src/core/decimal.ts';
import { keyOf, keyOfActor } from '../src/domain/position-key.ts';
import { movedAlong, movedBy } from '../src/domain/wallet.ts';
import type { PortfolioContext, PortfolioEvent } from './portfolio-account.ts';
import { tellMoved } from './portfolio-measures.ts';
import { type Step, step } from './step.ts';

export function changeWallet(context: PortfolioContext, event: PortfolioEvent): Step<PortfolioContext> {
  if (event.type !== 'WALLET_CHANGED') return step(context);
  const moved = movedBy(event.reason, event.delta);
  const { dayStart, weekStart, exposures } = context;
  const along = (base: Decimal): Decimal => movedAlong(base, context.equity, moved);
  // Until its position's own word this profit still stands in the exposure too: it must not count twice.
  const { symbol, positionSide = 'BOTH' } = event;
  const place = symbol === undefined ? undefined : keyOf({ symbol, positionSide });
  const isUnbooked =
    event.reason === 'REALIZED_PNL' &&
    place !== undefined &&
    Object.keys(exposures).some((actor) => keyOfActor(actor) === place);
  const next: PortfolioContext = {
    ...context,
    unbooked: isUnbooked ? { ...context.unbooked, [place]: context.at } : context.unbooked,
    wallet: event.balance,
    flows: { ...context.flows, [event.reason]: add(context.flows[event.reason] ?? ZERO, event.delta) },
    equity: isUnbooked ? context.equity : add(context.equity, sub(event.balance, context.wallet)),
  };
  if (eq(moved, ZERO)) return step(next);
  return step(
    {
      ...next,
      peakEquity: along(context.peakEquity),
      dayStart: { ...dayStart, equity: along(dayStart.equity) },
      weekStart: { ...weekStart, equity: along(weekStart.equity) },
    },
    ...tellMoved(context, moved),
  );
}
