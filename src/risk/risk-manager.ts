/**
 * The only maker of `RiskApproved`. Every rule is asked, and every refusal is named, so that nobody wonders
 * why a symbol never trades.
 *
 * Invariants: pure; an approval breaks no limit whatever the input; a refusal lists every rule that refused,
 * each with its numbers.
 */
import {
  type Decimal,
  div,
  floorTo,
  gt,
  gte,
  lt,
  lte,
  max,
  min,
  mul,
  sub,
  sum,
  toNumber,
  ZERO,
} from '../core/decimal.ts';
import type { Instrument } from '../domain/instrument.ts';
import type {
  AssessEntry,
  Entry,
  PortfolioView,
  Refusal,
  RiskApproved,
  RiskDecision,
  RiskLimits,
  SizedEntry,
} from '../domain/risk.ts';
import { lotSize, volatilityMultiplier } from './sizing.ts';

type Check = (
  entry: Entry,
  instrument: Instrument,
  view: PortfolioView,
  limits: RiskLimits,
) => Refusal | null;

const refuse = (rule: string, detail: string): Refusal => ({ rule, detail });

const tradingIsActive: Check = (_entry, _instrument, view) =>
  view.tradingState === 'active' ? null : refuse('trading-state', `trading is ${view.tradingState}`);

const instrumentTrades: Check = (entry, instrument) =>
  instrument.status !== 'TRADING'
    ? refuse('instrument', `${instrument.symbol} is ${instrument.status}`)
    : instrument.symbol !== entry.symbol
      ? refuse('instrument', `${entry.symbol} was sent with the instrument of ${instrument.symbol}`)
      : null;

/** One position a symbol; an add needs the one it adds to, in the same direction. */
const onePositionPerSymbol: Check = (entry, _instrument, view) => {
  const held = view.exposures.filter((exposure) => exposure.symbol === entry.symbol);
  if (!entry.add)
    return held.length === 0 ? null : refuse('one-per-symbol', `${entry.symbol} is held or being entered`);
  return held.some((exposure) => exposure.direction === entry.direction)
    ? null
    : refuse('one-per-symbol', `no open ${entry.direction} position in ${entry.symbol} to add to`);
};

const positionCount: Check = (entry, _instrument, view, limits) => {
  if (entry.add) return null;
  const allowed = Math.floor(toNumber(div(max(view.equity, ZERO), limits.capitalPerPosition, 8, 'down')));
  const held = new Set(view.exposures.map((exposure) => exposure.symbol)).size;
  return held + 1 > allowed
    ? refuse('position-count', `${held} positions; equity ${view.equity} allows ${allowed}`)
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

const CHECKS: readonly Check[] = [
  tradingIsActive,
  instrumentTrades,
  onePositionPerSymbol,
  positionCount,
  pricesAreSound,
  stopIsBehind,
];

/** What the limits leave for this symbol, in notional. */
function room(
  entry: Entry,
  view: PortfolioView,
  limits: RiskLimits,
): readonly (readonly [string, Decimal])[] {
  const equity = max(view.equity, ZERO);
  const inSymbol = sum(
    view.exposures.filter((one) => one.symbol === entry.symbol).map((one) => one.notional),
  );
  const inAll = sum(view.exposures.map((one) => one.notional));
  const left = (limit: Decimal, used: Decimal): Decimal => max(ZERO, sub(limit, used));
  return [
    ['symbol-exposure', left(mul(equity, limits.maxSymbolExposure), inSymbol)],
    ['total-exposure', left(mul(equity, limits.maxTotalExposure), inAll)],
    ['leverage', left(mul(equity, String(limits.maxLeverage)), inAll)],
  ];
}

/** The venue's own cap for this notional, and ours. */
function leverageFor(notional: Decimal, instrument: Instrument, limits: RiskLimits): number {
  const bracket = instrument.brackets.find((one) => lte(notional, one.notionalCap));
  const venue = bracket?.initialLeverage ?? 1;
  return Math.max(1, Math.min(Math.floor(limits.maxLeverage), venue));
}

function size(entry: Entry, instrument: Instrument, view: PortfolioView, limits: RiskLimits): RiskDecision {
  const wanted = mul(limits.baseNotional, volatilityMultiplier(entry.atrPercent));
  const rooms = room(entry, view, limits);
  const tightest = rooms.reduce((best, one) => (lt(one[1], best[1]) ? one : best));
  const notional = min(wanted, tightest[1]);
  const notes = lt(notional, wanted) ? [`cut from ${wanted} to ${notional} by ${tightest[0]}`] : [];
  if (!gt(notional, ZERO)) return refused(refuse(tightest[0], `no room left (wanted ${wanted})`));
  const lots = lotSize(notional, entry.referencePrice, instrument, limits.maxLotRoundUp);
  if (lots.quantity === null)
    return refused(
      refuse('lot-size', `${notional} buys less than the least order, ${lots.needed} ${instrument.base}`),
    );
  const largest = floorTo(min(instrument.marketMaxQuantity, instrument.maxQuantity), instrument.stepSize);
  const quantity = min(lots.quantity, largest);
  const total = mul(quantity, entry.referencePrice);
  const broken = rooms.filter(([, left]) => gt(total, left));
  if (broken.length > 0)
    return refused(...broken.map(([rule, left]) => refuse(rule, `${total} rounded to lots exceeds ${left}`)));
  if (!gte(quantity, instrument.minQuantity) || lt(total, instrument.minNotional))
    return refused(refuse('lot-size', `the venue takes at most ${largest} ${instrument.base} at once`));
  if (lots.roundedUp) notes.push(`rounded up to the least order, ${quantity} ${instrument.base}`);
  const sized: SizedEntry = { ...entry, quantity, leverage: leverageFor(total, instrument, limits) };
  return { approved: true, entry: sized as RiskApproved<SizedEntry>, notes };
}

const refused = (...refusals: readonly Refusal[]): RiskDecision => ({ approved: false, refusals });

export const assessEntry: AssessEntry = (entry, instrument, view, limits) => {
  const refusals = CHECKS.map((check) => check(entry, instrument, view, limits)).filter(
    (refusal) => refusal !== null,
  );
  return refusals.length > 0 ? refused(...refusals) : size(entry, instrument, view, limits);
};
