/**
 * The rules that say yes or no before any size is known. Each names itself and its numbers when it refuses.
 */
import { div, gt, lt, max, toNumber, ZERO } from '../core/decimal.ts';
import type { Instrument } from '../domain/instrument.ts';
import { keyFor, modeOf } from '../domain/position-key.ts';
import type { Entry, Exposure, PortfolioView, Refusal, RiskLimits } from '../domain/risk.ts';
import type { Company } from './correlation.ts';

export type Check = (
  entry: Entry,
  instrument: Instrument,
  view: PortfolioView,
  limits: RiskLimits,
  company: Company | undefined,
) => Refusal | null;

export const refuse = (rule: string, detail: string): Refusal => ({ rule, detail });

const placeIn = (view: PortfolioView, { symbol, direction }: Pick<Exposure, 'symbol' | 'direction'>) =>
  keyFor(symbol, direction, modeOf(view));

const placesHeld = (view: PortfolioView): number =>
  new Set(view.exposures.map((exposure) => placeIn(view, exposure))).size;

const tradingIsActive: Check = (_entry, _instrument, view) =>
  view.tradingState === 'active' ? null : refuse('trading-state', `trading is ${view.tradingState}`);

const instrumentTrades: Check = (entry, instrument) =>
  instrument.status !== 'TRADING'
    ? refuse('instrument', `${instrument.symbol} is ${instrument.status}`)
    : instrument.symbol !== entry.symbol
      ? refuse('instrument', `${entry.symbol} was sent with the instrument of ${instrument.symbol}`)
      : null;

/** One position a symbol, in hedge mode one a side of it; an add needs the one it adds to, in the same direction. */
const onePositionPerSymbol: Check = (entry, _instrument, view) => {
  const place = placeIn(view, entry);
  const held = view.exposures.filter((exposure) => placeIn(view, exposure) === place);
  if (!entry.add)
    return held.length === 0 ? null : refuse('one-per-symbol', `${place} is held or being entered`);
  return held.some((exposure) => exposure.direction === entry.direction)
    ? null
    : refuse('one-per-symbol', `no open ${entry.direction} position in ${entry.symbol} to add to`);
};

const positionCount: Check = (entry, _instrument, view, limits) => {
  if (entry.add) return null;
  const allowed = Math.floor(toNumber(div(max(view.equity, ZERO), limits.capitalPerPosition, 8, 'down')));
  const held = placesHeld(view);
  return held + 1 > allowed
    ? refuse('position-count', `${held} positions; equity ${view.equity} allows ${allowed}`)
    : null;
};

/** A position that could not have its stop must not be opened; an add shares the stop that is there. */
const stopsAreLeft: Check = (entry, _instrument, view, { conditionalOrders: { limit, reserve } }) => {
  if (entry.add) return null;
  const own = placesHeld(view);
  const foreign = view.foreignConditionals ?? 0;
  const also = foreign > 0 ? ` and ${foreign} conditional orders that nobody here placed` : '';
  return own + foreign + 1 > limit - reserve
    ? refuse(
        'conditional-orders',
        `${own} stops stand already${also}; ${limit} less ${reserve} for replacements`,
      )
    : null;
};

const pricesAreSound: Check = (entry) => {
  if (!gt(entry.referencePrice, ZERO)) return refuse('price', `price is ${entry.referencePrice}`);
  if (!(entry.atrPercent > 0 && Number.isFinite(entry.atrPercent)))
    return refuse('volatility', `ATR is ${entry.atrPercent} %`);
  return gt(entry.trailDistance, ZERO) ? null : refuse('trail', `trail distance is ${entry.trailDistance}`);
};

const stopIsBehind: Check = (entry) => {
  const behind =
    entry.direction === 'long'
      ? lt(entry.stopPrice, entry.referencePrice)
      : gt(entry.stopPrice, entry.referencePrice);
  return behind && gt(entry.stopPrice, ZERO)
    ? null
    : refuse(
        'stop-side',
        `${entry.direction} at ${entry.referencePrice} with its stop at ${entry.stopPrice}`,
      );
};

/** A hedge is welcome; what only doubles an open bet is not. */
const notTheSameBet: Check = (_entry, _instrument, _view, limits, company) => {
  const likest = company?.likest;
  return likest !== undefined && likest.together > limits.correlation.refuseAbove
    ? refuse('correlation', `${likest.together.toFixed(2)} with the open ${likest.symbol}`)
    : null;
};

const spreadIsNarrow: Check = (_entry, _instrument, { conditions }, { liquidity }) => {
  const spread = conditions?.spreadRate;
  if (!liquidity.enabled || spread === undefined || spread <= liquidity.maxSpreadRate) return null;
  return refuse('spread', `${percent(spread)} %; at most ${percent(liquidity.maxSpreadRate)} %`);
};

/**
 * Paying for the next settlement is a loss before the first move: what is held until then pays it, and what the exit
 * by funding closes before that has paid twice for nothing.
 */
const fundingIsBearable: Check = (entry, _instrument, { conditions, at }, { fundingCost }) => {
  const { fundingRate, nextFundingAt } = conditions ?? {};
  if (!fundingCost.enabled || fundingRate === undefined || nextFundingAt === undefined || at === undefined)
    return null;
  const cost = entry.direction === 'long' ? fundingRate : -fundingRate;
  const isNear = nextFundingAt - at <= fundingCost.withinMs;
  return isNear && cost > fundingCost.maxCostRate
    ? refuse('funding', `${percent(cost)} % due at ${new Date(nextFundingAt).toISOString()}`)
    : null;
};

const percent = (rate: number): string => (100 * rate).toFixed(4);

export const CHECKS: readonly Check[] = [
  tradingIsActive,
  instrumentTrades,
  onePositionPerSymbol,
  positionCount,
  stopsAreLeft,
  pricesAreSound,
  stopIsBehind,
  notTheSameBet,
  spreadIsNarrow,
  fundingIsBearable,
];
