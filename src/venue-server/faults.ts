/**
 * What can go wrong with the venue, as data: where a fault strikes, when, and what it does.
 *
 * Invariants: a rule strikes at one kind of place; `ms` and `forMs` are real milliseconds, since time-outs are
 * (on a clock moved by hand they are that clock's); `from` and `to` are the venue's clock. Whether a request was
 * executed is never left open: each action says it.
 */
export type Span = readonly [minMs: number, maxMs: number];

/** Where a rule looks. Patterns are globs in which `*` stands for anything; any of several may fit. */
export type FaultPlace =
  /** "POST /fapi/v1/order"; `where` compares parameters. */
  | { readonly at: 'request'; readonly pattern: readonly string[] }
  /** A stream's name, or the type of a private event ("ORDER_TRADE_UPDATE"); `where` compares fields ("o.X"). */
  | { readonly at: 'event'; readonly pattern: readonly string[] }
  /** A socket that opens: "private", "market", "public". */
  | { readonly at: 'connect'; readonly pattern: readonly string[] }
  /** Each second of the venue. */
  | { readonly at: 'time' };

/** All that are given must hold. */
export interface FaultCondition {
  readonly where?: Readonly<Record<string, string>>;
  /** The nth that fits, from 1. */
  readonly nth?: number;
  readonly every?: number;
  readonly probability?: number;
  /** The venue's clock, epoch ms: from then on, and before then. */
  readonly from?: number;
  readonly to?: number;
  /** It strikes at most so often. */
  readonly times?: number;
}

/** How an answer is spoiled although the request was executed. */
export type BodyFault = 'truncated' | 'stalled' | 'html' | 'empty' | 'slow';

export type FaultAction =
  // Requests.
  /** The connection ends without an answer; `reset` ends it with RST. */
  | { readonly do: 'drop'; readonly executed: boolean; readonly reset: boolean }
  | { readonly do: 'delay'; readonly executed: boolean; readonly ms: Span }
  | {
      readonly do: 'answer';
      readonly executed: boolean;
      readonly status: number;
      readonly body: string;
      readonly html: boolean;
      /** Orders that reduce, and cancels, go through all the same. */
      readonly spareProtective: boolean;
    }
  | { readonly do: 'body'; readonly as: BodyFault }
  /** Answered from the state of so long ago. */
  | { readonly do: 'stale'; readonly ms: number }
  /** A cancel that comes too late: the order fills first, by this share. */
  | { readonly do: 'fill-first'; readonly share: number }
  // Events.
  | { readonly do: 'miss' }
  | { readonly do: 'duplicate' }
  /** After the next event of the same socket, or after `ms` when none comes. */
  | { readonly do: 'reorder'; readonly ms: number }
  | { readonly do: 'late'; readonly ms: Span }
  // Anything.
  /** Sockets that are open; 1006 ends them without a closing frame. */
  | { readonly do: 'close'; readonly sockets: string; readonly code: number }
  /** Open sockets stay open and say nothing. */
  | { readonly do: 'mute'; readonly sockets: string; readonly forMs: number }
  | { readonly do: 'refuse'; readonly forMs: number }
  | { readonly do: 'ban'; readonly forMs: number }
  | { readonly do: 'storm'; readonly forMs: number }
  | { readonly do: 'maintenance'; readonly forMs: number }
  /** The venue's clock as its gateway shows and checks it. */
  | { readonly do: 'skew'; readonly ms: number; readonly forMs: number }
  | { readonly do: 'expire-key'; readonly announce: boolean }
  /** Of the symbol, or of one drawn. */
  | { readonly do: 'halt'; readonly symbol: string | undefined; readonly forMs: number }
  /** The conditional order that the request places, or the next one to trigger, ends REJECTED at its trigger. */
  | {
      readonly do: 'reject-at-trigger';
      readonly symbol: string | undefined;
      readonly code: number;
      readonly msg: string;
    };

export type ActionName = FaultAction['do'];

export interface FaultRule {
  readonly name: string;
  readonly place: FaultPlace;
  readonly when: FaultCondition;
  readonly action: FaultAction;
}

/** Delays of a healthy venue; each is drawn evenly from its span. */
export interface Latency {
  /** From the request's arrival to its execution. */
  readonly gatewayMs: Span;
  /** From there to the answer. */
  readonly answerMs: Span;
  /** From there to the private event. */
  readonly streamMs: Span;
}

export const NO_LATENCY: Latency = { gatewayMs: [0, 0], answerMs: [0, 0], streamMs: [0, 0] };

export interface FaultScript {
  readonly rules: readonly FaultRule[];
  readonly latency: Latency;
  /** Absent: the exchange's. */
  readonly seed?: number | undefined;
}

export const NO_FAULTS: FaultScript = { rules: [], latency: NO_LATENCY };
