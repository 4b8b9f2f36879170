/**
 * A venue of which one answer is the fuzzer's and all others are sound, behind the real adapter: what the adapter makes
 * of it, on a clock that runs only while somebody waits.
 */
import { turn, VirtualTime } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { IdentifiedOrder } from '../../src/domain/order.ts';
import type { RemoteCall, RemoteOutcome } from '../../src/domain/remote.ts';
import { CcxtExchange } from '../../src/exchange/binance/ccxt-exchange.ts';
import { readAnswer } from '../../src/exchange/venue-answer.ts';
import type { VenueRequest } from '../../src/exchange/venue-client.ts';

export const NOW = 1_767_225_600_000;
const SYMBOL = 'BTCUSDT';
export const OUR_ID = 'bh-fuzz-1';
const MOST_REQUESTS = 400;
const MOST_TURNS = 20_000;

const at = NOW - 60_000;
const sided = { symbol: SYMBOL, side: 'SELL', positionSide: 'BOTH' };

const ORDER = {
  ...{ ...sided, orderId: 8886774, clientOrderId: OUR_ID, type: 'MARKET', status: 'FILLED', price: '0' },
  ...{ avgPrice: '87000.1', origQty: '0.010', executedQty: '0.010', reduceOnly: true, updateTime: at },
};
const ALGO = {
  ...{ ...sided, algoId: 2146760, clientAlgoId: OUR_ID, orderType: 'STOP_MARKET', algoStatus: 'FINISHED' },
  ...{ quantity: '0.010', triggerPrice: '86000', reduceOnly: true, closePosition: false, updateTime: at },
  actualOrderId: '8886774',
};
const FILL = {
  ...{ ...sided, id: 5551, orderId: 8886774, price: '87000.1', qty: '0.010', maker: false, time: at },
  ...{ commission: '0.43500050', commissionAsset: 'USDT', realizedPnl: '-1.5' },
};
const filters = [
  { filterType: 'PRICE_FILTER', minPrice: '556.80', maxPrice: '4529764', tickSize: '0.10' },
  { filterType: 'LOT_SIZE', minQty: '0.001', maxQty: '1000', stepSize: '0.001' },
  { filterType: 'MARKET_LOT_SIZE', minQty: '0.001', maxQty: '120', stepSize: '0.001' },
  { filterType: 'MIN_NOTIONAL', notional: '100' },
  { filterType: 'PERCENT_PRICE', multiplierUp: '1.05', multiplierDown: '0.95', multiplierDecimal: '4' },
];

/** Of every endpoint that the adapter reads, by method and path: an answer as the venue gives it. */
export const SOUND: Readonly<Record<string, unknown>> = {
  'GET time': { serverTime: NOW },
  'GET exchangeInfo': {
    rateLimits: [
      { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: 2400 },
      { rateLimitType: 'ORDERS', interval: 'SECOND', intervalNum: 10, limit: 300 },
    ],
    symbols: [
      {
        ...{ symbol: SYMBOL, baseAsset: 'BTC', quoteAsset: 'USDT', contractType: 'PERPETUAL' },
        ...{ status: 'TRADING', deliveryDate: 4133404800000, pricePrecision: 2, quantityPrecision: 3 },
        ...{ triggerProtect: '0.0500', liquidationFee: '0.012500', marketTakeBound: '0.05', filters },
      },
    ],
  },
  'GET leverageBracket': [
    {
      symbol: SYMBOL,
      brackets: [
        {
          bracket: 1,
          initialLeverage: 125,
          notionalCap: 50000,
          notionalFloor: 0,
          maintMarginRatio: 0.004,
          cum: 0,
        },
      ],
    },
  ],
  'GET fundingInfo': [{ symbol: SYMBOL, fundingIntervalHours: 4 }],
  'GET commissionRate': { symbol: SYMBOL, makerCommissionRate: '0.0002', takerCommissionRate: '0.0005' },
  'GET account/apiRestrictions': { ipRestrict: true, enableWithdrawals: false, enableFutures: true },
  'GET accountConfig': { canTrade: true, dualSidePosition: false, multiAssetsMargin: false },
  'GET symbolConfig': [{ symbol: SYMBOL, marginType: 'ISOLATED', leverage: 5 }],
  'GET account': {
    totalWalletBalance: '1000.5',
    assets: [
      {
        ...{ asset: 'USDT', walletBalance: '1000.5', availableBalance: '900' },
        ...{ maintMargin: '3.5', marginBalance: '1001' },
      },
    ],
  },
  'GET positionRisk': [
    {
      ...{ symbol: SYMBOL, positionSide: 'BOTH', positionAmt: '-0.010', entryPrice: '87000.1' },
      ...{ markPrice: '86990.12', unRealizedProfit: '0.1', liquidationPrice: '120000', isolatedWallet: '80' },
    },
  ],
  'GET openOrders': [{ ...ORDER, type: 'LIMIT', status: 'NEW', price: '90000', executedQty: '0' }],
  'GET openAlgoOrders': [{ ...ALGO, algoStatus: 'NEW', actualOrderId: '' }],
  'GET order': ORDER,
  'GET algoOrder': ALGO,
  'GET userTrades': [FILL],
  'GET income': [
    {
      ...{ symbol: SYMBOL, incomeType: 'COMMISSION', income: '-0.43500050', asset: 'USDT', time: at },
      ...{ tranId: 9689322392, tradeId: '5551' },
    },
  ],
  'POST order': ORDER,
  'POST algoOrder': { ...ALGO, algoStatus: 'NEW', actualOrderId: '' },
  'DELETE order': { ...ORDER, status: 'CANCELED' },
  'DELETE algoOrder': { algoId: 2146760, clientAlgoId: OUR_ID, code: '200', msg: 'success' },
  'POST leverage': { symbol: SYMBOL, leverage: 5, maxNotionalValue: '1000000' },
};

