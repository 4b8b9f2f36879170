/**
 * The only maker of `RiskApproved`. Every rule is asked, and every refusal is named, so that nobody wonders
 * why a symbol never trades.
 *
 * Invariants: pure; an approval breaks no limit whatever the input; a refusal lists every rule that refused,
 * each with its numbers; what could not be judged for want of data is in the notes.
 */
import { type Decimal, floorTo, gt, gte, isZero, lt, lte, min, mul } from '../core/decimal.ts';
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
  StopBounds,
} from '../domain/risk.ts';
import { afterSize } from './after-size.ts';
import { CHECKS, refuse } from './checks.ts';
import { type Company, companyOf } from './correlation.ts';
import { product, sizeFactors } from './factors.ts';
import { type Room, roomsFor, tightest } from './rooms.ts';
import { lotSize } from './sizing.ts';
import { tighter, withStop } from './stop.ts';
import { withoutHistory } from './value-at-risk.ts';

const refused = (...refusals: readonly Refusal[]): RiskDecision => ({ approved: false, refusals });

export const assessEntry: AssessEntry = (entry, instrument, view, limits) => {
  const company = companyOf(entry, view.exposures, view.conditions, limits.correlation);
  const refusals = CHECKS.map((check) => check(entry, instrument, view, limits, company)).filter(
    (refusal) => refusal !== null,
  );
  if (refusals.length > 0) return refused(...refusals);
  const { entry: placed, note } = withStop(entry, instrument.tickSize, view, limits);
  const behind = tighter(entry.direction, entry.referencePrice, placed.stopPrice);
  if (!behind || !gt(placed.stopPrice, '0'))
    return refused(refuse('stop', `no tick for it behind ${entry.referencePrice}: ${note}`));
  const decision = size(placed, instrument, view, limits, company);
  if (!decision.approved) return decision;
  const notes = [...(note === null ? [] : [note]), ...decision.notes];
  return { approved: true, notes, entry: { ...decision.entry, notes } };
};

/** A size that liquidation or value at risk forbids is tried smaller before it is refused. */
const SHRINKING: readonly Decimal[] = ['1', '0.5', '0.25'];

function size(
  entry: Entry,
  instrument: Instrument,
  view: PortfolioView,
  limits: RiskLimits,
  company: Company | undefined,
): RiskDecision {
  const factors = sizeFactors(entry, view, limits, company);
  const wanted = product(limits.baseNotional, factors);
  const notes = factors
    .filter(({ value }) => value !== '1')
    .map(({ name, value, why }) => `${name} ×${value} (${why})`);
  if (isZero(wanted)) {
    const none = factors.filter(({ value }) => isZero(value));
    return refused(...none.map(({ name, why }) => refuse(name, `no edge to size by: ${why}`)));
  }
  const rooms = roomsFor(entry, view, limits, company);
  const [rule, left] = tightest(rooms);
  const notional = min(wanted, left);
  if (!gt(notional, '0')) return refused(refuse(rule, `no room left (wanted ${wanted})`));
  if (lt(notional, wanted)) notes.push(`cut from ${wanted} to ${notional} by ${rule}`);
  notes.push(...unjudged(entry, view, limits));
  let first: RiskDecision | undefined;
  for (const part of SHRINKING) {
    const tried = place(entry, mul(notional, part), rooms, instrument, view, limits);
    if (tried.approved) {
      const cut = part === '1' ? [] : [`cut to ${part} of that by ${ruleOf(first)}`];
      return { ...tried, notes: [...notes, ...cut, ...tried.notes] };
    }
    first ??= tried;
    // A smaller order is no answer to one that is too small.
    if (tried.refusals.some((refusal) => refusal.rule === 'lot-size')) break;
  }
  return first ?? refused(refuse('size', 'no size was tried'));
}

const ruleOf = (decision: RiskDecision | undefined): string =>
  decision && !decision.approved ? decision.refusals.map((one) => one.rule).join(', ') : 'its limits';

/** In whole lots, within every room, with a leverage at which its stop comes before its liquidation. */
function place(
  entry: Entry,
  notional: Decimal,
  rooms: readonly Room[],
  instrument: Instrument,
  view: PortfolioView,
  limits: RiskLimits,
): RiskDecision {
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
  const placed = afterSize(
    entry,
    quantity,
    instrument,
    view,
    limits,
    mostLeverage(total, instrument, limits),
  );
  if (placed.refusals) return refused(...placed.refusals);
  const { leverage, stopPrice } = placed;
  const sized: SizedEntry = { ...entry, stopPrice, quantity, leverage, bounds: boundsOf(limits) };
  const notes = [
    ...(lots.roundedUp ? [`rounded up to the least order, ${quantity} ${instrument.base}`] : []),
    ...(stopPrice === entry.stopPrice ? [] : [`stop drawn in to ${stopPrice}, before the liquidation price`]),
    `leverage ${leverage}`,
  ];
  return { approved: true, entry: sized as RiskApproved<SizedEntry>, notes };
}

function boundsOf({ stop, liquidation }: RiskLimits): StopBounds {
  const { enabled, marginMode, bufferRate } = liquidation;
  const isOwn = enabled && marginMode === 'isolated';
  return { hardCapPercent: stop.hardCapPercent, liquidationBufferRate: isOwn ? bufferRate : null };
}

/** The venue's own cap for this notional, and ours. */
function mostLeverage(notional: Decimal, instrument: Instrument, limits: RiskLimits): number {
  const bracket = instrument.brackets.find((one) => lte(notional, one.notionalCap));
  const venue = bracket?.initialLeverage ?? 1;
  return Math.max(1, Math.min(Math.floor(limits.maxLeverage), venue));
}

/** What no rule could judge: said, so that silence is never taken for a yes. */
function unjudged(entry: Entry, view: PortfolioView, limits: RiskLimits): string[] {
  const { conditions } = view;
  if (!conditions) return ['no market conditions: correlation, liquidity, funding and VaR not judged'];
  const notes: string[] = [];
  const held = [...view.exposures, { ...entry, notional: '0' }];
  const short = withoutHistory(held, conditions, limits.valueAtRisk.minReturns);
  if (limits.valueAtRisk.enabled && short.length > 0) {
    const isAll = held.every(({ symbol }) => short.includes(symbol));
    const what = isAll
      ? 'value at risk not judged'
      : 'value at risk takes them for the wildest of the others';
    notes.push(`${what}: too little history of ${short.slice(0, 5).join(', ')}`);
  }
  if (limits.liquidity.enabled && conditions.depth === undefined) notes.push('no book: depth not judged');
  return notes;
}
