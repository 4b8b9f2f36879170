/**
 * The venue's REST rows, as it wrote them, into our types. An algo order's state is read from its raw fields: ccxt's
 * unified status calls a triggered one filled.
 *
 * Invariants: a row that is not what it should be throws an UnreadableRow, whose text names the field and never the
 * value; ids are strings of the venue's own digits; decimals are the venue's own text.
 */
import type { Decimal } from '../core/decimal.ts';
import type { OrderType } from '../domain/order.ts';
import type {
  RemoteAlgoOrder,
  RemoteFill,
  RemoteIncome,
  RemoteOrder,
  RemotePosition,
} from '../domain/remote.ts';

export type Row = Readonly<Record<string, unknown>>;

export class UnreadableRow extends Error {
  override readonly name = 'UnreadableRow';
}

const fail = (field: string, what: string): never => {
  throw new UnreadableRow(`the venue's answer cannot be read: ${field} is no ${what}`);
};

export const asRow = (value: unknown, what: string): Row =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Row)
    : fail(what, 'object');

export const asRows = (value: unknown, what: string): readonly Row[] =>
  Array.isArray(value) ? value.map((row) => asRow(row, what)) : fail(what, 'list');

export function text(row: Row, field: string): string {
  const value = row[field];
  return typeof value === 'string' && value !== '' ? value : fail(field, 'text');
}

/** Integers arrive as numbers, those beyond 2^53 as text. */
export function id(row: Row, field: string): string {
  const value = row[field];
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  return typeof value === 'string' && /^-?\d+$/.test(value) ? value : fail(field, 'id');
}

export function moment(row: Row, field: string): number {
  const value = Number(row[field]);
  return row[field] !== null && row[field] !== '' && Number.isSafeInteger(value)
    ? value
    : fail(field, 'time');
}

const PLAIN_DECIMAL = /^-?\d+(\.\d+)?$/;

export function amount(row: Row, field: string): Decimal {
  const value = row[field];
  const found = typeof value === 'number' ? String(value) : value;
  return typeof found === 'string' && PLAIN_DECIMAL.test(found) ? found : fail(field, 'decimal');
}

const amountOr = (row: Row, field: string, otherwise: Decimal): Decimal =>
  row[field] === undefined || row[field] === null || row[field] === '' ? otherwise : amount(row, field);

export function flag(row: Row, field: string): boolean {
  const value = row[field];
  return value === true || value === 'true' || value === 'TRUE';
}

export function oneOf<T extends string>(row: Row, field: string, known: readonly T[]): T {
  const value = row[field];
  return known.find((candidate) => candidate === value) ?? fail(field, `known value of ${field}`);
}

const SIDES = ['BUY', 'SELL'] as const;
const POSITION_SIDES = ['BOTH', 'LONG', 'SHORT'] as const;
const ORDER_STATUSES = [
  'NEW',
  'PARTIALLY_FILLED',
  'FILLED',
  'CANCELED',
  'REJECTED',
  'EXPIRED',
  'EXPIRED_IN_MATCH',
] as const;
const ALGO_STATUSES = [
  'NEW',
  'TRIGGERING',
  'TRIGGERED',
  'FINISHED',
  'CANCELED',
  'EXPIRED',
  'REJECTED',
] as const;

const positionSide = (row: Row) =>
  row.positionSide === undefined ? 'BOTH' : oneOf(row, 'positionSide', POSITION_SIDES);

export const readOrder = (row: Row): RemoteOrder => ({
  symbol: text(row, 'symbol'),
  orderId: id(row, 'orderId'),
  clientOrderId: text(row, 'clientOrderId'),
  side: oneOf(row, 'side', SIDES),
  positionSide: positionSide(row),
  type: text(row, 'type'),
  status: oneOf(row, 'status', ORDER_STATUSES),
  price: amountOr(row, 'price', '0'),
  quantity: amount(row, 'origQty'),
  filled: amount(row, 'executedQty'),
  averagePrice: amountOr(row, 'avgPrice', '0'),
  reduceOnly: flag(row, 'reduceOnly'),
  updatedAt: moment(row, 'updateTime'),
});

export function readAlgo(row: Row): RemoteAlgoOrder {
  const actual = row.actualOrderId;
  const becameOne = actual !== undefined && actual !== null && actual !== '' && String(actual) !== '0';
  const reason = typeof row.rejectReason === 'string' ? row.rejectReason : row.failReason;
  return {
    symbol: text(row, 'symbol'),
    algoId: id(row, 'algoId'),
    clientOrderId: text(row, 'clientAlgoId'),
    side: oneOf(row, 'side', SIDES),
    positionSide: positionSide(row),
    type: text(row, 'orderType') as OrderType,
    status: oneOf(row, 'algoStatus', ALGO_STATUSES),
    quantity: amountOr(row, 'quantity', '0'),
    triggerPrice: amountOr(row, 'triggerPrice', '0'),
    reduceOnly: flag(row, 'reduceOnly'),
    closePosition: flag(row, 'closePosition'),
    ...(becameOne && { actualOrderId: id(row, 'actualOrderId') }),
    ...(typeof reason === 'string' && reason !== '' && { reason }),
    updatedAt: moment(row, 'updateTime'),
  };
}

export const readFill = (row: Row): RemoteFill => ({
  symbol: text(row, 'symbol'),
  tradeId: id(row, 'id'),
  orderId: id(row, 'orderId'),
  side: oneOf(row, 'side', SIDES),
  positionSide: positionSide(row),
  price: amount(row, 'price'),
  quantity: amount(row, 'qty'),
  maker: flag(row, 'maker'),
  fee: amountOr(row, 'commission', '0'),
  feeAsset: typeof row.commissionAsset === 'string' ? row.commissionAsset : '',
  realizedPnl: amountOr(row, 'realizedPnl', '0'),
  at: moment(row, 'time'),
});

export function readIncome(row: Row): RemoteIncome {
  const { symbol, tradeId } = row;
  return {
    id: id(row, 'tranId'),
    type: text(row, 'incomeType'),
    symbol: typeof symbol === 'string' && symbol !== '' ? symbol : undefined,
    asset: text(row, 'asset'),
    amount: amount(row, 'income'),
    tradeId: tradeId === undefined || tradeId === null || tradeId === '' ? undefined : String(tradeId),
    at: moment(row, 'time'),
  };
}

/** v3 rows do not say whether the position is isolated: its own margin does. */
export const readPosition = (row: Row): RemotePosition => ({
  symbol: text(row, 'symbol'),
  positionSide: positionSide(row),
  amount: amount(row, 'positionAmt'),
  entryPrice: amountOr(row, 'entryPrice', '0'),
  markPrice: amountOr(row, 'markPrice', '0'),
  unrealizedPnl: amountOr(row, 'unRealizedProfit', '0'),
  liquidationPrice: amountOr(row, 'liquidationPrice', '0'),
  isolated: Number(row.isolatedWallet ?? row.isolatedMargin ?? 0) > 0,
});
