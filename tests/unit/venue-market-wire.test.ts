/** The wire forms of the public side, against recorded answers and frames of the venue itself. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { readRecordingFile } from '../../src/market/recorded/archive.ts';
import { SYNTHETIC_START_AT, SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
import { WireError } from '../../src/venue-server/protocol.ts';
import { sharedData } from '../support/shared-data.ts';
import { type MarketBench, marketBench } from '../support/venue-market.ts';

type Fields = Readonly<Record<string, unknown>>;

const data = sharedData();
const skip = data === undefined ? 'no market data beside the checkout' : false;
const START = SYNTHETIC_START_AT + 26 * 3_600_000;

async function running(streams: readonly string[] = []): Promise<MarketBench> {
  const market = new SyntheticMarketData({ seed: 3, symbols: ['BTCUSDT', 'LTCUSDT'], days: 3 });
  const bench = marketBench({ source: { kind: 'bars', market }, startAt: START, streams });
  await bench.side.start();
  await bench.advance(START + 5000);
  return bench;
}

/** Fields that today's venue sends and the recordings, made before, do not have. */
const NEWER = new Set([
  'st',
  'ps',
  'nq',
  'ap',
  'rateType',
  'isRPITrade',
  'markPrice',
  'lastUpdateId',
  'settlePlan',
  'CMCCirculatingSupply',
]);

/** Ours has every field of the real one, of the same type, and nothing that the venue never had. */
function assertShape(real: unknown, ours: unknown, where: string): void {
  if (Array.isArray(real)) {
    assert.ok(Array.isArray(ours), `${where} is no array`);
    if (real.length > 0 && ours.length > 0) assertShape(real[0], ours[0], `${where}[0]`);
    return;
  }
  if (typeof real === 'object' && real !== null) {
    assert.ok(typeof ours === 'object' && ours !== null, `${where} is no object`);
    const [a, b] = [real as Fields, ours as Fields];
    for (const [key, value] of Object.entries(a)) {
      assert.ok(key in b, `${where}.${key} is missing`);
      assertShape(value, b[key], `${where}.${key}`);
    }
    for (const key of Object.keys(b))
      assert.ok(key in a || NEWER.has(key), `${where}.${key} is not the venue’s`);
    return;
  }
  assert.equal(typeof ours, typeof real, `${where} has another type`);
}

const CALLS: readonly (readonly [path: string, params: Record<string, string | number>])[] = [
  ['/fapi/v1/time', {}],
  ['/fapi/v1/depth', { symbol: 'BTCUSDT', limit: 5 }],
  ['/fapi/v1/klines', { symbol: 'BTCUSDT', interval: '5m' }],
  ['/fapi/v1/aggTrades', { symbol: 'BTCUSDT', limit: 5 }],
  ['/fapi/v1/trades', { symbol: 'BTCUSDT', limit: 5 }],
  ['/fapi/v1/fundingRate', { symbol: 'BTCUSDT' }],
  ['/fapi/v1/openInterest', { symbol: 'BTCUSDT' }],
  ['/fapi/v1/premiumIndex', { symbol: 'BTCUSDT' }],
  ['/fapi/v1/ticker/24hr', { symbol: 'BTCUSDT' }],
  ['/fapi/v1/ticker/bookTicker', { symbol: 'BTCUSDT' }],
  ['/fapi/v1/ticker/price', { symbol: 'BTCUSDT' }],
  ['/futures/data/openInterestHist', { symbol: 'BTCUSDT', period: '5m' }],
  ['/futures/data/topLongShortAccountRatio', { symbol: 'BTCUSDT', period: '5m' }],
  ['/futures/data/topLongShortPositionRatio', { symbol: 'BTCUSDT', period: '5m' }],
  ['/futures/data/globalLongShortAccountRatio', { symbol: 'BTCUSDT', period: '5m' }],
  ['/futures/data/takerlongshortRatio', { symbol: 'BTCUSDT', period: '5m' }],
];

