/** Where an intent goes, as a message to exactly one actor; undefined for what needs no answer. */

import { unreachable } from '../src/core/assert.ts';
import type { ActorId } from '../src/core/ids.ts';
import { type Intent, type Message, VENUE } from '../src/domain/events.ts';

export function route(intent: Intent, from: ActorId, n: number, i: number): Message | undefined {
  const cause = { kind: 'intent', n, i } as const;
  switch (intent.type) {
    case 'send':
      return { to: intent.to, event: intent.event, cause };
    case 'order.submit':
      return { to: VENUE, event: { type: intent.type, order: intent.order }, cause };
    case 'order.cancel':
      return {
        to: VENUE,
        event: { type: intent.type, owner: from, ref: intent.ref, symbol: intent.symbol },
        cause,
      };
    case 'leverage.set':
      return {
        to: VENUE,
        event: { type: intent.type, owner: from, symbol: intent.symbol, leverage: intent.leverage },
        cause,
      };
    case 'actor.start':
      return {
        to: intent.actor,
        event: { type: 'actor.start', machine: intent.machine, input: intent.input },
        cause,
      };
    case 'notify':
    case 'venue.call':
      return undefined;
    default:
      return unreachable(intent);
  }
}
