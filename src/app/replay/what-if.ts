/**
 * `bulkhead replay --what-if key=value …`: the recorded inputs once more under a changed configuration, and what would
 * have differed, trade by trade.
 *
 * Invariants: nothing is written and nobody is called; like is compared with like; what was changed while it traded is
 * changed at the same moment. A demo runs on its own market, and is
 * held against its journal where the unchanged configuration gives that again; a run against a remote venue runs
 * twice on a simulated one, on the candles that its scanners saw.
 */

import { CONFIG_KEYS } from '../../config/keys.ts';
import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { add, type Decimal, fromNumber, sub, ZERO } from '../../core/decimal.ts';
import { BulkheadError } from '../../core/errors.ts';
import { didYouMean } from '../../core/suggest.ts';
import { keyOfActor, modeOf } from '../../domain/position-key.ts';
import type { JournalAnchor } from '../../journal/cut-types.ts';
import type { JournalRow, JournalStore } from '../../journal/journal.ts';
import { allRows } from '../../journal/journal-beginning.ts';
import type { MarketData } from '../../market/market-data.ts';
import { usage } from '../cli/cli-parse.ts';
import type { Io } from '../cli/io.ts';
import { columns, moment } from '../cli/render-text.ts';
import { openMarket } from '../compose/open-market.ts';
import { type ExportRecord, exportRecords } from '../results/export-records.ts';
import type { RunIdentity } from '../run/run-identity.ts';
import { type MemoryRun, runInMemory } from '../run/whole-run.ts';
import { JournalBars } from './journal-bars.ts';
import { pastLimits } from './past-limits.ts';

export interface TradeChange {
  readonly kind: 'same' | 'changed' | 'only before' | 'only after';
  readonly before: ExportRecord | null;
  readonly after: ExportRecord | null;
}

export interface WhatIf {
  readonly against:
    | 'the journal'
    /** Another version wrote it, or a person had a word in it. */
    | 'the unchanged configuration run anew, from which the journal differs'
    | 'the unchanged configuration on the same candles';
  /** Older rows were removed, and their candles with them: only trades since are compared. Null: all are. */
  readonly since: { readonly n: number; readonly at: number } | null;
  readonly changes: Readonly<Record<string, string>>;
  readonly trades: readonly TradeChange[];
  readonly before: Decimal;
  readonly after: Decimal;
}

/** The parts of a configuration that a journal remembers. */
const REMEMBERED = /^(paper|strategy|risk|entry|position|breakers)\./;

/** Rows up to n. */
export async function whatIf(
  store: JournalStore,
  identity: RunIdentity,
  n: number,
  { config, changes, io }: { config: Config; changes: readonly string[]; io: Io },
): Promise<WhatIf> {
  const wanted = parsed(changes);
  const rows = allRows(store, n);
  const realTime = io.time;
  const until = (await store.rowsAfter(n - 1, 1))[0]?.at ?? 0;
  const { first, later } = await pastLimits(store, identity, n);
  const courseOf = (keys: Readonly<Record<string, string>>): Course => ({
    config: configOf({ ...identity, limits: first }, keys, config),
    later: later.map(({ from, limits }) => ({
      from,
      config: configOf({ ...identity, limits }, keys, config),
    })),
  });
  const [unchanged, changed] = [courseOf({}), courseOf(wanted)];
  const simulate = (course: Course, market: MarketData, from: number): Promise<ExportRecord[]> =>
    tradesOf(simulated(course, market, until, realTime), from);
  if (!identity.venue) {
    const { market } = await openMarket(changed.config, io.cwd, identity.market);
    const journaled = await tradesOf(rows, 0);
    const before = await simulate(unchanged, market, 0);
    const after = await simulate(changed, market, 0);
    await market.close();
    const isSame = comparedTrades(journaled, before).every(({ kind }) => kind === 'same');
    const against = isSame
      ? 'the journal'
      : 'the unchanged configuration run anew, from which the journal differs';
    return { against, since: null, ...compared(before, after, wanted) };
  }
  const bars = new JournalBars();
  let begin: number | undefined;
  const anchor = await store.anchor();
  for await (const row of rows) {
    // Of removed rows the candles are not kept: compared is what was traded since.
    if (row.n > anchor.n) begin ??= row.at;
    bars.take(row);
  }
  const market = bars.market(identity.instruments);
  if (!market) throw nothingSeen(anchor);
  const before = await simulate(unchanged, market, begin ?? 0);
  const after = await simulate(changed, market, begin ?? 0);
  const since = anchor.n === 0 ? null : { n: anchor.n, at: anchor.at };
  return {
    ...({ against: 'the unchanged configuration on the same candles', since } as const),
    ...compared(before, after, wanted),
  };
}

