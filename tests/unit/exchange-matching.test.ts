import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candlePath } from '../../src/exchange/engine/candle-path.ts';
import type { BookLevel } from '../../src/exchange/engine/engine.ts';
import { BTC, bar, brief, briefs, VenueBench } from '../support/venue.ts';

const LIMIT = { type: 'LIMIT', price: '98', timeInForce: 'GTC' } as const;

test('a rising bar goes by its low, a falling one by its high; mark runs beside last', () => {
  const points = (legs: ReturnType<typeof candlePath>) => legs.map((leg) => leg.last[1]);
  assert.deepEqual(points(candlePath(bar(100, 105, 95, 101))), [100, 95, 105, 101]);
  assert.deepEqual(points(candlePath(bar(100, 105, 95, 99))), [100, 105, 95, 99]);
  const marked = candlePath(bar(100, 105, 95, 101, { markHigh: 104, markLow: 96, markClose: 102 }));
  assert.deepEqual(
    marked.map((leg) => leg.mark[1]),
    [100, 96, 104, 102],
  );
});

test('within a bar the path decides which of two exits comes first', () => {
  for (const [close, winner] of [
    [101, 'stop'],
    [99, 'profit'],
  ] as const) {
    const venue = new VenueBench();
    venue.submit({}, 100);
    const exit = { side: 'SELL', reduceOnly: true } as const;
    venue.submit({ ...exit, ref: 'stop', type: 'STOP_MARKET', triggerPrice: '95' }, 100);
    venue.submit({ ...exit, ref: 'profit', ...LIMIT, price: '104' }, 100);
    const events = briefs(venue.bar(100, 105, 94, close));
    assert.ok(events.includes(winner === 'stop' ? 'FILLED stop SELL 1@95' : 'FILLED profit SELL 1@104'));
    const last = winner === 'stop' ? 'CLOSED profit expired' : 'CLOSED stop rejected-at-trigger';
    assert.equal(events.at(-1), last);
  }
});

test('slippage: half the spread and an impact in proportion to size, on the tick, against the taker', () => {
  const slippage = { halfSpreadRate: 0.001, impactRate: 0.1, makerVolumeShare: 1 };
  const quote = { last: 100, mark: 100, volume: 100 };
  const fill = (request: object, given: object = quote) => {
    const venue = new VenueBench({ slippage });
    return briefs(venue.submit(request, given as typeof quote))[1];
  };
  assert.equal(fill({}), 'FILLED o1 BUY 1@100.2');
  assert.equal(fill({ side: 'SELL' }), 'FILLED o1 SELL 1@99.8');
  assert.equal(fill({ quantity: '10' }), 'FILLED o1 BUY 10@101.1');
  assert.equal(fill({}, { ...quote, bid: 99.9, ask: 100.1 }), 'FILLED o1 BUY 1@100.3');
  assert.equal(fill({}, { last: 100, mark: 100 }), 'FILLED o1 BUY 1@100.1');
});

test('a market order stops at the take bound and the rest expires', () => {
  const venue = new VenueBench({
    instruments: [{ ...BTC, multiplierUp: '1.2' }],
    slippage: { halfSpreadRate: 0, impactRate: 1, makerVolumeShare: 1 },
    initialBalance: '100000',
  });
  const events = venue.submit({ quantity: '20' }, { last: 100, mark: 100, volume: 100 });
  assert.deepEqual(briefs(events), ['ACK o1 1', 'FILLED o1 BUY 5@105 partial', 'CLOSED o1 expired']);
  const closed = events.at(-1);
  assert.equal(closed?.type === 'ORDER_CLOSED' && closed.cumulative, '5');
});

const immediate: readonly (readonly [string, 'GTC' | 'IOC' | 'FOK' | 'GTX', string, string[]])[] = [
  ['takes in part and rests', 'GTC', '10', ['ACK o1 1', 'FILLED o1 BUY 1@101 partial']],
  [
    'takes in part and expires',
    'IOC',
    '10',
    ['ACK o1 1', 'FILLED o1 BUY 1@101 partial', 'CLOSED o1 expired'],
  ],
  ['is all or nothing', 'FOK', '10', ['REJECTED -5021']],
  ['fills whole when it can', 'FOK', '1', ['ACK o1 1', 'FILLED o1 BUY 1@101']],
  ['never takes', 'GTX', '1', ['REJECTED -5022']],
];

