/**
 * Every closed trade of the account: what came before this process is read from the journal in small stretches while
 * the run goes on, what comes is heard as it is committed.
 *
 * Invariant: a trade is kept once, whichever of both ways brings it.
 */
import type { Trade } from '../../../machines/messages.ts';
import type { Timers } from '../../core/clock.ts';
import { sleep } from '../../core/clock.ts';
import { type Decimal, sum } from '../../core/decimal.ts';
import type { ActorEvent } from '../../domain/events.ts';
import { PORTFOLIO } from '../../domain/events.ts';
import type { JournalStore, ScannedRow } from '../../journal/journal.ts';
import { keptRows } from '../../journal/journal-beginning.ts';
import type { CommittedRow } from '../../operator/feed.ts';
import type { TradesPage, TradesQuery, TradeView } from '../../operator/views.ts';

const STRETCH_ROWS = 5_000;
/** Between two stretches: the journal's writer comes first. */
const PAUSE_MS = 20;
const PAGE = 50;
const LONGEST_PAGE = 500;

export class TradeHistory {
  /** By row; the oldest first. */
  readonly #trades: TradeView[] = [];
  readonly #past: TradeView[] = [];
  #complete = false;
  #stopped = false;

  readonly observe = ({ row, event }: Pick<CommittedRow, 'row' | 'event'>): void => {
    if (row.actor !== PORTFOLIO) return;
    const trade = tradeOf(row.n, event);
    if (trade) this.#trades.push(trade);
  };

  /** Reads everything up to `headN`, which is where the observer begins. */
  async load(
    store: Pick<JournalStore, 'scan' | 'kept' | 'anchor'>,
    headN: number,
    timers: Timers,
  ): Promise<void> {
    const { n: anchorN } = await store.anchor();
    for await (const page of anchorN === 0 ? [] : keptRows(store)) {
      if (this.#stopped) return;
      // What was removed since is read below.
      for (const row of page) if (row.n <= anchorN && row.actor === PORTFOLIO) this.#note(row);
      await sleep(timers, PAUSE_MS);
    }
    for (let after = anchorN; after < headN && !this.#stopped; after += STRETCH_ROWS) {
      const rows = await store.scan({
        afterN: after,
        uptoN: Math.min(headN, after + STRETCH_ROWS),
        actor: PORTFOLIO,
        type: 'POSITION_CLOSED',
        limit: STRETCH_ROWS,
        newestFirst: false,
      });
      for (const row of rows) this.#note(row);
      await sleep(timers, PAUSE_MS);
    }
    if (this.#stopped) return;
    this.#trades.unshift(...this.#past.splice(0));
    this.#complete = true;
  }

  #note({ n, event }: Pick<ScannedRow, 'n' | 'event'>): void {
    const trade = event.includes('"POSITION_CLOSED"') && tradeOf(n, JSON.parse(event) as ActorEvent);
    if (trade) this.#past.push(trade);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** The oldest first. */
  get all(): readonly TradeView[] {
    return this.#complete ? this.#trades : [...this.#past, ...this.#trades];
  }

  page(query: TradesQuery = {}): TradesPage {
    const found = this.all.filter((trade) => matches(trade, query));
    const limit = Math.min(Math.max(1, query.limit ?? PAGE), LONGEST_PAGE);
    const older = query.before === undefined ? found : found.filter(({ n }) => n < (query.before ?? 0));
    const trades = older.slice(-limit).reverse();
    const last = trades.at(-1);
    return {
      trades,
      count: found.length,
      net: netOf(found),
      next: last !== undefined && older.length > limit ? last.n : null,
      complete: this.#complete,
    };
  }
}

const netOf = (trades: readonly TradeView[]): Decimal => sum(trades.map(({ netPnl }) => netPnl));

function matches(trade: TradeView, { symbol, direction, reason, from, to }: TradesQuery): boolean {
  return (
    (symbol === undefined || trade.symbol === symbol) &&
    (direction === undefined || trade.direction === direction) &&
    (reason === undefined || trade.reason.startsWith(reason)) &&
    (from === undefined || trade.closedAt >= from) &&
    (to === undefined || trade.closedAt <= to)
  );
}

function tradeOf(n: number, event: ActorEvent): TradeView | undefined {
  if (event.type !== 'POSITION_CLOSED' || !event.trade) return undefined;
  return { n, actor: String(event.actor), ...(event.trade as unknown as Trade) };
}
