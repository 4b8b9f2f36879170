/** The flags of `bulkhead exchange` as its options; what cannot be is a USAGE error that names the flag. */
import { resolve } from 'node:path';
import { DEFAULT_EXCHANGE_PORT, DEMO_API_KEY } from '../../venue-server/demo-account.ts';
import { isVariant, VARIANTS, type Variant } from '../../venue-server/variants.ts';
import type { Speed } from '../../venue-server/venue-clock.ts';
import { type ParsedCommand, usage } from '../cli/cli-parse.ts';

export type ExchangeSource =
  | { readonly kind: 'recording'; readonly path: string }
  | { readonly kind: 'synthetic' }
  | LiveSource;

/** Whose protocol another venue's market speaks. */
const PROTOCOLS = ['binance', 'bybit', 'okx'] as const;

export interface LiveSource {
  readonly kind: 'live';
  readonly protocol: (typeof PROTOCOLS)[number];
  /** Scheme, host and port; absent: the venue itself. */
  readonly url: string | undefined;
}

export interface ExchangeOptions {
  readonly port: number;
  readonly adminPort: number;
  readonly source: ExchangeSource;
  readonly symbols: readonly string[];
  readonly speed: Speed;
  /** Epoch ms; absent: now, for a generated market in real time; else a little after the market's beginning. */
  readonly startAt: number | undefined;
  readonly stateDir: string | undefined;
  readonly sync: boolean;
  readonly journalFile: string | undefined;
  /** A folder in which the market is written down. */
  readonly recordDir: string | undefined;
  /** A preset's name or a file's path. */
  readonly faults: string;
  readonly seed: number;
  readonly balance: string;
  readonly apiKey: string;
  readonly apiSecretFile: string | undefined;
  readonly hedge: boolean;
  readonly maxConditionalOrders: number | undefined;
  readonly legacyStreams: boolean;
  readonly variants: readonly Variant[];
  readonly untilEnd: boolean;
  readonly json: boolean;
}

const LARGEST_PORT = 65_535;
const DEFAULT_SEED = 42;

export function exchangeOptions({ flags }: ParsedCommand, cwd: string): ExchangeOptions {
  const text = (name: string): string | undefined => {
    const value = flags.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  const path = (name: string): string | undefined => {
    const value = text(name);
    return value === undefined ? undefined : resolve(cwd, value);
  };
  const port = whole('port', text('port'), 0, LARGEST_PORT) ?? DEFAULT_EXCHANGE_PORT;
  const apiKey = text('api-key');
  const apiSecretFile = path('api-secret-file');
  if ((apiKey === undefined) !== (apiSecretFile === undefined))
    throw usage(
      '--api-key and --api-secret-file belong together.',
      'Give both, or neither for the demo pair.',
    );
  const symbols = text('symbols')?.split(',') ?? [];
  return {
    port,
    adminPort: whole('admin-port', text('admin-port'), 0, LARGEST_PORT) ?? (port === 0 ? 0 : port + 1),
    source: source(text('recording'), flags.has('synthetic'), text('live-feed'), cwd),
    symbols: symbols.map((symbol) => symbol.trim().toUpperCase()).filter((symbol) => symbol !== ''),
    speed: speed(text('speed')),
    startAt: moment(text('start')),
    stateDir: path('state'),
    sync: flags.has('sync'),
    journalFile: path('journal'),
    recordDir: path('record'),
    faults: text('faults') ?? 'none',
    seed: whole('seed', text('seed'), 0, Number.MAX_SAFE_INTEGER) ?? DEFAULT_SEED,
    balance: amount(text('balance') ?? '10000'),
    apiKey: apiKey ?? DEMO_API_KEY,
    apiSecretFile,
    hedge: flags.has('hedge'),
    maxConditionalOrders: whole(
      'max-conditional-orders',
      text('max-conditional-orders'),
      1,
      Number.MAX_SAFE_INTEGER,
    ),
    legacyStreams: flags.has('legacy-streams'),
    variants: variants(text('variants')),
    untilEnd: flags.has('until-end'),
    json: flags.has('json'),
  };
}

function source(
  recording: string | undefined,
  synthetic: boolean,
  live: string | undefined,
  cwd: string,
): ExchangeSource {
  const given = [recording !== undefined, synthetic, live !== undefined].filter(Boolean).length;
  if (given > 1)
    throw usage('--recording, --synthetic and --live-feed exclude each other.', 'One market at a time.');
  if (recording !== undefined) return { kind: 'recording', path: resolve(cwd, recording) };
  if (live === undefined) return { kind: 'synthetic' };
  return liveSource(live);
}

/** "bybit", "bybit@http://127.0.0.1:7800", or an address alone, which speaks Binance's protocol. */
function liveSource(live: string): LiveSource {
  const [name = '', ...rest] =
    live.includes('://') && !live.includes('@') ? ['binance', live] : live.split('@');
  const protocol = PROTOCOLS.find((known) => known === name);
  const url = rest.length === 0 ? undefined : rest.join('@');
  if (protocol === undefined || (url !== undefined && !/^https?:\/\/[^/@]+\/?$/.test(url)))
    throw usage(
      `--live-feed ${live} is no market.`,
      `${PROTOCOLS.join(', ')}, or an address such as http://127.0.0.1:7700 (with bybit@ or okx@ before it, where it speaks their protocol).`,
    );
  return { kind: 'live', protocol, url: url?.replace(/\/$/, '') };
}

function variants(text = ''): readonly Variant[] {
  const names = text.split(',').map((name) => name.trim());
  const known = names.filter(isVariant);
  const unknown = names.find((name) => name !== '' && !isVariant(name));
  if (unknown === undefined) return known;
  throw usage(`--variants ${unknown} is not known.`, `Known: ${Object.keys(VARIANTS).join(', ')}.`);
}

function whole(name: string, text: string | undefined, from: number, to: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text) && Number(text) >= from && Number(text) <= to) return Number(text);
  const range = to === Number.MAX_SAFE_INTEGER ? `from ${from}` : `from ${from} to ${to}`;
  throw usage(`--${name} ${text} is not a whole number ${range}.`, 'Try: bulkhead exchange --help');
}

function speed(text: string | undefined): Speed {
  if (text === undefined) return 1;
  if (text === 'manual') return 'manual';
  const factor = text.trim() === '' ? Number.NaN : Number(text);
  if (factor > 0 && factor <= 1_000) return factor;
  throw usage(
    `--speed ${text} is neither a number above 0 (up to 1000) nor "manual".`,
    'At 60 a minute of the venue passes in a second.',
  );
}

function moment(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const at = /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  throw usage(`--start ${text} is no time with its zone.`, 'Such as 2025-05-04T12:00:00Z.');
}

function amount(text: string): string {
  if (/^\d+(\.\d+)?$/.test(text) && Number(text) > 0) return text;
  throw usage(`--balance ${text} is no amount above 0.`, 'In USDT, such as 10000.');
}