function parsed(changes: readonly string[]): Record<string, string> {
  const known = CONFIG_KEYS.map(({ path }) => path).filter((path) => REMEMBERED.test(path));
  return Object.fromEntries(
    changes.map((change) => {
      const [, key = '', value = ''] = /^([^=]+)=(.*)$/s.exec(change) ?? [];
      if (known.includes(key)) return [key, value];
      throw usage(
        `--what-if ${change} changes nothing that is known. ${didYouMean(key, known)}`.trim(),
        'Give keys of paper, strategy, risk, entry, position or breakers, such as risk.maxTotalExposure=0.5.',
      );
    }),
  );
}

/** What a configuration was while the run lasted. */
type Course = Pick<MemoryRun, 'config' | 'later'>;

/** What the journal remembers, changed; judged as a configuration file would be. */
function configOf(
  identity: RunIdentity,
  changes: Readonly<Record<string, string>>,
  { market: own }: Config,
): Config {
  const { paper, strategy, limits, market, venue } = identity;
  const initialBalance = venue?.wallet ?? paper.initialBalance;
  const remembered = { paper: { ...paper, initialBalance }, strategy, ...limits };
  const flags = CONFIG_KEYS.flatMap(({ path }) => {
    const value = REMEMBERED.test(path) && !(path in changes) ? at(remembered, path) : undefined;
    return value === undefined ? [] : [{ path, value, flag: 'the journal' }];
  });
  const source = venue ? 'synthetic' : market.source;
  const places = [
    { path: 'market.source', value: source, flag: 'the journal' },
    { path: 'market.symbols', value: market.symbols, flag: 'the journal' },
    { path: 'venue.positionMode', value: modeOf(identity), flag: 'the journal' },
    ...(market.seed === null ? [] : [{ path: 'market.seed', value: market.seed, flag: 'the journal' }]),
    ...(source === 'recorded'
      ? [{ path: 'market.recording', value: own.recording ?? market.recording, flag: 'the journal' }]
      : []),
  ];
  const variables = new Map(CONFIG_KEYS.map(({ path, variable }) => [path, variable]));
  const env = Object.fromEntries(
    Object.entries(changes).map(([key, raw]) => [variables.get(key) ?? key, raw]),
  );
  // An empty folder's configuration: the one of today has no say in what was.
  return loadConfig({ env, cwd: '/nonexistent', flags: [...flags, ...places] }).config;
}

