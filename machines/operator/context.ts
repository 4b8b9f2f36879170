/**
 * What people have decided about trading, and what was answered to them. Plain JSON, null instead of undefined;
 * every list is bounded by the symbols there are, or by a number.
 */

import type { ActorId } from '../../src/core/ids.ts';
import type { Json } from '../../src/core/json.ts';
import type { Command, MarketDirection, Verdict, Who } from '../../src/domain/command.ts';
import type { SymbolName } from '../../src/domain/instrument.ts';
import type { Direction } from '../../src/domain/order.ts';
import { type Moded, moded, modeOf } from '../../src/domain/position-key.ts';
import type { Signal } from '../../src/domain/signal.ts';
import type { Timed } from '../messages.ts';
import { NOTHING_UNEXPECTED, type Unexpected } from '../step.ts';

export interface OperatorInput extends Moded {
  readonly at: number;
  /** Everything this run may trade: a whitelist forbids the rest. */
  readonly symbols: readonly SymbolName[];
}

/** Who decided it, and when by the runtime's clock. */
export interface Mark {
  readonly by: string;
  readonly at: number;
  readonly reason: string | null;
}

export interface Pause extends Mark {
  readonly until: number | null;
}

export interface Lock extends Mark {
  readonly until: number;
  /** Null: both sides. */
  readonly direction: Direction | null;
}

export interface Answered extends Verdict {
  readonly id: string;
}

export interface OperatorContext extends Moded {
  readonly at: number;
  readonly symbols: readonly SymbolName[];
  readonly stopped: Mark | null;
  readonly paused: Pause | null;
  readonly direction: { readonly allowed: MarketDirection; readonly mark: Mark | null };
  readonly blacklist: { readonly [symbol: string]: Mark };
  /** Empty: every symbol. */
  readonly whitelist: { readonly [symbol: string]: Mark };
  readonly locks: { readonly [symbol: string]: Lock };
  /** The newest last: a command that comes again gets its first answer. */
  readonly answered: readonly Answered[];
  readonly counts: { readonly [outcome: string]: number };
  readonly unexpected: Unexpected;
}

export type CommandGiven = {
  readonly type: 'COMMAND';
  /** Unique for what the person did; the same again does nothing twice. */
  readonly id: string;
  readonly command: Command;
  readonly who: Who;
  /** Real epoch ms at which it was given. */
  readonly issuedAt: number;
  /** Refused before it came here, for the record. */
  readonly refused?: { readonly code: string; readonly text: string };
  /** Done before it came here (the kill switch, the configuration), for the record. */
  readonly done?: string;
  /** The actors that it concerns, as the host knows them. */
  readonly targets?: readonly ActorId[];
  /** Of a forced entry: what a strategy would have said. */
  readonly signal?: Extract<Signal, { kind: 'enter' }>;
  readonly data?: Json;
} & Timed;

export type OperatorEvent =
  | CommandGiven
  | ({ readonly type: 'PAUSE_OVER'; readonly until: number } & Timed)
  | ({ readonly type: 'LOCK_OVER'; readonly symbol: SymbolName; readonly until: number } & Timed);

export const initialOperator = ({ at, symbols, ...input }: OperatorInput): OperatorContext => ({
  at,
  symbols,
  ...moded(modeOf(input)),
  stopped: null,
  paused: null,
  direction: { allowed: 'both', mark: null },
  blacklist: {},
  whitelist: {},
  locks: {},
  answered: [],
  counts: {},
  unexpected: NOTHING_UNEXPECTED,
});
