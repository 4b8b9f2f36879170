/** What the venue's account says of margin reaches the breaker that deleverages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RemoteReport } from '../../src/domain/remote.ts';
import { hearBreaker } from '../../src/execution/entry-gate.ts';
import { initialState } from '../../src/execution/executor-state.ts';
import { reconcileReport } from '../../src/execution/reconciliation.ts';
import { PositionBench, positionInput, told } from '../support/machine-bench.ts';

const BREAKER = 'breaker/margin';
const OPTIONS = { symbols: ['BTCUSDT'], initialWallet: '100', marginBreaker: BREAKER };

function heard(margin: RemoteReport['margin'], isOpen = false): unknown[] {
  const changed = { type: 'BREAKER_CHANGED', breaker: 'margin', state: 'halted', cause: 'x', at: 0 } as const;
  const state = {
    ...initialState(OPTIONS),
    ...(isOpen ? { breakers: hearBreaker(undefined, changed) ?? {} } : {}),
  };
  const report: RemoteReport = {
    ...{ at: 1_750_000_000_000, wallet: '100', available: '100', positions: [], openOrders: [] },
    ...{ openAlgoOrders: [], fills: [], income: [], since: 0 },
    ...(margin === undefined ? {} : { margin }),
  };
  return reconcileReport(state, report, OPTIONS).events.flatMap(({ to, event }) =>
    to === BREAKER ? [event.ratioPercent] : [],
  );
}

test('a reading tells the ratio from where a stage could begin, and below it only to a breaker that is open', () => {
  assert.deepEqual(heard({ maintenance: '24.99', balance: '100' }), []);
  assert.deepEqual(heard({ maintenance: '25', balance: '100' }), ['25']);
  assert.deepEqual(heard({ maintenance: '0.5', balance: '100' }, true), ['0.5']);
  assert.deepEqual(heard({ maintenance: '3', balance: '0' }), ['100'], 'nothing is left');
  assert.deepEqual(heard({ maintenance: '0', balance: '0' }), [], 'nothing is open');
  assert.deepEqual(heard(undefined), [], 'an old reading says nothing');
});

test('a margin call goes to the breaker with its ratio, and without one the account is read at once', () => {
  const call = (marginRatio: string) => {
    const bench = new PositionBench(positionInput());
    bench.send('MARGIN_CALLED', { symbol: 'BTCUSDT', marginRatio });
    return told(bench).map(([to, event]) => [to, event.type, event.ratioPercent]);
  };
  assert.deepEqual(call('0.8165'), [[BREAKER, 'MARGIN', '81.65']]);
  assert.deepEqual(call('0'), [['venue', 'RECONCILE', undefined]]);
});
