/** What a run says of its own health. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { healthOf, type Vitals } from '../../src/app/views/health.ts';

const breakers = (...states: string[]) => {
  const status = {
    state: 'running',
    tradingState: 'active',
    breakers: states.map((state, i) => ({ name: `b${i}`, state })),
    store: { engine: 'x', durable: true },
  };
  const vitals = { status, journal: 'ok', isLeaseValid: true, pendingRows: 0, deadLetters: 0 };
  const health = healthOf({
    ...vitals,
    deadLetterAgoMs: null,
    eventLoopDelayMs: 1,
    minFreeBytes: 0,
  } as unknown as Vitals);
  return health.checks.find(({ check }) => check === 'breakers');
};

test('a half-open breaker is no trouble, and is not called closed', () => {
  assert.deepEqual(breakers('closed', 'closed'), { check: 'breakers', ok: true, detail: 'all closed' });
  assert.deepEqual(breakers('closed', 'half-open'), { check: 'breakers', ok: true, detail: 'half-open: b1' });
  assert.deepEqual(breakers('open', 'half-open', 'open'), {
    check: 'breakers',
    ok: false,
    detail: 'open: b0, b2; half-open: b1',
  });
});
