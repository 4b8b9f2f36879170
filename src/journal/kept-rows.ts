/**
 * What is kept of a row when it is removed, so that statistics, exports and the stories of positions stay what they
 * were: the event, its cause and what it asked for, without the snapshot and the host's state.
 *
 * Invariant: of every actor that is over at least the last row is kept, so that its name, from which order ids derive,
 * is never given again.
 */

import { OPERATOR } from '../../machines/messages.ts';
import { actorType } from '../core/ids.ts';
import { type ActorEvent, PORTFOLIO, VENUE } from '../domain/events.ts';
import type { KeptRow } from './cut-types.ts';
import type { JournalRow } from './journal.ts';

/** Undefined: nothing of it is kept. */
export function keptOf(row: JournalRow): KeptRow | undefined {
  const { n, actor, event, intents, final } = row;
  const whole: KeptRow = { n, withSnapshot: final, event: null };
  if (final || actorType(actor) === 'position' || actor === OPERATOR) return whole;
  if (actor === PORTFOLIO) return ofPortfolio(row);
  if (actor === VENUE) return undefined;
  const isOfOrders = event.startsWith('{"type":"ORDER_') || intents.includes('"order.submit"');
  return isOfOrders ? whole : undefined;
}

const TOLD = new Set(['POSITION_CLOSED', 'WALLET_CHANGED', 'CONFIRM']);

function ofPortfolio({ n, event }: JournalRow): KeptRow | undefined {
  const { type, entry, at } = JSON.parse(event) as ActorEvent & { entry?: unknown; at?: unknown };
  if (TOLD.has(type)) return { n, withSnapshot: false, event: null };
  // The market as it was told with the question is most of the row.
  if (type === 'ASSESS') return { n, withSnapshot: false, event: JSON.stringify({ type, at, entry }) };
  return undefined;
}

/** The row as it is kept. */
export const keptRow = (row: JournalRow, { withSnapshot, event }: KeptRow): JournalRow => ({
  ...row,
  event: event ?? row.event,
  snapshot: withSnapshot ? row.snapshot : null,
  host: '{}',
});
