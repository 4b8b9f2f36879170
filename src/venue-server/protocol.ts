/**
 * What the parts of the venue server agree on: an endpoint, its request, its answer, and what it pushes.
 *
 * Invariants: a handler is synchronous, reads no clock and throws no dice: its time is `request.at`, so that the
 * journal of requests that change something replays to the same state and the same answers. What it pushes is
 * sent only after the request is journaled.
 */
import type { Json } from '../core/json.ts';

export type Security = 'none' | 'key' | 'signed';

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** Parameters of query and form together (the query wins), by lower-case name. */
export type Params = ReadonlyMap<string, string>;

export interface WireRequest {
  readonly method: HttpMethod;
  readonly path: string;
  readonly params: Params;
  /** The venue's clock, epoch ms. */
  readonly at: number;
  /** Of X-MBX-APIKEY; absent on public endpoints. */
  readonly apiKey?: string;
}

/** An answer in Binance's own error form: `{code, msg}` with an HTTP status. */
export class WireError extends Error {
  override readonly name = 'WireError';
  readonly code: number;
  readonly status: number;

  constructor(code: number, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export interface Endpoint {
  readonly method: HttpMethod;
  readonly path: string;
  readonly security: Security;
  /** Of the 2400 a minute. */
  readonly weight: number | ((params: Params) => number);
  /** Orders counted against the 300 in 10 s and 1200 a minute; 0 for what places none. */
  readonly orders?: number | ((params: Params) => number);
  /** True when it may change the venue's state: such requests are journaled and replayed. */
  readonly changes: boolean;
  /** Protective requests (reduce-only, cancels) are exempt from the overload refusal −1008. */
  readonly protective?: (params: Params) => boolean;
  readonly handle: (request: WireRequest) => Json;
}

/** Which sockets hear of it: a market or public stream's name, or the account's private stream. */
export type Push =
  | { readonly socket: 'private'; readonly account: string; readonly at: number; readonly data: Json }
  | {
      readonly socket: 'public' | 'market';
      readonly stream: string;
      readonly at: number;
      readonly data: Json;
    };

export type PushSink = (push: Push) => void;

/** Reads a parameter or throws −1102 as the venue does. */
export function required(params: Params, name: string): string {
  const value = params.get(name.toLowerCase());
  if (value === undefined || value === '')
    throw new WireError(-1102, `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`);
  return value;
}

export const optional = (params: Params, name: string): string | undefined => {
  const value = params.get(name.toLowerCase());
  return value === '' ? undefined : value;
};
