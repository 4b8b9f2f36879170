/**
 * Frames of the venue's private stream into RemoteEvents. Pure.
 *
 * Invariants: never throws; nothing is merged or dropped, order is kept; numbers that a double cannot hold exactly
 * (the venue's ids grow beyond 2^53) keep the venue's own digits; prices and amounts stay the venue's strings; an
 * event that is known and cannot be read is `unreadable`, never guessed at. No frame's text is in what comes out:
 * a frame may hold the listen key.
 */
import type {
  RemoteAlgoOrder,
  RemoteBalance,
  RemoteEvent,
  RemoteFill,
  RemoteOrder,
  RemotePosition,
} from '../../domain/remote.ts';

export type UserFrame =
  | { readonly kind: 'event'; readonly event: RemoteEvent }
  /** The stream's key is over; `listenKey` where the venue says which. */
  | { readonly kind: 'key-expired'; readonly listenKey: string | undefined }
  /** Known, and of no use to us: another event says the same with more. */
  | { readonly kind: 'ignored'; readonly type: string }
  | { readonly kind: 'unknown'; readonly type: string }
  | { readonly kind: 'unreadable'; readonly type: string; readonly detail: string };

type Fields = { readonly [key: string]: unknown };

/** What makes an event unreadable; its message names the field. */
class Unreadable extends Error {}

/**
 * TRADE_LITE says less than ORDER_TRADE_UPDATE, and ALGO_UPDATE with REJECTED more than the trigger's refusal;
 * strategies and grids are the venue's own products.
 */
const IGNORED: ReadonlySet<string> = new Set([
  'TRADE_LITE',
  'CONDITIONAL_ORDER_TRIGGER_REJECT',
  'STRATEGY_UPDATE',
  'GRID_UPDATE',
]);

const ORDER_STATUSES: ReadonlySet<string> = new Set([
  'NEW',
  'PARTIALLY_FILLED',
  'FILLED',
  'CANCELED',
  'REJECTED',
  'EXPIRED',
  'EXPIRED_IN_MATCH',
]);
/** Words of older days for orders of a liquidation that rest. */
const OLD_STATUSES: Readonly<Record<string, string>> = { NEW_INSURANCE: 'NEW', NEW_ADL: 'NEW' };
const ALGO_STATUSES: ReadonlySet<string> = new Set([
  'NEW',
  'TRIGGERING',
  'TRIGGERED',
  'FINISHED',
  'CANCELED',
  'EXPIRED',
  'REJECTED',
]);

/** The frames of one message: usually one, several where the venue sends an array. */
export function readUserFrames(bytes: Buffer): readonly UserFrame[] {
  let value: unknown;
  try {
    value = parseExactly(bytes.toString());
  } catch {
    return [{ kind: 'unreadable', type: '', detail: 'not JSON' }];
  }
  const data = isFields(value) && 'data' in value && 'stream' in value ? value.data : value;
  return Array.isArray(data) ? data.map(readFrame) : [readFrame(data)];
}

function readFrame(frame: unknown): UserFrame {
  if (!isFields(frame)) return { kind: 'unreadable', type: '', detail: 'not an object' };
  // Answers to requests have no event type.
  if (frame.e === undefined && 'id' in frame) return { kind: 'ignored', type: 'answer' };
  const type = typeof frame.e === 'string' ? frame.e : '';
  if (type === 'listenKeyExpired')
    return {
      kind: 'key-expired',
      listenKey: typeof frame.listenKey === 'string' ? frame.listenKey : undefined,
    };
  if (IGNORED.has(type)) return { kind: 'ignored', type };
  const read = Object.hasOwn(READERS, type) ? READERS[type] : undefined;
  if (!read) return { kind: 'unknown', type };
  try {
    const event = read(frame);
    return event ? { kind: 'event', event } : { kind: 'ignored', type };
  } catch (error) {
    if (error instanceof Unreadable) return { kind: 'unreadable', type, detail: error.message };
    throw error;
  }
}

