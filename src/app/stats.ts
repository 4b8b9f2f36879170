/** `bulkhead stats`: what exits made, by reason, side, hour of the entry (UTC) and symbol. */
import { journalRows } from './export.ts';
import type { CreateStore, Io, StatsOptions } from './io.ts';
import { columns, duration, money, painter, signedMoney } from './render-text.ts';
import {
  type ExitGroup,
  type ExitStatistics,
  exitStatistics,
  expectancy,
  GROUPINGS,
  profitFactor,
} from './statistics.ts';

export async function stats(options: StatsOptions, io: Io, createStore: CreateStore): Promise<number> {
  const store = await createStore(options, io, 'require');
  try {
    await store.open();
    const statistics = await exitStatistics(journalRows(store));
    const wanted = options.by === undefined ? GROUPINGS : [options.by];
    if (options.json) {
      const by = Object.fromEntries(wanted.map((name) => [name, statistics.by[name].map(withRatios)]));
      io.stdout.write(`${JSON.stringify({ total: withRatios(statistics.total), by })}\n`);
    } else {
      render(statistics, wanted, io);
    }
  } finally {
    await store.close();
  }
  return 0;
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
