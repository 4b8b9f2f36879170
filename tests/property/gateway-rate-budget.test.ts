import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VirtualTime } from '../../src/core/clock.ts';
import type { CallLane } from '../../src/domain/remote.ts';
import { RateBudget } from '../../src/exchange/rate-budget.ts';

const LIMITS = { weightPerMinute: 100, ordersPer10Seconds: 20, ordersPerMinute: 60 };
const LANES: readonly CallLane[] = ['protect', 'resolve', 'entry', 'data'];

interface Granted {
  readonly at: number;
  readonly lane: CallLane;
  readonly weight: number;
  readonly orders: number;
  readonly number: number;
}

type Step =
  | { readonly do: 'ask'; readonly lane: CallLane; readonly weight: number; readonly orders: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'foreign'; readonly weight: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('ask' as const),
      lane: fc.constantFrom(...LANES),
      weight: fc.integer({ min: 0, max: 40 }),
      orders: fc.integer({ min: 0, max: 2 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 30_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('foreign' as const), weight: fc.integer({ min: 0, max: 90 }) }),
  },
);

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Plays the steps and lets everything that waits go in the end. */
async function play(steps: readonly Step[]) {
  const time = new VirtualTime(0);
  const budget = new RateBudget(time, LIMITS);
  const granted: Granted[] = [];
  const asked: Record<CallLane, number> = { protect: 0, resolve: 0, entry: 0, data: 0 };
  for (const next of steps) {
    if (next.do === 'wait') {
      // Moments one by one: promises settle between timers as they do in life.
      for (let due = time.nextDeadline(); due !== undefined && due <= time.now() + next.ms; ) {
        time.advanceTo(due);
        await settled();
        const after = time.nextDeadline();
        due = after !== undefined && after > time.now() ? after : undefined;
      }
      time.advanceTo(time.now() + next.ms);
    } else if (next.do === 'foreign') budget.heard({ weight1m: next.weight });
    else {
      const { lane, weight, orders } = next;
      const number = asked[lane]++;
      void budget.admit({ lane, cost: { weight, orders } }).then((admission) => {
        if (admission.admitted) granted.push({ at: time.now(), lane, weight, orders, number });
      });
    }
    await settled();
  }
  for (let due = time.nextDeadline(); due !== undefined; due = time.nextDeadline()) {
    time.advanceTo(due);
    await settled();
  }
  return { budget, granted, asked };
}

const mostIn = (granted: readonly Granted[], spanMs: number, of: (one: Granted) => number): number =>
  Math.max(
    0,
    ...granted.map(({ at }) =>
      granted
        .filter((one) => one.at > at - spanMs && one.at <= at)
        .reduce((total, one) => total + of(one), 0),
    ),
  );

test('no window ever holds more than the venue allows, nor more than a lane may use', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { granted } = await play(steps);
      assert.ok(mostIn(granted, 60_000, ({ weight }) => weight) <= 100);
      assert.ok(mostIn(granted, 10_000, ({ orders }) => orders) <= 20);
      assert.ok(mostIn(granted, 60_000, ({ orders }) => orders) <= 60);
      const others = granted.filter(({ lane }) => lane !== 'protect');
      assert.ok(mostIn(others, 60_000, ({ weight }) => weight) <= 80, 'the reserve holds');
      assert.ok(mostIn(others, 10_000, ({ orders }) => orders) <= 16, 'the reserve of orders holds');
    }),
    { numRuns: 150 },
  );
});

test('all that was asked for goes in the end; in a lane, orders in their order and the others in theirs', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { budget, granted, asked } = await play(steps);
      assert.equal(budget.use().waiting, 0);
      for (const lane of LANES) {
        const ofLane = granted.filter((one) => one.lane === lane);
        const inOrder = (some: readonly Granted[]): void => {
          const numbers = some.map(({ number }) => number);
          assert.deepEqual(
            numbers,
            numbers.toSorted((a, b) => a - b),
          );
        };
        assert.equal(ofLane.length, asked[lane]);
        inOrder(ofLane.filter(({ orders }) => orders > 0));
        inOrder(ofLane.filter(({ orders, weight }) => orders === 0 && weight > 0));
      }
    }),
    { numRuns: 150 },
  );
});

test('however much data is asked for, protection goes at once while its reserve lasts', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 5, maxLength: 60 }),
      async (weights) => {
        const time = new VirtualTime(0);
        const budget = new RateBudget(time, LIMITS);
        for (const weight of weights) void budget.admit({ lane: 'data', cost: { weight } });
        for (const weight of weights) void budget.admit({ lane: 'resolve', cost: { weight } });
        let stops = 0;
        for (let i = 0; i < 3; i++) {
          void budget.admit({ lane: 'protect', cost: { weight: 1, orders: 1 } }).then(() => stops++);
        }
        await settled();
        assert.equal(stops, 3);
        budget.close();
      },
    ),
    { numRuns: 100 },
  );
});

test('what an order limit holds back holds no cancel and no question back, in its own lane or another', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ lane: fc.constantFrom(...LANES), isOrder: fc.boolean() }), { maxLength: 40 }),
      fc.integer({ min: 1, max: 2 }),
      async (asks, orderWeight) => {
        const time = new VirtualTime(0);
        const budget = new RateBudget(time, LIMITS);
        budget.heard({ orders10s: LIMITS.ordersPer10Seconds });
        const order = { weight: orderWeight - 1, orders: 1 };
        const went = { orders: 0, others: 0 };
        const others = asks.filter(({ isOrder }) => !isOrder).length;
        for (const { lane, isOrder } of [{ lane: 'protect' as const, isOrder: true }, ...asks])
          void budget.admit({ lane, cost: isOrder ? order : { weight: 1 } }).then((admission) => {
            if (admission.admitted) went[isOrder ? 'orders' : 'others']++;
          });
        await settled();
        assert.deepEqual(went, { orders: 0, others });
        for (let due = time.nextDeadline(); due !== undefined; due = time.nextDeadline()) {
          time.advanceTo(due);
          await settled();
        }
        assert.deepEqual(went, { orders: asks.length - others + 1, others });
      },
    ),
    { numRuns: 150 },
  );
});

test('nor does a lack of weight hold back orders that weigh nothing', async () => {
  const time = new VirtualTime(0);
  const budget = new RateBudget(time, LIMITS);
  budget.heard({ weight1m: LIMITS.weightPerMinute });
  const went: string[] = [];
  const ask = (name: string, cost: { weight: number; orders?: number }): void =>
    void budget.admit({ lane: 'protect', cost }).then(() => went.push(name));
  ask('cancel', { weight: 1 });
  ask('stop', { weight: 0, orders: 1 });
  await settled();
  assert.deepEqual(went, ['stop']);
  time.advanceTo(60_001);
  await settled();
  assert.deepEqual(went, ['stop', 'cancel']);
});
