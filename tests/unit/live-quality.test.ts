import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FeedHealth } from '../../src/app/live/feed-health.ts';
import { seededRandom } from '../../src/core/random.ts';
import { type Candle, TIMEFRAME_MS } from '../../src/domain/candle.ts';
import { LiveQuality } from '../../src/market/live/live-quality.ts';
import type { MarketBar } from '../../src/market/market-data.ts';

const SPAN = TIMEFRAME_MS['15m'];

/** Quarters of an hour of an ordinary market. */
function ordinary(count: number, seed = 1): Candle[] {
  const random = seededRandom(seed);
  let price = 100;
  return Array.from({ length: count }, (_, i) => {
    const open = price;
    price *= 1 + 0.003 * random.normal();
    const high = Math.max(open, price) * (1 + 0.001 * random.next());
    const low = Math.min(open, price) * (1 - 0.001 * random.next());
    const frame = { symbol: 'BTCUSDT', timeframe: '15m', openTime: i * SPAN } as const;
    return { ...frame, open, high, low, close: price, volume: 10 + random.next() };
  });
}

const at = (bars: readonly Candle[], index: number): Candle => bars[index] as Candle;

/** Ten times the price, on no more volume than ever. */
const absurd = (bar: Candle): Candle => ({ ...bar, high: bar.high * 10, close: bar.close * 10 });

const kinds = (faults: readonly { readonly kind: string }[]): string[] => faults.map(({ kind }) => kind);

describe('live bars', () => {
  test('an absurd one is withheld; an hour of clean ones resumes', () => {
    const quality = new LiveQuality('BTCUSDT', '15m');
    const bars = ordinary(80);
    assert.equal(quality.past(bars.slice(0, 60)).fault, undefined);
    const verdict = quality.bar(absurd(at(bars, 60)));
    assert.deepEqual([verdict.accepted, kinds(verdict.faults)], [false, ['absurd']]);
    const after = bars.slice(61, 66).map((bar) => quality.bar(bar));
    assert.ok(after.every(({ accepted }) => accepted));
    assert.deepEqual(
      after.map(({ faults }) => kinds(faults)),
      [[], [], [], ['resumed'], []],
    );
  });

  test('a hole costs the bar after it, a whole flat quarter without volume is an outage', () => {
    const quality = new LiveQuality('BTCUSDT', '15m');
    const bars = ordinary(80);
    quality.past(bars.slice(0, 60));
    assert.deepEqual(kinds(quality.bar(at(bars, 61)).faults), ['gap']);
    assert.deepEqual(kinds(quality.bar(at(bars, 62)).faults), ['resumed']);
    const { close } = at(bars, 62);
    const flat = { ...at(bars, 63), open: close, high: close, low: close, close, volume: 0 };
    const verdict = quality.bar(flat);
    assert.deepEqual([verdict.accepted, kinds(verdict.faults)], [false, ['outage-fill']]);
  });

  test('the past is judged as it would have been: what is over is over, what is not is told', () => {
    const bars = ordinary(80).map((bar, i) => (i === 50 ? absurd(bar) : bar));
    const quality = new LiveQuality('BTCUSDT', '15m');
    const long = quality.past(bars);
    assert.deepEqual([long.bars.length, long.fault], [79, undefined]);
    const short = quality.past(bars.slice(0, 52));
    assert.deepEqual([short.bars.length, short.fault?.kind, quality.suspended], [51, 'absurd', true]);
  });

  test('a close far from the mark at that instant is withheld', () => {
    const quality = new LiveQuality('BTCUSDT', '15m');
    const bars = ordinary(80);
    quality.past(bars.slice(0, 60));
    const marked = (bar: Candle, share: number): MarketBar => ({ ...bar, markClose: bar.close * share });
    assert.equal(quality.bar(marked(at(bars, 60), 1.02)).accepted, true);
    const verdict = quality.bar(marked(at(bars, 61), 1.3));
    assert.equal(verdict.accepted, false);
    assert.match(verdict.faults[0]?.detail ?? '', /while the mark stood at/);
    assert.ok(quality.suspended);
  });
});

describe('marks and the book', () => {
  const SECOND = 1_000;

  test('a mark far from the book is not believed, and a fault when it lasts', () => {
    const quality = new LiveQuality('BTCUSDT', '15m');
    quality.quote(0, 99.9, 100.1);
    assert.deepEqual(quality.mark(SECOND, 100), { believed: true });
    assert.deepEqual(quality.mark(2 * SECOND, 1), { believed: false });
    assert.deepEqual(quality.mark(3 * SECOND, 100), { believed: true }, 'one was an accident');
    for (let i = 4; i < 9; i++) {
      quality.quote(i * SECOND, 99.9, 100.1);
      assert.deepEqual(quality.mark(i * SECOND, 120), { believed: false });
    }
    const verdict = quality.mark(9 * SECOND, 120);
    assert.equal(verdict.believed, false);
    assert.ok(verdict.change?.contradicts);
    assert.match(verdict.change.detail, /mark is 120 while the book stands at 100/);
    assert.equal(quality.mark(10 * SECOND, 120).change, undefined, 'told once');
  });

  test('and over when they agreed for a minute', () => {
    const quality = new LiveQuality('BTCUSDT', '15m');
    const both = (second: number, mark: number) => {
      quality.quote(second * SECOND, 100, 100);
      return quality.mark(second * SECOND, mark);
    };
    for (let i = 0; i <= 5; i++) both(i, 50);
    for (let i = 6; i < 66; i++) assert.deepEqual(both(i, 100), { believed: true });
    assert.deepEqual(both(66, 100).change, { contradicts: false });
  });

  test('without a fresh quote nothing is held against a mark', () => {
    const quality = new LiveQuality('BTCUSDT', '15m');
    assert.deepEqual(quality.mark(0, 50), { believed: true });
    quality.quote(0, 100, 100);
    for (let i = 11; i < 60; i++) assert.deepEqual(quality.mark(i * SECOND, 50), { believed: true });
  });
});

test('a symbol is well again when the last of its ailments is gone', () => {
  const health = new FeedHealth();
  assert.equal(health.down('A', 'stale'), true);
  assert.equal(health.down('A', 'stale'), false);
  assert.equal(health.down('A', 'bars'), true);
  assert.deepEqual(health.outOfOrder, ['A']);
  assert.equal(health.up('A', 'history'), false);
  assert.equal(health.up('A', 'stale'), false);
  assert.equal(health.up('A', 'bars'), true);
  assert.equal(health.up('A', 'bars'), false);
  assert.ok(health.isWell('A'));
});