const READERS: Readonly<Record<string, (frame: Fields) => RemoteEvent | undefined>> = {
  ORDER_TRADE_UPDATE: (frame) => {
    const o = object(frame, 'o');
    const fill = fillOf(o);
    return { kind: 'order', at: time(frame, 'E'), order: orderOf(o), ...(fill && { fill }) };
  },
  ALGO_UPDATE: (frame) => ({
    kind: 'algo',
    at: time(frame, 'E'),
    algo: algoOf(object(frame, 'o'), time(frame, 'T')),
  }),
  ACCOUNT_UPDATE: (frame) => {
    const a = object(frame, 'a');
    return {
      kind: 'account',
      at: time(frame, 'E'),
      reason: text(a, 'm'),
      balances: list(a, 'B').map(balanceOf),
      positions: list(a, 'P').map(positionOf),
    };
  },
  MARGIN_CALL: (frame) => ({
    kind: 'margin-call',
    at: time(frame, 'E'),
    positions: list(frame, 'p').map(positionOf),
  }),
  ACCOUNT_CONFIG_UPDATE: (frame) => {
    // The other form (`ai`) is about multi-assets mode, which the startup checks refuse.
    if (!isFields(frame.ac)) return undefined;
    return {
      kind: 'leverage',
      at: time(frame, 'E'),
      symbol: text(frame.ac, 's'),
      leverage: time(frame.ac, 'l'),
    };
  },
};

function orderOf(o: Fields): RemoteOrder {
  const status = text(o, 'X');
  const known = OLD_STATUSES[status] ?? status;
  if (!ORDER_STATUSES.has(known)) throw new Unreadable(`X is "${status}"`);
  // 0 says that there was no reason.
  const expiryReason = o.er === undefined || String(o.er) === '0' ? undefined : String(o.er);
  return {
    symbol: text(o, 's'),
    orderId: id(o, 'i'),
    clientOrderId: text(o, 'c'),
    side: sideOf(o),
    positionSide: positionSideOf(o),
    type: text(o, 'o'),
    status: known as RemoteOrder['status'],
    price: decimal(o, 'p'),
    quantity: decimal(o, 'q'),
    filled: decimal(o, 'z'),
    averagePrice: decimal(o, 'ap'),
    reduceOnly: o.R === true,
    updatedAt: time(o, 'T'),
    ...(expiryReason !== undefined && { expiryReason }),
  };
}

/** An execution that traded. One without a trade's id is left to the order's own sum, which says that one is missing. */
function fillOf(o: Fields): RemoteFill | undefined {
  if ((o.x !== 'TRADE' && o.x !== 'CALCULATED') || o.t === undefined) return undefined;
  const tradeId = id(o, 't');
  if (!(Number(o.l) > 0) || !(Number(tradeId) > 0)) return undefined;
  return {
    symbol: text(o, 's'),
    tradeId,
    orderId: id(o, 'i'),
    clientOrderId: text(o, 'c'),
    side: sideOf(o),
    positionSide: positionSideOf(o),
    price: decimal(o, 'L'),
    quantity: decimal(o, 'l'),
    maker: o.m === true,
    // Both are absent where no fee was taken.
    fee: o.n === undefined || o.n === null ? '0' : decimal(o, 'n'),
    feeAsset: typeof o.N === 'string' ? o.N : '',
    realizedPnl: o.rp === undefined ? '0' : decimal(o, 'rp'),
    at: time(o, 'T'),
  };
}

function algoOf(o: Fields, updatedAt: number): RemoteAlgoOrder {
  const status = text(o, 'X');
  if (!ALGO_STATUSES.has(status)) throw new Unreadable(`X is "${status}"`);
  const actual = o.ai === undefined || o.ai === null ? '' : String(o.ai);
  const reason = typeof o.rm === 'string' ? o.rm : '';
  return {
    symbol: text(o, 's'),
    algoId: id(o, 'aid'),
    clientOrderId: text(o, 'caid'),
    side: sideOf(o),
    positionSide: positionSideOf(o),
    type: text(o, 'o') as RemoteAlgoOrder['type'],
    status: status as RemoteAlgoOrder['status'],
    quantity: o.q === undefined ? '0' : decimal(o, 'q'),
    triggerPrice: o.tp === undefined ? '0' : decimal(o, 'tp'),
    reduceOnly: o.R === true,
    closePosition: o.cp === true,
    ...(actual !== '' && actual !== '0' && { actualOrderId: actual }),
    ...(reason !== '' && { reason }),
    updatedAt,
  };
}