const order = (type: 'MARKET' | 'STOP_MARKET'): IdentifiedOrder =>
  ({
    ...sided,
    ...{ type, quantity: '0.01', reduceOnly: true, clientOrderId: OUR_ID },
    ...(type === 'MARKET' ? {} : { triggerPrice: '86000' }),
  }) as unknown as IdentifiedOrder;

const about = { id: 'q', symbol: SYMBOL, clientOrderId: OUR_ID } as const;
const reading: RemoteCall = { call: 'report', id: 'q', since: at - 1, symbols: [SYMBOL] };
const query = (book: 'plain' | 'algo'): RemoteCall => ({ ...about, call: 'query', book });
const submit = (type: 'MARKET' | 'STOP_MARKET'): RemoteCall => ({
  ...{ call: 'submit', id: 'q', order: order(type), sendBy: NOW + 60_000 },
});
const cancel = (book: 'plain' | 'algo'): RemoteCall => ({ ...about, call: 'cancel', book });

/** What has the adapter ask it: one of its calls, the instruments, or the checks of a start. */
const ASKED_BY: Readonly<Record<string, RemoteCall | 'instruments' | 'checks'>> = {
  ...{ 'GET time': reading, 'GET account': reading, 'GET positionRisk': reading, 'GET openOrders': reading },
  ...{ 'GET openAlgoOrders': reading, 'GET income': reading, 'GET userTrades': query('plain') },
  ...{ 'GET order': query('plain'), 'GET algoOrder': query('algo') },
  ...{ 'POST order': submit('MARKET'), 'POST algoOrder': submit('STOP_MARKET') },
  ...{ 'DELETE order': cancel('plain'), 'DELETE algoOrder': cancel('algo') },
  'POST leverage': { call: 'leverage', id: 'q', symbol: SYMBOL, leverage: 5 },
  ...{ 'GET exchangeInfo': 'instruments', 'GET leverageBracket': 'instruments' },
  ...{ 'GET fundingInfo': 'instruments', 'GET commissionRate': 'instruments' },
  ...{ 'GET account/apiRestrictions': 'checks', 'GET accountConfig': 'checks', 'GET symbolConfig': 'checks' },
};

export const ENDPOINTS = Object.keys(ASKED_BY);

export interface Taken {
  readonly endpoint: string;
  readonly http: number;
  readonly body: string;
  readonly outcome?: RemoteOutcome<unknown>;
  /** Of the instruments, of the checks. */
  readonly read?: unknown;
}

/** "GET openOrders 200", then the body. */
const HEAD = /^(GET|POST|DELETE) ([\w/]+) (\d{3})\n/;

export async function takeAnswer(bytes: Buffer): Promise<Taken | undefined> {
  const text = bytes.toString();
  const [head = '', method, path, status] = HEAD.exec(text) ?? [];
  const endpoint = `${method} ${path}`;
  const how = ASKED_BY[endpoint];
  if (how === undefined) return undefined;
  const answer = { endpoint, http: Number(status), body: text.slice(head.length) };
  const exchange = await venueWith(answer);
  try {
    if (how === 'instruments') return { ...answer, read: await exchange.wait(exchange.venue.instruments()) };
    if (how === 'checks') return { ...answer, read: await exchange.wait(exchange.venue.check()) };
    return { ...answer, outcome: await exchange.wait(exchange.venue.call(how)) };
  } finally {
    await exchange.venue.close();
  }
}

let parsing: Promise<(text: string) => unknown> | undefined;

/** As the client reads a body. */
async function parser(): Promise<(text: string) => unknown> {
  const file = new URL('src/binanceusdm.js', import.meta.resolve('ccxt')).href;
  const { default: Venue } = (await import(file)) as {
    default: new () => { parseJson(text: string): unknown };
  };
  const venue = new Venue();
  return (text) => venue.parseJson(text);
}

async function venueWith({ endpoint, http, body }: { endpoint: string; http: number; body: string }) {
  parsing ??= parser();
  const parse = await parsing;
  const time = new VirtualTime(NOW);
  let requests = 0;
  const send = async ({ method, path }: VenueRequest) => {
    requests += 1;
    if (requests > MOST_REQUESTS) throw new Error('it asks without end');
    const key = `${method} ${path}`;
    const isOurs = key === endpoint;
    const said = isOurs ? body : JSON.stringify(SOUND[key] ?? {});
    const headers = { 'content-type': said.startsWith('<') ? 'text/html' : 'application/json' };
    return { value: readAnswer({ http: isOurs ? http : 200, headers, body: said }, parse, []), headers };
  };
  const venue = new CcxtExchange({
    ...{ mode: 'paper', restUrl: 'http://127.0.0.1:1', streamUrl: 'ws://127.0.0.1:1' },
    ...{ apiKey: 'k', apiSecret: 's', time, realTime: time, random: seededRandom(1), mayAct: () => true },
    ...{ bare: true, symbols: [SYMBOL], allowWithdrawals: false },
    limits: { maxLeverage: 5, marginMode: 'isolated', positionMode: 'one-way' },
    connect: async () => ({ send, close: async () => {} }),
  });
  const wait = async <T>(asked: Promise<T>): Promise<T> => {
    let isOver = false;
    const over = asked.finally(() => {
      isOver = true;
    });
    over.catch(() => {});
    for (let turns = 0; !isOver; turns++) {
      await turn();
      const due = isOver ? undefined : time.nextDeadline();
      if (due !== undefined) time.advanceTo(due);
      if (turns > MOST_TURNS) throw new Error('it hangs');
    }
    if (requests > MOST_REQUESTS) throw new Error('it asks without end');
    return over;
  };
  return { venue, wait };
}
