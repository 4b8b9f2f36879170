import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveMarketEvent } from '../../src/market/live/live-market.ts';
import { WarmMarket } from '../../src/market/live/warm-market.ts';
import { FakeLiveMarket } from '../support/fake-live-market.ts';

const OPTIONS = { symbols: ['BTCUSDT', 'ETHUSDT'], timeframe: '15m', channels: ['bars', 'marks'] } as const;
const mark = (symbol: string, at: number): LiveMarketEvent => ({ type: 'mark', symbol, at, mark: 100 + at });

test('hands over the newest of each symbol, first what is stale, and then whatever comes', async () => {
  const inner = new FakeLiveMarket(new Map(), () => 0);
  const market = new WarmMarket(inner);
  await market.warm(OPTIONS);
  inner.say(mark('BTCUSDT', 1));
  inner.say(mark('BTCUSDT', 2));
  inner.say(mark('ETHUSDT', 1));
  inner.say({ type: 'stale', symbols: ['ETHUSDT'], silentMs: 5_000 });
  const heard: LiveMarketEvent[] = [];
  await market.start(OPTIONS, (event) => heard.push(event));
  assert.deepEqual(heard, [{ type: 'stale', symbols: ['ETHUSDT'], silentMs: 5_000 }, mark('BTCUSDT', 2)]);
  inner.say({ type: 'fresh', symbols: ['ETHUSDT'] });
  inner.say(mark('ETHUSDT', 9));
  assert.deepEqual(heard.slice(2), [{ type: 'fresh', symbols: ['ETHUSDT'] }, mark('ETHUSDT', 9)]);
});

test('what was not ready in time is an ordinary start, which may fail and be tried again', async () => {
  const inner = new FakeLiveMarket(new Map(), () => 0);
  const market = new WarmMarket(inner);
  inner.failures = 2;
  await assert.rejects(market.warm(OPTIONS), /no line/);
  const heard: LiveMarketEvent[] = [];
  await assert.rejects(
    market.start(OPTIONS, (event) => heard.push(event)),
    /no line/,
  );
  await market.start(OPTIONS, (event) => heard.push(event));
  inner.say(mark('BTCUSDT', 3));
  assert.deepEqual(heard, [mark('BTCUSDT', 3)]);
});

test('somebody else\u2019s wishes are another subscription', async () => {
  const inner = new FakeLiveMarket(new Map(), () => 0);
  const market = new WarmMarket(inner);
  await market.warm(OPTIONS);
  inner.say(mark('BTCUSDT', 1));
  const wanted = { ...OPTIONS, symbols: ['SOLUSDT'] };
  const heard: LiveMarketEvent[] = [];
  await market.start(wanted, (event) => heard.push(event));
  assert.deepEqual([inner.options, heard], [wanted, []]);
  await market.stop();
});
