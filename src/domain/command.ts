/**
 * What a person may ask of a run, whichever way it comes: command line, HTTP, Telegram. One closed union, so that
 * every way offers the same and the audit names it the same.
 */
import type { Decimal } from '../core/decimal.ts';
import type { ActorId } from '../core/ids.ts';
import type { Json } from '../core/json.ts';
import type { SymbolName } from './instrument.ts';
import type { Direction } from './order.ts';

/** Each may do what those before it may. */
export const ROLES = ['viewer', 'trader', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export const CHANNELS = ['cli', 'http', 'telegram', 'signal'] as const;
export type Channel = (typeof CHANNELS)[number];

export interface Who {
  readonly name: string;
  readonly role: Role;
  readonly channel: Channel;
}

/** Which entries a person wants: both sides, one of them, none. */
export const MARKET_DIRECTIONS = ['both', 'long', 'short', 'none'] as const;
export type MarketDirection = (typeof MARKET_DIRECTIONS)[number];

/** What an actor is told, before the runtime adds when. */
export interface TestEvent {
  readonly type: string;
  readonly [field: string]: Json;
}

export type ListChange = 'add' | 'remove' | 'clear';

export type Command =
  /** Entries again, whatever a person forbade as a whole. */
  | { readonly kind: 'start' }
  /** No entries until started; what is open is run to its end. */
  | { readonly kind: 'stop'; readonly reason?: string }
  /** No entries until resumed, or for so long by the runtime's clock. */
  | { readonly kind: 'pause'; readonly minutes?: number; readonly reason?: string }
  | { readonly kind: 'resume' }
  /** All of it, or this share of what is open: more than 0, less than 1. */
  | {
      readonly kind: 'close';
      readonly symbol: SymbolName;
      /** Only this side; where a symbol may be held on both. */
      readonly direction?: Direction;
      readonly share?: Decimal;
    }
  | { readonly kind: 'close-all' }
  | {
      readonly kind: 'move-stop';
      readonly symbol: SymbolName;
      readonly direction?: Direction;
      readonly price: Decimal;
      /** Also beyond the risk that was approved, or against the trail. */
      readonly loosen?: boolean;
    }
  /** Goes through risk like any entry. Without a stop: where the strategy's volatility puts it. */
  | {
      readonly kind: 'force-entry';
      readonly symbol: SymbolName;
      readonly direction: Direction;
      readonly stopPrice?: Decimal;
    }
  | {
      readonly kind: 'blacklist' | 'whitelist';
      readonly change: ListChange;
      readonly symbols: readonly SymbolName[];
    }
  | { readonly kind: 'direction'; readonly direction: MarketDirection }
  | {
      readonly kind: 'lock';
      readonly symbol: SymbolName;
      readonly minutes: number;
      readonly direction?: Direction;
      readonly reason: string;
    }
  | { readonly kind: 'unlock'; readonly symbol: SymbolName }
  | { readonly kind: 'trip' | 'release'; readonly breaker: string; readonly reason: string }
  | { readonly kind: 'kill'; readonly reason: string; readonly accountWide?: boolean }
  | { readonly kind: 'release-kill'; readonly reason: string }
  | { readonly kind: 'adopt' | 'ignore'; readonly symbol: SymbolName }
  /** In a demo alone: an event as if it had happened, to see what an actor makes of it. */
  | { readonly kind: 'test-event'; readonly actor: ActorId; readonly event: TestEvent }
  /** Keys with their new values; null: the default. */
  | {
      readonly kind: 'config-set';
      readonly changes: { readonly [key: string]: Json };
      readonly reason: string;
    }
  | { readonly kind: 'config-rollback'; readonly version: number; readonly reason: string }
  | { readonly kind: 'config-reload'; readonly reason: string };

export type CommandKind = Command['kind'];
export type CommandOf<K extends CommandKind> = Extract<Command, { readonly kind: K }>;

/** How a command ended; the code is stable, the text is for people. */
export interface Verdict {
  readonly outcome: 'accepted' | 'refused';
  readonly code: string;
  readonly text: string;
}
