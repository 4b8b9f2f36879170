/** Views of what is there now, from the newest durable snapshots. Pure: a read model in, lines out. */

import type { EntryContext } from '../../../machines/entry.ts';
import { feedOf, OPERATOR, scannerOf } from '../../../machines/messages.ts';
import type { OperatorContext } from '../../../machines/operator/context.ts';
import { type PortfolioContext, tradingState } from '../../../machines/portfolio.ts';
import type { ScannerContext } from '../../../machines/scanner.ts';
import { type Decimal, sub, sum, toNumber } from '../../core/decimal.ts';
import { actorType } from '../../core/ids.ts';
import { stateText } from '../../core/state-text.ts';
import { keyOf, keyOfActor, namedSide } from '../../domain/position-key.ts';
import { stateOf } from '../../operator/feed.ts';
import type {
  ActorLine,
  DecisionsView,
  DeskView,
  OrderView,
  RiskLine,
  RiskView,
} from '../../operator/views.ts';
import type { ReadModel } from '../status/read-model.ts';

export const ordersOf = (model: ReadModel, symbol?: string): readonly OrderView[] =>
  model.positions().flatMap(([actor, { context }]) =>
    symbol !== undefined && context.symbol !== symbol
      ? []
      : context.orders
          .filter(({ status }) => status !== 'over')
          .map(({ ref, role, quantity, filled, price, status, reason }) => ({
            actor,
            symbol: context.symbol,
            direction: context.direction,
            ...{ ref, role, quantity, filled, price, status, reason },
          })),
  );

export const desksOf = (model: ReadModel): readonly DeskView[] =>
  model
    .actors()
    .filter((actor) => actorType(actor) === 'entry')
    .flatMap((actor) => {
      const desk = model.of<EntryContext>(actor);
      if (!desk) return [];
      const { symbol, position, blocks, counts, lastApproval, lastRefusal, passedOver } = desk.context;
      const side = namedSide(keyOf(desk.context));
      const scanner = model.of<ScannerContext>(scannerOf(symbol));
      const feed = model.of(feedOf(symbol));
      const state = stateText(desk.value);
      return [
        {
          ...{ symbol, ...side, state, blocks, counts, lastApproval, lastRefusal, passedOver },
          position: state === 'holding' || state === 'starting' ? position : null,
          lastSignal: scanner?.context.lastSignal ?? null,
          scanner: scanner ? stateText(scanner.value) : null,
          feed: feed ? stateText(feed.value) : null,
        },
      ];
    });

export function riskOf(portfolio: PortfolioContext): RiskView {
  const { equity, peakEquity, dayStart, weekStart, exposures, refusals, refusedRules } = portfolio;
  const peak = toNumber(peakEquity);
  return {
    equity,
    peakEquity,
    drawdownPercent: peak > 0 ? (100 * (peak - toNumber(equity))) / peak : 0,
    dayStartEquity: dayStart.equity,
    dayPnl: sub(equity, dayStart.equity),
    weekPnl: sub(equity, weekStart.equity),
    tradingState: tradingState(portfolio),
    use: useOf(portfolio),
    exposures: Object.entries(exposures).map(([actor, { symbol, direction, notional }]) => ({
      ...{ actor, symbol, direction, notional },
    })),
    refusals: refusals.toReversed(),
    refusedRules,
  };
}

/** What of each limit is used, at entry prices, as the limits themselves count. */
function useOf({ equity, limits, exposures, reservations }: PortfolioContext): readonly RiskLine[] {
  const all = [...Object.values(exposures), ...Object.values(reservations)];
  const total = (of: typeof all): number => toNumber(sum(of.map(({ notional }) => notional)));
  const own = Math.max(0, toNumber(equity));
  const times = (factor: Decimal): number => own * toNumber(factor);
  const bySymbol = [...new Set(all.map(({ symbol }) => symbol))].map((symbol) =>
    total(all.filter((each) => each.symbol === symbol)),
  );
  const line = (limit: string, used: number, max: number): RiskLine => ({
    ...{ limit, used, max },
    share: max > 0 ? used / max : used > 0 ? 1 : 0,
  });
  const side = (direction: string): number => total(all.filter((each) => each.direction === direction));
  // One a symbol, in hedge mode one a side of it; what is reserved is one to be.
  const places = new Set([
    ...Object.keys(exposures).map(keyOfActor),
    ...Object.values(reservations).map(({ actor }) => keyOfActor(actor)),
  ]);
  return [
    line('positions', places.size, Math.floor(own / toNumber(limits.capitalPerPosition))),
    line('total exposure', total(all), times(limits.maxTotalExposure)),
    line('long exposure', side('long'), times(limits.maxSideExposure)),
    line('short exposure', side('short'), times(limits.maxSideExposure)),
    line('largest symbol', Math.max(0, ...bySymbol), times(limits.maxSymbolExposure)),
    line('leverage', own > 0 ? total(all) / own : 0, limits.maxLeverage),
  ];
}

export function decisionsOf(model: ReadModel): DecisionsView {
  const context = model.of<OperatorContext>(OPERATOR)?.context;
  return {
    symbols: context?.symbols ?? [],
    stopped: context?.stopped ?? null,
    paused: context?.paused ?? null,
    direction: context?.direction ?? { allowed: 'both', mark: null },
    blacklist: context?.blacklist ?? {},
    whitelist: context?.whitelist ?? {},
    locks: context?.locks ?? {},
  };
}

export const actorLines = (model: ReadModel): readonly ActorLine[] =>
  model.actors().flatMap((actor) => {
    const newest = model.newest(actor);
    if (!newest) return [];
    const { row, snapshot } = newest;
    const state = snapshot === null ? null : stateOf(snapshot);
    return [
      { actor, type: actorType(actor), machine: row.machine, state, n: row.n, seq: row.seq, at: row.at },
    ];
  });
