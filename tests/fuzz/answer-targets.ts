/**
 * Bodies of REST answers: the venue's as the adapter reads them, the public ones of Binance, Bybit and OKX. A bad one is
 * a clear failure and nothing half-taken: no NaN, nothing of a wrong type, no crash, no endless asking.
 */
import fc from 'fast-check';
import { VirtualTime } from '../../src/core/clock.ts';
import { isBulkheadError } from '../../src/core/errors.ts';
import { seededRandom } from '../../src/core/random.ts';
import { type Candle, TIMEFRAME_MS } from '../../src/domain/candle.ts';
import type { Instrument } from '../../src/domain/instrument.ts';
import type { RemoteAnswers, RemoteOrder } from '../../src/domain/remote.ts';
import { depthSnapshotOf } from '../../src/market/feeds/ccxt-answers.ts';
import { binanceHistory, type HistoryRange } from '../../src/market/feeds/ccxt-history.ts';
import { bybitHistory, okxContractSizes, okxHistory } from '../../src/market/feeds/ccxt-other-history.ts';
import { OpenInterestPoll } from '../../src/market/feeds/live-open-interest.ts';
import { LiveBooks } from '../../src/market/live/live-books.ts';
import type { LiveBook } from '../../src/market/live/live-market.ts';
import { number, value } from './arbitraries.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { ENDPOINTS, NOW, OUR_ID, SOUND, type Taken, takeAnswer } from './venue-answers.ts';

const HTML = [
  '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>nginx</body></html>',
  '<!DOCTYPE html><h1>504 Gateway Time-out</h1>',
];

/** A sound answer in which some values, wherever they stand, are others: of the venue's kinds, or of none. */
function spoilt(json: unknown, random: (below: number) => number, values: readonly unknown[]): unknown {
  const chance = (): boolean => random(12) === 0;
  const any = (): unknown => values[random(values.length)];
  const walk = (one: unknown): unknown => {
    if (chance()) return any();
    if (Array.isArray(one)) return chance() ? [...one.map(walk), any()] : one.map(walk);
    if (typeof one !== 'object' || one === null) return one;
    const kept = Object.entries(one).filter(() => !chance());
    return Object.fromEntries(kept.map(([name, inner]) => [name, walk(inner)]));
  };
  return walk(json);
}

const spoiltText = (json: unknown): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.array(fc.nat(), { minLength: 120, maxLength: 120 }),
      fc.array(fc.oneof(value, number), { minLength: 4 }),
    )
    .map(([dice, values]) => {
      let next = 0;
      const random = (below: number): number => (dice[next++ % dice.length] as number) % below;
      return JSON.stringify(spoilt(json, random, [...values, {}, [], [[]], true, 1e21, -1])) ?? '';
    });

const body = (json: unknown): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 6, arbitrary: spoiltText(json) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(...HTML, '', 'null', '[]', '{}', '0', '{"code":-1007,"msg":"Timeout"}'),
    },
  );

const venueAnswer = fc
  .constantFrom(...ENDPOINTS)
  .chain((endpoint) =>
    fc
      .tuple(fc.constantFrom(200, 200, 200, 200, 400, 404, 429, 502, 503, 504), body(SOUND[endpoint]))
      .map(([http, text]) => Buffer.from(`${endpoint} ${http}\n${text}`)),
  );

const DECIMAL = /^-?\d{1,40}(\.\d{1,40})?$/;
const isDecimal = (one: unknown): boolean => typeof one === 'string' && DECIMAL.test(one);
const isSize = (one: unknown): boolean => isDecimal(one) && !(one as string).startsWith('-');
const isId = (one: unknown): boolean => typeof one === 'string' && /^-?\d+$/.test(one);
const isMoment = (one: unknown): boolean => Number.isSafeInteger(one) && (one as number) >= 0;
const isText = (one: unknown): boolean => typeof one === 'string' && one !== '';
const isFlag = (one: unknown): boolean => typeof one === 'boolean';
const isSide = (one: unknown): boolean => one === 'BUY' || one === 'SELL';

/** By the names that the domain's types have; what is optional may be absent. */
const KINDS: Readonly<Record<string, (one: unknown) => boolean>> = {
  ...{ symbol: isText, orderId: isId, algoId: isId, tradeId: isId, clientOrderId: isText, side: isSide },
  ...{ price: isSize, quantity: isSize, filled: isSize, averagePrice: isSize, triggerPrice: isSize },
  ...{ amount: isDecimal, fee: isDecimal, realizedPnl: isDecimal, entryPrice: isSize, markPrice: isSize },
  ...{ wallet: isDecimal, available: isDecimal, maintenance: isDecimal, balance: isDecimal },
  ...{ unrealizedPnl: isDecimal, liquidationPrice: isDecimal, reduceOnly: isFlag, closePosition: isFlag },
  ...{
    maker: isFlag,
    isolated: isFlag,
    canceled: isFlag,
    at: isMoment,
    updatedAt: isMoment,
    since: isMoment,
  },
  ...{ actualOrderId: isId, positionSide: (one) => /^(BOTH|LONG|SHORT)$/.test(String(one)), asset: isText },
  ...{ leverage: (one) => isMoment(one) && one !== 0, status: isText, type: isText, reason: isText },
};

