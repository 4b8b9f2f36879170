/**
 * Binance's own client on the streams of a real `bulkhead exchange`: market, public and private sockets, and every
 * field that the SDK declares for a frame, of the declared type.
 */
import assert from 'node:assert/strict';
import { after, before, mock, test } from 'node:test';
import type { DerivativesTradingUsdsFutures } from '@binance/derivatives-trading-usds-futures';
import { sdkStreams } from '../support/conformance/conformance-table.ts';
import { ConformanceVenue } from '../support/conformance/conformance-venue.ts';
import { openSdk } from '../support/conformance/sdk-client.ts';
import { streamFrames, TypeJudge } from '../support/conformance/sdk-types.ts';

type Connection = Awaited<ReturnType<DerivativesTradingUsdsFutures['websocketStreams']['connect']>>;
type Method = keyof Connection & string;
type Listening = { on(event: 'message', fn: (frame: Frame) => void): void };
type Frame = Readonly<Record<string, unknown>>;

const DECLARED = streamFrames();
const BTC = { symbol: 'btcusdt' };

const EXCEPTIONS = {
  'AccountConfigUpdate.ai': 'of multi-assets mode',
  'OrderTradeUpdateO.M': 'in the declarations and in no document',
  'OrderTradeUpdateO.AP': 'of trailing stops only',
  'OrderTradeUpdateO.cr': 'of trailing stops only',
  'AccountUpdateA.S': 'of events that no order makes',
  'AlgoUpdateO.ap': 'once there is an order',
  'AlgoUpdateO.aq': 'once there is an order',
  'AlgoUpdateO.act': 'once there is an order',
  'AlgoUpdateO.rm': 'once there is a reason',
  'userData.a.P.AccountUpdateAPInner': 'a change of the wallet alone has none',
};

const judge = new TypeJudge(EXCEPTIONS);
const heard = new Map<string, (Frame | Frame[])[]>();
let venue: ConformanceVenue;
let sdk: DerivativesTradingUsdsFutures;
let connection: Connection;

before(async () => {
  venue = await ConformanceVenue.open();
  // The SDK stamps its requests with the process's clock.
  mock.timers.enable({ apis: ['Date'], now: venue.at });
  sdk = openSdk(venue);
  connection = await sdk.websocketStreams.connect();
});

after(async () => {
  await connection?.disconnect();
  mock.timers.reset();
  await venue?.close();
});

/** A stream that is listened to until its first frame is there. */
async function first(method: Method, params: object, on: Connection = connection): Promise<void> {
  const frames: (Frame | Frame[])[] = [];
  heard.set(method, frames);
  const open = (on[method] as (params: object) => Listening).bind(on);
  await venue.meanwhile(
    new Promise<void>((resolve) => {
      open(params).on('message', (frame) => {
        frames.push(frame);
        resolve();
      });
    }),
  );
}

const STREAMS: readonly [Method, object][] = [
  ['aggregateTradeStreams', BTC],
  ['klineCandlestickStreams', { ...BTC, interval: '1m' }],
  [
    'continuousContractKlineCandlestickStreams',
    { pair: 'btcusdt', contractType: 'perpetual', interval: '1m' },
  ],
  ['markPriceStream', { ...BTC, updateSpeed: '1s' }],
  ['markPriceStreamForAllMarket', { updateSpeed: '1s' }],
  ['individualSymbolMiniTickerStream', BTC],
  ['allMarketMiniTickersStream', {}],
  ['individualSymbolTickerStreams', BTC],
  ['allMarketTickersStreams', {}],
  ['allBookTickersStream', {}],
  ['individualSymbolBookTickerStreams', BTC],
  ['diffBookDepthStreams', { ...BTC, updateSpeed: '100ms' }],
  ['partialBookDepthStreams', { ...BTC, levels: 5, updateSpeed: '100ms' }],
];

for (const [method, params] of STREAMS)
  test(method, async () => {
    await first(method, params);
  });

test('differences of the book are continuous', async () => {
  await venue.advance(20_000);
  const frames = (heard.get('diffBookDepthStreams') ?? []) as Frame[];
  assert.ok(frames.length > 3);
  for (const [i, frame] of frames.entries()) if (i > 0) assert.equal(frame.pu, frames[i - 1]?.u);
});

