/**
 * A trailing stop under every rule and any walk of prices: it never loosens, it never passes the best price, it
 * locks what its rule promises to a step, and the guard band never lets a due step go by unseen.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_TRAILING, positionBand } from '../../machines/position.ts';
import { gte, lt, lte } from '../../src/core/decimal.ts';
import { TRAILING_RULES, type TrailingRule } from '../../src/domain/signal.ts';
import { PositionBench } from '../support/machine-bench.ts';

type Direction = 'long' | 'short';

const WALK = fc.array(fc.integer({ min: -24, max: 26 }), { minLength: 1, maxLength: 40 });

function benchFor(rule: TrailingRule, direction: Direction, own: boolean, breakEven: boolean): PositionBench {
  const entry = direction === 'long' ? {} : { direction, stopPrice: '105' };
  return new PositionBench({
    entry: { ...entry, ...(own ? { trailing: rule } : {}) },
    plan: {
      trailing: { ...DEFAULT_TRAILING, rule: own ? 'strategy' : rule },
      breakEven: breakEven ? { atProfitPercent: '1.5', bufferPercent: '0.1' } : null,
    },
  }).open();
}

/** Delivers only what crosses the band, as the host does. */
function tick(bench: PositionBench, mark: number): boolean {
  const { low, high } = positionBand(bench.state);
  if (!((low !== null && mark <= low) || (high !== null && mark >= high))) return false;
  bench.price(mark);
  for (const { ref } of bench.orders()) bench.acknowledge(ref);
  return true;
}

/** What the rule promises for the best price that was seen, less one step and a tick. */
function promised(rule: TrailingRule, direction: Direction, best: number): number | null {
  const sign = direction === 'long' ? 1 : -1;
  const profit = sign * (best - 100);
  if (profit < 3) return null;
  const slack = 0.2 + 0.1;
  switch (rule) {
    case 'retrace':
      return 100 + sign * (0.6 * profit - slack);
    case 'percent':
      return best - sign * (0.02 * best + slack);
    case 'atr':
      return best - sign * (6 + slack);
    case 'step':
      return 100 + sign * (Math.floor(profit + 1e-9) - 1 - slack);
    default:
      return best - sign * (3 + slack);
  }
}

test('it never loosens, stays behind the best price, and keeps what its rule promises', () => {
  const moved = new Set<string>();
  fc.assert(
    fc.property(
      fc.constantFrom(...TRAILING_RULES),
      fc.constantFrom<Direction>('long', 'short'),
      fc.boolean(),
      fc.boolean(),
      WALK,
      (rule, direction, own, breakEven, walk) => {
        const bench = benchFor(rule, direction, own, breakEven);
        const long = direction === 'long';
        let mark = 100;
        let best = 100;
        for (const move of walk) {
          mark = Math.round(10 * mark * (1 + move / 1000)) / 10;
          const before = bench.state.stopPrice;
          tick(bench, mark);
          if (!bench.in('open')) return;
          best = long ? Math.max(best, mark) : Math.min(best, mark);
          const { stopPrice, stopReason } = bench.state;
          assert.ok(long ? gte(stopPrice, before) : lte(stopPrice, before), `${before} → ${stopPrice}`);
          assert.ok(long ? lt(stopPrice, String(best)) : lt(String(best), stopPrice));
          if (stopPrice !== before) moved.add(`${rule} ${stopReason}`);
          const least = promised(rule, direction, best);
          if (least !== null)
            assert.ok(
              long ? Number(stopPrice) >= least - 1e-9 : Number(stopPrice) <= least + 1e-9,
              `${rule} ${direction}: best ${best}, stop ${stopPrice}, promised ${least}`,
            );
        }
      },
    ),
    { numRuns: 400, seed: 20_200_312 },
  );
  for (const rule of TRAILING_RULES)
    for (const reason of ['trailing-stop', 'break-even'])
      assert.ok(moved.has(`${rule} ${reason}`), `${rule} never moved a stop by ${reason}`);
});

test('a woken position has nothing left to do at the same price: no tick is spent on it twice', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...TRAILING_RULES),
      fc.constantFrom<Direction>('long', 'short'),
      fc.boolean(),
      WALK,
      (rule, direction, breakEven, walk) => {
        const bench = benchFor(rule, direction, false, breakEven);
        let mark = 100;
        for (const move of walk) {
          mark = Math.round(10 * mark * (1 + move / 1000)) / 10;
          if (!tick(bench, mark) || !bench.in('open')) continue;
          assert.ok(!tick(bench, mark), `${rule} ${direction} woken twice at ${mark}`);
        }
      },
    ),
    { numRuns: 200, seed: 20_210_519 },
  );
});
