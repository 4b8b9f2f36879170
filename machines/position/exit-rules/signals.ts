/** Exits by what others say: the other side's entry signal, another regime, the funding ahead; and by time. */
import { abs, fromNumber, gte, lt, mul } from '../../../src/core/decimal.ts';
import { isFlat } from '../ledger.ts';
import { type ExitRule, gainPercent, type Verdict } from './rule.ts';

export const oppositeSignal: ExitRule = (context, { event }): Verdict | null =>
  context.plan.exits.opposite && event.type === 'EXIT_SIGNAL' && event.signal === 'opposite'
    ? { rule: 'opposite', act: 'close', reason: event.reason, numbers: {} }
    : null;

export const regimeChange: ExitRule = (context, { event }): Verdict | null =>
  context.plan.exits.regime && event.type === 'REGIME' && !event.suits.includes(context.direction)
    ? { rule: 'regime', act: 'close', reason: `regime: ${event.regime}`, numbers: {} }
    : null;

export const timeStop: ExitRule = (context, { event }): Verdict | null =>
  event.type === 'TIME_STOP'
    ? {
        rule: 'time-stop',
        act: 'close',
        reason: 'time-stop',
        numbers: {
          heldMs: context.at - (context.firstFillAt ?? context.at),
          limitMs: context.plan.timeStopMs ?? 0,
        },
      }
    : null;

/** Positive rates are paid by longs. */
export const fundingAhead: ExitRule = (context, { event, mark }): Verdict | null => {
  const { funding } = context.plan.exits;
  if (funding === null || event.type !== 'FUNDING_AHEAD' || mark === null || isFlat(context)) return null;
  const pays = context.direction === 'long' ? event.rate > 0 : event.rate < 0;
  const cost = abs(fromNumber(event.rate));
  if (!pays || lt(cost, funding.maxCostRate)) return null;
  const gain = gainPercent(context, mark);
  const costPercent = mul(cost, '100');
  if (gte(gain, mul(costPercent, funding.keepAboveMultiple))) return null;
  return {
    rule: 'funding',
    act: 'close',
    reason: `funding: ${costPercent} % to pay at ${new Date(event.settlesAt).toISOString()}, and ${gain} % gained`,
    numbers: { rate: event.rate, settlesAt: event.settlesAt, gain, limit: funding.maxCostRate },
  };
};
