/** The curve of the account: from its closed trades up to what it is worth now. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { equityCurve } from '../../src/app/views/profit.ts';
import { movedIn } from '../../src/domain/wallet.ts';
import type { TradeView } from '../../src/operator/views.ts';
import { lastDays } from '../../src/telegram/drawings.ts';

const DAY_MS = 86_400_000;
const trade = (openedAt: number, closedAt: number, netPnl: string): TradeView =>
  ({ openedAt, closedAt, netPnl }) as TradeView;

describe('the equity curve', () => {
  test('ends at what the account is worth now, a day after its last trade', () => {
    const trades = [trade(1_000, 2_000, '50'), trade(1_500, 3_000, '-20')];
    assert.deepEqual(equityCurve('1000', trades, { at: 3_000 + DAY_MS, equity: '1200' }), [
      { at: 1_000, equity: '1000' },
      { at: 2_000, equity: '1050' },
      { at: 3_000, equity: '1030' },
      { at: 3_000 + DAY_MS, equity: '1200' },
    ]);
  });

  test('is what it is worth now alone, before anything was closed; nothing, where that is not known', () => {
    assert.deepEqual(equityCurve('1000', [], { at: 5, equity: '1003' }), [{ at: 5, equity: '1003' }]);
    assert.deepEqual(equityCurve('1000', [], undefined), []);
  });

  test('never goes back in time, whatever the clock of now says', () => {
    const curve = equityCurve('1000', [trade(1, 9, '1')], { at: 4, equity: '1002' });
    assert.deepEqual(curve.at(-1), { at: 9, equity: '1002' });
  });

  test('of very many trades there are a thousand points, the last trade and now among them', () => {
    const trades = Array.from({ length: 5_432 }, (_, i) => trade(i, i + 1, '1'));
    const curve = equityCurve('0', trades, { at: 9_999, equity: '7' });
    assert.ok(curve.length <= 1_002, String(curve.length));
    assert.deepEqual(curve.slice(-2), [
      { at: 5_432, equity: '5432' },
      { at: 9_999, equity: '7' },
    ]);
  });
});

test('money that was moved in or out is no step of it: the curve lies where the account is now', () => {
  const flows = {
    REALIZED_PNL: '12',
    COMMISSION: '-2',
    TRANSFER: '500',
    ADMIN_WITHDRAW: '-100',
    ADJUSTMENT: '-7',
  };
  assert.equal(movedIn(flows), '400');
  assert.equal(movedIn({}), '0');
});

test('the last days of it begin with what the account was worth then', () => {
  const curve = [
    { at: 0, equity: '100' },
    { at: 3 * DAY_MS, equity: '130' },
    { at: 5 * DAY_MS, equity: '120' },
  ];
  assert.deepEqual(lastDays(curve, 1), [
    { at: 4 * DAY_MS, equity: '130' },
    { at: 5 * DAY_MS, equity: '120' },
  ]);
  assert.deepEqual(lastDays(curve, 5), curve);
  assert.deepEqual(lastDays(curve, undefined), curve);
  assert.deepEqual(lastDays([], 1), []);
});
