/** The venue's warning that margin is short: people hear it, and the breaker that deleverages hears how short. */
import { isZero, mul } from '../../src/core/decimal.ts';
import { breakerOf } from '../messages.ts';
import { notify, type Step, send, step } from '../step.ts';
import type { PositionContext, PositionEvent } from './context.ts';
import { askToReconcile } from './ledger.ts';

/** A remote venue's warning names no ratio: then its account is read at once, and the executor tells what it shows. */
export function marginCalled(context: PositionContext, event: PositionEvent): Step<PositionContext> {
  if (event.type !== 'MARGIN_CALLED') return step(context);
  const { marginRatio } = event;
  const isTold = !isZero(marginRatio);
  return step(
    context,
    notify('critical', `${context.actor}: margin call${isTold ? ` at ${mul(marginRatio, '100')} %` : ''}`),
    isTold
      ? send(breakerOf('margin'), { type: 'MARGIN', ratioPercent: mul(marginRatio, '100') })
      : askToReconcile(context, 'margin call'),
  );
}
