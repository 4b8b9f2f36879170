/**
 * The stop at the venue: always for what is open, at the tightest price so far.
 *
 * In hedge mode it closes the whole side (the venue refuses a closing order for more than is open, so a stop for a
 * quantity would fail after a part was taken out while nobody was here). There may be one such stop only: where it
 * has to move, a stop for the quantity stands in until the next whole one is live.
 *
 * So does, in either mode, the stop of a quantity that no one order can name: since the filters changed, or because it is
 * more than a market order may be. Nothing could stand in for it, so it stays where it is; what the position has earned
 * since is kept by the position itself.
 *
 * Invariants: a new stop is created before the old one is cancelled, and the old one is cancelled only once
 * the new one is acknowledged; what is open and not yet asked to be protected is asked for at once; two stops
 * cannot hurt, as both only reduce.
 */
import { add, type Decimal, eq, lte, ZERO } from '../../src/core/decimal.ts';
import { chain, notify, type Step, step } from '../step.ts';
import type { OrderRecord, PositionContext } from './context.ts';
import { isCovered, isFlat } from './ledger.ts';
import { cancelAll, covers, isHedged, isOdd, pending, place } from './orders.ts';
import type { StopMove } from './trailing.ts';

export type ProtectionView =
  | 'placing'
  | 'unknown'
  | 'unprotected'
  | 'protected'
  | 'replacing'
  | 'replacementUnknown'
  | 'replacementRefused';

/** After this many refusals in a row a retry waits for its pause. */
const IMMEDIATE_REFUSALS = 1;

const fits = (context: PositionContext, stop: OrderRecord): boolean =>
  eq(covers(context, stop), context.quantity) &&
  stop.price !== null &&
  (eq(stop.price, context.stopPrice) || (stop.whole === true && isOdd(context)));

/** None of ours is there, or may be; where the venue refused one, a stop for the quantity is what can be had. */
const mayBeWhole = (context: PositionContext): boolean =>
  (isOdd(context) || (isHedged(context) && context.stopRejections === 0)) &&
  !pending(context, 'stop').some(({ whole }) => whole);

const atVenue = (stop: OrderRecord): boolean => stop.status === 'live' || stop.status === 'triggered';

/** What the region shows, from the orders alone. */
export function protectionView(context: PositionContext): ProtectionView {
  const stops = pending(context, 'stop').filter((stop) => !stop.cancelRequested);
  const submitted = stops.some((stop) => stop.status === 'submitted');
  const unknown = stops.some((stop) => stop.status === 'unknown');
  if (!isCovered(context)) return submitted ? 'placing' : unknown ? 'unknown' : 'unprotected';
  if (submitted) return 'replacing';
  if (unknown) return 'replacementUnknown';
  return needsStop(context) ? 'replacementRefused' : 'protected';
}

function needsStop(context: PositionContext): boolean {
  if (isFlat(context)) return false;
  const stops = pending(context, 'stop');
  // A triggered stop that covers all is being carried out: leave it to its work.
  if (isCovered(context) && stops.some((stop) => stop.status === 'triggered')) return false;
  const newest = stops.at(-1);
  if (newest === undefined || newest.cancelRequested || !fits(context, newest)) return true;
  return newest.status === 'live' && mayBeWhole(context);
}

/** Brings the venue's stop nearer to what it should be; run after everything that changes either. */
export function protect(context: PositionContext): Step<PositionContext> {
  const leave = isFlat(context) || context.broken !== null || context.emergency !== null;
  return leave ? step(context) : chain(context, supersede, askForStop);
}

function askForStop(context: PositionContext): Step<PositionContext> {
  if (!needsStop(context) || context.stopRejections > IMMEDIATE_REFUSALS) return step(context);
  const stops = pending(context, 'stop');
  const asked = stops.reduce<Decimal>((sum, stop) => add(sum, covers(context, stop)), ZERO);
  const underway = stops.some((stop) => stop.status === 'submitted' || stop.status === 'unknown');
  return underway && lte(context.quantity, asked) ? step(context) : placeStop(context);
}

/** A tighter stop, with its reason in the row; the venue's follows at once. */
export function moveStop(
  context: PositionContext,
  { stopPrice, reason, why }: StopMove,
): Step<PositionContext> {
  const told = notify('info', `${context.actor}: stop ${context.stopPrice} → ${stopPrice}: ${why}`);
  return chain<PositionContext>(
    { ...context, stopPrice, stopReason: reason },
    (next) => step(next, told),
    protect,
  );
}

export const placeStop = (context: PositionContext): Step<PositionContext> =>
  isFlat(context)
    ? step(context)
    : place(context, 'stop', context.quantity, context.stopReason, {
        trigger: context.stopPrice,
        ...(mayBeWhole(context) ? { whole: true } : {}),
      });

/** So many stops without an outcome at once: a venue that answers nothing would otherwise fill its own limit. */
const MAX_UNANSWERED = 8;

/** A stop more than the books ask for, while none is on its way. */
export function placeAnotherStop(context: PositionContext): Step<PositionContext> {
  const unanswered = pending(context, 'stop').filter(
    (stop) => stop.status === 'submitted' || stop.status === 'unknown',
  );
  const underway = unanswered.some((stop) => stop.status === 'submitted');
  const leave = underway || unanswered.length >= MAX_UNANSWERED || context.emergency !== null;
  return leave ? step(context) : placeStop(context);
}

/** The newest live stop that covers all alone makes the older ones superfluous. */
function supersede(context: PositionContext): Step<PositionContext> {
  const stops = pending(context, 'stop');
  const covering = stops.findLastIndex(
    (stop) => stop.status === 'live' && lte(context.quantity, covers(context, stop)),
  );
  return cancelAll(
    context,
    stops.slice(0, Math.max(covering, 0)).filter((stop) => atVenue(stop) || stop.status === 'unknown'),
  );
}

/** Pauses double with every failure in a row. */
export const backoffMs = (baseMs: number, failures: number, limitMs: number): number =>
  Math.min(limitMs, baseMs * 2 ** Math.min(Math.max(failures, 0), 16));
