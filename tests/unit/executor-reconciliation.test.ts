/** Reconciliation at a start: the cases S1 to S14 of docs/RECONCILIATION.md. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reconcileReport } from '../../src/execution/reconciliation.ts';
import { DROP_ALL, fillsOf, holding, OPENED, settle, unheard } from '../support/executor-cases.ts';
import { World } from '../support/executor-world.ts';
import { isOpenOrder } from '../support/model-venue.ts';

test('S1: an order the venue rejected without our hearing of it is rejected', () => {
  const world = new World().begin();
  world.fates = ['lost-answer'];
  unheard(world, () => undefined);
  world.streamFates = [...DROP_ALL];
  const ref = world.submit({ type: 'LIMIT', price: '90' });
  world.run(100);
  const order = world.venue.state.orders.at(-1);
  if (order) order.status = 'REJECTED';
  world.venue.keep();
  world.run(20_000);
  assert.deepEqual(world.heard(ref), ['ORDER_UNKNOWN', 'ORDER_REJECTED']);
});

test('S2: a fill that was missed is told from the venue’s own trade', () => {
  const world = new World().begin();
  const ref = world.submit({ type: 'LIMIT', price: '90', quantity: '2' });
  world.run(1_000);
  unheard(world, (venue) => {
    const order = venue.state.orders.find(isOpenOrder);
    if (order) venue.fill(order, '2');
  });
  settle(world);
  assert.deepEqual(world.heard(ref), OPENED);
  assert.equal(fillsOf(world)[0]?.tradeId, world.venue.state.fills[0]?.tradeId);
});

test('S3: of several partial fills only the missed ones are added', () => {
  const world = new World().begin();
  const ref = world.submit({ type: 'LIMIT', price: '90', quantity: '3' });
  world.run(1_000);
  const fill = (quantity: string) => (venue: World['venue']) => {
    const order = venue.state.orders.find(isOpenOrder);
    if (order) venue.fill(order, quantity);
  };
  world.happen(fill('1'));
  unheard(world, fill('0.5'));
  world.happen(fill('0.5'));
  world.run(2_000);
  assert.equal(world.held(), '2');
  unheard(world, fill('1'));
  settle(world);
  assert.deepEqual(world.heard(ref), [
    'ORDER_ACKNOWLEDGED',
    ...Array.from({ length: 4 }, () => 'ORDER_FILLED'),
  ]);
});

test('S4: partly filled, then cancelled: the fills are kept and the end is told once', () => {
  const world = new World().begin();
  const ref = world.submit({ type: 'LIMIT', price: '90', quantity: '2' });
  world.run(1_000);
  unheard(world, (venue) => {
    const order = venue.state.orders.find(isOpenOrder);
    if (!order) return;
    venue.fill(order, '0.5');
    venue.end(order, 'CANCELED');
  });
  settle(world);
  assert.deepEqual(world.heard(ref), ['ORDER_ACKNOWLEDGED', 'ORDER_FILLED', 'ORDER_CLOSED']);
  assert.equal(world.held(), '0.5');
});

test('S5: an order that nobody here placed is reported once, and its symbol blocked until it is gone', () => {
  const world = new World().begin();
  world.happen((venue) =>
    venue.place({
      symbol: 'BTCUSDT',
      side: 'BUY',
      positionSide: 'BOTH',
      type: 'LIMIT',
      clientOrderId: 'web_1',
      reduceOnly: false,
      quantity: '1',
    }),
  );
  world.run(200_000);
  assert.equal(world.notices.filter((text) => /nobody here made/.test(text)).length, 1);
  assert.deepEqual(
    world.toldTo('entry/BTCUSDT').map(({ type }) => type),
    ['BLOCK'],
  );
  world.happen((venue) => {
    const order = venue.state.orders.find(isOpenOrder);
    if (order) venue.end(order, 'CANCELED');
  });
  world.run(200_000);
  assert.deepEqual(
    world.toldTo('entry/BTCUSDT').map(({ type }) => type),
    ['BLOCK', 'UNBLOCK'],
  );
});

test('S6: a trade shown again with another price or fee changes nothing', () => {
  const world = holding('1');
  const [trade] = world.venue.state.fills;
  assert.ok(trade);
  const { wallet } = world.executor.state;
  world.venue.state.fills[0] = { ...trade, price: '123', fee: '9' };
  world.venue.keep();
  world.run(200_000);
  assert.equal(fillsOf(world).length, 1);
  assert.equal(world.executor.state.wallet, wallet);
});

test('S7: a report shown twice is the same as once', () => {
  const world = holding('1');
  world.stop('1');
  world.run(1_000);
  const report = world.venue.report({ call: 'report', id: 'x', since: 0, symbols: ['BTCUSDT'] }, [
    world.now,
    world.now,
    world.now,
    world.now,
  ]);
  const twice = {
    ...report,
    fills: [...report.fills, ...report.fills],
    openAlgoOrders: [...report.openAlgoOrders, ...report.openAlgoOrders],
    income: [...report.income, ...report.income],
  };
  const once = reconcileReport(world.executor.state, report, world.options);
  const doubled = reconcileReport(world.executor.state, twice, world.options);
  assert.deepEqual(doubled, once);
  assert.deepEqual(once.findings, []);
  assert.deepEqual(once.repairs, []);
});

test('S8: what happens on symbols without a desk is reported and blocks nobody', () => {
  const world = new World().begin();
  world.happen((venue) => venue.trade('DOGEUSDT', 'BUY', '5', 'web_1'));
  world.run(200_000);
  assert.equal(world.foreign('DOGEUSDT'), '5');
  assert.deepEqual(world.toldTo('entry/DOGEUSDT'), []);
  assert.ok(world.notices.some((text) => text.startsWith('DOGEUSDT')));
  const ref = world.submit({});
  world.run(1_000);
  assert.deepEqual(world.heard(ref), OPENED);
});

test('S9: a position smaller, larger or turned round without any fill is inferred, after two readings', () => {
  for (const [amount, held, foreign] of [
    ['0.5', '0.5', '0'],
    ['3', '3', '0'],
    ['-1', '0', '-1'],
    ['0', '0', '0'],
  ] as const) {
    const world = holding('2', { breaker: 'breaker/reconciliation' });
    world.run(10_000);
    const before = fillsOf(world).length;
    if (amount === '0') delete world.venue.state.positions.BTCUSDT;
    else world.venue.state.positions.BTCUSDT = { amount, entry: '100' };
    world.venue.keep();
    world.run(48_000);
    assert.equal(fillsOf(world).length, before, 'one reading is not enough');
    assert.deepEqual(world.heard(world.submit({})), ['ORDER_REJECTED'], 'nothing opens meanwhile');
    world.run(200_000);
    assert.equal(world.held(), held);
    assert.equal(world.foreign(), foreign);
    const inferred = fillsOf(world).at(-1);
    assert.match(inferred?.tradeId ?? '', /^inferred-BTCUSDT-/);
    assert.equal(inferred?.cause, 'manual');
    assert.ok(world.notices.some((text) => /inferred/.test(text)));
    world.run(120_000);
    assert.deepEqual(
      world.toldTo('breaker/reconciliation').map(({ type }) => type),
      ['FINDINGS', 'CLEAN', 'CLEAN'],
    );
    world.checkStories();
  }
});

test('S10: an inferred close is at the venue’s mark, an inferred growth such that the average is the venue’s', () => {
  const smaller = holding('2');
  smaller.venue.price.BTCUSDT = '110';
  delete smaller.venue.state.positions.BTCUSDT;
  smaller.venue.keep();
  smaller.run(120_000);
  assert.equal(
    fillsOf(smaller).at(-1)?.price,
    '100',
    'the last mark known: of the reading before it vanished',
  );
  const larger = holding('2');
  larger.venue.state.positions.BTCUSDT = { amount: '3', entry: '102' };
  larger.venue.keep();
  larger.run(120_000);
  assert.equal(fillsOf(larger).at(-1)?.price, '106', '(2 × 100 + 106) ÷ 3 = 102');
});

test('S11: a fill that comes before its order’s status waits for nothing and is told after the acknowledgement', () => {
  const world = new World().begin();
  const ref = world.submit({ type: 'LIMIT', price: '90' });
  world.run(60);
  world.streamFates = ['delay'];
  world.happen((venue) => {
    const order = venue.state.orders.find(isOpenOrder);
    if (order) venue.fill(order, '1');
  });
  settle(world);
  assert.deepEqual(world.heard(ref), OPENED);
});

test('S12: a reading that fails is tried again, and nothing opens before one has succeeded', () => {
  const world = new World();
  world.apply({ type: 'RESTARTED', at: world.now, epoch: 1 });
  world.stream = 'up';
  world.apply({ type: 'STREAM_UP', at: world.now });
  const call = world.calls.find(({ call }) => call === 'report');
  world.apply({
    type: 'CALL_ENDED',
    at: world.now,
    call: 'report',
    id: call?.id ?? '',
    result: { outcome: 'unknown', reason: 'timeout' },
    venueAt: world.now,
  });
  assert.deepEqual(world.heard(world.submit({})), ['ORDER_REJECTED']);
  world.run(5_000);
  assert.equal(world.executor.state.ready, true);
});

test('S13: what was there before our first reading is foreign; fills of before are nobody’s', () => {
  const world = new World();
  world.happen((venue) => venue.trade('BTCUSDT', 'BUY', '2', 'web_1'));
  world.run(60_000);
  world.begin();
  assert.equal(world.foreign(), '2');
  assert.deepEqual(fillsOf(world), []);
  assert.equal(world.executor.state.wallet, world.venue.state.wallet);
  world.heal();
  world.checkSettled();
});

test('S14: liquidation, deleveraging and settlement reach the holder with their cause', () => {
  for (const [id, cause] of [
    ['autoclose-1', 'liquidation'],
    ['adl_autoclose', 'adl'],
    ['settlement_autoclose-1', 'settlement'],
  ] as const) {
    const world = holding('2');
    world.happen((venue) => venue.trade('BTCUSDT', 'SELL', '2', id));
    world.run(1_000);
    assert.deepEqual(
      fillsOf(world)
        .slice(-2)
        .map((fill) => fill.cause),
      [cause, cause],
    );
    assert.equal(world.held(), '0');
    settle(world);
  }
});
