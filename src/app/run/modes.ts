/** What each mode needs before it may start. A mode that lacks something refuses, naming all of it at once. */
import { BulkheadError } from '../../core/errors.ts';
import { DEFAULT_EXCHANGE_PORT, DEMO_API_KEY, DEMO_API_SECRET } from '../../venue-server/demo-account.ts';
import type { CommandOptions } from '../cli/io.ts';

/** Where a remote venue is and who trades there. */
export interface VenueTarget {
  readonly mode: 'paper' | 'live';
  readonly restUrl: string;
  readonly streamUrl: string;
  readonly apiKey: string;
  readonly apiSecret: string;
}

const BINANCE = { restUrl: 'https://fapi.binance.com', streamUrl: 'wss://fstream.binance.com' };
const LOCAL = {
  restUrl: `http://127.0.0.1:${DEFAULT_EXCHANGE_PORT}`,
  streamUrl: `ws://127.0.0.1:${DEFAULT_EXCHANGE_PORT}`,
};

const LOOPBACK = /^(127(\.\d{1,3}){3}|localhost|\[::1\])$/;

export const isLoopback = (url: string): boolean => LOOPBACK.test(new URL(url).hostname);

type Choice = Pick<CommandOptions, 'config' | 'secrets'>;

/** The venue of a mode that has one; throws what is missing. Undefined: everything is in this process. */
export function venueTarget({ config, secrets }: Choice): VenueTarget | undefined {
  const { mode } = config;
  if (mode === 'demo') return undefined;
  const defaults = mode === 'paper' ? LOCAL : BINANCE;
  const restUrl = config.venue.restUrl ?? defaults.restUrl;
  const streamUrl = config.venue.streamUrl ?? streamBeside(restUrl, defaults);
  const missing = [...(mode === 'live' ? needsOfLive({ config, secrets }) : [])];
  for (const [key, url] of [
    ['venue.restUrl', restUrl],
    ['venue.streamUrl', streamUrl],
  ] as const) {
    if (mode === 'paper' && !isLoopback(url))
      missing.push(`an exchange on this machine: ${key} is ${url}, and paper trading never leaves it`);
    if (mode === 'live' && isLoopback(url))
      missing.push(`the venue itself: ${key} is ${url}, which is this machine`);
    if (mode === 'live' && !/^(https|wss):/.test(url))
      missing.push(`an encrypted connection: ${key} is ${url}`);
  }
  if (missing.length > 0) throw unavailable(mode, missing);
  return {
    ...{ mode, restUrl, streamUrl },
    // Looked up anew: a run may be given others.
    get apiKey() {
      return secrets.apiKey ?? DEMO_API_KEY;
    },
    get apiSecret() {
      return secrets.apiSecret ?? DEMO_API_SECRET;
    },
  };
}

/** The local exchange serves its streams where it serves its requests. */
function streamBeside(restUrl: string, defaults: typeof LOCAL): string {
  if (restUrl === defaults.restUrl || !isLoopback(restUrl)) return defaults.streamUrl;
  return restUrl.replace(/^http/, 'ws');
}

function* needsOfLive({ config, secrets }: Choice): Generator<string> {
  if (secrets.apiKey === undefined)
    yield 'an API key of the venue: set BULKHEAD_API_KEY or BULKHEAD_API_KEY_FILE';
  if (secrets.apiSecret === undefined)
    yield 'its secret: set BULKHEAD_API_SECRET or BULKHEAD_API_SECRET_FILE';
  if (config.market.symbols.length === 0)
    yield 'the symbols to trade: name them with --symbols or market.symbols; with real money none is a default';
}

const unavailable = (mode: string, missing: readonly string[]): BulkheadError =>
  new BulkheadError(
    'MODE_UNAVAILABLE',
    `Mode ${mode} cannot start. Missing:\n${missing.map((line) => `  - ${line}`).join('\n')}`,
    {
      hint:
        mode === 'paper'
          ? 'Start "bulkhead exchange" on this machine; --mode demo needs nothing at all.'
          : 'To trade without money: --mode paper beside "bulkhead exchange", or --mode demo, which needs nothing.',
    },
  );
