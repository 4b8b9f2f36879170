/** A position against a venue that is far away: adopted, refused without being looked at, silent, changed by hand. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Trade } from '../../machines/messages.ts';
import { createPositionMachine, type PositionContext, THREE_PARTS } from '../../machines/position.ts';
import { INSTRUMENT, MachineBench, PLAIN_PLAN, PositionBench, told } from '../support/machine-bench.ts';

const ACTOR = 'position/BTCUSDT/BOTH/1';
const refs = (bench: PositionBench) => bench.orders().map((order) => order.ref);
const toVenue = (bench: MachineBench) => told(bench).filter(([to]) => to === 'venue');
const trade = (bench: PositionBench) =>
  bench.sent('portfolio').find((event) => event.type === 'POSITION_CLOSED')?.trade as Trade;

describe('adopted', () => {
  const adopted = (more: Record<string, unknown> = {}, plan: Record<string, unknown> = {}) =>
    new MachineBench(createPositionMachine(), {
      actor: ACTOR,
      symbol: 'BTCUSDT',
      instrument: INSTRUMENT,
      plan: { ...PLAIN_PLAN, ...plan },
      adopted: { direction: 'long', quantity: '2', entryPrice: '100', markPrice: '100', by: 'ann', ...more },
    });
  const stopOf = (bench: MachineBench) =>
    bench.emitted.flatMap((intent) => (intent.type === 'order.submit' ? [intent.order] : []))[0];

  test('it begins open, with exact books, its stop asked for and everybody told in its first row', () => {
    const bench = adopted({ quantity: '0.3', entryPrice: '101.23', markPrice: '101.23' });
    const state = bench.context<PositionContext>();
    assert.deepEqual(
      [state.quantity, state.openNotional, state.enteredNotional, state.lots[0]?.ref, state.adoptedBy],
      ['0.3', '30.369', '30.369', 'adopted', 'ann'],
    );
    assert.deepEqual(
      bench.emitted.flatMap((intent) => (intent.type === 'notify' ? [] : [intent.type])),
      ['send', 'order.submit', 'send'],
    );
    const exposure = bench.sent('portfolio')[0];
    assert.deepEqual([exposure?.type, exposure?.quantity, exposure?.notional], ['EXPOSURE', '0.3', '30.369']);
    assert.equal(bench.sent('entry/BTCUSDT')[0]?.type, 'POSITION_OPENED');
    const stop = stopOf(bench);
    assert.deepEqual(
      [stop?.ref, stop?.type, stop?.side, stop?.quantity, stop?.triggerPrice, stop?.reduceOnly],
      ['stop-1', 'STOP_MARKET', 'SELL', '0.3', '96.1', true],
    );
    assert.ok(bench.leaves().includes('open.entry.filled'));
    assert.ok(bench.leaves().includes('open.protection.exposed.placing'));
  });

  test('the stop lies behind the worse of entry and mark, as far as the plan says', () => {
    assert.equal(stopOf(adopted({ markPrice: '80' }))?.triggerPrice, '76');
    assert.equal(stopOf(adopted({ markPrice: '120' }))?.triggerPrice, '95');
    assert.equal(stopOf(adopted({}, { adoptedStopPercent: '2' }))?.triggerPrice, '98');
    const short = stopOf(adopted({ direction: 'short', markPrice: '110' }));
    assert.deepEqual([short?.side, short?.triggerPrice], ['BUY', '115.5']);
  });

  test('it lives on like any other: trails, and ends in a trade that sums from the adopted price', () => {
    const bench = adopted();
    const order = (type: string, ref: string, data: Record<string, unknown> = {}) =>
      bench.send(type, { ref, clientOrderId: ref, symbol: 'BTCUSDT', ...data });
    order('ORDER_ACKNOWLEDGED', 'stop-1', { orderId: '1' });
    bench.send('PRICE', { mark: 110, last: 110 });
    assert.equal(bench.context<PositionContext>().stopPrice, '105');
    bench.send('EXIT_SIGNAL', { reason: 'over' });
    order('ORDER_FILLED', 'close-1', {
      tradeId: '9',
      side: 'SELL',
      price: '110',
      quantity: '2',
      cumulative: '2',
      complete: true,
      maker: false,
      fee: '0.11',
      realizedPnl: '20',
    });
    order('ORDER_CLOSED', 'stop-1', { outcome: 'canceled', cumulative: '0', reason: 'asked' });
    order('ORDER_ACKNOWLEDGED', 'stop-2', { orderId: '2' });
    order('ORDER_CLOSED', 'stop-2', { outcome: 'canceled', cumulative: '0', reason: 'asked' });
    assert.equal(bench.value, 'closed');
    const closed = bench.sent('portfolio').at(-1)?.trade as Trade;
    assert.deepEqual([closed.entryPrice, closed.exitPrice, closed.netPnl], ['100', '110', '19.89']);
  });
});

test('a stop the venue never looked at is placed again for ever, at once and then with pauses', () => {
  const bench = new PositionBench({ plan: { unprotectedDeadlineMs: 86_400_000 } }).enter();
  bench.fill('entry-1', '2');
  const codes = [0, 429, 418, -1001, -1003, -1008, -1015, -1021, -5028];
  for (const [index, code] of codes.entries()) {
    const at = bench.at;
    bench.reject(`stop-${index + 1}`, code);
    if (index === 0) assert.deepEqual(refs(bench), ['stop-2'], 'the first time at once');
    else {
      assert.deepEqual(refs(bench), []);
      assert.ok(bench.fireNext());
      assert.ok(bench.at - at <= 60_010, 'with a pause that is bounded');
    }
  }
  assert.ok(bench.in('open.protection.exposed.placing'), 'none of that says that no stop can be had');
  bench.acknowledge(`stop-${codes.length + 1}`);
  assert.equal(bench.state.stopRejections, 0);
});

test('an entry the venue never looked at is given up', () => {
  for (const code of [0, 429, -1021]) {
    const bench = new PositionBench().enter();
    bench.reject('entry-1', code);
    assert.equal(bench.value, 'abandoned');
  }
});

test('a partial exit the venue never looked at is not counted as refused', () => {
  const bench = new PositionBench({ plan: { scaleOut: THREE_PARTS } }).open();
  for (let attempt = 1; attempt <= 5; attempt++) {
    bench.price(102);
    assert.ok(refs(bench).includes(`exit-${attempt}`));
    bench.reject(`exit-${attempt}`, 429);
    bench.wait(60_000);
  }
  assert.equal(bench.state.scaleParts[0]?.refusals, 0);
});

test('a close that finds nothing to reduce asks for a reading and waits for it', () => {
  const bench = new PositionBench().open();
  bench.send('EXIT_SIGNAL', { reason: 'over' });
  bench.reject('close-1', -2022);
  assert.equal(toVenue(bench)[0]?.[1].type, 'RECONCILE');
  assert.deepEqual(refs(bench), [], 'another close would find nothing either');
  assert.ok(bench.in('emergencyClosing.backingOff'));
  bench.wait(4_900);
  assert.equal(bench.state.orders.filter(({ role }) => role === 'emergency').length, 0);
  // What the reading shows: a person had closed it.
  bench.fill('manual-1', '2', '99', { cause: 'manual', realizedPnl: '-2' });
  bench.closed('stop-1');
  assert.equal(bench.value, 'closed');
  assert.equal(trade(bench).reason, 'manual');
});

test('without evidence the close is tried again, in pauses of seconds, and each refusal asks anew', () => {
  const bench = new PositionBench().open();
  bench.send('KILL', { reason: 'now' });
  for (let attempt = 1; attempt <= 8; attempt++) {
    const { at } = bench;
    bench.reject(`emergency-${attempt}`, -2022);
    assert.equal(toVenue(bench)[0]?.[1].type, 'RECONCILE');
    assert.ok(bench.fireNext());
    assert.ok(bench.at - at >= 5_000 && bench.at - at <= 30_010, `${bench.at - at}`);
  }
  bench.reject('emergency-9', -1001);
  assert.deepEqual(toVenue(bench), [], 'another refusal is not that evidence');
  assert.equal(bench.state.nothingToReduce, 0);
});

test('a silent venue: four closing orders at most, then readings, and a cry once a minute', () => {
  const bench = new PositionBench().open();
  bench.send('KILL', { reason: 'now' });
  for (let minute = 0; minute < 30; minute++) {
    const newest = bench.state.orders.at(-1);
    if (newest?.status === 'submitted') bench.unknown(newest.ref);
    bench.wait(20_000);
  }
  const emergencies = bench.state.orders.filter(({ role }) => role === 'emergency');
  assert.equal(emergencies.length, 4);
  const cries = bench.emitted.filter(
    (intent) => intent.type === 'notify' && /without an outcome/.test(intent.text),
  );
  assert.ok(cries.length >= 8 && cries.length <= 10, `${cries.length} cries in ten minutes`);
  assert.ok(bench.sent('venue').filter(({ type }) => type === 'RECONCILE').length >= cries.length);
  // Evidence at last: none of them ever arrived.
  for (const { ref } of emergencies) bench.reject(ref, 0);
  assert.ok(bench.fireNext());
  bench.fill('emergency-5', '2', '90');
  bench.closed('stop-1');
  assert.equal(bench.value, 'closed');
});

test('a refused cancel is asked for again after a pause, not at once', () => {
  const bench = new PositionBench().open();
  bench.price(101);
  bench.acknowledge('stop-2');
  assert.deepEqual(bench.cancels(), ['stop-1']);
  for (let round = 0; round < 3; round++) {
    bench.order('CANCEL_REJECTED', 'stop-1', { code: 418, reason: 'banned' });
    assert.deepEqual(bench.cancels(), []);
    bench.wait(5_000);
    assert.deepEqual(bench.cancels(), ['stop-1']);
  }
  bench.closed('stop-1');
  assert.ok(bench.in('open.protection.covered.protected'));
});

test('a fill after its order’s end counts and brings no order back to life', () => {
  const bench = new PositionBench().open();
  bench.price(101);
  bench.acknowledge('stop-2');
  bench.closed('stop-1', 'canceled', '0');
  bench.fill('stop-1', '0.5', '95', { complete: false });
  assert.equal(bench.state.quantity, '1.5');
  assert.equal(bench.state.orders.find(({ ref }) => ref === 'stop-1')?.status, 'over');
  assert.ok(bench.state.orders.some(({ ref, quantity }) => ref === 'stop-3' && quantity === '1.5'));
  bench.fill('stop-1', '0.5', '95', { complete: false });
  assert.equal(bench.state.quantity, '1.5', 'heard twice, booked once');
  assert.equal(bench.state.duplicates, 1);
});

test('by hand: less open is a smaller stop and smaller parts, more open a larger stop, all of it the end', () => {
  const bench = new PositionBench({ plan: { scaleOut: THREE_PARTS } }).open();
  assert.deepEqual(
    bench.state.scaleParts.map(({ quantity }) => quantity),
    ['0.66', '0.66', '0.68'],
  );
  bench.fill('manual-1', '1', '100', { cause: 'manual' });
  assert.deepEqual(
    bench.state.scaleParts.map(({ quantity }) => quantity),
    ['0.33', '0.33', '0.34'],
  );
  assert.deepEqual(
    bench.orders().map(({ ref, quantity }) => [ref, quantity]),
    [['stop-2', '1']],
  );
  bench.acknowledge('stop-2');
  bench.closed('stop-1');
  bench.fill('manual-2', '0.5', '100', { cause: 'manual', side: 'BUY' });
  assert.equal(bench.state.quantity, '1.5');
  assert.deepEqual(
    bench.orders().map(({ quantity }) => quantity),
    ['1.5'],
  );
  bench.fill('manual-3', '1.5', '104', { cause: 'manual', realizedPnl: '6' });
  for (const ref of ['stop-2', 'stop-3']) {
    bench.acknowledge(ref);
    bench.closed(ref);
  }
  assert.equal(bench.value, 'closed');
  assert.equal(trade(bench).reason, 'manual');
});

test('new filters: the stop moves to the tighter tick, and later levels follow', () => {
  const bench = new PositionBench({ entry: { stopPrice: '95.3' } }).open();
  bench.send('INSTRUMENT', { instrument: { ...INSTRUMENT, tickSize: '0.5', stepSize: '0.01' } });
  assert.deepEqual(
    bench.orders().map(({ ref, triggerPrice }) => [ref, triggerPrice]),
    [['stop-2', '95.5']],
  );
  assert.equal(bench.state.filters.stepSize, '0.01');
});

test('a failed position blocks its desk in the row of its end, before it speaks of the end', () => {
  const bench = new PositionBench().open();
  bench.send('POSITION_GONE', { reason: 'flat at the venue' });
  const toDesk = told(bench).filter(([to]) => to === 'entry/BTCUSDT');
  assert.deepEqual(
    toDesk.map(([, event]) => [event.type, event.source]),
    [
      ['BLOCK', `guardian:${ACTOR}`],
      ['POSITION_CLOSED', undefined],
    ],
  );
});

test('asked by the guardian it answers in every state, and places a stop only while one can help', () => {
  const asked = (bench: PositionBench) => {
    bench.send('GUARD_STOP', { symbol: 'BTCUSDT', quantity: '2', protected: '0' });
    assert.equal(told(bench).filter(([to]) => to === 'guardian').length, 1);
    return refs(bench);
  };
  assert.deepEqual(asked(new PositionBench()), []);
  assert.deepEqual(asked(new PositionBench().enter()), []);
  const placing = new PositionBench().enter();
  placing.fill('entry-1', '2');
  assert.deepEqual(asked(placing), [], 'one is on its way');
  const open = new PositionBench().open();
  assert.deepEqual(asked(open), ['stop-2']);
  open.acknowledge('stop-2');
  assert.deepEqual(open.cancels(), ['stop-1']);
  const closing = new PositionBench().open();
  closing.send('EXIT_SIGNAL', { reason: 'over' });
  assert.deepEqual(asked(closing), ['stop-2']);
  const emergency = new PositionBench().open();
  emergency.send('KILL', { reason: 'now' });
  assert.deepEqual(asked(emergency), []);
});