/** All that is named is of its kind, however deep it lies. */
function ofItsKind(one: unknown, where = ''): void {
  if (typeof one === 'number' && !Number.isFinite(one)) throw new Error(`${where} is ${one}`);
  if (typeof one !== 'object' || one === null) return;
  for (const [name, inner] of Object.entries(one)) {
    if (inner !== undefined && KINDS[name]?.(inner) === false)
      throw new Error(`${where}.${name} is ${JSON.stringify(inner)}`);
    ofItsKind(inner, `${where}.${name}`);
  }
}

function checkReport(taken: Taken, report: RemoteAnswers['report']): void {
  const sent = (endpoint: string): unknown[] => {
    const json: unknown = endpoint === taken.endpoint ? JSON.parse(taken.body) : SOUND[endpoint];
    return Array.isArray(json) ? json : ((json as { orders: unknown[] }).orders ?? []);
  };
  if (report.openOrders.length !== sent('GET openOrders').length) throw new Error('orders are missing');
  if (report.openAlgoOrders.length !== sent('GET openAlgoOrders').length)
    throw new Error('algo orders are missing');
}

function checkOrder({ symbol, clientOrderId }: Pick<RemoteOrder, 'symbol' | 'clientOrderId'>): void {
  if (symbol !== 'BTCUSDT' || clientOrderId !== OUR_ID) throw new Error('it is another order');
}

function checkInstruments(instruments: readonly Instrument[]): void {
  for (const { symbol, pricePrecision, quantityPrecision, deliversAt, brackets, ...one } of instruments) {
    const { base, quote, status, fundingIntervalHours, makerFeeRate, takerFeeRate, ...sizes } = one;
    const counts = [fundingIntervalHours, ...brackets.flatMap((b) => [b.bracket, b.initialLeverage])];
    const rates = brackets.flatMap((b) => [b.notionalFloor, b.notionalCap, b.maintMarginRate, b.cum]);
    if (![symbol, base, quote, status].every(isText)) throw new Error('an instrument without its names');
    if (![...Object.values(sizes), ...rates].every(isSize) || ![makerFeeRate, takerFeeRate].every(isDecimal))
      throw new Error(`of ${symbol} something is no size`);
    if (!counts.every((count) => isMoment(count) && count > 0))
      throw new Error(`of ${symbol} a count is none`);
    if (Number(one.tickSize) === 0 || Number(one.stepSize) === 0) throw new Error(`${symbol} has no grid`);
    for (const whole of [pricePrecision, quantityPrecision, deliversAt])
      if (whole !== undefined && !isMoment(whole)) throw new Error(`of ${symbol} ${whole} is no number`);
  }
}

function checkTaken(taken: Taken): void {
  const { endpoint, outcome, read, http } = taken;
  if (/exchangeInfo|leverageBracket|fundingInfo|commissionRate/.test(endpoint))
    checkInstruments(read as readonly Instrument[]);
  if (!outcome) return;
  if (outcome.outcome !== 'done') {
    if (outcome.reason === '' || outcome.reason.length > 400)
      throw new Error('a failure without clear words');
    if (outcome.outcome === 'rejected' && http < 400)
      throw new Error('refused by an answer that is no refusal');
    return;
  }
  ofItsKind(outcome.value);
  const found = outcome.value as null | RemoteAnswers['report'] | NonNullable<RemoteAnswers['query']>;
  if (found && 'openOrders' in found) checkReport(taken, found);
  if (found && 'book' in found) checkOrder(found.book === 'plain' ? found.order : found.algo);
}

const MINUTE = TIMEFRAME_MS['1m'];
const OPEN = NOW - (NOW % MINUTE) - 5 * MINUTE;
const range: HistoryRange = {
  ...{ symbol: 'BTCUSDT', after: OPEN, until: OPEN + 3 * MINUTE, now: () => NOW },
  timeframe: '1m',
};
const bar = (i: number): string[] => [String(OPEN + i * MINUTE), '100.1', '102', '99.5', '101', '5.5'];
const binanceBar = (i: number) => [
  OPEN + i * MINUTE,
  ...bar(i).slice(1),
  OPEN + (i + 1) * MINUTE - 1,
  '1',
  2,
];
const okxBar = (i: number): string[] => [...bar(i), '0.5', '50', '1'];

type Asks = (answer: unknown) => Promise<unknown>;
const rest = (answer: unknown) => {
  let asked = 0;
  return {
    get: async () => {
      asked += 1;
      if (asked > 50) throw new Error('it asks without end');
      return structuredClone(answer);
    },
    close: async () => {},
  };
};

