import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameDecoder, type Tick } from '../../src/market/feeds/frame-decoder.ts';

function decode(...frames: (string | object)[]): { ticks: Tick[]; decoder: FrameDecoder } {
  const ticks: Tick[] = [];
  const decoder = new FrameDecoder((tick) => ticks.push(tick));
  for (const frame of frames)
    decoder.decode(Buffer.from(typeof frame === 'string' ? frame : JSON.stringify(frame)));
  return { ticks, decoder };
}

const BOOK = {
  e: 'bookTicker',
  u: 5123107839020,
  s: 'BTCUSDT',
  b: '61800.20',
  B: '2.507',
  a: '61800.30',
  A: '2.510',
  T: 1723161256313,
  E: 1723161256314,
};
const BOOK_TICK: Tick = {
  kind: 'book',
  symbol: 'BTCUSDT',
  at: 1723161256314,
  updateId: 5123107839020,
  bid: 61800.2,
  bidQuantity: 2.507,
  ask: 61800.3,
  askQuantity: 2.51,
};
const TRADE = {
  e: 'aggTrade',
  E: 9,
  a: 26129,
  s: 'ETHUSDT',
  p: '0.01633102',
  q: '4.7',
  f: 1,
  l: 2,
  T: 8,
  m: true,
};
const MARK = {
  e: 'markPriceUpdate',
  E: 7,
  s: 'XRPUSDT',
  p: '2.1924',
  i: '2.1',
  P: '2',
  r: '-0.00038167',
  T: 28800000,
};

test('each event becomes its tick', () => {
  assert.deepEqual(decode(BOOK).ticks, [BOOK_TICK]);
  assert.deepEqual(decode(TRADE).ticks, [
    { kind: 'trade', symbol: 'ETHUSDT', at: 8, price: 0.01633102, quantity: 4.7, buyerIsMaker: true },
  ]);
  assert.deepEqual(decode(MARK).ticks, [
    {
      kind: 'mark',
      symbol: 'XRPUSDT',
      at: 7,
      price: 2.1924,
      fundingRate: -0.00038167,
      nextFundingAt: 28800000,
    },
  ]);
});

test('klines and depth updates are read too', () => {
  const k = {
    t: 60000,
    T: 119999,
    s: 'BTCUSDT',
    i: '1m',
    o: '1',
    c: '2',
    h: '3',
    l: '0.5',
    v: '10',
    x: true,
  };
  assert.deepEqual(decode({ e: 'kline', E: 5, s: 'BTCUSDT', k }).ticks, [
    {
      kind: 'candle',
      symbol: 'BTCUSDT',
      at: 5,
      timeframe: '1m',
      openTime: 60000,
      open: 1,
      high: 3,
      low: 0.5,
      close: 2,
      volume: 10,
      closed: true,
    },
  ]);
  const depth = { e: 'depthUpdate', E: 5, T: 4, s: 'BTCUSDT', U: 2, u: 3, pu: 1, b: [['1', '0']], a: [] };
  assert.deepEqual(decode(depth).ticks, [
    {
      kind: 'depth',
      symbol: 'BTCUSDT',
      at: 5,
      firstId: 2,
      lastId: 3,
      previousId: 1,
      bids: [['1', '0']],
      asks: [],
    },
  ]);
});

test('combined frames, the array of all marks, unknown fields and reordered fields are fine', () => {
  const extended = { ...BOOK, st: 1, ps: 'BTCUSDT', nested: { x: [1, '}"'] }, odd: null, flag: false };
  const reversed = Object.fromEntries(Object.entries(BOOK).reverse());
  const { ticks, decoder } = decode(
    { stream: 'btcusdt@bookTicker', data: BOOK },
    { data: BOOK, stream: 'btcusdt@bookTicker' },
    extended,
    reversed,
    JSON.stringify(BOOK, null, 2),
    [MARK, { ...MARK, s: 'BTCUSDT' }],
    { stream: '!markPrice@arr', data: [MARK] },
  );
  assert.deepEqual(ticks.slice(0, 5), Array(5).fill(BOOK_TICK));
  assert.deepEqual(
    ticks.slice(5).map(({ symbol }) => symbol),
    ['XRPUSDT', 'BTCUSDT', 'XRPUSDT'],
  );
  assert.deepEqual(decoder.counts, { frames: 7, ticks: 8, ignored: 0, faults: 0 });
});

test('an escaped symbol and one outside ASCII come through whole', () => {
  const { ticks } = decode(JSON.stringify(BOOK).replace('BTCUSDT', '\\u0042TCUSDT'), {
    ...BOOK,
    s: '币安USDT',
  });
  assert.deepEqual(
    ticks.map(({ symbol }) => symbol),
    ['BTCUSDT', '币安USDT'],
  );
});

test('replies and foreign events are ignored, not faults', () => {
  const { ticks, decoder } = decode({ result: null, id: 1 }, { e: 'forceOrder', o: {} }, { e: 'toString' });
  assert.deepEqual(ticks, []);
  assert.deepEqual(decoder.counts, { frames: 3, ticks: 0, ignored: 3, faults: 0 });
});

