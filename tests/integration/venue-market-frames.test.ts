/** Real recorded frames played as a venue: its book, its quotes and its engine inputs are the recording's. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { VenueEngine } from '../../src/exchange/engine/engine.ts';
import { instrumentFor } from '../../src/market/instrument-table.ts';
import type { DepthSnapshot } from '../../src/market/order-book.ts';
import { readBookFrames } from '../../src/market/recorded/recorded-book.ts';
import { firstFrameAt } from '../../src/venue-server/market/market-feed.ts';
import { sharedData } from '../support/shared-data.ts';
import { marketBench } from '../support/venue-market.ts';

const data = sharedData();
const skip = data === undefined ? 'no market data beside the checkout' : false;
const SYMBOLS = ['BTCUSDT', 'ETHUSDT'];
const fileOf = (symbol: string): string =>
  path.join(data ?? '', `micro/binance-um/${symbol}_stream_20240808.jsonl.gz`);

test('a recorded book and its trades are played as they were', { skip }, async () => {
  const startAt = firstFrameAt(readBookFrames(fileOf('BTCUSDT')));
  assert.ok(startAt !== undefined);
  const instruments = SYMBOLS.map((symbol) => instrumentFor(symbol, 1000));
  const engine = new VenueEngine({ instruments, initialBalance: '1000000' });
  const b = marketBench({
    source: { kind: 'frames', instruments, frames: (symbol) => readBookFrames(fileOf(symbol)) },
    startAt,
    streams: ['btcusdt@trade', 'btcusdt@bookTicker', 'ethusdt@depth@100ms', 'btcusdt@kline_1m'],
    onInput: (input) => void engine.apply(input),
  });
  await b.side.start();

  const recorded = { trades: 0, prices: [] as number[], low: Infinity, high: 0 };
  const tickers: { at: number; bid: number; ask: number }[] = [];
  const until = startAt + 180_000;
  for (const frame of readBookFrames(fileOf('BTCUSDT'))) {
    if (frame.kind !== 'tick' || frame.tick.at > until) continue;
    const { tick } = frame;
    if (tick.kind === 'book') tickers.push({ at: tick.at, bid: tick.bid, ask: tick.ask });
    if (tick.kind !== 'trade') continue;
    recorded.trades++;
    recorded.prices.push(tick.price);
    recorded.low = Math.min(recorded.low, tick.price);
    recorded.high = Math.max(recorded.high, tick.price);
  }

  // Every second our touch is one that the venue itself showed around then.
  let seen = 0;
  for (let at = startAt + 5000; at <= until; at += 1000) {
    await b.advance(at);
    const quote = b.side.quote('BTCUSDT');
    assert.ok(quote?.bid && quote.ask && quote.bid < quote.ask);
    const near = tickers.filter((ticker) => ticker.at > at - 500 && ticker.at <= at + 100);
    if (near.some(({ bid, ask }) => bid === quote.bid && ask === quote.ask)) seen++;
  }
  assert.ok(seen >= 170, `${seen} of 176 touches were the recorded ones`);

  const trades = b.of<{ p: string; q: string }>('btcusdt@trade');
  const missed = recorded.trades - trades.length;
  assert.ok(missed >= 0 && missed < 5, `${missed} trades missed`);
  // A trade that was recorded behind a frame of the next beat is played with that one.
  const played = trades.map(({ p }) => Number(p));
  assert.deepEqual(played, recorded.prices.slice(0, played.length));
  const minutes = b
    .of<{ k: { x: boolean; h: string; l: string } }>('btcusdt@kline_1m')
    .filter(({ k }) => k.x);
  assert.ok(minutes.length >= 2);
  assert.ok(minutes.every(({ k }) => Number(k.h) <= recorded.high && Number(k.l) >= recorded.low));

  // The engine's own book is the shown one, and a taker walks it.
  const shown = b.call<DepthSnapshot>('/fapi/v1/depth', { symbol: 'BTCUSDT', limit: 20 });
  assert.equal(shown.asks.length, 20);
  const ask = shown.asks[0];
  assert.ok(ask);
  const out = engine.apply({
    type: 'order.submit',
    at: until,
    order: {
      owner: 'tester',
      ref: 'o-1',
      clientOrderId: 'c-1',
      symbol: 'BTCUSDT',
      side: 'BUY',
      type: 'MARKET',
      quantity: String(ask[1]),
      reduceOnly: false,
      positionSide: 'BOTH',
    },
  });
  const fill = out.find(({ event }) => event.type === 'ORDER_FILLED')?.event;
  assert.ok(fill?.type === 'ORDER_FILLED');
  assert.equal(Number(fill.price), Number(ask[0]));

  // Trades come before the book of their beat, and nothing goes back in time.
  let beat = 0;
  for (const input of b.inputs) {
    if (input.type !== 'BOOK' && input.type !== 'TRADE') continue;
    if (input.symbol !== 'BTCUSDT') continue;
    assert.ok(input.at >= beat, `${input.type} at ${input.at} after ${beat}`);
    if (input.type === 'BOOK') beat = input.at;
  }
  await b.side.stop();
});

test('the recording’s end is told', { skip }, async () => {
  const frames = [...readBookFrames(fileOf('ETHUSDT'))].slice(0, 400);
  const startAt = firstFrameAt(frames);
  assert.ok(startAt !== undefined);
  const b = marketBench({
    source: { kind: 'frames', instruments: [instrumentFor('ETHUSDT', 1000)], frames: () => frames },
    startAt,
  });
  await b.side.start();
  assert.equal(b.side.endedAt, undefined);
  await b.advance(startAt + 600_000);
  assert.ok((b.side.endedAt ?? 0) > startAt);
  await b.side.stop();
});
