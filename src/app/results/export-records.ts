/**
 * Journal rows as the records that people ask for. Pure: rows in, records out, in the journal's order.
 *
 * Invariant: what the venue told is counted once. A message is consumed by exactly one row; a postponed one is
 * handled again later by a row whose cause says so, and that second row is passed over here.
 */
import type { Trade } from '../../../machines/messages.ts';
import type { PositionContext } from '../../../machines/position/context.ts';
import { tradeOf } from '../../../machines/position/steps.ts';
import { add, type Decimal, div, mul } from '../../core/decimal.ts';
import { type ActorId, actorType } from '../../core/ids.ts';
import { type ActorEvent, type Cause, type Intent, PORTFOLIO } from '../../domain/events.ts';
import type { IdentifiedOrder } from '../../domain/order.ts';
import type { JournalRow } from '../../journal/journal.ts';
import type { ExportKind } from '../cli/io.ts';

export type Cell = string | number | boolean | null;
export type ExportRecord = Readonly<Record<string, Cell>>;

type Rows = AsyncIterable<JournalRow>;

/** The columns of each export, in their order. */
export const COLUMNS: Readonly<Record<ExportKind, readonly string[]>> = {
  trades: [
    ...['n', 'symbol', 'direction', 'quantity', 'entryPrice', 'exitPrice', 'grossPnl', 'fees', 'funding'],
    ...['netPnl', 'reason', 'openedAt', 'closedAt', 'actor'],
  ],
  orders: [
    ...['n', 'submittedAt', 'clientOrderId', 'orderId', 'symbol', 'side', 'positionSide', 'type', 'quantity'],
    ...['price', 'triggerPrice', 'timeInForce', 'reduceOnly', 'status', 'filled', 'averagePrice', 'reason'],
    ...['updatedAt', 'owner', 'ref'],
  ],
  fills: [
    ...['n', 'at', 'tradeId', 'clientOrderId', 'symbol', 'side', 'price', 'quantity', 'maker', 'fee'],
    ...['realizedPnl', 'cause', 'owner', 'ref'],
  ],
  equity: ['n', 'at', 'asset', 'balance', 'delta', 'reason', 'symbol', 'tradeId'],
  journal: [
    ...['n', 'epoch', 'actor', 'seq', 'at', 'kind', 'machine', 'event', 'cause', 'snapshot', 'intents'],
    ...['host', 'note', 'final', 'hash'],
  ],
};

export function exportRecords(what: ExportKind, rows: Rows): AsyncGenerator<ExportRecord> {
  switch (what) {
    case 'trades':
      return trades(rows);
    case 'orders':
      return orders(rows);
    case 'fills':
      return fills(rows);
    case 'equity':
      return equity(rows);
    case 'journal':
      return journal(rows);
  }
}

const iso = (at: number): string => new Date(at).toISOString();

