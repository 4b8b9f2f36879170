import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualTime } from '../../src/core/clock.ts';
import type { CallLane } from '../../src/domain/remote.ts';
import { type Admission, type Admit, RateBudget } from '../../src/exchange/rate-budget.ts';

const SMALL = { weightPerMinute: 100, ordersPer10Seconds: 20, ordersPerMinute: 60 };

function setup(limits = SMALL) {
  const time = new VirtualTime(1_000_000);
  const budget = new RateBudget(time, limits);
  const log: string[] = [];
  /** Asks, and logs how it ended under its name. */
  const ask = (
    name: string,
    lane: CallLane,
    weight: number,
    more: Partial<Admit> & { orders?: number } = {},
  ) => {
    const { orders, ...rest } = more;
    const cost = { weight, ...(orders !== undefined && { orders }) };
    const answer = budget.admit({ lane, cost, ...rest });
    void answer.then((admission) => log.push(admission.admitted ? name : `${name}: ${admission.reason}`));
    return answer;
  };
  return { time, budget, log, ask };
}

/** Promises settle between two virtual moments. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('the rate budget', () => {
  test('lets go what fits at once', async () => {
    const { budget, log, ask } = setup();
    await ask('a', 'data', 10);
    await ask('b', 'entry', 0, { orders: 1 });
    assert.deepEqual(log, ['a', 'b']);
    assert.deepEqual(
      { ...budget.use() },
      {
        weight: 10,
        weightLimit: 100,
        orders10s: 1,
        orders1m: 1,
        waiting: 0,
        closedForMs: 0,
      },
    );
  });

  test('protection has a reserve that nobody else can use', async () => {
    const { log, ask, time } = setup();
    for (let i = 0; i < 5; i++) ask(`data${i}`, 'data', 10);
    ask('data-late', 'data', 10);
    ask('entry', 'entry', 20);
    ask('entry-late', 'entry', 10);
    ask('resolve', 'resolve', 10);
    ask('resolve-late', 'resolve', 10);
    await settled();
    assert.deepEqual(log.splice(0), ['data0', 'data1', 'data2', 'data3', 'data4', 'entry', 'resolve']);
    ask('protect', 'protect', 15);
    await settled();
    assert.deepEqual(log.splice(0), ['protect']);
    time.advanceTo(1_000_000 + 60_000);
    await settled();
    assert.deepEqual(log.splice(0).sort(), ['data-late', 'entry-late', 'resolve-late']);
  });

  test('serves a lane in the order of asking, and no small one overtakes', async () => {
    const { log, ask, time } = setup();
    ask('fill', 'data', 45);
    ask('big', 'data', 20);
    ask('small', 'data', 1);
    await settled();
    assert.deepEqual(log, ['fill']);
    time.advanceTo(1_060_000);
    await settled();
    assert.deepEqual(log, ['fill', 'big', 'small']);
  });

  test('a lower lane does not take what a waiting higher one waits for', async () => {
    const { log, ask, time, budget } = setup();
    ask('fill', 'entry', 40);
    ask('heavy', 'resolve', 60);
    ask('light', 'data', 1);
    await settled();
    assert.deepEqual(log, ['fill'], 'the light one would fit, and would do so for ever');
    assert.equal(budget.use().waiting, 2);
    time.advanceTo(1_060_000);
    await settled();
    assert.deepEqual(log, ['fill', 'heavy']);
  });

  test('waiting for orders holds up no reads', async () => {
    const { log, ask } = setup();
    for (let i = 0; i < 14; i++) ask(`o${i}`, 'entry', 0, { orders: 1 });
    ask('o-late', 'entry', 0, { orders: 1 });
    ask('read', 'data', 5);
    await settled();
    assert.equal(log.length, 15);
    assert.equal(log.at(-1), 'read');
  });

  test('what could not be sent in time is refused, then and no sooner', async () => {
    const { log, ask, time } = setup();
    ask('fill', 'data', 50);
    ask('late', 'data', 10, { giveUpAt: 1_005_000 });
    time.advanceTo(1_004_999);
    await settled();
    assert.deepEqual(log, ['fill']);
    time.advanceTo(1_005_000);
    await settled();
    assert.match(log[1] ?? '', /^late: its time to be sent passed/);
  });

  test('an aborted wait ends, and lets the next one on', async () => {
    const { log, ask } = setup();
    const controller = new AbortController();
    ask('fill', 'data', 40);
    ask('given-up', 'data', 20, { signal: controller.signal });
    ask('next', 'data', 5);
    await settled();
    assert.deepEqual(log, ['fill']);
    controller.abort();
    await settled();
    assert.deepEqual(log.slice(1).sort(), [
      'given-up: the time for it ran out while it waited its turn',
      'next',
    ]);
  });

  test('the venue\u2019s count goes before ours when it is larger', async () => {
    const { budget, log, ask, time } = setup();
    ask('a', 'data', 10);
    await settled();
    budget.heard({ weight1m: 60 });
    assert.equal(budget.use().weight, 60);
    budget.heard({ weight1m: 30 });
    assert.equal(budget.use().weight, 60, 'a smaller one frees nothing');
    ask('b', 'entry', 20);
    await settled();
    assert.deepEqual(log, ['a']);
    time.advanceTo(1_060_000);
    await settled();
    assert.deepEqual(log, ['a', 'b']);
  });

  test('429 and 418 close every lane until the time given', async () => {
    const { budget, log, ask, time } = setup();
    budget.closeFor(30_000);
    ask('stop', 'protect', 0, { orders: 1 });
    ask('hopeless', 'entry', 0, { orders: 1, giveUpAt: 1_005_000 });
    await settled();
    assert.deepEqual(log.splice(0), ['hopeless: the venue keeps us out for its rate limits']);
    time.advanceTo(1_030_000);
    await settled();
    assert.deepEqual(log, [], 'not a moment early');
    time.advanceTo(1_030_250);
    await settled();
    assert.deepEqual(log, ['stop']);
  });

  test('too many orders close orders only', async () => {
    const { budget, log, ask, time } = setup();
    budget.closeFor(10_000, 'orders');
    ask('order', 'protect', 0, { orders: 1 });
    ask('cancel', 'protect', 1);
    await settled();
    assert.deepEqual(log.splice(0), ['cancel'], 'a cancel does not count against them');
    ask('read', 'resolve', 1);
    await settled();
    assert.deepEqual(log.splice(0), ['read']);
    time.advanceTo(1_010_250);
    await settled();
    assert.deepEqual(log, ['order']);
  });

  test('what did not leave after all is given back', async () => {
    const { budget, ask } = setup();
    const admission: Admission = await ask('a', 'data', 50);
    assert.ok(admission.admitted);
    admission.refund();
    admission.refund();
    assert.equal(budget.use().weight, 0);
  });

  test('what could never fit is refused at once', async () => {
    const { log, ask } = setup();
    await ask('huge', 'data', 51);
    assert.match(log[0] ?? '', /more than its lane may ever use/);
  });

  test('closing it refuses all that waits and whatever comes', async () => {
    const { budget, log, ask } = setup();
    ask('fill', 'data', 50);
    ask('waiting', 'data', 10);
    await settled();
    budget.close();
    await ask('after', 'protect', 1);
    assert.deepEqual(log, ['fill', 'waiting: shutting down', 'after: shutting down']);
  });
});
