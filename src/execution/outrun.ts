/**
 * A fill that takes out more than the books hold: the fill that put it in is unheard of, for what only reduces takes
 * out no more than there is.
 *
 * Invariants: it waits only while an opening order of ours may have filled unheard, and a minute at most; what was
 * asked for since and shows no such fill is not waited for.
 */
import * as D from '../core/decimal.ts';
import { VENUE } from '../domain/events.ts';
import { opensPosition } from '../domain/order.ts';
import { keyOf } from '../domain/position-key.ts';
import type { RemoteFill } from '../domain/remote.ts';
import { expectedAmount, signedOf } from './books.ts';
import type { Work } from './executor-state.ts';
import type { OrderRecord } from './executor-types.ts';
import { lacksFills } from './order-record.ts';

/** Readings lag: an order is cleared only by one that was asked for this long after the fill was heard of. */
export const clearedAfter = (work: Work, heardAt: number): number => heardAt + work.settings.quietMs;

/** The opening orders that may have filled unheard, where `fill`, heard of at `heardAt`, outruns them. */
export function outrun(work: Work, fill: RemoteFill, heardAt: number): readonly OrderRecord[] {
  const place = keyOf(fill);
  const after = D.add(expectedAmount(work, place), signedOf(fill.side, fill.quantity));
  const isExplained = D.isZero(after) || D.sign(after) !== (fill.side === 'BUY' ? 1 : -1);
  if (isExplained || work.state.at >= heardAt + work.settings.slowMs) return [];
  return Object.values(work.state.orders).filter((record) => {
    const { order } = record;
    const opens = opensPosition(order) && order.side !== fill.side && order.owner !== VENUE;
    return opens && keyOf(order) === place && mayHaveFilled(work, record, heardAt);
  });
}

const mayHaveFilled = (work: Work, record: OrderRecord, heardAt: number): boolean =>
  !record.acknowledged || lacksFills(record) || record.seenAt < clearedAfter(work, heardAt);
