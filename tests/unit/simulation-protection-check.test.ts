/** The checker of protection is one that can fail: whose deadline counts, and how soon it must come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveActor } from '../../src/app/simulation/checks/journal-index.ts';
import type { Oracle } from '../../src/app/simulation/checks/oracle.ts';
import { ProtectionCheck } from '../../src/app/simulation/checks/protection-check.ts';
import { keyOf } from '../../src/domain/position-key.ts';

const BTC = keyOf({ symbol: 'BTCUSDT' });

/** An actor's newest row, with that timer armed. */
const live = (id: string, due: number, gaps: readonly string[] = [], quantity = '2'): LiveActor => ({
  ...{ seq: 1, n: 1 },
  host: JSON.stringify({ timers: [{ id, due }] }),
  snapshot: JSON.stringify({ value: 'x', context: { gaps: gaps.map((symbol) => ({ symbol })), quantity } }),
});

/** A position that has been bare for so long, with these actors; what is said of it. */
function said(forMs: number, actors: Readonly<Record<string, LiveActor>>): readonly string[] {
  const violations: string[] = [];
  let now = 0;
  const oracle = {
    now: () => now,
    violate: (invariant: number, text: string) => violations.push(`${invariant} ${text}`),
    journal: { live: new Map(Object.entries(actors)) },
    venue: {
      held: new Map([[BTC, { amount: 2 }]]),
      ...{ trades: () => true, isBare: () => true, ours: () => 2, coverOf: () => 0 },
    },
  } as unknown as Oracle;
  const check = new ProtectionCheck(oracle, () => true);
  check.moved(undefined);
  now = forMs;
  check.step();
  return violations;
}

const NOBODY = ['7 BTCUSDT: 2 stands without its stop and no deadline is armed'];

test('a deadline of the position’s own is one', () => {
  assert.deepEqual(said(10_000, { 'position/BTCUSDT/3': live('stopRetry', 12_000) }), []);
});

test('neither is the executor’s next reading, nor another position’s, nor one that comes too late', () => {
  assert.deepEqual(said(10_000, {}), NOBODY);
  assert.deepEqual(said(10_000, { venue: live('resolve', 12_000) }), NOBODY);
  assert.deepEqual(said(10_000, { 'position/ETHUSDT/3': live('stopRetry', 12_000) }), NOBODY);
  assert.deepEqual(said(10_000, { 'position/BTCUSDT/3': live('time-stop', 86_400_000) }), NOBODY);
});

test('the guardian’s is one while it is this gap that it holds', () => {
  assert.deepEqual(said(10_000, { guardian: live('look', 12_000, ['BTCUSDT']) }), []);
  assert.deepEqual(said(10_000, { guardian: live('look', 12_000, ['ETHUSDT']) }), NOBODY);
  assert.deepEqual(said(10_000, { guardian: live('other', 12_000, ['BTCUSDT']) }), NOBODY);
});

test('what its actor has not heard of, the executor asks for, and not for long', () => {
  const believes = (quantity: string) => ({
    'position/BTCUSDT/3': live('time-stop', 86_400_000, [], quantity),
  });
  const executor = { venue: live('resolve', 12_000) };
  assert.deepEqual(said(70_000, { ...believes('1.5'), ...executor }), []);
  assert.deepEqual(said(80_000, { ...believes('1.5'), ...executor }), NOBODY);
  assert.deepEqual(said(10_000, { ...believes('2'), ...executor }), NOBODY, 'it knows, and does nothing');
  assert.deepEqual(said(10_000, believes('1.5')), NOBODY, 'nobody asks');
});

test('so it is with the end of a stop that the actor believes to stand', () => {
  const believes = (status: string, quantity: string): Readonly<Record<string, LiveActor>> => {
    const orders = [{ role: 'stop', status, quantity, filled: '0' }];
    const snapshot = JSON.stringify({ value: 'x', context: { orders, quantity: '2' } });
    return { 'position/BTCUSDT/3': { ...live('time-stop', 86_400_000), snapshot } };
  };
  const executor = { venue: live('resolve', 12_000) };
  assert.deepEqual(said(70_000, { ...believes('live', '2'), ...executor }), []);
  assert.deepEqual(said(80_000, { ...believes('live', '2'), ...executor }), NOBODY);
  assert.deepEqual(said(10_000, { ...believes('live', '1'), ...executor }), NOBODY, 'it knows of the rest');
  assert.deepEqual(said(10_000, { ...believes('over', '2'), ...executor }), NOBODY, 'it knows');
  assert.deepEqual(said(10_000, believes('live', '2')), NOBODY, 'nobody asks');
});

test('and none is for ever', () => {
  const [text = ''] = said(130_000, { 'position/BTCUSDT/3': live('stopRetry', 131_000) });
  assert.match(text, /for 130 s of quiet time/);
});

/** A position with these stops: some are asked to be cancelled, one after the other, and then one fires and one goes. */
function cancelled(stops: readonly string[], ask: readonly string[], gone: string): readonly string[] {
  const violations: string[] = [];
  let standing = stops;
  const coverOf = (_: string, without?: ReadonlySet<string>): number =>
    standing.filter((id) => !without?.has(id)).length;
  const oracle = {
    now: () => 0,
    violate: (invariant: number, text: string) => violations.push(`${invariant} ${text}`),
    venue: {
      held: new Map([[BTC, { amount: 2 }]]),
      ...{ trades: () => true, isBare: () => standing.length === 0, ours: () => 2, coverOf },
    },
  } as unknown as Oracle;
  const check = new ProtectionCheck(oracle, () => true);
  for (const id of ask) check.cancelling('BTCUSDT', id);
  standing = [];
  check.moved({ symbol: 'BTCUSDT', id: gone });
  return violations;
}

const OWN_CANCEL = ['7 BTCUSDT stands bare by our own cancel'];

test('a cancel is wrong where nothing else covered the position when it was sent', () => {
  assert.deepEqual(cancelled(['a'], ['a'], 'a'), OWN_CANCEL);
  assert.deepEqual(cancelled(['a', 'b'], ['a', 'b'], 'b'), OWN_CANCEL);
  assert.deepEqual(cancelled(['a', 'b'], [], 'a'), OWN_CANCEL);
});

test('and is not where one did that has fired since', () => {
  assert.deepEqual(cancelled(['a', 'b'], ['a'], 'a'), []);
  assert.deepEqual(cancelled(['a', 'b', 'c'], ['a', 'b'], 'b'), []);
});