const at = (tree: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>((node, name) => (node as Record<string, unknown> | undefined)?.[name], tree);

async function* simulated(
  course: Course,
  market: MarketData,
  until: number,
  realTime: Io['time'],
): AsyncGenerator<JournalRow> {
  const rows: JournalRow[] = [];
  // Only what trades are told from: the rest would only fill the memory.
  const observe = ({ row }: { row: JournalRow }): void => {
    if (/^(position\/|portfolio$)/.test(row.actor)) rows.push(row);
  };
  await runInMemory({ ...course, market, realTime, until, observe });
  yield* rows;
}

async function tradesOf(rows: AsyncIterable<JournalRow>, from: number): Promise<ExportRecord[]> {
  const trades: ExportRecord[] = [];
  for await (const trade of exportRecords('trades', rows))
    if (Date.parse(String(trade.openedAt)) >= from) trades.push(trade);
  return trades;
}

const COMPARED = [
  'direction',
  'quantity',
  'entryPrice',
  'exitPrice',
  'netPnl',
  'reason',
  'closedAt',
] as const;
const keyOf = ({ symbol, actor, openedAt }: ExportRecord): string =>
  `${keyOfActor(String(actor ?? `position/${symbol}`))} ${openedAt}`;

/** A trade is the same one when it was opened at the same place at the same instant. */
export function comparedTrades(
  before: readonly ExportRecord[],
  after: readonly ExportRecord[],
): readonly TradeChange[] {
  const others = new Map(after.map((trade) => [keyOf(trade), trade]));
  const known = new Set(before.map(keyOf));
  const changes: TradeChange[] = before.map((trade) => {
    const other = others.get(keyOf(trade));
    if (!other) return { kind: 'only before', before: trade, after: null };
    const isSame = COMPARED.every((name) => trade[name] === other[name]);
    return { kind: isSame ? 'same' : 'changed', before: trade, after: other };
  });
  const added = after.filter((trade) => !known.has(keyOf(trade)));
  changes.push(...added.map((trade): TradeChange => ({ kind: 'only after', before: null, after: trade })));
  return changes.sort((a, b) => openedAt(a) - openedAt(b));
}

const openedAt = ({ before, after }: TradeChange): number =>
  Date.parse(String((before ?? after)?.openedAt ?? ''));

const netOf = (trades: readonly ExportRecord[]): Decimal =>
  trades.reduce<Decimal>((total, { netPnl }) => add(total, typeof netPnl === 'string' ? netPnl : ZERO), ZERO);

const compared = (
  before: readonly ExportRecord[],
  after: readonly ExportRecord[],
  changes: Readonly<Record<string, string>>,
) => ({ changes, trades: comparedTrades(before, after), before: netOf(before), after: netOf(after) });

export function whatIfText({ against, since, trades, before, after, changes }: WhatIf): string {
  const shown = trades.filter(({ kind }) => kind !== 'same');
  const table = shown.map(({ kind, before: was, after: is }) => {
    const trade = was ?? is;
    return [
      kind,
      moment(Date.parse(String(trade?.openedAt))),
      String(trade?.symbol),
      String(trade?.direction),
      outcome(was),
      outcome(is),
    ];
  });
  const same = trades.length - shown.length;
  const what = Object.entries(changes).map(([key, value]) => `${key}=${value}`);
  return [
    ...columns(['', 'opened', 'symbol', 'side', 'before', `with ${what.join(' ')}`], table, new Set()),
    '',
    `${same} trades the same, ${shown.length} not; net ${before} before, ${after} after (${sub(after, before)}), held against ${against}.`,
    ...(since === null ? [] : [sinceText(since)]),
    '',
  ].join('\n');
}

const outcome = (trade: ExportRecord | null): string =>
  trade === null
    ? '-'
    : `${trade.quantity} ${shown(trade.entryPrice)} → ${shown(trade.exitPrice)} ${trade.netPnl} ${cut(String(trade.reason))}`;

/** Averages have more digits than anybody reads; --json has them all. */
const shown = (price: unknown): string =>
  typeof price === 'string' ? fromNumber(Number(Number(price).toPrecision(8))) : 'open';

const cut = (words: string): string =>
  words.length > LONGEST_REASON ? `${words.slice(0, LONGEST_REASON - 1)}…` : words;

const LONGEST_REASON = 40;

const ELSEWHERE =
  'An archive of the removed rows, or a backup from before, reaches further back: "bulkhead restore" it into another folder and ask there.';

const sinceText = ({ n, at }: { readonly n: number; readonly at: number }): string =>
  `Only trades opened after ${moment(at)} are compared: rows up to ${n} were removed (retention), and with them what the scanners saw. ${ELSEWHERE}`;

const nothingSeen = ({ n, at }: JournalAnchor): BulkheadError =>
  n === 0
    ? new BulkheadError('NOT_FOUND', 'The scanners of this journal saw no candle up to there.', {
        hint: 'Let the run trade for a quarter of an hour at least.',
      })
    : new BulkheadError(
        'NOT_FOUND',
        `The scanners saw no candle since ${moment(at)}; rows up to ${n} were removed (retention).`,
        { hint: `Let the run trade for a quarter of an hour. ${ELSEWHERE}` },
      );
