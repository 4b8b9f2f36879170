/**
 * Ids of the account's orders and trades as large as the venue's own have become: more than a double can hold. Inside
 * they stay as they are; on the wire each has more digits before it, and loses them on its way in.
 *
 * Invariant: what goes out comes back as what it was.
 */
import type { Params } from '../protocol.ts';

const LEAD = '9007199';
/** Ids of accounts have ten digits; nothing else under these names has. */
const IDS =
  /"(orderId|algoId|actualOrderId|id|tradeId|tranId|amendmentId|info|i|t|ai|aid)":("?)(\d{10})\2(?=[,}])/g;
const LARGE = new RegExp(`(?<!\\d)${LEAD}(\\d{10})(?!\\d)`, 'g');
const NAMES: ReadonlySet<string> = new Set(['orderid', 'algoid', 'fromid', 'orderidlist', 'batchorders']);

export const enlarged = (json: string): string => json.replace(IDS, `"$1":$2${LEAD}$3$2`);

export function reduced(params: Params): Params {
  const small = new Map(params);
  for (const [name, value] of params) if (NAMES.has(name)) small.set(name, value.replace(LARGE, '$1'));
  return small;
}
