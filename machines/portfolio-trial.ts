/**
 * What a half-open breaker lets through: one entry of its scope at a time, so that a trial risks one position and
 * not as many as there are signals.
 *
 * Invariants: the trial is whatever its desk has set aside or holds, so that an entry that never filled, or a
 * position that is over, makes room by itself; what was open before is not part of it; adds to the trial pass, and so
 * does what a person asks for: how many of those there are is that person's decision.
 */
import type { ActorId } from '../src/core/ids.ts';
import type { SymbolName } from '../src/domain/instrument.ts';
import type { Direction } from '../src/domain/order.ts';
import { deskOf, isInScope } from './messages.ts';
import type { PortfolioContext } from './portfolio-account.ts';

interface Candidate {
  readonly symbol: SymbolName;
  readonly direction: Direction;
  /** The desk of the entry, or of the position that adds. */
  readonly desk: ActorId;
  readonly byHand: boolean;
}

const isOn = ({ reservations, exposures }: PortfolioContext, trial: ActorId): boolean =>
  Object.values(reservations).some(({ actor }) => actor === trial) ||
  Object.keys(exposures).some((actor) => deskOf(actor) === trial);

/** Why it has to wait for another's trial; undefined when it need not. */
export function trialRefusal(context: PortfolioContext, candidate: Candidate): string | undefined {
  if (candidate.byHand) return undefined;
  for (const [name, { state, scope, trial }] of Object.entries(context.breakers)) {
    if (state !== 'half-open' || trial === undefined || trial === candidate.desk) continue;
    if (isInScope(scope, candidate) && isOn(context, trial))
      return `breaker ${name} is half-open: ${trial} is its one trial`;
  }
  return undefined;
}

/** An entry that `trialRefusal` let pass is the trial of each half-open breaker that is about it: no other is on. */
export function beginTrials(context: PortfolioContext, candidate: Candidate): PortfolioContext {
  if (candidate.byHand) return context;
  const begun = Object.entries(context.breakers).filter(
    ([, { state, scope }]) => state === 'half-open' && isInScope(scope, candidate),
  );
  if (begun.length === 0) return context;
  const noted = begun.map(([name, bar]) => [name, { ...bar, trial: candidate.desk }]);
  return { ...context, breakers: { ...context.breakers, ...Object.fromEntries(noted) } };
}
