import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createGuardianMachine, type GuardianContext } from '../../machines/guardian.ts';
import type { SymbolProtection } from '../../machines/messages.ts';
import { MachineBench, PositionBench, told } from '../support/machine-bench.ts';

const OWNER = 'position/BTCUSDT/BOTH/1';

/** The guardian, and the venue's readings to it. */
class Watch extends MachineBench {
  readings = 0;

  constructor(input: Record<string, unknown> = {}) {
    super(createGuardianMachine(), input);
  }

  get state(): GuardianContext {
    return this.context<GuardianContext>();
  }

  read(protectedQuantity: string, laterMs = 10, more: Partial<SymbolProtection> = {}): void {
    const one = {
      symbol: 'BTCUSDT',
      owner: OWNER,
      direction: 'long',
      quantity: '2',
      protected: protectedQuantity,
      entryPrice: '100',
      markPrice: '98',
      tickSize: '0.1',
      ...more,
    };
    this.send('PROTECTION', { readAt: ++this.readings, symbols: [one] }, laterMs);
  }

  flat(): void {
    this.send('PROTECTION', { readAt: ++this.readings, symbols: [] });
  }

  /** Up to the guardian's own stop: seen, asked, not helped. */
  guarding(answer: string | null = '95'): this {
    this.read('0');
    this.read('0', 30_000);
    if (answer !== null) this.send('GUARD_ANSWER', { actor: OWNER, symbol: 'BTCUSDT', stopPrice: answer });
    this.read('0', 5_000);
    return this;
  }

  order(type: string, ref: string, data: Record<string, unknown> = {}): void {
    this.send(type, { ref, clientOrderId: `bh-${ref}`, symbol: 'BTCUSDT', ...data });
  }

  orders() {
    return this.last.flatMap((intent) => (intent.type === 'order.submit' ? [intent.order] : []));
  }

  cancels() {
    return this.last.flatMap((intent) => (intent.type === 'order.cancel' ? [intent.ref] : []));
  }
}

test('a gap younger than the bound is left to its owner; covered again it is measured and forgotten', () => {
  const bench = new Watch();
  bench.read('0');
  assert.equal(bench.value, 'guarding');
  assert.deepEqual(told(bench), []);
  bench.read('1', 20_000);
  assert.deepEqual(told(bench), []);
  bench.read('2', 1_000);
  assert.equal(bench.value, 'watching');
  assert.deepEqual(bench.state.gaps, []);
  assert.equal(bench.state.longestGapMs, 21_000);
  assert.equal(bench.timers.size, 0);
});

test('it asks for its own readings while a gap stands, and asks the owner on the first beyond the bound', () => {
  const bench = new Watch({ guardBoundMs: 10_000 });
  bench.read('0.5');
  assert.ok(bench.fireNext());
  assert.deepEqual(
    told(bench).map(([to, event]) => [to, event.type]),
    [['venue', 'RECONCILE']],
  );
  bench.read('0.5');
  assert.deepEqual(told(bench), [
    [OWNER, { type: 'GUARD_STOP', symbol: 'BTCUSDT', quantity: '2', protected: '0.5' }],
  ]);
  assert.ok(bench.fireNext(), 'the next reading is asked for as well');
  assert.equal(told(bench)[0]?.[1].type, 'RECONCILE');
});

test('the same reading heard twice is one reading', () => {
  const bench = new Watch({ guardBoundMs: 0 });
  bench.read('0');
  const before = bench.state;
  bench.readings -= 1;
  bench.read('0', 60_000);
  assert.deepEqual(bench.state.gaps, before.gaps);
  assert.deepEqual(bench.last, []);
});

test('still bare at the next reading, it places the stop itself: what is missing, at the owner’s price', () => {
  const bench = new Watch();
  bench.read('0.5');
  bench.read('0.5', 30_000);
  bench.send('GUARD_ANSWER', { actor: OWNER, symbol: 'BTCUSDT', stopPrice: '95' });
  bench.read('0.5', 5_000);
  assert.deepEqual(bench.orders(), [
    {
      ref: 'guard-1',
      symbol: 'BTCUSDT',
      side: 'SELL',
      positionSide: 'BOTH',
      quantity: '1.5',
      reduceOnly: true,
      type: 'STOP_MARKET',
      triggerPrice: '95',
      workingType: 'MARK_PRICE',
    },
  ]);
  assert.ok(bench.last.some((intent) => intent.type === 'notify' && intent.level === 'critical'));
  bench.order('ORDER_ACKNOWLEDGED', 'guard-1', { orderId: '7' });
  bench.read('0.5', 1_000);
  assert.deepEqual(bench.orders(), [], 'this reading may be older than the order');
  bench.read('2', 1_000);
  assert.equal(bench.value, 'watching');
  bench.flat();
  assert.deepEqual(bench.cancels(), ['guard-1'], 'nothing of it meets the next position');
});

test('without the owner’s word the stop lies behind the worse of entry and mark, on a tick', () => {
  assert.equal(new Watch().guarding(null).orders()[0]?.triggerPrice, '93.1');
  const short = new Watch();
  for (const laterMs of [0, 30_000, 5_000]) short.read('0', laterMs, { direction: 'short', tickSize: '0.3' });
  assert.deepEqual([short.orders()[0]?.triggerPrice, short.orders()[0]?.side], ['105', 'BUY']);
});

