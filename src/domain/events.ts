/**
 * What travels between actors, the venue and the host: intents (what a machine wants done) and messages (what
 * an actor is told). Both are plain JSON, both are closed unions.
 *
 * Invariants: a machine emits intents and does nothing else; an intent exists for others only once its row is
 * durable; every message with a durable cause is consumed by exactly one row of its receiver.
 */
import type { ActorId } from '../core/ids.ts';
import type { Json } from '../core/json.ts';
import type { SymbolName } from './instrument.ts';
import type { IdentifiedOrder, OrderRequest } from './order.ts';
import type { RemoteCall } from './remote.ts';

/** What an actor is told. The host adds `at` (epoch ms) before the machine sees it. */
export interface ActorEvent {
  readonly type: string;
  readonly [key: string]: unknown;
}

export type Level = 'info' | 'warning' | 'critical';

/** What a machine may emit. */
export type Emitted =
  /** Tells another actor something. */
  | { readonly type: 'send'; readonly to: ActorId; readonly event: ActorEvent }
  | { readonly type: 'order.submit'; readonly order: OrderRequest }
  | { readonly type: 'order.cancel'; readonly ref: string; readonly symbol: SymbolName }
  | { readonly type: 'leverage.set'; readonly symbol: SymbolName; readonly leverage: number }
  /** The executor's own: done at the remote venue once the row is durable, at most once, never after a restart. */
  | { readonly type: 'venue.call'; readonly call: RemoteCall }
  /** Starts a durable actor (say a position); `machine` is a registered machine type. */
  | { readonly type: 'actor.start'; readonly actor: ActorId; readonly machine: string; readonly input: Json }
  /**
   * A durable timer of this actor. 'named' survives state changes, 'event' is cancelled by any later event;
   * state timers are the statechart's own `after`. The event comes back with the timer's deadline as `due`.
   */
  | {
      readonly type: 'timer.set';
      readonly id: string;
      readonly kind: 'named' | 'event';
      readonly delayMs: number;
      readonly event: ActorEvent;
    }
  | { readonly type: 'timer.clear'; readonly id: string }
  /** Keeps the event being handled until the machine's state value changes; then it is delivered again. */
  | { readonly type: 'postpone' }
  /** Tells people. Sinks are at-most-once across a crash. */
  | { readonly type: 'notify'; readonly level: Level; readonly text: string; readonly data?: Json };

/** An intent as it stands in a row: orders carry the identity that the host stamped. */
export type Intent =
  | Exclude<Emitted, { type: 'order.submit' | 'timer.set' | 'timer.clear' | 'postpone' }>
  | { readonly type: 'order.submit'; readonly order: IdentifiedOrder };

/**
 * Why a row exists. An `intent` cause names the row and the index of the intent that it consumes; an `input`
 * is a step of market time; a `timer` is the actor's own; `external` is a person or a socket.
 */
export type Cause =
  | { readonly kind: 'intent'; readonly n: number; readonly i: number }
  | { readonly kind: 'input'; readonly phase: InputPhase; readonly at: number }
  | { readonly kind: 'timer'; readonly id: string; readonly due: number }
  | { readonly kind: 'postponed'; readonly seq: number }
  | { readonly kind: 'external'; readonly id: string };

/** The order of things within one instant of market time: the venue fills, then actors look, then timers. */
export type InputPhase = 'venue' | 'market';

export interface Message {
  readonly to: ActorId;
  readonly event: ActorEvent;
  readonly cause: Cause;
}

/** One well-known actor per role that exists once. */
export const VENUE: ActorId = 'venue';
export const PORTFOLIO: ActorId = 'portfolio';
export const GUARDIAN: ActorId = 'guardian';