test('answers have the fields of the recorded ones', { skip }, async () => {
  const file = readRecordingFile(path.join(data ?? '', 'rest/binance_recorded_http.json.gz'));
  const { routes } = JSON.parse(file.toString()) as {
    routes: Record<string, { GET?: { data: unknown; queryString: string }[] }>;
  };
  const b = await running();
  let compared = 0;
  for (const [route, params] of CALLS) {
    const ours = b.call<unknown>(route, params);
    for (const { data: real, queryString } of routes[route]?.GET ?? []) {
      if (real === null || Array.isArray(real) !== Array.isArray(ours) || (real as Fields).code !== undefined)
        continue;
      if (queryString.includes('pair=')) continue;
      assertShape(real, ours, route);
      compared++;
    }
  }
  assert.ok(compared >= CALLS.length, `${compared} answers compared`);
  await b.side.stop();
});

test('exchangeInfo has the recorded rules and filters', { skip }, async () => {
  const file = readRecordingFile(path.join(data ?? '', 'rest/binance_recorded_http.json.gz'));
  const { routes } = JSON.parse(file.toString()) as {
    routes: Record<string, { GET: { data: { symbols: Fields[]; rateLimits: Fields[] } }[] }>;
  };
  const real = routes['/fapi/v1/exchangeInfo']?.GET[0]?.data;
  const b = await running();
  const ours = b.call<{ symbols: Fields[]; rateLimits: Fields[] }>('/fapi/v1/exchangeInfo');
  assertShape({ ...real, symbols: [] }, { ...ours, symbols: [] }, 'exchangeInfo');
  assert.deepEqual(ours.rateLimits, real?.rateLimits);
  const of = (symbols: Fields[] | undefined): Fields =>
    symbols?.find(({ symbol }) => symbol === 'BTCUSDT') ?? {};
  const [theirs, own] = [of(real?.symbols), of(ours.symbols)];
  assertShape({ ...theirs, filters: [] }, { ...own, filters: [] }, 'symbol');
  for (const name of [
    'pricePrecision',
    'quantityPrecision',
    'deliveryDate',
    'triggerProtect',
    'liquidationFee',
  ])
    if (name !== 'pricePrecision') assert.deepEqual(own[name], theirs[name], name);
  const filters = (symbol: Fields): Map<unknown, Fields> =>
    new Map((symbol.filters as Fields[]).map((filter) => [filter.filterType, filter]));
  for (const [type, filter] of filters(theirs)) {
    // Gone since December 2025.
    if (type === 'MAX_NUM_ALGO_ORDERS') continue;
    assertShape(filter, filters(own).get(type), String(type));
  }
  await b.side.stop();
});

test('frames have the fields of the recorded ones', { skip }, async () => {
  const streams = ['aggTrade', 'trade', 'bookTicker', 'depth@100ms', 'kline_1m'].map(
    (name) => `btcusdt@${name}`,
  );
  const b = await running(streams);
  const folder = path.join(data ?? '', 'micro/binance-um');
  const real = new Map<unknown, Fields>();
  for (const name of ['cryptofeed_BINANCE_FUTURES_ws.txt.gz', 'BTCUSDT_stream_20240808.jsonl.gz'])
    for (const line of readRecordingFile(path.join(folder, name)).toString().split('\n').slice(0, 3000)) {
      const at = line.indexOf('{"stream"');
      if (at < 0) continue;
      const frame = (JSON.parse(line.slice(at)) as { data: Fields }).data;
      if (!real.has(frame.e)) real.set(frame.e, frame);
    }
  assert.equal(real.size, 5);
  for (const push of b.pushes) {
    const ours = push.data as unknown as Fields;
    assertShape(real.get(ours.e), ours, String(ours.e));
  }
  assert.deepEqual(
    new Set(b.pushes.map((push) => (push.socket === 'private' ? '' : push.stream))),
    new Set(streams),
  );
  await b.side.stop();
});

