/**
 * The venue engine against a recorded order book and its trades: a bid joins the best level, waits for its
 * queue, and is sold into the book. What it gets must have been traded at or through its price.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { fromNumber } from '../../src/core/decimal.ts';
import { OrderBook } from '../../src/market/order-book.ts';
import { readBookFrames } from '../../src/market/recorded/recorded-book.ts';
import { sharedData } from '../support/shared-data.ts';
import { ETH, NO_SLIPPAGE, VenueBench } from '../support/venue.ts';

const SYMBOL = 'ETHUSDT';
const DEPTH = 20;
const PATIENCE = 40;

/** The test's own account of one resting bid. */
interface Bid {
  readonly ref: string;
  readonly price: number;
  /** Sold at or below the price since it was placed, and offered at or below it by a book. */
  met: number;
  filled: number;
  age: number;
}

class Session {
  readonly venue = new VenueBench({ instruments: [ETH], initialBalance: '100000', slippage: NO_SLIPPAGE });
  readonly book = new OrderBook();
  makerFills = 0;
  exits = 0;
  unfilled = 0;
  #bid: Bid | undefined;
  #serial = 0;
  #at = 0;

  trade(price: number, quantity: number, buyerMaker: boolean): void {
    if (this.#bid && buyerMaker && price <= this.#bid.price) this.#bid.met += quantity;
    const trade = { price: fromNumber(price), quantity: fromNumber(quantity), buyerMaker };
    this.#count(this.venue.apply({ type: 'TRADE', at: ++this.#at, symbol: SYMBOL, ...trade }));
  }

  depth(): void {
    const side = (of: 'bids' | 'asks') =>
      this.book
        .levels(of, DEPTH)
        .map((level) => [fromNumber(level.price), fromNumber(level.quantity)] as const);
    const asks = side('asks');
    for (const [price, quantity] of asks)
      if (this.#bid && Number(price) <= this.#bid.price) this.#bid.met += Number(quantity);
    this.#count(this.venue.apply({ type: 'BOOK', at: ++this.#at, symbol: SYMBOL, bids: side('bids'), asks }));
    this.#act();
  }

  #act(): void {
    const best = this.book.bestBid();
    const ask = this.book.bestAsk();
    if (!best || !ask) return;
    if (this.#bid && this.#bid.age++ > PATIENCE) {
      this.venue.cancel(this.#bid.ref, SYMBOL);
      this.unfilled++;
      this.#bid = undefined;
    }
    const held = this.venue.position(SYMBOL);
    if (held && !this.#bid) this.#exit(held.quantity, best.price);
    else if (!this.#bid) this.#enter(best.price, ask.price);
  }

  #enter(price: number, ask: number): void {
    const ref = `b${++this.#serial}`;
    const request = { ref, symbol: SYMBOL, type: 'LIMIT', timeInForce: 'GTX', quantity: '0.5' } as const;
    const [event] = this.venue.submit({ ...request, price: fromNumber(price) }, { last: ask, mark: ask });
    if (event?.type === 'ORDER_ACKNOWLEDGED') this.#bid = { ref, price, met: 0, filled: 0, age: 0 };
  }

  #exit(quantity: string, best: number): void {
    const request = { ref: `x${++this.#serial}`, symbol: SYMBOL, side: 'SELL', reduceOnly: true } as const;
    for (const event of this.venue.submit({ ...request, quantity }, { last: best, mark: best })) {
      if (event.type !== 'ORDER_FILLED') continue;
      assert.ok(Number(event.price) <= best && !event.maker);
      this.exits++;
    }
  }

  #count(events: ReturnType<VenueBench['apply']>): void {
    for (const event of events) {
      if (event.type !== 'ORDER_FILLED') continue;
      const bid = this.#bid;
      assert.ok(bid && event.ref === bid.ref && event.maker && Number(event.price) === bid.price);
      bid.filled += Number(event.quantity);
      assert.ok(bid.filled <= bid.met + 1e-9, `${bid.filled} filled where ${bid.met} was to be had`);
      this.makerFills++;
      if (event.complete) this.#bid = undefined;
    }
  }
}

test('a recorded book: bids wait for their queue and fill only from what was traded at their price', (t) => {
  const data = sharedData();
  if (data === undefined) return t.skip('no market data: set BULKHEAD_DATA');
  const session = new Session();
  for (const frame of readBookFrames(path.join(data, 'micro/binance-um/ETHUSDT_stream_20240808.jsonl.gz'))) {
    if (frame.kind === 'snapshot') session.book.applySnapshot(frame.snapshot);
    else if (frame.tick.kind === 'depth' && session.book.applyDiff(frame.tick) === 'applied') session.depth();
    else if (frame.tick.kind === 'trade' && session.book.synced)
      session.trade(frame.tick.price, frame.tick.quantity, frame.tick.buyerIsMaker);
  }
  assert.deepEqual(session.venue.engine.checkInvariants(), []);
  const { makerFills, exits, unfilled } = session;
  const seen = `${makerFills} maker fills, ${exits} exits, ${unfilled} given up`;
  assert.ok(makerFills > 20 && exits > 20 && unfilled > 5, `${seen}: too few to prove`);
});
