/**
 * The venue's REST rows, as it wrote them, into our types. An algo order's state is read from its raw fields: ccxt's
 * unified status calls a triggered one filled.
 *
 * Invariants: a row that is not what it should be throws an UnreadableRow, whose text names the field and never the
 * value; ids are strings of the venue's own digits; decimals are the venue's own text.
 */
import { type Decimal, gt, ZERO } from '../../core/decimal.ts';
import type { OrderType } from '../../domain/order.ts';
import type {
  RemoteAlgoOrder,
  RemoteFill,
  RemoteIncome,
  RemoteOrder,
  RemotePosition,
} from '../../domain/remote.ts';

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

/** Longer ones than any venue's cost whoever reckons with them their time. */
const WHOLE = /^-?\d{1,40}$/;
const PLAIN_DECIMAL = /^-?\d{1,40}(\.\d{1,40})?$/;

const isAbsent = (value: unknown): boolean => value === undefined || value === null || value === '';

/** Integers arrive as numbers, those beyond 2^53 as text. */
export function id(row: Row, field: string): string {
  const value = row[field];
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  return typeof value === 'string' && WHOLE.test(value) ? value : fail(field, 'id');
}

/** A whole number that is not negative, as number or text. */
export function whole(row: Row, field: string, what = 'whole number'): number {
  const value = row[field];
  const found = typeof value === 'string' && WHOLE.test(value) ? Number(value) : value;
  return typeof found === 'number' && Number.isSafeInteger(found) && found >= 0 ? found : fail(field, what);
}

export const count = (row: Row, field: string): number =>
  whole(row, field) > 0 ? whole(row, field) : fail(field, 'count');

export const moment = (row: Row, field: string): number => whole(row, field, 'time');

export function amount(row: Row, field: string): Decimal {
  const value = row[field];
  const found = typeof value === 'number' ? String(value) : value;
  return typeof found === 'string' && PLAIN_DECIMAL.test(found) ? found : fail(field, 'decimal');
}

/** A price or a quantity: never below zero. */
export function size(row: Row, field: string): Decimal {
  const found = amount(row, field);
  return found.startsWith('-') ? fail(field, 'price or quantity') : found;
}

const amountOr = (row: Row, field: string, otherwise: Decimal): Decimal =>
  isAbsent(row[field]) ? otherwise : amount(row, field);

const sizeOr = (row: Row, field: string, otherwise: Decimal): Decimal =>
  isAbsent(row[field]) ? otherwise : size(row, field);

export function flag(row: Row, field: string): boolean {
  const value = row[field];
  if (value === true || value === 'true' || value === 'TRUE') return true;
  return value === false || value === 'false' || value === 'FALSE' ? false : fail(field, 'yes or no');
}

/** What is not said is not so. */
export const flagOrNo = (row: Row, field: string): boolean => !isAbsent(row[field]) && flag(row, field);

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
  price: sizeOr(row, 'price', '0'),
  quantity: size(row, 'origQty'),
  filled: size(row, 'executedQty'),
  averagePrice: sizeOr(row, 'avgPrice', '0'),
  reduceOnly: flagOrNo(row, 'reduceOnly'),
  updatedAt: moment(row, 'updateTime'),
});

export function readAlgo(row: Row): RemoteAlgoOrder {
  const actual = row.actualOrderId;
  const becameOne = !isAbsent(actual) && actual !== 0 && actual !== '0';
  const reason = typeof row.rejectReason === 'string' ? row.rejectReason : row.failReason;
  return {
    symbol: text(row, 'symbol'),
    algoId: id(row, 'algoId'),
    clientOrderId: text(row, 'clientAlgoId'),
    side: oneOf(row, 'side', SIDES),
    positionSide: positionSide(row),
    type: text(row, 'orderType') as OrderType,
    status: oneOf(row, 'algoStatus', ALGO_STATUSES),
    quantity: sizeOr(row, 'quantity', '0'),
    triggerPrice: sizeOr(row, 'triggerPrice', '0'),
    reduceOnly: flagOrNo(row, 'reduceOnly'),
    closePosition: flagOrNo(row, 'closePosition'),
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
  price: size(row, 'price'),
  quantity: size(row, 'qty'),
  maker: flag(row, 'maker'),
  fee: amountOr(row, 'commission', '0'),
  feeAsset: typeof row.commissionAsset === 'string' ? row.commissionAsset : '',
  realizedPnl: amountOr(row, 'realizedPnl', '0'),
  at: moment(row, 'time'),
});

export function readIncome(row: Row): RemoteIncome {
  return {
    id: id(row, 'tranId'),
    type: text(row, 'incomeType'),
    symbol: isAbsent(row.symbol) ? undefined : text(row, 'symbol'),
    asset: text(row, 'asset'),
    amount: amount(row, 'income'),
    tradeId: isAbsent(row.tradeId) ? undefined : id(row, 'tradeId'),
    at: moment(row, 'time'),
  };
}

/** v3 rows do not say whether the position is isolated: its own margin does. */
export const readPosition = (row: Row): RemotePosition => ({
  symbol: text(row, 'symbol'),
  positionSide: positionSide(row),
  amount: amount(row, 'positionAmt'),
  entryPrice: sizeOr(row, 'entryPrice', '0'),
  markPrice: sizeOr(row, 'markPrice', '0'),
  unrealizedPnl: amountOr(row, 'unRealizedProfit', '0'),
  liquidationPrice: amountOr(row, 'liquidationPrice', '0'),
  isolated: gt(amountOr(row, isAbsent(row.isolatedWallet) ? 'isolatedMargin' : 'isolatedWallet', '0'), ZERO),
});
