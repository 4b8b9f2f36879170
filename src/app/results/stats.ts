/** `bulkhead stats`: what exits made, by reason, side, hour of the entry (UTC) and symbol; and what entries met. */
import type { JournalRow } from '../../journal/journal.ts';
import { allRows } from '../../journal/journal-beginning.ts';
import type { CreateStore, Io, StatsOptions } from '../cli/io.ts';
import { columns, duration, moment, money, painter, signedMoney } from '../cli/render-text.ts';
import { type EntryStatistics, EntryTally } from './entry-statistics.ts';
import { look } from './look.ts';
import {
  type ExitGroup,
  type ExitStatistics,
  exitStatistics,
  expectancy,
  GROUPINGS,
  profitFactor,
} from './statistics.ts';

export async function stats(options: StatsOptions, io: Io, createStore: CreateStore): Promise<number> {
  await look(options, io, createStore, async (store) => {
    const tally = new EntryTally();
    const statistics = await exitStatistics(heardBy(tally, allRows(store)));
    const entries = tally.statistics();
    const wanted = options.by === undefined ? GROUPINGS : [options.by];
    if (options.json) {
      const by = Object.fromEntries(wanted.map((name) => [name, statistics.by[name].map(withRatios)]));
      io.stdout.write(`${JSON.stringify({ total: withRatios(statistics.total), by, entries })}\n`);
    } else {
      render(statistics, wanted, io);
      if (options.by === undefined) renderEntries(entries, io);
    }
  });
  return 0;
}

/** One reading of the journal serves both. */
async function* heardBy(tally: EntryTally, rows: AsyncIterable<JournalRow>): AsyncGenerator<JournalRow> {
  for await (const row of rows) {
    tally.take(row);
    yield row;
  }
}

const withRatios = (group: ExitGroup) => ({
  ...group,
  winRate: group.trades === 0 ? null : group.wins / group.trades,
  profitFactor: profitFactor(group),
  expectancy: expectancy(group),
  averageHeldMs: group.trades === 0 ? null : Math.round(group.heldMs / group.trades),
});

const HEADER = ['trades', 'won', 'net', 'gross', 'slippage', 'fees', 'funding', 'factor', 'each', 'held'];

function render({ total, by }: ExitStatistics, wanted: readonly (typeof GROUPINGS)[number][], io: Io): void {
  const paint = painter(io.isTty && io.env.NO_COLOR === undefined);
  if (total.trades === 0) {
    io.stdout.write('No position has closed yet.\n');
    return;
  }
  for (const name of wanted) {
    const rows = [...by[name], total].map(cells);
    const right = new Set(HEADER.map((_, i) => i + 1));
    const [head = '', ...lines] = columns([name, ...HEADER], rows, right);
    io.stdout.write(`${paint('bold', head)}\n${lines.join('\n')}\n\n`);
  }
}

function cells(group: ExitGroup): string[] {
  const { trades, wins, net, gross, slippage, fees, funding, heldMs } = group;
  return [
    group.group,
    String(trades),
    `${Math.round((100 * wins) / trades)} %`,
    signedMoney(net),
    signedMoney(gross),
    signedMoney(slippage),
    money(fees),
    signedMoney(funding),
    profitFactor(group) ?? '–',
    signedMoney(expectancy(group)),
    duration(heldMs / trades),
  ];
}

function renderEntries(
  { asked, approved, refused, denied, refusedBy, resizedBy }: EntryStatistics,
  io: Io,
): void {
  if (asked === 0) return;
  const paint = painter(io.isTty && io.env.NO_COLOR === undefined);
  const rows = refusedBy.map(({ rule, entries, last }) => [
    rule,
    String(entries),
    `${moment(last.at)} ${last.symbol}: ${last.detail}`,
  ]);
  const [head = '', ...lines] = columns(['entries refused by', 'times', 'last'], rows, new Set([1]));
  const resized = Object.entries(resizedBy).map(([name, times]) => `${name} ${times}×`);
  const out = [
    `${asked} entries asked for: ${approved} approved, ${refused} refused, ${denied} denied at the last moment`,
    ...(resized.length > 0 ? [`sizes changed by ${resized.join(', ')}`] : []),
    ...(rows.length > 0 ? ['', paint('bold', head), ...lines] : []),
  ];
  io.stdout.write(`${out.join('\n')}\n`);
}