const balanceOf = (b: Fields): RemoteBalance => ({
  asset: text(b, 'a'),
  wallet: decimal(b, 'wb'),
  ...(b.bc !== undefined && { change: decimal(b, 'bc') }),
});

/** A margin call names no entry price. */
const positionOf = (p: Fields): RemotePosition => ({
  symbol: text(p, 's'),
  positionSide: positionSideOf(p),
  amount: decimal(p, 'pa'),
  entryPrice: p.ep === undefined ? '0' : decimal(p, 'ep'),
  ...(p.mp !== undefined && { markPrice: decimal(p, 'mp') }),
  ...(p.up !== undefined && { unrealizedPnl: decimal(p, 'up') }),
  ...(typeof p.mt === 'string' && { isolated: p.mt.toLowerCase() === 'isolated' }),
});

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function object(from: Fields, key: string): Fields {
  const value = from[key];
  if (!isFields(value)) throw new Unreadable(`${key} is no object`);
  return value;
}

/** Absent lists are empty ones: an ACCOUNT_UPDATE without changed positions may leave P out. */
function list(from: Fields, key: string): readonly Fields[] {
  const value = from[key] ?? [];
  if (!Array.isArray(value) || !value.every(isFields)) throw new Unreadable(`${key} is no list`);
  return value;
}

function text(from: Fields, key: string): string {
  const value = from[key];
  if (typeof value !== 'string' || value === '') throw new Unreadable(`${key} is no text`);
  return value;
}

function id(from: Fields, key: string): string {
  const value = from[key];
  const found = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
  if (!/^-?\d+$/.test(found)) throw new Unreadable(`${key} is no id`);
  return found;
}

const DECIMAL = /^-?\d+(\.\d+)?$/;

function decimal(from: Fields, key: string): string {
  const value = from[key];
  const found = typeof value === 'number' ? String(value) : value;
  if (typeof found !== 'string' || !DECIMAL.test(found)) throw new Unreadable(`${key} is no decimal`);
  return found;
}

function time(from: Fields, key: string): number {
  const value = from[key];
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new Unreadable(`${key} is no integer`);
  return value;
}

function sideOf(from: Fields): 'BUY' | 'SELL' {
  if (from.S !== 'BUY' && from.S !== 'SELL') throw new Unreadable('S is no side');
  return from.S;
}

function positionSideOf(from: Fields): 'BOTH' | 'LONG' | 'SHORT' {
  const { ps = 'BOTH' } = from;
  if (ps !== 'BOTH' && ps !== 'LONG' && ps !== 'SHORT') throw new Unreadable('ps is no position side');
  return ps;
}

type ExactReviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;
const parseWithSource = JSON.parse as (text: string, reviver: ExactReviver) => unknown;

/** JSON with integers beyond 2^53 as strings of their own digits. */
const parseExactly = (json: string): unknown =>
  MAY_BE_LARGE.test(json) ? parseLarge(json) : JSON.parse(json);

/** Integers beyond 2^53 have sixteen digits, or an exponent; asking for each value's source costs ten times as much. */
const MAY_BE_LARGE = /\d{16}|\d[eE]/;

const parseLarge = (json: string): unknown =>
  parseWithSource(json, (_key, value, { source }) =>
    typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) ? source : value,
  );

/**
 * What makes frames of two connections the same event: all of it but `E`, which may be each connection's own, and
 * the wrapper, which holds the key. Answers and what cannot be read are their own text.
 */
export function userFrameIdentity(bytes: Buffer): string {
  const whole = bytes.toString();
  try {
    const value: unknown = parseExactly(whole);
    const data = isFields(value) && 'data' in value ? value.data : value;
    if (!isFields(data)) return whole;
    const { E: _own, ...rest } = data;
    return JSON.stringify(rest);
  } catch {
    return whole;
  }
}
