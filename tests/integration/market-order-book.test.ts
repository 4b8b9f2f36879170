/**
 * The rebuilt book against the exchange's own word. Both streams number their events from one sequence, and
 * bookTicker names every change of the best prices or quantities. So after a depth diff that ends with u, the top
 * of the rebuilt book must be the recorded bookTicker with the greatest id ≤ u, whichever of the two arrived
 * first. Only the diffs after the last recorded bookTicker cannot be compared.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { BookTick } from '../../src/market/feeds/frame-decoder.ts';
import { OrderBook } from '../../src/market/order-book.ts';
import { readBookFrames } from '../../src/market/recorded/recorded-book.ts';
import { sharedData } from '../support/shared-data.ts';

const data = sharedData();
const skip = data === undefined ? 'no market data beside the checkout' : false;

interface Top {
  readonly id: number;
  readonly bid: number | undefined;
  readonly bidQuantity: number | undefined;
  readonly ask: number | undefined;
  readonly askQuantity: number | undefined;
}

const topOf = (book: OrderBook): Top => {
  const bid = book.bestBid();
  const ask = book.bestAsk();
  return {
    id: book.lastId,
    bid: bid?.price,
    bidQuantity: bid?.quantity,
    ask: ask?.price,
    askQuantity: ask?.quantity,
  };
};

function replay(file: string): { tops: Top[]; tickers: BookTick[]; lost: number } {
  const book = new OrderBook();
  const tops: Top[] = [];
  const tickers: BookTick[] = [];
  let lost = 0;
  for (const frame of readBookFrames(file)) {
    if (frame.kind === 'snapshot') {
      if (!book.applySnapshot(frame.snapshot)) lost++;
      if (book.synced) tops.push(topOf(book));
    } else if (frame.tick.kind === 'book') tickers.push(frame.tick);
    else if (frame.tick.kind === 'depth') {
      const outcome = book.applyDiff(frame.tick);
      if (outcome === 'gap') lost++;
      if (outcome === 'applied') tops.push(topOf(book));
    }
  }
  return { tops, tickers, lost };
}

for (const [symbol, expected] of [
  ['BTCUSDT', 6500],
  ['ETHUSDT', 6500],
] as const) {
  test(`${symbol}: the rebuilt book agrees with the recorded bookTicker after every depth event`, {
    skip,
  }, () => {
    const file = path.join(data ?? '', `micro/binance-um/${symbol}_stream_20240808.jsonl.gz`);
    const { tops, tickers, lost } = replay(file);
    assert.equal(lost, 0);
    let compared = 0;
    let next = 0;
    for (const top of tops) {
      while (next < tickers.length && (tickers[next] as BookTick).updateId <= top.id) next++;
      const ticker = tickers[next - 1];
      if (!ticker || next === tickers.length) continue;
      compared++;
      const { bid, bidQuantity, ask, askQuantity } = ticker;
      assert.deepEqual(top, { id: top.id, bid, bidQuantity, ask, askQuantity });
    }
    assert.ok(compared >= expected, `${compared} comparisons`);
    assert.ok(tops.length - compared <= 5, `${tops.length - compared} left uncompared`);
  });
}
