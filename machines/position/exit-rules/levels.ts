/** What acts at a price that the plan knows: the stop that was passed, the next part, the next add. */

import { isFlat } from '../ledger.ts';
import { breachPrice, touchAddPrice } from '../levels.ts';
import { atLeast, worseThan } from '../prices.ts';
import { localPart } from '../targets.ts';
import type { ExitRule, Verdict } from './rule.ts';

export const stopOverrun: ExitRule = (context, { mark }): Verdict | null =>
  mark === null || isFlat(context) || !worseThan(context.direction, mark, breachPrice(context))
    ? null
    : {
        rule: 'stop',
        act: 'emergency',
        reason: `stop-overrun: mark ${mark} is beyond the stop ${context.stopPrice}`,
        numbers: { mark, stopPrice: context.stopPrice },
      };

/** Only a price itself takes a part: what others say is about all of it. */
export const scaleOut: ExitRule = (context, { event, mark }): Verdict | null => {
  const level = event.type === 'PRICE' ? (localPart(context)?.price ?? null) : null;
  return level === null || mark === null || !atLeast(context.direction, mark, level)
    ? null
    : { rule: 'scale-out', act: 'part', reason: 'take-profit', numbers: { mark, level } };
};

export const pyramid: ExitRule = (context, { event, mark }): Verdict | null => {
  const level = event.type === 'PRICE' ? touchAddPrice(context) : null;
  return level === null || mark === null || !atLeast(context.direction, mark, level)
    ? null
    : { rule: 'pyramid', act: 'add', reason: 'pyramid', numbers: { mark, level } };
};
