/** The port below the gateway: one request of the venue's interface, carried there and back once, signed on the way. */
export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
/** ccxt's names for the parts of Binance's interface that we use. */
export type Api = 'fapiPublic' | 'fapiPrivate' | 'fapiPrivateV3' | 'sapi';
export type WireParams = Readonly<Record<string, string | number>>;

export interface VenueRequest {
  readonly api: Api;
  readonly path: string;
  readonly method: Method;
  readonly params: WireParams;
}

export interface VenueAnswer {
  readonly value: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

export interface VenueKey {
  readonly apiKey: string;
  readonly apiSecret: string;
}

export interface VenueClientOptions extends VenueKey {
  /** Scheme, host and port that take the place of Binance's own; undefined: Binance itself. */
  readonly origin: string | undefined;
  readonly recvWindowMs: number;
  /** The venue's clock: every signed request carries it. */
  readonly venueNow: () => number;
}

export interface VenueClient {
  /** Sends it once. Throws a VenueFailure and nothing else. `onHeaders` hears of refusals' headers too. */
  send(
    request: VenueRequest,
    signal: AbortSignal,
    onHeaders?: (headers: VenueAnswer['headers']) => void,
  ): Promise<VenueAnswer>;
  close(): Promise<void>;
}
