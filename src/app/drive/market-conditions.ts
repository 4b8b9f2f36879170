/**
 * What risk is told of the market with each question: the returns of the candidate and of all that is open, and
 * what the market's own source knows of spread, depth and funding.
 *
 * Invariant: the answer follows from committed state and from the portfolio's own state at that very step, so a
 * resumed run is told the same.
 */
import type { PortfolioContext } from '../../../machines/portfolio.ts';
import type { ActorId } from '../../core/ids.ts';
import { type ActorEvent, PORTFOLIO } from '../../domain/events.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { Entry, MarketConditions } from '../../domain/risk.ts';
import type { ReturnHistory } from '../../risk/return-history.ts';

/** Of one symbol, at this moment; absent: not known. */
export type SymbolConditions = Omit<MarketConditions, 'returns'>;

export interface ConditionSources {
  /** Undefined as well where no rule looks at returns: with many positions they are most of a question's row. */
  readonly returns: () => ReturnHistory | undefined;
  /** The portfolio as it will judge. */
  readonly portfolio: () => Pick<PortfolioContext, 'exposures' | 'reservations'> | undefined;
  readonly symbol: (entry: Entry) => SymbolConditions | undefined;
}

export function withConditions(to: ActorId, event: ActorEvent, sources: ConditionSources): ActorEvent {
  if (to !== PORTFOLIO || event.type !== 'ASSESS') return event;
  const entry = event.entry as Entry;
  const returns = sources.returns();
  const conditions: MarketConditions = {
    returns: returns?.of(new Set([entry.symbol, ...heldSymbols(sources.portfolio())])) ?? {},
    ...sources.symbol(entry),
  };
  return { ...event, conditions };
}

function heldSymbols(portfolio: ReturnType<ConditionSources['portfolio']>): SymbolName[] {
  if (portfolio === undefined) return [];
  const { exposures, reservations } = portfolio;
  return [...Object.values(exposures), ...Object.values(reservations)].map(({ symbol }) => symbol);
}
