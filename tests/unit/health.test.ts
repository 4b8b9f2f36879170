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

test('a venue that answers nothing while the run goes on is not well, and the check says why', () => {
  const venueOf = (isFailing: boolean, state: 'up' | 'down') => {
    const venue = {
      ...{ name: '127.0.0.1:7700', waitingFor: null, unknownOrders: [] },
      stream: { state, since: null, reason: state === 'up' ? null : 'no connection' },
      reconcile: { ready: !isFailing, isFailing, at: 1, ageMs: 46_741, findings: [] },
      protection: { unprotectedNow: 0, longestNowMs: 0 },
    };
    const status = {
      ...{ state: 'running', tradingState: 'active', breakers: [], store: { engine: 'x', durable: true } },
      venue,
    };
    const more = { journal: 'ok', isLeaseValid: true, pendingRows: 0, deadLetters: 0, deadLetterAgoMs: null };
    const vitals = { status, ...more, eventLoopDelayMs: 1, minFreeBytes: 0 } as unknown as Vitals;
    return new Map(healthOf(vitals).checks.map(({ check, ok, detail }) => [check, { ok, detail }]));
  };
  assert.deepEqual(venueOf(false, 'down').get('venue'), { ok: true, detail: '127.0.0.1:7700' });
  assert.deepEqual(venueOf(true, 'down').get('venue'), {
    ok: false,
    detail: 'the account at 127.0.0.1:7700 cannot be read: no connection',
  });
  assert.deepEqual(venueOf(true, 'up').get('venue')?.ok, false);
  assert.equal(venueOf(true, 'up').get('reconciliation')?.detail, 'read 46s ago');
});
