/**
 * Where the venue is. Paper trading speaks to this machine and nothing else; live trading to the venue itself: an
 * address of the wrong kind is refused before anything is sent, so that neither is ever taken for the other.
 */
import { BulkheadError } from '../../core/errors.ts';

export type VenueMode = 'paper' | 'live';

export interface VenueAddress {
  /** Undefined: Binance's own addresses. */
  readonly rest: string | undefined;
  readonly stream: string;
}

const BINANCE_STREAMS = 'wss://fstream.binance.com';
const BINANCE_REST = 'https://fapi.binance.com';
const PAPER_HINT =
  'Start `bulkhead exchange` and name its address, e.g. http://127.0.0.1:7700 and ws://127.0.0.1:7700.';
const LIVE_HINT = `Leave the address out for Binance itself, or use mode "paper" for a venue on this machine.`;

export const isLoopback = (url: URL): boolean =>
  url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(url.hostname);

export function venueAddress(
  mode: VenueMode,
  restUrl: string | undefined,
  streamUrl: string | undefined,
): VenueAddress {
  if (mode === 'paper') {
    const rest = parse('venue.restUrl', restUrl, ['http:', 'https:'], PAPER_HINT);
    const stream = parse('venue.streamUrl', streamUrl, ['ws:', 'wss:'], PAPER_HINT);
    for (const url of [rest, stream]) {
      if (!isLoopback(url))
        throw wrong(`Paper mode speaks to this machine only, not to ${url.host}.`, PAPER_HINT);
    }
    return { rest: rest.origin, stream: stream.origin };
  }
  const rest = parse('venue.restUrl', restUrl ?? BINANCE_REST, ['https:'], LIVE_HINT);
  const stream = parse('venue.streamUrl', streamUrl ?? BINANCE_STREAMS, ['wss:'], LIVE_HINT);
  for (const url of [rest, stream]) {
    if (isLoopback(url)) throw wrong(`Live mode does not trade on this machine (${url.host}).`, LIVE_HINT);
  }
  return { rest: rest.origin === BINANCE_REST ? undefined : rest.origin, stream: stream.origin };
}

function parse(name: string, text: string | undefined, schemes: readonly string[], hint: string): URL {
  const url = text === undefined || !URL.canParse(text) ? undefined : new URL(text);
  if (!url) throw wrong(`${name} is no address.`, hint);
  if (url.username !== '' || url.password !== '') throw wrong(`${name} holds a user or a password.`, hint);
  if (!schemes.includes(url.protocol)) {
    throw wrong(`${name} must begin with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}.`, hint);
  }
  return url;
}

const wrong = (message: string, hint: string): BulkheadError =>
  new BulkheadError('CONFIG_INVALID', message, { hint });