for (const [what, timeInForce, quantity, expected] of immediate)
  test(`a marketable ${timeInForce} limit ${what}`, () => {
    const slippage = { halfSpreadRate: 0, impactRate: 1, makerVolumeShare: 1 };
    const venue = new VenueBench({ slippage });
    const quote = { last: 100, mark: 100, volume: 100 };
    assert.deepEqual(
      briefs(venue.submit({ ...LIMIT, price: '101', quantity, timeInForce }, quote)),
      expected,
    );
  });

test('a post-only order below the market rests and pays the maker fee', () => {
  const venue = new VenueBench();
  venue.submit({ ...LIMIT, timeInForce: 'GTX' });
  assert.deepEqual(venue.bar(100, 101, 97, 99).map(brief), [
    'FILLED o1 BUY 1@98',
    'WALLET COMMISSION -0.0196',
  ]);
});

test('a resting order gets its share of the volume, bar by bar, oldest first', () => {
  const slippage = { halfSpreadRate: 0, impactRate: 0, makerVolumeShare: 0.1 };
  const venue = new VenueBench({ slippage });
  venue.submit({ ...LIMIT, ref: 'a', quantity: '3' });
  venue.submit({ ...LIMIT, ref: 'b', quantity: '3' });
  const volume = { volume: 40 };
  assert.deepEqual(briefs(venue.bar(99, 99, 97, 98, volume)), [
    'FILLED a BUY 3@98',
    'FILLED b BUY 1@98 partial',
  ]);
  assert.deepEqual(briefs(venue.bar(97, 97, 96, 97, { volume: 15 })), ['FILLED b BUY 1.5@98 partial']);
  assert.deepEqual(briefs(venue.bar(97, 97, 96, 97, volume)), ['FILLED b BUY 0.5@98']);
});

test('two limits crossed by a gap: the better price is served first', () => {
  const venue = new VenueBench();
  venue.submit({ ...LIMIT, ref: 'low', price: '97' });
  venue.submit({ ...LIMIT, ref: 'high', price: '98' });
  assert.deepEqual(briefs(venue.price(96)), ['FILLED high BUY 1@98', 'FILLED low BUY 1@97']);
});

test('one-way: an order larger than the position turns it over in one fill', () => {
  const venue = new VenueBench();
  venue.submit({}, 100);
  const events = venue.submit(
    { ref: 't', side: 'SELL', quantity: '3', owner: 'position/BTCUSDT/BOTH/2' },
    110,
  );
  const fill = events[1];
  assert.equal(fill?.type === 'ORDER_FILLED' && fill.realizedPnl, '10');
  const position = venue.position();
  assert.deepEqual(
    [position?.direction, position?.quantity, position?.entryPrice, position?.owner],
    ['short', '2', '110', 'position/BTCUSDT/BOTH/2'],
  );
});

test('reduce-only is clamped to the position, and what then has nothing to reduce expires', () => {
  const venue = new VenueBench();
  venue.submit({ quantity: '2' }, 100);
  const exit = { side: 'SELL', reduceOnly: true } as const;
  venue.submit({ ...exit, ref: 'a', ...LIMIT, price: '104', quantity: '2' });
  venue.submit({ ...exit, ref: 'b', ...LIMIT, price: '103', quantity: '1.5' });
  venue.submit({ ref: 'c', side: 'SELL', type: 'STOP_MARKET', triggerPrice: '90', closePosition: true });
  venue.submit({ ...exit, ref: 'd', type: 'STOP_MARKET', triggerPrice: '91', quantity: '2' });
  assert.deepEqual(briefs(venue.bar(100, 105, 100, 105)), [
    'FILLED b SELL 1.5@103',
    'FILLED a SELL 0.5@104',
    'CLOSED c expired',
  ]);
  // A conditional reduce-only order waits on, and is refused when it triggers.
  assert.deepEqual(briefs(venue.price(91)), ['TRIGGERED d', 'CLOSED d rejected-at-trigger']);
  assert.deepEqual(venue.engine.checkInvariants(), []);
});

const BIDS: readonly BookLevel[] = [
  ['99.9', '1'],
  ['99.8', '2'],
  ['99', '10'],
];
const ASKS: readonly BookLevel[] = [
  ['100', '1'],
  ['100.2', '2'],
  ['101', '10'],
];

function withBook(): VenueBench {
  const venue = new VenueBench({ initialBalance: '100000' });
  venue.apply({ type: 'BOOK', at: 1, symbol: 'BTCUSDT', bids: BIDS, asks: ASKS });
  return venue;
}

