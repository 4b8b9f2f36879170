/**
 * The log's part in a position's life: a line for each thing that happened to it and to its orders, at the desk that
 * began it, in its own rows, at the venue, in the portfolio that took its result.
 *
 * Invariant: each line says the actor and the row; the position where there is one, the client order id where an order
 * is meant, and which intent it follows from (`cause`, as ROW.INDEX) or is (`intent`). So a search for a position's id or
 * an order's client id finds the whole of it, and one for an intent what became of it.
 */
import type { Committed } from '../../../supervisors/actor-runtime.ts';
import { type ActorId, actorType } from '../../core/ids.ts';
import type { LogFields, Logger } from '../../core/logger.ts';
import { Recent } from '../../core/recent.ts';
import { type ActorEvent, type Cause, GUARDIAN, type Intent, PORTFOLIO, VENUE } from '../../domain/events.ts';
import type { CallEnded, RemoteCall, RemoteEvent } from '../../domain/remote.ts';
import { tellEvent } from '../results/story-words.ts';

/** What every order is known by, wherever it turns up. */
interface OrderName {
  readonly clientOrderId: string;
  readonly position?: ActorId;
}

/** Asked only where there is something to say: most rows say nothing here. */
type Where = () => LogFields;

/** Every quarter of an hour, or with each price: worth a line only where something follows from it. */
const COMMON = new Set(['BAR_CLOSED', 'PRICE']);

export class LifeLog {
  readonly #say: (message: string, fields: LogFields) => void;
  readonly #owners = new Recent<string, ActorId>();
  readonly #calls = new Recent<string, OrderName>();

  /** A demo lives a month in an hour: there it speaks only where somebody asks for it. */
  constructor(log: Logger, level: 'info' | 'debug') {
    this.#say = (message, fields) => log[level](message, fields);
  }

  /** An observer of committed rows. */
  readonly observe = ({ row, event, cause, intents }: Committed): void => {
    const { actor, n, at } = row;
    const where = (): LogFields => ({ actor, n, marketTime: new Date(at).toISOString(), ...causeOf(cause) });
    if (actorType(actor) === 'position')
      this.#position(event, cause, () => ({ ...where(), position: actor }));
    else if (actor === VENUE) this.#venue(event, where);
    else if (actor === PORTFOLIO && event.type === 'POSITION_CLOSED')
      this.#say('position closed', { ...where(), position: event.actor, reason: event.reason });
    for (const [i, intent] of intents.entries())
      this.#intent(intent, actor, () => ({ ...where(), intent: `${n}.${i}` }));
  };

  #position(event: ActorEvent, cause: Cause, where: Where): void {
    if (cause.kind === 'postponed' || COMMON.has(event.type)) return;
    const { clientOrderId, ref } = event;
    this.#say(tellEvent(event, cause).what, {
      ...where(),
      ...(typeof clientOrderId === 'string' ? { clientOrderId } : {}),
      ...(typeof ref === 'string' ? { ref } : {}),
    });
  }

  #intent(intent: Intent, actor: ActorId, where: Where): void {
    const own = actorType(actor) === 'position' ? { position: actor } : {};
    switch (intent.type) {
      case 'actor.start':
        if (actorType(intent.actor) === 'position')
          this.#say('position started', { ...where(), position: intent.actor });
        break;
      case 'order.submit': {
        const { ref, clientOrderId, side, type, quantity, triggerPrice, owner } = intent.order;
        this.#owners.set(clientOrderId, owner);
        this.#say('order wanted', {
          ...where(),
          ...(owner === GUARDIAN ? {} : { position: owner }),
          ...{ clientOrderId, ref, side, type, quantity, triggerPrice },
        });
        break;
      }
      case 'order.cancel':
        this.#say('cancel wanted', { ...where(), ...own, ref: intent.ref });
        break;
      case 'venue.call':
        this.#call(intent.call, where);
        break;
      default:
        break;
    }
  }

  #call(call: RemoteCall, where: Where): void {
    if (call.call === 'submit') this.#owners.set(call.order.clientOrderId, call.order.owner);
    const clientOrderId = call.call === 'submit' ? call.order.clientOrderId : orderOf(call);
    if (clientOrderId === undefined) return;
    const name = this.#nameOf(clientOrderId);
    this.#calls.set(call.id, name);
    this.#say(`venue: ${call.call} is sent`, { ...where(), ...name, call: call.id });
  }

  #venue(event: ActorEvent, where: Where): void {
    if (event.type === 'CALL_ENDED') {
      const { call, id, result } = event as unknown as CallEnded;
      const name = this.#calls.take(id);
      if (!name) return;
      const reason = result.outcome === 'done' ? {} : { reason: result.reason };
      this.#say(`venue: ${call} ended: ${result.outcome}`, { ...where(), ...name, call: id, ...reason });
      return;
    }
    if (event.type !== 'STREAM') return;
    const told = event.event as RemoteEvent;
    if (told.kind !== 'order' && told.kind !== 'algo') return;
    const { clientOrderId, status } = told.kind === 'order' ? told.order : told.algo;
    this.#say(`venue: the stream says ${status}`, { ...where(), ...this.#nameOf(clientOrderId) });
  }

  #nameOf(clientOrderId: string): OrderName {
    const owner = this.#owners.get(clientOrderId);
    return { clientOrderId, ...(owner === undefined || owner === GUARDIAN ? {} : { position: owner }) };
  }
}

const orderOf = (call: RemoteCall): string | undefined =>
  call.call === 'cancel' || call.call === 'query' ? call.clientOrderId : undefined;

const causeOf = (cause: Cause): LogFields => {
  switch (cause.kind) {
    case 'intent':
      return { cause: `${cause.n}.${cause.i}` };
    case 'input':
      return { cause: cause.phase };
    case 'timer':
      return { cause: `timer ${cause.id}` };
    case 'postponed':
      return { cause: `postponed ${cause.seq}` };
    case 'external':
      return { cause: cause.id };
    default:
      return {};
  }
};
