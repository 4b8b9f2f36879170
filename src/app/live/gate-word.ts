/**
 * The host's word at the entry gate: a breaker that has opened in a row of this process, which the venue's actor has
 * not heard of yet, forbids an entry all the same. So no entry's row follows a breaker's opening row.
 *
 * Invariant: what is said stands in the row that consumed it, so a replay says the same.
 */
import type { BreakerContext } from '../../../machines/breaker.ts';
import { OPERATOR } from '../../../machines/messages.ts';
import { barsOf } from '../../../machines/operator/bars.ts';
import type { OperatorContext } from '../../../machines/operator.ts';
import type { ActorRuntime } from '../../../supervisors/actor-runtime.ts';
import type { ActorId } from '../../core/ids.ts';
import { type ActorEvent, VENUE } from '../../domain/events.ts';
import { type IdentifiedOrder, opensPosition } from '../../domain/order.ts';
import { gateReason, type OpenBreaker, type OpenBreakers } from '../../execution/entry-gate.ts';

const BREAKER = 'breaker/';

export function withGate(
  runtime: Pick<ActorRuntime, 'actorIds' | 'actor'>,
  to: ActorId,
  event: ActorEvent,
): ActorEvent {
  if (to !== VENUE || event.type !== 'order.submit') return event;
  const order = event.order as IdentifiedOrder;
  if (!opensPosition(order)) return event;
  for (const id of runtime.actorIds()) {
    if (!isBar(id)) continue;
    const gate = gateReason(openBars(id, runtime.actor(id)?.snapshotText), order);
    if (gate !== undefined) return { ...event, gate };
  }
  return event;
}

/** Actors that forbid entries by their own rows: the breakers, and the one that holds people's decisions. */
export const isBar = (actor: ActorId): boolean => actor === OPERATOR || actor.startsWith(BREAKER);

/** What the actor forbids, by the names under which the venue's door hears of it. */
export function openBars(actor: ActorId, snapshot: string | null | undefined): OpenBreakers | undefined {
  if (actor === OPERATOR)
    return snapshot ? barsOf((JSON.parse(snapshot) as { context: OperatorContext }).context) : undefined;
  const open = openBreakerOf(snapshot);
  return open && { [actor.slice(BREAKER.length)]: open };
}

/** As its newest snapshot shows it; undefined when it is not open. */
export function openBreakerOf(snapshot: string | null | undefined): OpenBreaker | undefined {
  if (!snapshot?.includes('"open":{') && !snapshot?.includes('"open":"')) return undefined;
  const { value, context } = JSON.parse(snapshot) as { value: unknown; context: BreakerContext };
  const state = typeof value === 'object' && value !== null && 'open' in value ? value.open : undefined;
  if (state !== 'reducing' && state !== 'halted') return undefined;
  const { cause, openScope } = context;
  return { state, cause: cause ?? '', ...(openScope ? { scope: openScope } : {}) };
}
