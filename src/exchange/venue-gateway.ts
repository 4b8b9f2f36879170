/**
 * The port to a remote venue: does what one call says, once, and says how that ended. It never retries anything
 * that could open, and never throws: whatever goes wrong is an outcome.
 *
 * Invariants: a submit leaves at most once for each call; nothing is sent when `mayAct()` is false or `sendBy`
 * has passed (outcome rejected, code 0: never sent); every call ends within its deadline, body included; reads
 * may be retried inside it. Events of the private stream come losslessly and in the order received.
 */
import type { Instrument, SymbolName } from '../domain/instrument.ts';
import type { RemoteAnswers, RemoteCall, RemoteEvent, RemoteOutcome } from '../domain/remote.ts';

export type GatewayEvent =
  | { readonly type: 'stream'; readonly event: RemoteEvent }
  /** The private stream is up; whatever happened before it is known only from a full reading. */
  | { readonly type: 'stream-up' }
  | { readonly type: 'stream-down'; readonly reason: string }
  /** The venue refuses us for its rate limits: 429, or 418 with the ban's end. */
  | { readonly type: 'throttled'; readonly code: 429 | 418; readonly untilMs: number }
  | { readonly type: 'clock'; readonly offsetMs: number; readonly roundTripMs: number }
  /** Every call, for breakers and metrics. */
  | {
      readonly type: 'called';
      readonly call: RemoteCall['call'];
      readonly outcome: RemoteOutcome<unknown>['outcome'];
      readonly latencyMs: number;
    };

/** What the venue's account allows and is set to, as the startup checks find it. */
export interface VenueCheck {
  readonly check: string;
  readonly ok: boolean;
  /** What is wrong and what to do, or what was found. */
  readonly detail: string;
}

export interface VenueGateway {
  readonly name: string;
  /** Loads markets and clock, runs the startup checks, opens the private stream. Throws a BulkheadError. */
  open(onEvent: (event: GatewayEvent) => void): Promise<readonly VenueCheck[]>;
  /** The instruments as they are now, with filters and leverage brackets. */
  instruments(symbols?: readonly SymbolName[]): Promise<readonly Instrument[]>;
  call<C extends RemoteCall>(call: C): Promise<RemoteOutcome<RemoteAnswers[C['call']]>>;
  /** The venue's clock now, epoch ms. */
  venueNow(): number;
  close(): Promise<void>;
}