/** A field as a cell: absent is null, and nothing nested comes through by accident. */
function cell(source: Readonly<Record<string, unknown>>, name: string): Cell {
  const value = source[name];
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

function pick(source: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, Cell> {
  return Object.fromEntries(names.map((name) => [name, cell(source, name)]));
}

/** Rows with the event that they consumed, each event once. */
async function* consumed(rows: Rows): AsyncGenerator<{ row: JournalRow; event: ActorEvent }> {
  for await (const row of rows) {
    if (row.kind !== 'event' && row.kind !== 'dead-letter') continue;
    const cause = JSON.parse(row.cause) as Cause;
    if (cause.kind !== 'postponed') yield { row, event: JSON.parse(row.event) as ActorEvent };
  }
}

/** The closed trades in the order of their closing, then the positions still open with their amounts so far. */
async function* trades(rows: Rows): AsyncGenerator<ExportRecord> {
  const open = new Map<string, JournalRow>();
  for await (const row of rows) {
    if (actorType(row.actor) === 'position' && row.snapshot !== null) open.set(row.actor, row);
    for await (const { event } of consumed(one(row))) {
      if (row.actor !== PORTFOLIO || event.type !== 'POSITION_CLOSED') continue;
      open.delete(String(event.actor));
      if (event.trade) yield tradeRecord(row.n, event.actor as ActorId, event.trade as unknown as Trade);
    }
  }
  for (const row of open.values()) {
    const { context } = JSON.parse(row.snapshot ?? '{}') as { context: PositionContext };
    const trade = tradeOf(context);
    if (trade)
      yield { ...tradeRecord(row.n, row.actor, trade), exitPrice: null, reason: 'open', closedAt: null };
  }
}

function tradeRecord(n: number, actor: ActorId, trade: Trade): ExportRecord {
  const times = { openedAt: iso(trade.openedAt), closedAt: iso(trade.closedAt) };
  return { n, ...pick({ ...trade }, COLUMNS.trades.slice(1, -3)), ...times, actor };
}

async function* fills(rows: Rows): AsyncGenerator<ExportRecord> {
  const seen = new Set<string>();
  for await (const { row, event } of consumed(rows)) {
    if (event.type !== 'ORDER_FILLED') continue;
    // A venue may tell more than one actor of a fill; it is one fill all the same.
    const key = `${event.symbol} ${event.tradeId} ${event.clientOrderId}`;
    if (seen.has(key)) continue;
    seen.add(key);
    yield {
      n: row.n,
      at: iso(row.at),
      ...pick(event, COLUMNS.fills.slice(2, -2)),
      owner: row.actor,
      ref: cell(event, 'ref'),
    };
  }
}

async function* equity(rows: Rows): AsyncGenerator<ExportRecord> {
  for await (const { row, event } of consumed(rows)) {
    if (row.actor !== PORTFOLIO || event.type !== 'WALLET_CHANGED') continue;
    yield { n: row.n, at: iso(row.at), ...pick(event, COLUMNS.equity.slice(2)) };
  }
}

async function* journal(rows: Rows): AsyncGenerator<ExportRecord> {
  for await (const row of rows) {
    yield { ...pick(row as unknown as Record<string, unknown>, COLUMNS.journal), at: iso(row.at) };
  }
}

interface OrderLife {
  readonly n: number;
  readonly submittedAt: number;
  readonly order: IdentifiedOrder;
  readonly trades: Set<string>;
  status: string;
  orderId: Cell;
  filled: Decimal;
  value: Decimal;
  reason: Cell;
  updatedAt: number;
}

/** One record for each order, as its events left it; orders come in the order of their submission. */
async function* orders(rows: Rows): AsyncGenerator<ExportRecord> {
  const lives = new Map<string, OrderLife>();
  for await (const row of rows) {
    for (const life of submitted(row)) lives.set(life.order.clientOrderId, life);
    for await (const { event } of consumed(one(row))) {
      const life = lives.get(String(event.clientOrderId));
      if (life) follow(life, event, row.at);
    }
  }
  for (const life of lives.values()) yield orderRecord(life);
}

async function* one(row: JournalRow): AsyncGenerator<JournalRow> {
  yield row;
}

function submitted(row: JournalRow): OrderLife[] {
  if (!row.intents.includes('"order.submit"')) return [];
  return (JSON.parse(row.intents) as Intent[]).flatMap((intent) =>
    intent.type === 'order.submit'
      ? {
          n: row.n,
          submittedAt: row.at,
          order: intent.order,
          trades: new Set<string>(),
          status: 'submitted',
          orderId: null,
          filled: '0',
          value: '0',
          reason: null,
          updatedAt: row.at,
        }
      : [],
  );
}

const STATUS: Readonly<Record<string, string>> = {
  ORDER_ACKNOWLEDGED: 'open',
  ORDER_REJECTED: 'rejected',
  ORDER_UNKNOWN: 'unknown',
  ORDER_TRIGGERED: 'triggered',
};

function follow(life: OrderLife, event: ActorEvent, at: number): void {
  if (event.type === 'ORDER_FILLED') {
    const { tradeId, price, quantity, complete } = event as unknown as {
      tradeId: string;
      price: Decimal;
      quantity: Decimal;
      complete: boolean;
    };
    if (life.trades.has(tradeId)) return;
    life.trades.add(tradeId);
    life.filled = add(life.filled, quantity);
    life.value = add(life.value, mul(price, quantity));
    life.status = complete ? 'filled' : 'partially filled';
  } else if (event.type === 'ORDER_CLOSED') {
    life.status = String(event.outcome);
    life.reason = cell(event, 'reason');
  } else {
    const status = STATUS[event.type];
    if (status === undefined) return;
    life.status = status;
    life.orderId = cell(event, 'orderId') ?? life.orderId;
    life.reason = cell(event, 'reason') ?? life.reason;
  }
  life.updatedAt = at;
}

function orderRecord(life: OrderLife): ExportRecord {
  const { order, filled, value } = life;
  const record = {
    ...order,
    ...life,
    submittedAt: iso(life.submittedAt),
    updatedAt: iso(life.updatedAt),
    averagePrice: filled === '0' ? null : div(value, filled),
  };
  return pick(record as unknown as Record<string, unknown>, COLUMNS.orders);
}
