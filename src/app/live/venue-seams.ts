/** What a live run needs of a venue, and who opens it: adapters in production, whole little venues in tests. */
import type { Config } from '../../config/schema.ts';
import type { Time } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { IdentifiedOrder } from '../../domain/order.ts';
import type { OrderId } from '../../exchange/order-names.ts';
import type { VenueKey } from '../../exchange/venue-client.ts';
import type { VenueGateway } from '../../exchange/venue-gateway.ts';
import type { LiveMarketData } from '../../market/live/live-market.ts';
import type { RateUse } from '../../operator/venue-view.ts';
import type { VenueTarget } from '../run/modes.ts';

export type { RateUse } from '../../operator/venue-view.ts';

export interface VenueRequest {
  readonly target: VenueTarget;
  readonly config: Config;
  /** The runtime's time: the venue's own, where that is not the machine's. */
  readonly time: Time;
  readonly realTime: Time;
  readonly log: Logger;
  /** Asked right before anything leaves that changes something at the venue. */
  readonly mayAct: () => boolean;
  /** Asked right before an order leaves that could open: a reason not to. */
  readonly refuses?: (order: IdentifiedOrder) => string | undefined;
  /** The journal has this order by the venue's id: a reading need not ask whose it was. */
  readonly knows?: (order: OrderId) => boolean;
  /** Only calls: no checks, no private stream. */
  readonly bare?: boolean;
  /** The key may be changed while it is open. */
  readonly mayChangeKey?: boolean;
  /** Empty: all there are; for looking around. */
  readonly symbols: readonly SymbolName[];
}

/** What was found at the venue, nothing changed. */
export interface VenueFinding {
  readonly check: string;
  readonly ok: boolean;
  /** What was found; where it is not in order, what to do comes after a colon. */
  readonly detail: string;
  /** Without it nothing starts. */
  readonly mandatory: boolean;
  /** Only looked at: a start would set something right here. */
  readonly pending?: true;
}

export interface VenueConnection {
  readonly gateway: VenueGateway;
  /** What of the venue's rate limits is used, where the adapter knows. */
  readonly rateUse?: () => RateUse;
  /** The startup checks as they would come out, where the adapter can tell without changing anything. */
  readonly check?: () => Promise<readonly VenueFinding[]>;
  /**
   * From the next call on another key of the same account signs, where the adapter can. Rejects with VENUE_REFUSED or
   * VENUE_UNREACHABLE; then the old one goes on.
   */
  readonly changeKey?: (key: VenueKey) => Promise<readonly VenueFinding[]>;
  /** All of `open` that changes nothing, where the adapter can: then `open` takes no time. May be asked again. */
  readonly prepare?: () => Promise<readonly VenueFinding[]>;
}

export interface OpenVenue {
  /** The venue's clock where it is not this machine's; undefined: it is. Throws VENUE_UNREACHABLE. */
  readonly clock: (target: VenueTarget) => Promise<number | undefined>;
  readonly gateway: (request: VenueRequest) => Promise<VenueConnection>;
  readonly market: (request: VenueRequest) => Promise<LiveMarketData>;
}