test('it closes only when its stop was judged and refused and a fresh reading agrees', () => {
  const bench = new Watch().guarding();
  bench.order('ORDER_REJECTED', 'guard-1', { code: -2021, reason: 'Order would immediately trigger.' });
  assert.deepEqual(bench.orders(), [], 'a refusal alone closes nothing');
  assert.equal(told(bench)[0]?.[1].type, 'RECONCILE', 'but the reading that decides is asked for at once');
  bench.read('0');
  assert.deepEqual(
    bench.orders().map(({ type, quantity, reduceOnly }) => [type, quantity, reduceOnly]),
    [['MARKET', '2', true]],
  );
  bench.read('0');
  assert.deepEqual(bench.orders(), [], 'one close at a time');
  bench.order('ORDER_REJECTED', 'guard-2', { code: 0, reason: 'never sent' });
  bench.read('0');
  assert.equal(bench.orders()[0]?.ref, 'guard-3');
});

test('a stop the venue never looked at is placed again, not turned into a close', () => {
  const bench = new Watch().guarding();
  bench.order('ORDER_REJECTED', 'guard-1', { code: 429, reason: 'too many requests' });
  bench.read('0');
  assert.deepEqual(
    bench.orders().map(({ ref, type }) => [ref, type]),
    [['guard-2', 'STOP_MARKET']],
  );
});

test('a silent venue gets at most three of them', () => {
  const bench = new Watch().guarding();
  for (let reading = 0; reading < 10; reading++) {
    const { orders } = bench.state;
    const newest = orders.at(-1);
    if (newest?.status === 'submitted') bench.order('ORDER_UNKNOWN', newest.ref, { reason: 'timeout' });
    bench.read('0', 5_000);
  }
  assert.equal(bench.state.ordersMade, 3);
});

test('a fill of its own is passed on, and the owner’s books end where the venue’s are', () => {
  const bench = new Watch().guarding();
  bench.order('ORDER_ACKNOWLEDGED', 'guard-1', { orderId: '7' });
  const fill = { tradeId: 't1', side: 'SELL', price: '94', maker: false, fee: '0.1', realizedPnl: '-12' };
  bench.order('ORDER_FILLED', 'guard-1', { ...fill, quantity: '2', cumulative: '2', complete: true });
  const [[to, event]] = told(bench) as [[string, { type: string; cause?: string }]];
  assert.deepEqual([to, event.cause], [OWNER, 'guardian']);

  const position = new PositionBench().open();
  position.send('GUARD_STOP', { symbol: 'BTCUSDT', quantity: '2', protected: '0' });
  assert.deepEqual(
    position.orders().map(({ ref }) => ref),
    ['stop-2'],
    'whatever its books say, it places one more',
  );
  assert.deepEqual(told(position), [
    ['guardian', { type: 'GUARD_ANSWER', actor: OWNER, symbol: 'BTCUSDT', stopPrice: '95' }],
  ]);
  position.deliver(event);
  position.closed('stop-1');
  position.acknowledge('stop-2');
  position.closed('stop-2');
  assert.equal(position.value, 'closed');
  assert.deepEqual(position.sent('guardian').at(-1), { type: 'GUARD_OVER', symbol: 'BTCUSDT' });
});

test('the end of its owner calls back what it placed, at once', () => {
  const bench = new Watch().guarding();
  bench.order('ORDER_ACKNOWLEDGED', 'guard-1', { orderId: '7' });
  bench.send('GUARD_OVER', { symbol: 'BTCUSDT' });
  assert.deepEqual(bench.cancels(), ['guard-1']);
  assert.equal(bench.value, 'watching');
  bench.order('CANCEL_REJECTED', 'guard-1', { code: -1001, reason: 'busy' });
  bench.flat();
  assert.deepEqual(bench.cancels(), ['guard-1'], 'and again after a refused cancel');
  bench.order('ORDER_CLOSED', 'guard-1', { outcome: 'canceled', cumulative: '0', reason: 'asked' });
  bench.flat();
  assert.deepEqual(bench.cancels(), []);
});

test('restarted between any two steps it goes on as if nothing had been', () => {
  const bench = new Watch();
  const twin = new Watch();
  for (const one of [bench, twin]) {
    const pause = () => one === twin && one.restart();
    one.read('0');
    pause();
    one.read('0', 30_000);
    pause();
    one.read('0', 5_000);
    pause();
    one.order('ORDER_UNKNOWN', 'guard-1', { reason: 'timeout' });
    pause();
    one.read('0', 5_000);
  }
  assert.equal(twin.snapshot(), bench.snapshot());
  assert.deepEqual(twin.last, bench.last);
});

test('what is more than one market order may be is closed in parts, reading by reading', () => {
  const bench = new Watch().guarding(null);
  const most = { marketMaxQuantity: '1.5' };
  bench.order('ORDER_REJECTED', 'guard-1', { code: -2021, reason: 'would trigger' });
  bench.read('0', 5_000, most);
  assert.deepEqual(
    bench.orders().map(({ type, quantity }) => [type, quantity]),
    [['MARKET', '1.5']],
  );
  bench.read('0', 5_000, most);
  assert.deepEqual(bench.orders(), [], 'not while the first is out');
  bench.order('ORDER_ACKNOWLEDGED', 'guard-2', { orderId: '9' });
  bench.order('ORDER_FILLED', 'guard-2', {
    tradeId: '1',
    side: 'SELL',
    price: '98',
    quantity: '1.5',
    cumulative: '1.5',
    complete: true,
    maker: false,
    fee: '0',
    realizedPnl: '0',
  });
  bench.read('0', 5_000, { ...most, quantity: '0.5' });
  assert.deepEqual(
    bench.orders().map(({ type, quantity }) => [type, quantity]),
    [['MARKET', '0.5']],
  );
});
