/**
 * What a journal was begun with and cannot change under it: the market, the venue's rules and the strategy.
 * Rows are replayed against these; another market would mix two times, another slippage two accounts. The limits
 * may change: the actors are told (config-settings.ts), and the identity remembers those of the newest start.
 */
import type { Config } from '../../config/schema.ts';
import type { Decimal } from '../../core/decimal.ts';
import { BulkheadError } from '../../core/errors.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { type Moded, moded, modeOf } from '../../domain/position-key.ts';
import type { JournalStore, Lease } from '../../journal/journal.ts';
import { type MarketIdentity, type OpenedMarket, openMarket } from '../compose/open-market.ts';

export interface RunIdentity extends Moded {
  readonly market: MarketIdentity;
  readonly paper: Config['paper'];
  readonly strategy: Config['strategy'];
  readonly limits: Limits;
  /** As they were at the beginning; a remote venue's may change, and the desks hear of it. */
  readonly instruments: readonly Instrument[];
  /** Of a run against a remote venue. */
  readonly venue?: VenueIdentity;
}

/** What the executor's rows are replayed against. */
export interface VenueIdentity extends Pick<Config['venue'], (typeof VENUE_KEYS)[number]> {
  /** Play money and real money never share a journal. */
  readonly mode: 'paper' | 'live';
  /** What the wallet held when this account was first taken over. */
  readonly wallet: Decimal;
}

export type RemoteIdentity = RunIdentity & { readonly venue: VenueIdentity };

type Limits = Pick<Config, (typeof LIMITS)[number]>;

const LIMITS = ['risk', 'entry', 'position', 'breakers'] as const;
/** The executor's rows are replayed by these, for ever. */
const FIXED_VENUE_KEYS = ['timeFactor', 'recvWindowMs', 'callTimeoutMs', 'marginMode'] as const;
/** With those that it begins with, and of which it is told when they change. */
const VENUE_KEYS = [
  ...FIXED_VENUE_KEYS,
  'reconcileEveryMs',
  'foreign',
  'maxSignalAgeMs',
  'guardBoundMs',
] as const;

const KEY = 'run';

export async function readIdentity(store: JournalStore): Promise<RunIdentity | undefined> {
  const text = await store.getMeta(KEY);
  return text === undefined ? undefined : (JSON.parse(text) as RunIdentity);
}

export interface OpenedRun extends OpenedMarket {
  readonly instruments: readonly Instrument[];
}

/** Opens the market; a new journal remembers it, an old one insists on its own. */
export async function openRun(
  config: Config,
  cwd: string,
  store: JournalStore,
  lease: Lease,
): Promise<OpenedRun> {
  const known = await readIdentity(store);
  if (known?.venue) throw otherMode(known.venue.mode, config.mode);
  const opened = await openMarket(config, cwd, known?.market);
  const { paper, strategy } = config;
  if (known === undefined) {
    const instruments = opened.market.instruments();
    const identity: RunIdentity = {
      market: opened.identity,
      ...moded(config.venue.positionMode),
      paper,
      strategy,
      limits: limitsOf(config),
      instruments,
    };
    await store.setMeta(lease, KEY, JSON.stringify(identity));
    return { ...opened, instruments };
  }
  insist('market', known.market, opened.identity, describe);
  insist('paper', known.paper, paper, JSON.stringify);
  insistOnMode(known, config);
  insist('strategy', known.strategy, strategy, JSON.stringify);
  await remember(store, lease, known, config);
  return { ...opened, instruments: known.instruments };
}

/** What a remote venue is asked when a journal begins. */
export interface VenueFacts {
  instruments(): Promise<readonly Instrument[]>;
  wallet(): Promise<Decimal>;
}