/** The book that comes of a snapshot, with the diff that it needs. */
async function bookOf(answer: unknown): Promise<LiveBook | undefined> {
  const time = new VirtualTime(NOW);
  const books = new LiveBooks({
    ...{ time, random: seededRandom(1), onBook: () => {} },
    snapshot: async (symbol) => depthSnapshotOf(symbol, answer),
  });
  const diff = { firstId: 99, lastId: 101, previousId: 98, bids: [], asks: [] };
  books.diff('BTCUSDT', NOW, diff);
  await new Promise(setImmediate);
  const book = books.book('BTCUSDT');
  books.stop();
  return book;
}

async function interestOf(answer: unknown): Promise<unknown> {
  const heard: unknown[] = [];
  const poll = new OpenInterestPoll({
    ...{ symbols: ['BTCUSDT'], time: new VirtualTime(NOW), ask: async () => answer },
    onInterest: (event) => heard.push(event),
  });
  poll.start();
  await new Promise(setImmediate);
  poll.stop();
  return heard;
}

/** By the first line: what is read, and a sound answer. */
const PUBLIC: Readonly<Record<string, readonly [sound: unknown, read: Asks]>> = {
  'binance klines': [[0, 1, 2, 3].map(binanceBar), (answer) => binanceHistory(rest(answer), range)],
  'binance marks': [
    [0, 1, 2, 3].map(binanceBar),
    (answer) => binanceHistory(rest(answer), { ...range, of: 'mark' }),
  ],
  'binance depth': [
    {
      lastUpdateId: 100,
      bids: [
        ['99.9', '1.5'],
        ['99.8', '2'],
      ],
      asks: [
        ['100.1', '0.5'],
        ['100.2', '3'],
      ],
    },
    bookOf,
  ],
  'binance interest': [{ openInterest: '10659.509', symbol: 'BTCUSDT', time: NOW - 1 }, interestOf],
  'bybit klines': [
    { retCode: 0, result: { symbol: 'BTCUSDT', category: 'linear', list: [3, 2, 1, 0].map(bar) } },
    (answer) => bybitHistory(rest(answer), '1', range),
  ],
  'okx klines': [
    { code: '0', data: [3, 2, 1, 0].map(okxBar) },
    (answer) => okxHistory(rest(answer), 'BTC-USDT-SWAP', '1m', range),
  ],
  'okx sizes': [
    { code: '0', data: [{ instId: 'BTC-USDT-SWAP', ctVal: '0.01', ctMult: '1', ctType: 'linear' }] },
    async (answer) => [...(await okxContractSizes(rest(answer)))],
  ],
};

function checkPublic({ what, read }: { readonly what: string; readonly read: unknown }): void {
  if (what.endsWith('klines') || what.endsWith('marks')) {
    checkBars(read as readonly Candle[]);
    return;
  }
  const figures: unknown[] = [];
  JSON.stringify(read, (_, one: unknown) => {
    if (typeof one === 'number') figures.push(one);
    return one;
  });
  if (!figures.every((one) => Number.isFinite(one) && (one as number) >= 0))
    throw new Error(`${what}: ${figures.join(', ')}`);
}

function checkBars(bars: readonly Candle[]): void {
  for (const [i, { openTime, open, high, low, close, volume }] of bars.entries()) {
    if (![openTime, open, high, low, close, volume].every((one) => Number.isFinite(one) && one >= 0))
      throw new Error(`bar ${i} holds what is no number`);
    if (low <= 0 || low > Math.min(open, close) || high < Math.max(open, close))
      throw new Error(`bar ${i} cannot be`);
    if (openTime % MINUTE !== 0 || openTime <= (bars[i - 1]?.openTime ?? 0))
      throw new Error(`bar ${i} is out of order`);
  }
}

const isVenueError = (error: unknown): boolean =>
  isBulkheadError(error, 'VENUE_UNREACHABLE') || isBulkheadError(error, 'VENUE_REFUSED');

/** As ccxt gives it: what is no JSON comes as text. */
function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

export const ANSWER_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'venue-answers',
    structure: venueAnswer,
    eat: takeAnswer,
    mayThrow: isVenueError,
    check: (result) => {
      if (result !== undefined) checkTaken(result as Taken);
    },
  },
  {
    name: 'public-answers',
    structure: fc
      .constantFrom(...Object.keys(PUBLIC))
      .chain((what) => body(PUBLIC[what]?.[0]).map((text) => Buffer.from(`${what}\n${text}`))),
    eat: async (bytes) => {
      const text = bytes.toString();
      const end = text.indexOf('\n');
      const what = text.slice(0, end);
      const [, read] = Object.hasOwn(PUBLIC, what) ? (PUBLIC[what] ?? []) : [];
      return read && { what, read: await read(jsonOrText(text.slice(end + 1))) };
    },
    mayThrow: isVenueError,
    check: (result) => {
      if (result !== undefined) checkPublic(result as never);
    },
  },
];
