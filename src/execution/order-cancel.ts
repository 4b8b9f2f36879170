/**
 * Cancels, as owners want them: kept with their order until it is over or the venue has had the last word.
 *
 * Invariant: an owner hears that a cancel failed only about an order that is known to stand, or not to exist.
 */
import { tell, type Work } from './executor-state.ts';
import type { OrderRecord } from './executor-types.ts';
import { keysOf, tellOwner } from './order-record.ts';

const UNKNOWN_ORDER = -2011;

export function wantCancel(work: Work, owner: string, ref: string, symbol: string): void {
  const record = Object.values(work.state.orders).find(
    ({ order }) => order.owner === owner && order.ref === ref && order.symbol === symbol,
  );
  if (!record) {
    tell(work, owner, {
      type: 'CANCEL_REJECTED',
      ref,
      clientOrderId: '',
      symbol,
      code: UNKNOWN_ORDER,
      reason: 'Unknown order sent.',
    });
    return;
  }
  if (record.cancel) record.cancel.tell = true;
  else record.cancel = { stage: 'wanted', tries: 0, dueAt: work.state.at, tell: true, refusal: null };
  work.waiting.wait(record);
}

export function refuseCancel(work: Work, record: OrderRecord, code: number, reason: string): void {
  const told = record.cancel?.tell === true;
  record.cancel = null;
  if (told) tellOwner(work, record, { type: 'CANCEL_REJECTED', ...keysOf(record), code, reason });
}