test('tickers and marks agree with REST, and countdown and rate with the funding to come', async () => {
  const b = await running(['!ticker@arr', '!miniTicker@arr', '!markPrice@arr@1s', 'btcusdt@markPrice']);
  const ticker = b
    .of<Fields[]>('!ticker@arr')
    .at(-1)
    ?.find(({ s }) => s === 'BTCUSDT');
  const rest = b.call<Fields>('/fapi/v1/ticker/24hr', { symbol: 'BTCUSDT' });
  for (const [field, name] of [
    ['p', 'priceChange'],
    ['P', 'priceChangePercent'],
    ['w', 'weightedAvgPrice'],
    ['c', 'lastPrice'],
    ['o', 'openPrice'],
    ['h', 'highPrice'],
    ['l', 'lowPrice'],
    ['v', 'volume'],
    ['q', 'quoteVolume'],
    ['n', 'count'],
  ] as const)
    assert.equal(ticker?.[field], rest[name], name);
  assert.ok(Number(rest.closeTime) - Number(rest.openTime) <= 86_400_000 + 60_000);
  const mark = b
    .of<Fields[]>('!markPrice@arr@1s')
    .at(-1)
    ?.find(({ s }) => s === 'BTCUSDT');
  const premium = b.call<Fields>('/fapi/v1/premiumIndex', { symbol: 'BTCUSDT' });
  assert.deepEqual(
    [mark?.p, mark?.i, mark?.r, mark?.T],
    [premium.markPrice, premium.indexPrice, premium.lastFundingRate, premium.nextFundingTime],
  );
  assert.equal(premium.nextFundingTime, SYNTHETIC_START_AT + 32 * 3_600_000);
  assert.equal(b.side.funding('BTCUSDT')?.nextAt, premium.nextFundingTime);
  const paces = [b.of('!markPrice@arr@1s').length, b.of('btcusdt@markPrice').length];
  assert.deepEqual(paces, [6, 2]);
  await b.side.stop();
});

test('requests are refused in the venue’s words', async () => {
  const b = await running();
  const refusal = (route: string, params: Record<string, string | number>): string => {
    try {
      b.call(route, params);
    } catch (error) {
      assert.ok(error instanceof WireError);
      return `${error.code} ${error.message}`;
    }
    return 'answered';
  };
  assert.equal(refusal('/fapi/v1/depth', { symbol: 'NOSUCH' }), '-1121 Invalid symbol.');
  assert.equal(
    refusal('/fapi/v1/depth', {}),
    "-1102 Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.",
  );
  assert.equal(
    refusal('/fapi/v1/depth', { symbol: 'BTCUSDT', limit: 7 }),
    "-4021 '7' is not valid depth limit.",
  );
  assert.equal(refusal('/fapi/v1/klines', { symbol: 'BTCUSDT', interval: '7m' }), '-1120 Invalid interval.');
  assert.equal(
    refusal('/fapi/v1/klines', { symbol: 'BTCUSDT', interval: '1m', limit: 'many' }).split(';')[0],
    "-1100 Illegal characters found in parameter 'limit'",
  );
  assert.equal(
    refusal('/fapi/v1/klines', { symbol: 'BTCUSDT', interval: '1m', limit: 1501 }),
    "-1130 Data sent for parameter 'limit' is not valid.",
  );
  assert.equal(
    refusal('/fapi/v1/klines', { symbol: 'BTCUSDT', interval: '1m', startTime: 5, endTime: 4 }),
    '-1023 Start time is greater than end time.',
  );
  assert.equal(refusal('/fapi/v1/ticker/24hr', { symbol: 'btcusdt' }), 'answered', 'any case will do');
  await b.side.stop();
});

test('weights are the venue’s', async () => {
  const b = await running();
  const weight = (route: string, params: Record<string, string> = {}): number | undefined => {
    const endpoint = b.side.endpoints().find((candidate) => candidate.path === route);
    assert.ok(endpoint);
    return typeof endpoint.weight === 'number'
      ? endpoint.weight
      : endpoint.weight(new Map(Object.entries(params)));
  };
  assert.deepEqual(
    ['5', '50', '100', '500', '1000'].map((limit) => weight('/fapi/v1/depth', { limit })),
    [2, 2, 5, 10, 20],
  );
  assert.deepEqual(
    ['99', '100', '500', '1000', '1500'].map((limit) => weight('/fapi/v1/klines', { limit })),
    [1, 2, 5, 5, 10],
  );
  assert.deepEqual(
    [weight('/fapi/v1/premiumIndex', { symbol: 'X' }), weight('/fapi/v1/premiumIndex')],
    [1, 10],
  );
  assert.deepEqual(
    [weight('/fapi/v1/ticker/24hr', { symbol: 'X' }), weight('/fapi/v1/ticker/24hr')],
    [1, 40],
  );
  await b.side.stop();
});
