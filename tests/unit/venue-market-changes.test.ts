/** What a person changes in a played market: prices for a while, a symbol's rules, who listens. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { MarketBar, MarketData } from '../../src/market/market-data.ts';
import { SYNTHETIC_START_AT, SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
import { inMemory } from '../support/array-market.ts';
import { type MarketBench, marketBench } from '../support/venue-market.ts';

const MINUTE = 60_000;
const START = SYNTHETIC_START_AT + 2 * 60 * MINUTE;

let market: MarketData;
const bars = new Map<number, MarketBar>();

before(async () => {
  market = await inMemory(new SyntheticMarketData({ seed: 5, symbols: ['BTCUSDT', 'SOLUSDT'], days: 1 }));
  for await (const steps of market.steps(undefined))
    for (const { bars: own } of steps)
      for (const bar of own) if (bar.symbol === 'BTCUSDT') bars.set(bar.openTime, bar);
});

const bench = (streams: readonly string[]): MarketBench =>
  marketBench({ source: { kind: 'bars', market }, startAt: START, streams });

interface KlineFrame {
  readonly k: { readonly h: string; readonly l: string; readonly x: boolean };
}

test('a shock is shown, heard and kept in the bar; then the market is the source’s again', async () => {
  const b = bench(['btcusdt@kline_1m']);
  await b.side.start();
  await b.advance(START + 20_000);
  b.side.shock('BTCUSDT', -0.2, 5000);
  await b.advance(START + 2 * MINUTE);
  const [shocked, after] = b.of<KlineFrame>('btcusdt@kline_1m').filter(({ k }) => k.x);
  const bar = bars.get(START);
  assert.ok(bar);
  assert.ok(Number(shocked?.k.l) < bar.low * 0.81);
  assert.equal(Number(shocked?.k.h), bar.high);
  assert.equal(Number(after?.k.l), bars.get(START + MINUTE)?.low);
  const lows = b.inputs.flatMap((input) =>
    input.type === 'PRICE' && input.symbol === 'BTCUSDT' ? [input.last] : [],
  );
  assert.equal(Math.min(...lows), Number(shocked?.k.l));
  await b.side.stop();
});

test('a halted symbol does not trade, and exchangeInfo and engine hear of it together', async () => {
  const b = bench(['btcusdt@aggTrade', '!contractInfo']);
  await b.side.start();
  await b.advance(START + 10_000);
  const instrument = b.side.instrument('BTCUSDT');
  assert.ok(instrument);
  b.side.changeInstrument({ ...instrument, status: 'TRADING_HALT', minNotional: '77' });
  const before = b.of('btcusdt@aggTrade').length;
  const info = b.call<{ symbols: { symbol: string; status: string; filters: Record<string, string>[] }[] }>(
    '/fapi/v1/exchangeInfo',
  );
  const listed = info.symbols.find(({ symbol }) => symbol === 'BTCUSDT');
  assert.equal(listed?.status, 'TRADING_HALT');
  assert.equal(listed?.filters.find(({ filterType }) => filterType === 'MIN_NOTIONAL')?.notional, '77');
  const told = b.inputs.at(-1);
  assert.ok(told?.type === 'INSTRUMENT' && told.instrument.status === 'TRADING_HALT');
  assert.equal(b.of<{ cs: string }>('!contractInfo')[0]?.cs, 'TRADING_HALT');
  await b.advance(START + 40_000);
  assert.equal(b.of('btcusdt@aggTrade').length, before);
  b.side.changeInstrument({ ...instrument, status: 'TRADING' });
  await b.advance(START + 50_000);
  assert.ok(b.of('btcusdt@aggTrade').length > before);
  await b.side.stop();
});

test('streams that nobody listens to any more cost nothing and send nothing', async () => {
  const b = bench(['btcusdt@bookTicker', '!miniTicker@arr', 'nosuch@trade', 'btcusdt@nonsense']);
  b.side.subscribed('btcusdt@bookTicker');
  await b.side.start();
  await b.advance(START + 5000);
  b.side.unsubscribed('btcusdt@bookTicker');
  const before = b.of('btcusdt@bookTicker').length;
  assert.ok(before > 0);
  await b.advance(START + 10_000);
  const middle = b.of('btcusdt@bookTicker').length;
  assert.ok(middle > before, 'one listener is left');
  b.side.unsubscribed('btcusdt@bookTicker');
  b.side.unsubscribed('!miniTicker@arr');
  const sent = b.pushes.length;
  await b.advance(START + 20_000);
  assert.equal(b.pushes.length, sent);
  await b.side.stop();
});
