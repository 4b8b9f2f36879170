import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type FeedSeams, SymbolFeed } from '../../src/app/drive/symbol-feed.ts';
import { type Candle, closeTime, TIMEFRAME_MS } from '../../src/domain/candle.ts';

const SPAN = TIMEFRAME_MS['15m'];
const FOUR_HOURS = TIMEFRAME_MS['4h'];
const DAY = Date.UTC(2025, 0, 2);

const bar = (openTime: number): Candle => ({
  ...{ symbol: 'BTCUSDT', timeframe: '15m', openTime },
  ...{ open: 1, high: 1, low: 1, close: 1, volume: 1 },
});

/** Bars that open from `from` on, as many as close by `until`. */
const bars = (from: number, until: number): Candle[] => {
  const list: Candle[] = [];
  for (let at = from; at + SPAN <= until; at += SPAN) list.push(bar(at));
  return list;
};

interface Bench {
  readonly feed: SymbolFeed;
  readonly told: string[];
  readonly asked: [after: number, until: number][];
  fail: number;
  missing: (openTime: number) => boolean;
  now: number;
  release: () => void;
}

const hours = (at: number): number => (at - DAY) / 3_600_000;

function bench(lastCloseAt: number | null, { held = false, warmUpMs = 2 * 86_400_000 } = {}): Bench {
  const told: string[] = [];
  const asked: [number, number][] = [];
  let release: () => void = () => {};
  const gate = held ? new Promise<void>((resolve) => (release = resolve)) : Promise.resolve();
  const self: { -readonly [K in keyof Bench]?: Bench[K] } = {
    told,
    asked,
    fail: 0,
    missing: () => false,
    now: DAY + 10 * 3_600_000,
    release: () => release(),
  };
  const seams: FeedSeams = {
    now: () => self.now ?? 0,
    history: async (_symbol, after, until) => {
      asked.push([after, until]);
      await gate;
      if ((self.fail ?? 0) > 0) {
        self.fail = (self.fail ?? 0) - 1;
        throw new Error('no line');
      }
      const from = Math.ceil(after / SPAN) * SPAN;
      return bars(from, until).filter((each) => closeTime(each) > after && !self.missing?.(each.openTime));
    },
    again: async (failures) => failures < 5,
    seed: (_symbol, list) =>
      told.push(`seed ${list.length} until ${hours(closeTime(list.at(-1) ?? bar(0)))}`),
    rebuild: (_symbol, list) => told.push(`rebuild ${list.length}`),
    bar: (each) => told.push(`bar ${hours(closeTime(each))}`),
    trouble: (_symbol, error) => told.push(error === undefined ? 'whole' : 'trouble'),
  };
  self.feed = new SymbolFeed('BTCUSDT', { timeframe: '15m', lastCloseAt, warmUpMs }, seams);
  return self as Bench;
}

const done = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a symbol that nobody has seen yet', () => {
  test('begins with its past, in whole four-hour candles', async () => {
    const { feed, told, asked } = bench(null);
    await feed.catchUp();
    assert.deepEqual(told, ['seed 200 until 10']);
    assert.equal((asked[0]?.[0] ?? 1) % FOUR_HOURS, 0);
    assert.equal(feed.lastCloseAt, DAY + 10 * 3_600_000);
  });

  test('a bar that comes meanwhile waits, and is not told twice when history has it already', async () => {
    const { feed, told, release } = bench(null, { held: true });
    const begun = feed.catchUp();
    feed.offer(bar(DAY + 10 * 3_600_000 - SPAN));
    feed.offer(bar(DAY + 10 * 3_600_000));
    assert.deepEqual(told, []);
    release();
    await begun;
    await done();
    assert.deepEqual(told, ['seed 200 until 10', 'bar 10.25']);
  });
});

describe('a symbol that was seen before', () => {
  test('the forming candles are rebuilt, then every missed bar is told in order', async () => {
    const { feed, told } = bench(DAY + 9.25 * 3_600_000);
    await feed.catchUp();
    // Sixty bars and more, from where a four-hour candle began.
    assert.deepEqual(told, ['rebuild 69', 'bar 9.5', 'bar 9.75', 'bar 10']);
  });

  test('seen exactly at a boundary, the candle that closed there is not forming any more', async () => {
    const { feed, told, asked } = bench(DAY + 8 * 3_600_000, {});
    await feed.catchUp();
    assert.equal((asked[0]?.[0] ?? 1) % FOUR_HOURS, 0);
    assert.equal(told[0], 'rebuild 64');
    assert.equal(told[1], 'bar 8.25');
  });

  test('after too long an absence the strategy begins anew', async () => {
    const { feed, told } = bench(DAY - 3 * 86_400_000);
    await feed.catchUp();
    assert.deepEqual(told, ['seed 200 until 10']);
  });
});

describe('holes', () => {
  test('a bar that does not follow has what lies between fetched first', async () => {
    const { feed, told } = bench(DAY + 10 * 3_600_000);
    await feed.catchUp();
    told.length = 0;
    feed.offer(bar(DAY + 10.5 * 3_600_000));
    await done();
    assert.deepEqual(told, ['bar 10.25', 'bar 10.5', 'bar 10.75']);
  });

  test('a duplicate, or a bar from before, is dropped', async () => {
    const { feed, told } = bench(DAY + 10 * 3_600_000);
    await feed.catchUp();
    told.length = 0;
    feed.offer(bar(DAY + 9 * 3_600_000));
    feed.offer(bar(DAY + 10 * 3_600_000));
    feed.offer(bar(DAY + 10 * 3_600_000));
    assert.deepEqual(told, ['bar 10.25']);
  });

  test('what the venue itself does not have is passed over, asked for once', async () => {
    const self = bench(DAY + 10 * 3_600_000);
    await self.feed.catchUp();
    self.told.length = 0;
    self.missing = (openTime) => openTime < DAY + 12 * 3_600_000;
    const before = self.asked.length;
    self.feed.offer(bar(DAY + 12 * 3_600_000));
    await done();
    self.feed.offer(bar(DAY + 12.25 * 3_600_000));
    await done();
    assert.deepEqual(self.told, ['bar 12.25', 'bar 12.5']);
    assert.equal(self.asked.length, before + 1);
  });

  test('history that cannot be had is asked for again, and the symbol is out of order meanwhile', async () => {
    const self = bench(DAY + 9.5 * 3_600_000);
    self.fail = 3;
    await self.feed.catchUp();
    assert.deepEqual(self.told, ['trouble', 'rebuild 70', 'bar 9.75', 'bar 10', 'whole']);
    assert.equal(self.asked.length, 4);
  });

  test('a run that is ending asks no more', async () => {
    const self = bench(null);
    self.fail = 100;
    await self.feed.catchUp();
    self.feed.offer(bar(DAY + 10 * 3_600_000));
    await done();
    assert.equal(self.asked.length, 6);
    assert.deepEqual(self.told, ['trouble']);
  });
});