/** The identity of a run against a remote venue: remembered from the first start, insisted on later. */
export async function openRemoteRun(
  config: Config,
  store: JournalStore,
  lease: Lease,
  facts: VenueFacts,
): Promise<RemoteIdentity> {
  const known = await readIdentity(store);
  if (known === undefined) return beginRemoteRun(config, store, lease, facts);
  const { venue } = known;
  if (venue?.mode !== config.mode) throw otherMode(venue?.mode ?? 'demo', config.mode);
  insistOnMode(known, config);
  insist('strategy', known.strategy, config.strategy, JSON.stringify);
  for (const key of FIXED_VENUE_KEYS) insist(`venue.${key}`, venue[key], config.venue[key], JSON.stringify);
  const { symbols } = config.market;
  if (symbols.length > 0)
    insist('market.symbols', [...known.market.symbols].sort(), [...symbols].sort(), (list) =>
      list.join(', '),
    );
  return { ...(await remember(store, lease, known, config)), venue };
}

async function beginRemoteRun(
  config: Config,
  store: JournalStore,
  lease: Lease,
  facts: VenueFacts,
): Promise<RemoteIdentity> {
  const { mode, paper, strategy, venue } = config;
  if (mode === 'demo') throw new BulkheadError('INTERNAL', 'a demo has no remote venue');
  const wanted = config.market.symbols;
  const all = await facts.instruments();
  const instruments = wanted.length === 0 ? all.filter(({ status }) => status === 'TRADING') : all;
  const unknown = wanted.filter((symbol) => !instruments.some((known) => known.symbol === symbol));
  if (unknown.length > 0 || instruments.length === 0) throw notTraded(unknown);
  const identity: RemoteIdentity = {
    market: {
      source: 'live',
      seed: null,
      recording: null,
      symbols: instruments.map(({ symbol }) => symbol),
    },
    ...moded(venue.positionMode),
    paper,
    strategy,
    limits: limitsOf(config),
    instruments,
    venue: { ...pick(venue, VENUE_KEYS), mode, wallet: await facts.wallet() },
  };
  await store.setMeta(lease, KEY, JSON.stringify(identity));
  return identity;
}

const limitsOf = (config: Config): Limits => pick(config, LIMITS);

function pick<T extends object, const K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as Pick<T, K>;
}

async function remember(
  store: JournalStore,
  lease: Lease,
  known: RunIdentity,
  config: Config,
): Promise<RunIdentity> {
  const identity = { ...known, limits: limitsOf(config) };
  if (JSON.stringify(identity) !== JSON.stringify(known))
    await store.setMeta(lease, KEY, JSON.stringify(identity));
  return identity;
}

/** Its desks are one a symbol or one a side: neither knows what the other's hold. */
const insistOnMode = (known: RunIdentity, { venue }: Config): void =>
  insist('position mode', modeOf(known), venue.positionMode, String);

function insist<T>(what: string, known: T, wanted: T, show: (value: T) => string): void {
  if (JSON.stringify(known) === JSON.stringify(wanted)) return;
  throw new BulkheadError(
    'CONFIG_INVALID',
    `This data folder holds a run whose ${what} is ${show(known)}; now it would be ${show(wanted)}.`,
    { hint: 'Name a new folder with --data-dir (or another account), or go on with what this one holds.' },
  );
}

const otherMode = (known: string, wanted: string): BulkheadError =>
  new BulkheadError(
    'CONFIG_INVALID',
    `This data folder holds a run in mode ${known}; now it would be mode ${wanted}.`,
    {
      hint: 'Each mode has an account of its own: name a new folder with --data-dir, or another account.',
    },
  );

const notTraded = (symbols: readonly string[]): BulkheadError =>
  new BulkheadError(
    'CONFIG_INVALID',
    symbols.length > 0 ? `The venue does not trade ${symbols.join(', ')}.` : 'The venue trades nothing now.',
    { hint: 'Correct --symbols or market.symbols; names are such as BTCUSDT.' },
  );

function describe({ source, seed, recording, symbols }: MarketIdentity): string {
  const what =
    source === 'synthetic'
      ? `generated with seed ${seed}`
      : source === 'recorded'
        ? `the recording "${recording}"`
        : 'the venue\u2019s own';
  return `${what} (${symbols.join(', ')})`;
}
