/**
 * How the machines are written: every behaviour is a pure function from (context, event) to the next context
 * and the intents it wants done; the chart says when it runs.
 *
 * Invariants: a step never reads a clock (time is the event's `at`); context holds no undefined values;
 * an event that a state has no answer for is recorded and reported, never dropped.
 */
import type { ActorId } from '../src/core/ids.ts';
import type { Json } from '../src/core/json.ts';
import type { ActorEvent, Emitted, Level } from '../src/domain/events.ts';

export interface Step<C> {
  readonly context: C;
  readonly intents: readonly Emitted[];
}

export const step = <C>(context: C, ...intents: readonly Emitted[]): Step<C> => ({ context, intents });

/** Runs steps one after the other, each on the context the one before left. */
export function chain<C>(start: C, ...steps: readonly ((context: C) => Step<C>)[]): Step<C> {
  let context = start;
  const intents: Emitted[] = [];
  for (const next of steps) {
    const result = next(context);
    context = result.context;
    intents.push(...result.intents);
  }
  return { context, intents };
}

export const send = (to: ActorId, event: ActorEvent): Emitted => ({ type: 'send', to, event });

export const notify = (level: Level, text: string, data?: Json): Emitted =>
  data === undefined ? { type: 'notify', level, text } : { type: 'notify', level, text, data };

/** The last `limit` entries: every list in a context is bounded. */
export const bounded = <T>(list: readonly T[], entry: T, limit: number): readonly T[] =>
  [...list, entry].slice(-limit);

/** State timers carry no time of their own when a plain XState clock fires them; the last known time stands in. */
export function timeOf(context: { readonly at: number }, event: { readonly at?: unknown }): number {
  return typeof event.at === 'number' ? event.at : context.at;
}

/** The events that arrived in a state with no answer to them. */
export interface Unexpected {
  readonly count: number;
  readonly recent: readonly { readonly type: string; readonly at: number }[];
}

export const NOTHING_UNEXPECTED: Unexpected = { count: 0, recent: [] };

const REMEMBERED = 8;

export function unexpected<C extends { readonly at: number; readonly unexpected: Unexpected }>(
  who: string,
  context: C,
  event: { readonly type: string; readonly at?: unknown },
): Step<C> {
  const at = timeOf(context, event);
  const { count, recent } = context.unexpected;
  return step(
    {
      ...context,
      at,
      unexpected: { count: count + 1, recent: bounded(recent, { type: event.type, at }, REMEMBERED) },
    },
    notify('warning', `${who}: ${event.type} was not expected here; recorded and not acted on`),
  );
}
