import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEFAULT_PLAN, DEFAULT_TRAILING, positionBand } from '../../machines/position.ts';
import type { TrailingRule } from '../../src/domain/signal.ts';
import { PositionBench, type PositionOptions } from '../support/machine-bench.ts';

const trailing = (rule: TrailingRule, more = {}): PositionOptions => ({
  plan: { trailing: { ...DEFAULT_TRAILING, rule, ...more } },
});

const stopAfter = (options: PositionOptions, ...marks: readonly number[]): string => {
  const bench = new PositionBench(options).open();
  for (const mark of marks) bench.price(mark);
  return bench.state.stopPrice;
};

/** rule, the best mark, where the stop lies then. Entry 100, ATR 2 %, ticks of 0.1, stop 95. */
const TABLE: readonly (readonly [TrailingRule, number, string])[] = [
  ['retrace', 102.9, '95'],
  ['retrace', 103, '101.8'],
  ['retrace', 110, '106'],
  ['percent', 102.9, '95'],
  ['percent', 103, '100.9'],
  ['atr', 103, '97'],
  ['atr', 110, '104'],
  ['step', 103, '102'],
  ['step', 103.9, '102'],
  ['step', 104, '103'],
  ['strategy', 103, '100'],
];

for (const [rule, mark, stop] of TABLE)
  test(`${rule}: at ${mark} the stop lies at ${stop}`, () =>
    assert.equal(stopAfter(trailing(rule), mark), stop));

describe('the default: 60 % of a peak above 3 % is kept', () => {
  test('it is the product’s', () => {
    assert.deepEqual(DEFAULT_PLAN.trailing, DEFAULT_TRAILING);
    assert.deepEqual(
      [DEFAULT_TRAILING.rule, DEFAULT_TRAILING.armProfitPercent, DEFAULT_TRAILING.keepPercent],
      ['retrace', '3', '60'],
    );
  });

  test('the band shows the next step, and the row says why the stop moved', () => {
    const bench = new PositionBench(trailing('retrace')).open();
    assert.deepEqual(positionBand(bench.state), { low: 94.5, high: 103 });
    bench.price(103);
    assert.deepEqual(
      bench.orders().map((order) => [order.type, order.triggerPrice]),
      [['STOP_MARKET', '101.8']],
    );
    const [notice] = bench.last.flatMap((intent) => (intent.type === 'notify' ? [intent.text] : []));
    assert.equal(
      notice,
      'position/BTCUSDT/BOTH/1: stop 95 → 101.8: profit peaked at 3 % (103); 60 % of it is kept',
    );
    assert.equal(positionBand(bench.state).high, 103.4, '(101.8 + 0.2 − 100) ÷ 0.6, on a tick');
  });

  test('what trailed out is called so', () => {
    const bench = new PositionBench(trailing('retrace')).open();
    bench.price(105);
    bench.acknowledge('stop-2');
    bench.closed('stop-1');
    bench.fill('stop-2', '2', '103');
    assert.equal(bench.value, 'closed');
    assert.equal(bench.state.exits.at(-1)?.reason, 'trailing-stop');
  });

  test('the peak survives a restart, and one that was missed counts', () => {
    const bench = new PositionBench(trailing('retrace')).open();
    bench.price(104);
    bench.acknowledge('stop-2');
    bench.restart();
    assert.equal(bench.state.bestPrice, '104');
    bench.send('PRICE', { mark: 110, last: 110, past: true });
    assert.equal(bench.state.stopPrice, '106');
    bench.reject('stop-3', -2021);
    assert.ok(bench.in('emergencyClosing'), 'the price fell below it meanwhile: out now');
  });

  test('a short is the mirror', () => {
    const short = { direction: 'short', stopPrice: '105' } as const;
    assert.equal(stopAfter({ ...trailing('retrace'), entry: short }, 95), '97');
    assert.equal(stopAfter({ ...trailing('percent'), entry: short }, 95), '96.9');
    assert.equal(stopAfter({ ...trailing('step'), entry: short }, 95), '96');
  });
});

describe('chosen elsewhere', () => {
  test('a strategy’s signal names another rule than the configuration', () => {
    assert.equal(stopAfter({ ...trailing('retrace'), entry: { trailing: 'step' } }, 104), '103');
  });

  test('nothing trails where trailing is off, whatever the signal says', () => {
    assert.equal(stopAfter({ plan: { trailing: null }, entry: { trailing: 'step' } }, 110), '95');
  });

  test('a position without a known volatility keeps the distance that it has', () => {
    assert.equal(stopAfter({ ...trailing('atr'), entry: { atrPercent: 0 } }, 110), '107');
  });
});

describe('break-even', () => {
  const plan = { trailing: null, breakEven: { atProfitPercent: '1.5', bufferPercent: '0.1' } };

  test('at +x % the stop lies at the entry and a little, once', () => {
    const bench = new PositionBench({ plan }).open();
    assert.equal(positionBand(bench.state).high, 101.5);
    bench.price(101.4);
    assert.equal(bench.state.stopPrice, '95');
    bench.price(101.5);
    assert.equal(bench.state.stopPrice, '100.1');
    assert.equal(bench.state.stopReason, 'break-even');
    assert.equal(positionBand(bench.state).high, null);
  });

  test('beside a trailing stop the tighter of both counts', () => {
    const both = { ...plan, trailing: { ...DEFAULT_TRAILING, armProfitPercent: '1.5' } };
    assert.equal(stopAfter({ plan: both }, 101.5), '100.9');
    const wide = { ...plan, trailing: { ...DEFAULT_TRAILING, rule: 'atr' as const, armProfitPercent: '1' } };
    assert.equal(stopAfter({ plan: wide }, 101.5), '100.1');
  });
});