test('what cannot be trusted is a counted fault with its reason', () => {
  const bad = [
    '',
    'null',
    '{',
    '[1]',
    'garbage',
    { ...BOOK, b: 'abc' },
    { ...BOOK, b: '0' },
    { ...BOOK, a: '-1' },
    { ...BOOK, a: '1e999' },
    { ...BOOK, B: '' },
    { ...BOOK, s: undefined },
    { ...BOOK, s: 5 },
    { ...BOOK, E: undefined },
    { ...TRADE, p: '' },
    { ...MARK, p: null },
    { e: 'kline', E: 1, s: 'X' },
    { e: 'depthUpdate', E: 1, s: 'X', U: 1, u: 2, pu: 0, b: [['x', '1']], a: [] },
    { e: 'depthUpdate', E: 1, s: 'X', b: [], a: [] },
  ];
  for (const frame of bad) {
    const { ticks, decoder } = decode(frame);
    assert.deepEqual(ticks, [], JSON.stringify(frame));
    assert.equal(decoder.counts.faults, 1, JSON.stringify(frame));
    assert.ok(decoder.lastFault);
  }
});

test('no truncation of a frame is taken for a frame', () => {
  for (const whole of [JSON.stringify(BOOK), JSON.stringify({ stream: 'btcusdt@bookTicker', data: BOOK })]) {
    for (let length = 0; length < whole.length; length++) {
      const { ticks, decoder } = decode(whole.slice(0, length));
      assert.deepEqual(ticks, [], whole.slice(0, length));
      assert.equal(decoder.counts.faults, 1);
    }
  }
});

test('no bytes whatever make it throw', () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    fc.tuple(fc.nat(300), fc.nat(255)).map(([at, byte]) => {
      const bytes = Buffer.from(JSON.stringify({ stream: 'x', data: BOOK }));
      bytes[at % bytes.length] = byte;
      return bytes;
    }),
  );
  fc.assert(
    fc.property(noise, (bytes) => {
      const decoder = new FrameDecoder(() => {});
      decoder.decode(Buffer.from(bytes));
      const { frames, ticks, ignored, faults } = decoder.counts;
      assert.equal(frames, 1);
      assert.equal(ticks + ignored + faults, 1);
    }),
    { numRuns: 2000, seed: 11 },
  );
});

test('the fast way and JSON.parse give the same tick', () => {
  const amount = fc.oneof(
    fc.double({ min: 1e-9, max: 1e9, noNaN: true }).map(String),
    fc.tuple(fc.nat(9_999_999), fc.nat(99_999_999)).map(([a, b]) => `${a + 1}.${String(b).padStart(8, '0')}`),
    fc.nat().map((n) => n + 1),
    fc.constantFrom('1e-7', '0.00000001', '00012.50', '9007199254740993'),
  );
  const frame = fc.record({
    e: fc.constantFrom('bookTicker', 'aggTrade', 'trade', 'markPriceUpdate'),
    E: fc.nat(),
    T: fc.nat(),
    s: fc.constantFrom('BTCUSDT', 'ETHUSDT', '1000SHIBUSDT'),
    u: fc.maxSafeNat(),
    b: amount,
    B: amount,
    a: amount,
    A: amount,
    p: amount,
    q: amount,
    r: amount,
    m: fc.boolean(),
    st: fc.nat(3),
  });
  fc.assert(
    fc.property(frame, fc.boolean(), (event, wrapped) => {
      const sent = wrapped ? { stream: 's', data: event } : event;
      // White space sends a frame the slow way.
      assert.deepEqual(decode(JSON.stringify(sent)).ticks, decode(JSON.stringify(sent, null, 1)).ticks);
    }),
    { numRuns: 2000, seed: 5 },
  );
});

test('an array of marks gives the same ticks, read from its bytes or by JSON.parse', () => {
  const decode = (text: string) => {
    const ticks: Tick[] = [];
    const decoder = new FrameDecoder((tick) => ticks.push(tick));
    decoder.decode(Buffer.from(text));
    return { ticks, counts: decoder.counts };
  };
  const mark = fc.record({
    e: fc.constantFrom('markPriceUpdate', 'markPriceUpdate', 'markPriceUpdate', 'other'),
    E: fc.nat(),
    s: fc.string(),
    p: fc.double({ min: 0.0001, max: 1e6, noNaN: true }).map(String),
    r: fc.constantFrom('0.0001', '-0.002', ''),
    T: fc.nat(),
    x: fc.oneof(fc.string(), fc.boolean(), fc.integer(), fc.constantFrom(null, [], {})),
  });
  fc.assert(
    fc.property(fc.array(mark, { maxLength: 8 }), (marks) => {
      const text = JSON.stringify(marks);
      // With a space in front it is no array to the fast way.
      assert.deepEqual(decode(text), decode(` ${text}`));
    }),
  );
});

test('no truncation of an array of marks is taken for one', () => {
  const text = JSON.stringify([MARK, MARK]);
  for (let length = 0; length < text.length; length++) {
    const ticks: Tick[] = [];
    new FrameDecoder((tick) => ticks.push(tick)).decode(Buffer.from(text.slice(0, length)));
    assert.deepEqual(ticks, []);
  }
});
