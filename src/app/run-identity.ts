/**
 * What a journal was begun with and cannot change under it: the market, the venue's rules and the strategy.
 * Rows are replayed against these; another market would mix two times, another slippage two accounts. The limits
 * are what the actors were started with and keep in their snapshots: a changed one would be passed over in
 * silence, and who lowers a risk limit must not believe that it holds when it does not.
 */
import type { Config } from '../config/schema.ts';
import { BulkheadError } from '../core/errors.ts';
import type { Instrument } from '../domain/instrument.ts';
import type { JournalStore, Lease } from '../journal/journal.ts';
import { type MarketIdentity, type OpenedMarket, openMarket } from './open-market.ts';

export interface RunIdentity {
  readonly market: MarketIdentity;
  readonly paper: Config['paper'];
  readonly strategy: Config['strategy'];
  readonly limits: Limits;
  readonly instruments: readonly Instrument[];
}

type Limits = Pick<Config, (typeof LIMITS)[number]>;

const LIMITS = ['risk', 'entry', 'position', 'breakers'] as const;

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
  const opened = await openMarket(config, cwd, known?.market);
  const { paper, strategy, risk, entry, position, breakers } = config;
  if (known === undefined) {
    const instruments = opened.market.instruments();
    const limits: Limits = { risk, entry, position, breakers };
    const identity: RunIdentity = { market: opened.identity, paper, strategy, limits, instruments };
    await store.setMeta(lease, KEY, JSON.stringify(identity));
    return { ...opened, instruments };
  }
  insist('market', known.market, opened.identity, describe);
  insist('paper', known.paper, paper, JSON.stringify);
  insist('strategy', known.strategy, strategy, JSON.stringify);
  for (const part of LIMITS) insist(part, known.limits[part], config[part], JSON.stringify);
  return { ...opened, instruments: known.instruments };
}

function insist<T>(what: string, known: T, wanted: T, show: (value: T) => string): void {
  if (JSON.stringify(known) === JSON.stringify(wanted)) return;
  throw new BulkheadError(
    'CONFIG_INVALID',
    `This data folder holds a run whose ${what} is ${show(known)}; now it would be ${show(wanted)}.`,
    { hint: 'Name a new folder with --data-dir (or another account), or go on with what this one holds.' },
  );
}

function describe({ source, seed, recording, symbols }: MarketIdentity): string {
  const what = source === 'synthetic' ? `generated with seed ${seed}` : `the recording "${recording}"`;
  return `${what} (${symbols.join(', ')})`;
}
