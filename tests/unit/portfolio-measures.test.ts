/** What the portfolio tells its breakers of the market: found in floats, told in decimals. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PortfolioContext } from '../../machines/portfolio-account.ts';
import { LEAST_MEAN_MOVE_PERCENT, LEAST_MOVE_PERCENT, tellShock } from '../../machines/portfolio-measures.ts';
import { fromNumber } from '../../src/core/decimal.ts';
import { seededRandom } from '../../src/core/random.ts';

/** Symbols that have moved so many percent since the last base. */
function moved(percents: readonly number[]) {
  const marks = Object.fromEntries(percents.map((move, i) => [`S${i}USDT`, fromNumber(100 + move)]));
  const base = Object.fromEntries(percents.map((_, i) => [`S${i}USDT`, '100']));
  const context = { marks, bases: [{ at: 0, marks: base }], breakers: {} } as unknown as PortfolioContext;
  return tellShock(context).map((emitted) => (emitted.type === 'send' ? emitted.event.type : emitted.type));
}

test('a shock is told exactly where one symbol, or all on average, have moved that far', () => {
  const random = seededRandom('shocks');
  for (const least of [LEAST_MOVE_PERCENT, LEAST_MEAN_MOVE_PERCENT])
    for (const off of [-0.01, -0.0015, -0.0005, -0.0001, 0, 0.0001, 0.01])
      for (const sign of [1, -1]) {
        const move = sign * (least + off);
        const one = [move, ...Array.from({ length: 9 }, () => 0.1 * random.next())];
        const isOne = least === LEAST_MOVE_PERCENT && off >= 0;
        assert.deepEqual(moved(one), isOne ? ['SHOCK'] : [], `${move} alone`);
        const isAll = off >= 0 || least === LEAST_MOVE_PERCENT;
        assert.deepEqual(moved([move, move, move]), isAll ? ['SHOCK'] : [], `all ${move}`);
      }
});

test('a symbol without a base, or with one of nothing, has not moved', () => {
  const context = (base: Record<string, string>) =>
    ({
      marks: { AUSDT: '100' },
      bases: [{ at: 0, marks: base }],
      breakers: {},
    }) as unknown as PortfolioContext;
  for (const base of [{}, { AUSDT: '0' }]) assert.deepEqual(tellShock(context(base)), []);
});
