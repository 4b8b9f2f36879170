/**
 * What a position does when a 15m bar of its symbol has closed: the last part's target moves, an add that its level
 * has earned is confirmed.
 *
 * Invariant: an old bar (read after an absence) is listened to, and nothing is done at its price.
 */
import { fromNumber } from '../../src/core/decimal.ts';
import { chain, type Step, step } from '../step.ts';
import { moveTarget } from './active-target.ts';
import type { PositionContext } from './context.ts';
import { isFlat } from './ledger.ts';
import { addPrice } from './levels.ts';
import { atLeast } from './prices.ts';
import { type Bar, beat, momentum, type Pulse } from './pulse.ts';
import { askForAdd } from './watch.ts';

/** As old as a signal may be that still enters. */
const MAX_BAR_AGE_MS = 60_000;

/** Whether this position has to hear of closed bars: only while one can make it do something. */
export function followsBars(context: PositionContext): boolean {
  if (!context.watching || isFlat(context)) return false;
  const { activeTarget, pyramid } = context.plan;
  const targets = activeTarget !== null && context.scaleParts.length === 1;
  return targets || (pyramid?.confirm === 'close' && context.nextAddPrice !== null);
}

export function followBar(context: PositionContext, bar: Bar): Step<PositionContext> {
  const pulse = beat(context.pulse, bar);
  const next = { ...context, pulse };
  if (context.at - bar.closeAt > MAX_BAR_AGE_MS || pulse.closeAt !== bar.closeAt) return step(next);
  return chain<PositionContext>(
    next,
    (current) => moveTarget(current, pulse),
    (current) => confirmAdd(current, pulse),
  );
}

/** A close beyond the level, and not against the position's way. */
function confirmAdd(context: PositionContext, pulse: Pulse): Step<PositionContext> {
  const level = context.plan.pyramid?.confirm === 'close' ? addPrice(context) : null;
  const close = fromNumber(pulse.close);
  if (level === null || !atLeast(context.direction, close, level)) return step(context);
  return momentum(pulse, context.direction) >= 0 ? askForAdd(context, close) : step(context);
}