test('book: a market order walks the levels, and what it took is gone until the next book', () => {
  const venue = withBook();
  assert.deepEqual(briefs(venue.submit({ quantity: '2' })), [
    'ACK o1 1',
    'FILLED o1 BUY 1@100 partial',
    'FILLED o1 BUY 1@100.2',
  ]);
  assert.deepEqual(briefs(venue.submit({ ref: 'p', quantity: '2' })), [
    'ACK p 2',
    'FILLED p BUY 1@100.2 partial',
    'FILLED p BUY 1@101',
  ]);
});

test('book: a market order larger than the book expires with what it got', () => {
  const venue = withBook();
  const events = briefs(venue.submit({ quantity: '20' }));
  assert.deepEqual(events.slice(-2), ['FILLED o1 BUY 10@101 partial', 'CLOSED o1 expired']);
});

test('book: limits take up to their price and rest with the rest; FOK and GTX see the book', () => {
  const venue = withBook();
  const taking = { ...LIMIT, price: '100.2', quantity: '5' };
  assert.deepEqual(briefs(venue.submit({ ...taking, timeInForce: 'FOK' })), ['REJECTED -5021']);
  assert.deepEqual(briefs(venue.submit({ ...taking, timeInForce: 'GTX' })), ['REJECTED -5022']);
  assert.deepEqual(briefs(venue.submit(taking)), [
    'ACK o1 1',
    'FILLED o1 BUY 1@100 partial',
    'FILLED o1 BUY 2@100.2 partial',
  ]);
  assert.equal(venue.engine.findOrder('position/BTCUSDT/BOTH/1', 'o1')?.filled, '3');
});

const sold = (price: string, quantity: string) =>
  ({ type: 'TRADE', at: 5, symbol: 'BTCUSDT', price, quantity, buyerMaker: true }) as const;

test('book: own orders queue behind what was visible, and behind each other', () => {
  const venue = withBook();
  venue.submit({ ...LIMIT, ref: 'a', price: '99.8' });
  venue.submit({ ...LIMIT, ref: 'b', price: '99.8' });
  assert.deepEqual(briefs(venue.apply(sold('99.8', '1.5'))), []);
  assert.deepEqual(briefs(venue.apply(sold('99.8', '0.7'))), ['FILLED a BUY 0.2@99.8 partial']);
  assert.deepEqual(briefs(venue.apply(sold('99.8', '1'))), [
    'FILLED a BUY 0.8@99.8',
    'FILLED b BUY 0.2@99.8 partial',
  ]);
  // Trades of the other side and above the price do not touch a bid.
  assert.deepEqual(briefs(venue.apply({ ...sold('99.8', '9'), buyerMaker: false })), []);
  assert.deepEqual(briefs(venue.apply(sold('99.9', '9'))), []);
});

test('book: a trade through the price must have met the order, whatever stood ahead', () => {
  const venue = withBook();
  venue.submit({ ...LIMIT, price: '99' });
  assert.deepEqual(briefs(venue.apply(sold('98.9', '0.4'))), ['FILLED o1 BUY 0.4@99 partial']);
});

test('book: the queue ahead shrinks with the level; a book that crosses the order fills it', () => {
  const venue = withBook();
  venue.submit({ ...LIMIT, price: '99' });
  const book = { type: 'BOOK', at: 5, symbol: 'BTCUSDT', asks: ASKS } as const;
  venue.apply({ ...book, bids: [['99', '3']] });
  assert.deepEqual(briefs(venue.apply(sold('99', '3.1'))), ['FILLED o1 BUY 0.1@99 partial']);
  venue.apply({ ...book, bids: [['99', '8']] });
  assert.deepEqual(briefs(venue.apply(sold('99', '0.1'))), ['FILLED o1 BUY 0.1@99 partial']);
  const crossing = { ...book, bids: [], asks: [['98.5', '0.3']] as const };
  assert.deepEqual(briefs(venue.apply(crossing)), ['FILLED o1 BUY 0.3@99 partial']);
});

test('book: a trade moves last and so triggers stops, which take from the book', () => {
  const venue = withBook();
  venue.submit({}, 100);
  venue.submit({ ref: 's', side: 'SELL', type: 'STOP_MARKET', triggerPrice: '99.9', reduceOnly: true }, 100);
  assert.deepEqual(briefs(venue.apply({ ...sold('99.9', '0.1') })), ['TRIGGERED s', 'FILLED s SELL 1@99.9']);
});

