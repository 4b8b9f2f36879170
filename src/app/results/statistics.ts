/**
 * What closed positions made, by reason, side, hour and symbol. Pure: journal rows in, groups out.
 *
 * Invariants: a position counts once, in the group of its last exit; the groups of one grouping sum to the
 * total, and the total to what the wallet gained by the closed positions, to the last digit.
 */
import type { Trade } from '../../../machines/messages.ts';
import { add, type Decimal, div, gt, neg, sub, ZERO } from '../../core/decimal.ts';
import { actorType } from '../../core/ids.ts';
import { type ActorEvent, type Cause, type Intent, PORTFOLIO } from '../../domain/events.ts';
import type { JournalRow } from '../../journal/journal.ts';
import { SlippageBook } from './slippage.ts';

export const GROUPINGS = ['reason', 'side', 'hour', 'symbol'] as const;
export type Grouping = (typeof GROUPINGS)[number];

export interface ExitGroup {
  readonly group: string;
  readonly trades: number;
  readonly wins: number;
  readonly gross: Decimal;
  readonly slippage: Decimal;
  readonly fees: Decimal;
  readonly funding: Decimal;
  readonly net: Decimal;
  readonly won: Decimal;
  /** Positive. */
  readonly lost: Decimal;
  readonly heldMs: number;
}

export interface ExitStatistics {
  readonly total: ExitGroup;
  readonly by: Readonly<Record<Grouping, readonly ExitGroup[]>>;
}

/** Reasons carry their own words: "signal: 20-bar …" is one reason whatever the numbers in it. */
export const reasonGroup = (reason: string): string => reason.replace(/^([a-z][a-z-]*):.*/s, '$1');

export const TRADE_KEYS: Readonly<
  Record<Grouping, (trade: Pick<Trade, 'reason' | 'direction' | 'openedAt' | 'symbol'>) => string>
> = {
  reason: ({ reason }) => reasonGroup(reason),
  side: ({ direction }) => direction,
  hour: ({ openedAt }) => `${String(new Date(openedAt).getUTCHours()).padStart(2, '0')}:00`,
  symbol: ({ symbol }) => symbol,
};

const EMPTY: Omit<ExitGroup, 'group'> = {
  trades: 0,
  wins: 0,
  gross: ZERO,
  slippage: ZERO,
  fees: ZERO,
  funding: ZERO,
  net: ZERO,
  won: ZERO,
  lost: ZERO,
  heldMs: 0,
};

export async function exitStatistics(rows: AsyncIterable<JournalRow>): Promise<ExitStatistics> {
  const books = new Map<string, SlippageBook>();
  const groups = new Map<Grouping, Map<string, ExitGroup>>(GROUPINGS.map((by) => [by, new Map()]));
  let total: ExitGroup = { group: 'all', ...EMPTY };
  for await (const row of rows) {
    if (row.kind !== 'event' && row.kind !== 'start') continue;
    if (actorType(row.actor) === 'position') note(books, row);
    const closed = row.actor === PORTFOLIO ? closedBy(row) : undefined;
    if (!closed) continue;
    const slippage = books.get(closed.actor)?.total ?? ZERO;
    books.delete(closed.actor);
    total = count(total, closed.trade, slippage);
    for (const [by, known] of groups) {
      const group = TRADE_KEYS[by](closed.trade);
      known.set(group, count(known.get(group) ?? { group, ...EMPTY }, closed.trade, slippage));
    }
  }
  const by = Object.fromEntries([...groups].map(([name, known]) => [name, ordered(name, known)]));
  return { total, by: by as unknown as ExitStatistics['by'] };
}

function note(books: Map<string, SlippageBook>, row: JournalRow): void {
  if ((JSON.parse(row.cause) as Cause).kind === 'postponed') return;
  const book = books.get(row.actor) ?? new SlippageBook();
  books.set(row.actor, book);
  book.take(JSON.parse(row.event) as ActorEvent, JSON.parse(row.intents) as Intent[]);
}

function closedBy(row: JournalRow): { readonly actor: string; readonly trade: Trade } | undefined {
  if (!row.event.includes('"POSITION_CLOSED"')) return undefined;
  const event = JSON.parse(row.event) as ActorEvent;
  if (event.type !== 'POSITION_CLOSED' || !event.trade) return undefined;
  return { actor: String(event.actor), trade: event.trade as unknown as Trade };
}

function count(group: ExitGroup, trade: Trade, slippage: Decimal): ExitGroup {
  const won = gt(trade.netPnl, ZERO);
  return {
    ...group,
    trades: group.trades + 1,
    wins: group.wins + (won ? 1 : 0),
    gross: add(group.gross, trade.grossPnl),
    slippage: add(group.slippage, slippage),
    fees: add(group.fees, trade.fees),
    funding: add(group.funding, trade.funding),
    net: add(group.net, trade.netPnl),
    won: won ? add(group.won, trade.netPnl) : group.won,
    lost: won ? group.lost : add(group.lost, neg(trade.netPnl)),
    heldMs: group.heldMs + (trade.closedAt - trade.openedAt),
  };
}

/** Hours in their order, everything else from the dearest loss to the best gain. */
function ordered(by: Grouping, groups: ReadonlyMap<string, ExitGroup>): ExitGroup[] {
  const list = [...groups.values()];
  if (by === 'hour') return list.sort((a, b) => a.group.localeCompare(b.group));
  return list.sort((a, b) => Number(sub(a.net, b.net)) || a.group.localeCompare(b.group));
}

/** Null where nothing was lost. */
export const profitFactor = ({ won, lost }: ExitGroup): Decimal | null =>
  gt(lost, ZERO) ? div(won, lost, 4) : null;

export const expectancy = ({ net, trades }: ExitGroup): Decimal =>
  trades === 0 ? ZERO : div(net, String(trades), 8);
