/**
 * The first start after a restore. The journal ends earlier than the life that wrote it: an order that stood in its
 * last rows and had not been taken up may have been sent by that life. It must not be sent again under the same id,
 * so the executor hears which ones those are and looks for them at the venue instead.
 */
import type { Recovered } from '../../../supervisors/recovery.ts';
import type { IdentifiedOrder } from '../../domain/order.ts';
import type { JournalStore } from '../../journal/journal.ts';

/** The last row that came from a backup. */
export const RESTORED_KEY = 'restored';

/** Ids of orders that wait in rows of before the restore. */
export async function doubtfulOrders(
  store: Pick<JournalStore, 'getMeta'>,
  { pending }: Pick<Recovered, 'pending'>,
): Promise<readonly string[]> {
  const restoredN = Number((await store.getMeta(RESTORED_KEY)) ?? 0);
  return pending.flatMap(({ event, cause }) => {
    const isOld = cause.kind === 'intent' && cause.n <= restoredN;
    if (!isOld || event.type !== 'order.submit') return [];
    return [(event.order as IdentifiedOrder).clientOrderId];
  });
}