test('a user’s orders, from the key to the last event', async () => {
  const api = sdk.restAPI;
  const frames: Frame[] = [];
  heard.set('userData', frames);
  const { listenKey } = await (await api.startUserDataStream()).data();
  const seen = (e: string, X?: string) =>
    frames.some((frame) => frame.e === e && (X === undefined || (frame.o as Frame).X === X));
  let check = (): void => {};
  const until = (...wanted: [e: string, X?: string][]): Promise<void> =>
    venue.meanwhile(
      new Promise((resolve) => {
        check = () => wanted.every(([e, X]) => seen(e, X)) && resolve();
        check();
      }),
    );
  connection.userData(String(listenKey)).on('message', (frame) => {
    frames.push(frame as unknown as Frame);
    check();
  });
  await venue.meanwhile(subscribed());
  mock.timers.setTime(venue.at);
  const price = Number(
    ((await (await api.symbolPriceTickerV2({ symbol: 'BTCUSDT' })).data()) as Frame).price,
  );
  await signed('POST', '/fapi/v1/leverage', { leverage: '10' });
  await signed('POST', '/fapi/v1/order', { side: 'BUY', type: 'MARKET', quantity: '0.05' });
  await until(
    ['ACCOUNT_CONFIG_UPDATE'],
    ['ORDER_TRADE_UPDATE', 'FILLED'],
    ['ACCOUNT_UPDATE'],
    ['TRADE_LITE'],
  );
  const stop = { side: 'SELL', algoType: 'CONDITIONAL', type: 'STOP_MARKET', quantity: '0.02' };
  await signed('POST', '/fapi/v1/algoOrder', { ...stop, triggerPrice: String(Math.floor(price * 0.98)) });
  await until(['ALGO_UPDATE', 'NEW']);
  await venue.admin('POST', '/price', { symbol: 'BTCUSDT', fraction: -0.04 });
  await until(['ALGO_UPDATE', 'FINISHED']);
});

async function signed(method: string, path: string, params: Record<string, string>): Promise<void> {
  const all = { symbol: 'BTCUSDT', ...params };
  const { status, json } = await venue.exchange.signed(method, path, all, venue.at);
  assert.equal(status, 200, JSON.stringify(json));
}

/** The acknowledgement of a subscription has no event in the SDK: its socket tells. */
function subscribed(): Promise<void> {
  return new Promise((resolve) => {
    const listen = (data: unknown): void => {
      if (!/"result":null/.test(String(data))) return;
      connection.off('message', listen);
      resolve();
    };
    connection.on('message', listen);
  });
}

test('forced orders and changed contracts', async (t) => {
  // More than ten messages in a second would end the other one.
  const fresh = await sdk.websocketStreams.connect();
  t.after(() => fresh.disconnect());
  const frames = [
    first('liquidationOrderStreams', BTC, fresh),
    first('allMarketLiquidationOrderStreams', {}, fresh),
    first('contractInfoStream', {}, fresh),
  ];
  await venue.advance(5_000);
  await venue.admin('POST', '/instrument', { symbol: 'XRPUSDT', status: 'TRADING_HALT' });
  await signed('POST', '/fapi/v1/order', { side: 'BUY', type: 'MARKET', quantity: '0.5' });
  await venue.admin('POST', '/price', { symbol: 'BTCUSDT', fraction: -0.5 });
  await Promise.all(frames);
});

/** Events of an account have a declaration each, named as they are. */
function declarationOf(method: string, frame: Frame | Frame[]): string {
  if (method !== 'userData' || Array.isArray(frame)) return DECLARED.get(method) ?? '';
  const words = String(frame.e).toLowerCase().split('_');
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

test('every declared field was there, or is excused for a reason that still holds', () => {
  for (const [method, frames] of heard)
    for (const frame of frames) judge.judge(method, declarationOf(method, frame), frame);
  assert.deepEqual([...new Set(judge.problems)], []);
  assert.deepEqual(judge.unused(), []);
});

test('the streams are those of docs/CONFORMANCE.md', () => {
  assert.deepEqual([...heard.keys()].sort(), sdkStreams().sort());
});