test('settlement: orders of a delisted symbol expire and positions close at mark without fee', () => {
  const venue = new VenueBench();
  venue.submit({}, 100);
  venue.submit({ ...LIMIT, ref: 'l', price: '97' });
  venue.submit({ ref: 's', side: 'SELL', type: 'STOP_MARKET', triggerPrice: '90', reduceOnly: true });
  const instrument = { ...BTC, status: 'SETTLING' } as const;
  const events = venue.apply({ type: 'INSTRUMENT', at: 9, instrument, mark: 105 });
  assert.deepEqual(
    events.map(brief).map((text) => text.replace(/_autoclose-\d+/, '')),
    ['CLOSED l expired', 'CLOSED s expired', 'FILLED settlement SELL 1@105', 'WALLET REALIZED_PNL 5'],
  );
  assert.deepEqual(venue.engine.checkInvariants(), []);
});

test('auto-deleveraging takes part of a position at mark, and all of it when no size is given', () => {
  const venue = new VenueBench();
  venue.submit({ side: 'SELL', quantity: '2' }, 100);
  const adl = { type: 'ADL', at: 9, symbol: 'BTCUSDT', mark: 90 } as const;
  const [first] = venue.apply({ ...adl, quantity: '0.5' });
  assert.ok(first?.type === 'ORDER_FILLED' && first.cause === 'adl');
  assert.deepEqual([first.quantity, first.realizedPnl, first.fee], ['0.5', '5', '0']);
  venue.apply(adl);
  assert.equal(venue.engine.hasPosition('BTCUSDT'), false);
});

test('a halted symbol neither fills nor triggers, and goes on where it was', () => {
  const venue = new VenueBench();
  venue.submit({}, 100);
  venue.submit({ ref: 's', side: 'SELL', type: 'STOP_MARKET', triggerPrice: '95', reduceOnly: true });
  venue.apply({ type: 'INSTRUMENT', at: 9, instrument: { ...BTC, status: 'TRADING_HALT' } });
  assert.deepEqual(venue.price(90), []);
  venue.apply({ type: 'INSTRUMENT', at: 9, instrument: BTC });
  assert.deepEqual(briefs(venue.price(91)), ['TRIGGERED s', 'FILLED s SELL 1@91']);
});

test('order ids count up in two spaces; a triggered order has a plain id of its own', () => {
  const venue = new VenueBench();
  assert.equal(briefs(venue.submit({}))[0], 'ACK o1 1');
  const stop = { side: 'SELL', type: 'STOP_MARKET', triggerPrice: '95', reduceOnly: true } as const;
  assert.equal(briefs(venue.submit({ ...stop, ref: 's' }))[0], 'ACK s 1');
  const [triggered] = venue.price(95);
  assert.equal(triggered?.type === 'ORDER_TRIGGERED' && triggered.orderId, '2');
});

test('open orders are found by owner and ref, and by client id', () => {
  const venue = new VenueBench();
  venue.submit({ ...LIMIT });
  venue.submit({ ref: 's', side: 'SELL', type: 'STOP_MARKET', triggerPrice: '95' });
  assert.equal(venue.engine.findOrder('position/BTCUSDT/BOTH/1', 's')?.orderId, '1');
  assert.equal(venue.engine.byClientOrderId('bh-o1')?.order.ref, 'o1');
  assert.equal(venue.engine.findOrder('someone else', 's'), undefined);
  assert.equal(venue.engine.report(0).openOrders.length, 2);
  assert.deepEqual(briefs(venue.cancel('s')), ['CLOSED s canceled']);
  assert.equal(venue.engine.byClientOrderId('bh-s'), undefined);
});

test('in a thin market an order fills in parts, each a tick further; what no level has expires; until it is deep again', () => {
  const venue = new VenueBench({ slippage: { halfSpreadRate: 0, impactRate: 0, makerVolumeShare: 1 } });
  const depth = { levels: 2, quantity: '0.4' };
  venue.apply({ type: 'DEPTH', at: 1, symbol: 'BTCUSDT', depth });
  assert.deepEqual(briefs(venue.submit({ quantity: '0.7' }, 100)), [
    'ACK o1 1',
    'FILLED o1 BUY 0.4@100 partial',
    'FILLED o1 BUY 0.3@100.1',
  ]);
  const short = venue.submit({ ref: 'o2', side: 'SELL', quantity: '1' }, 100);
  assert.deepEqual(briefs(short), [
    'ACK o2 2',
    'FILLED o2 SELL 0.4@100 partial',
    'FILLED o2 SELL 0.4@99.9 partial',
    'CLOSED o2 expired',
  ]);
  const closed = short.at(-1);
  assert.equal(closed?.type === 'ORDER_CLOSED' && closed.cumulative, '0.8');
  venue.apply({ type: 'DEPTH', at: 2, symbol: 'BTCUSDT' });
  assert.equal(briefs(venue.submit({ ref: 'o3', quantity: '2' }, 100))[1], 'FILLED o3 BUY 2@100');
});
