/**
 * The mark price of the moment, for words to a position that are judged by it.
 *
 * Invariant: it stands in the row that consumed the word, so a replay judges the same.
 */
import { type ActorId, actorType } from '../../core/ids.ts';
import type { ActorEvent } from '../../domain/events.ts';
import type { SymbolName } from '../../domain/instrument.ts';

const JUDGED_BY_MARK: ReadonlySet<string> = new Set([
  'MOVE_STOP',
  'EXIT_SIGNAL',
  'EXIT_OPINION',
  'REGIME',
  'FUNDING_AHEAD',
  'TIME_STOP',
]);

export function withMark(
  to: ActorId,
  event: ActorEvent,
  prices: () => Readonly<Record<SymbolName, number>>,
): ActorEvent {
  if (!JUDGED_BY_MARK.has(event.type) || actorType(to) !== 'position') return event;
  const mark = prices()[to.split('/')[1] ?? ''];
  return mark === undefined ? event : { ...event, mark };
}
