/**
 * Adds to a winner, however the price walks and however an add fills: what is lost at the stop never grows by an
 * add, adds get smaller and are few, the whole stays under its cap, and one stop covers all of it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { averagePrice } from '../../machines/position/open.ts';
import type { PositionContext } from '../../machines/position.ts';
import { add, gt, lt, lte, mul, sub } from '../../src/core/decimal.ts';
import { PositionBench } from '../support/machine-bench.ts';

const PYRAMID = {
  maxAdds: 3,
  stepPercent: '1',
  sizeFactor: '0.5',
  confirm: 'touch' as const,
  maxExposure: '1.8',
};

/** What a stop at its price would lose, in quote currency; negative: what it has locked. */
function atRisk({ direction, stopPrice, quantity, ...rest }: PositionContext): string {
  const average = averagePrice({ direction, stopPrice, quantity, ...rest });
  const perUnit = direction === 'long' ? sub(average, stopPrice) : sub(stopPrice, average);
  return mul(perUnit, quantity);
}

/** The average is rounded to twelve places. */
const ROUNDING = '0.000000001';

test('no add ever puts more at risk', () => {
  let adds = 0;
  fc.assert(
    fc.property(
      fc.constantFrom('long' as const, 'short' as const),
      fc.boolean(),
      fc.array(
        fc.record({
          move: fc.integer({ min: -12, max: 20 }),
          slip: fc.integer({ min: -40, max: 40 }),
          split: fc.boolean(),
        }),
        {
          minLength: 3,
          maxLength: 24,
        },
      ),
      (direction, trails, walk) => {
        const long = direction === 'long';
        const bench = new PositionBench({
          entry: long ? {} : { direction, stopPrice: '105' },
          plan: { pyramid: PYRAMID, ...(trails ? {} : { trailing: null }) },
        }).open();
        let mark = 100;
        let last = bench.state.entry.quantity;
        for (const { move, slip, split } of walk) {
          mark = Math.round(10 * mark * (1 + ((long ? 1 : -1) * move) / 1000)) / 10;
          bench.price(mark);
          for (const { ref, type } of bench.orders()) if (type === 'STOP_MARKET') bench.acknowledge(ref);
          if (!bench.in('open')) return;
          if (!bench.in('open.pyramiding.asking')) continue;
          const before = bench.state;
          bench.send('APPROVED', {
            entry: { ...before.entry, quantity: '5', referencePrice: String(mark) },
            reservation: 'r',
          });
          const [order] = bench.orders().filter(({ reduceOnly }) => !reduceOnly);
          if (!order?.quantity) continue;
          adds += 1;
          assert.ok(lt(order.quantity, last), 'each smaller than the one before');
          last = order.quantity;
          // The first entry was for 200; the cap is judged at the price that risk saw.
          const whole = add(before.openNotional, mul(order.quantity, String(mark)));
          assert.ok(lte(whole, mul('200', PYRAMID.maxExposure)), `${whole} in all`);
          const price = String(Math.round(10 * mark + slip) / 10);
          let filled = '0';
          for (const quantity of split ? ['0.01', sub(order.quantity, '0.01')] : [order.quantity]) {
            const now = bench.state;
            filled = add(filled, quantity);
            bench.fill(order.ref, quantity, price, {
              cumulative: filled,
              complete: filled === order.quantity,
            });
            if (!bench.in('open')) return;
            const after = bench.state;
            assert.ok(lte(atRisk(after), add(atRisk(now), ROUNDING)), `${atRisk(now)} → ${atRisk(after)}`);
            const tighter = long ? !lt(after.stopPrice, now.stopPrice) : !gt(after.stopPrice, now.stopPrice);
            assert.ok(tighter, 'and the stop never loosens');
            for (const stop of bench.orders()) if (stop.type === 'STOP_MARKET') bench.acknowledge(stop.ref);
          }
          assert.ok(bench.state.adds <= PYRAMID.maxAdds);
          const stops = bench.state.orders.filter(({ role, status }) => role === 'stop' && status !== 'over');
          assert.ok(
            stops.some(({ quantity }) => quantity === bench.state.quantity),
            'one stop for all lots',
          );
        }
      },
    ),
    { numRuns: 100, seed: 20_240_805 },
  );
  assert.ok(adds > 60, `only ${adds} adds`);
});
