/** What nobody here made, the guardian's own orders, and money that no fill explains. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyOf } from '../../src/domain/position-key.ts';
import { reconcileReport } from '../../src/execution/reconciliation.ts';
import { fillsOf, holding, settle, unheard } from '../support/executor-cases.ts';
import { ownerOf, World } from '../support/executor-world.ts';
import { isOpenOrder } from '../support/model-venue.ts';

test('a foreign position is adopted by its desk, and then told to its owner', () => {
  const world = new World({ foreign: 'adopt' }).begin();
  world.happen((venue) => venue.trade('BTCUSDT', 'SELL', '2', 'web_1'));
  world.run(120_000);
  const offer = world.toldTo('entry/BTCUSDT')[0];
  assert.deepEqual(
    [offer?.type, offer?.direction, offer?.quantity, offer?.entryPrice, offer?.by],
    ['ADOPT', 'short', '2', '100', 'policy'],
  );
  const owner = ownerOf('BTCUSDT');
  world.apply({
    type: 'HOLD',
    at: world.now,
    owner,
    symbol: 'BTCUSDT',
    direction: 'short',
    quantity: '2',
    entryPrice: '100',
  });
  world.run(70_000);
  assert.equal(world.held(), '-2');
  assert.equal(world.foreign(), '0');
  world.happen((venue) => venue.trade('BTCUSDT', 'BUY', '2', 'web_2'));
  world.run(10_000);
  assert.deepEqual(
    fillsOf(world).map(({ cause }) => cause),
    ['manual', 'manual'],
  );
});

test('a person adopts, ignores and closes what is foreign', () => {
  const start = (): World => {
    const world = new World().begin();
    world.happen((venue) => venue.trade('BTCUSDT', 'BUY', '2', 'web_1'));
    world.run(120_000);
    assert.deepEqual(
      world.toldTo('entry/BTCUSDT').map(({ type }) => type),
      ['BLOCK'],
    );
    return world;
  };
  const adopted = start();
  adopted.apply({ type: 'ADOPT', at: adopted.now, symbol: 'BTCUSDT', by: 'ann' });
  assert.deepEqual(
    adopted.toldTo('entry/BTCUSDT').map(({ type }) => type),
    ['BLOCK', 'UNBLOCK', 'ADOPT'],
  );

  const ignored = start();
  ignored.apply({ type: 'IGNORE', at: ignored.now, symbol: 'BTCUSDT', by: 'ann' });
  ignored.run(120_000);
  assert.equal(
    ignored.executor.state.foreign[keyOf({ symbol: 'BTCUSDT' })]?.blocked,
    true,
    'one-way mode nets: nothing opens beside it',
  );

  const closed = start();
  closed.apply({ type: 'CLOSE_FOREIGN', at: closed.now, symbol: 'BTCUSDT', by: 'ann' });
  closed.run(120_000);
  assert.equal(closed.venue.amount('BTCUSDT'), '0');
  assert.equal(closed.toldTo('entry/BTCUSDT').at(-1)?.type, 'UNBLOCK');
  closed.heal();
  closed.checkSettled();
});

test('policy close closes what is foreign, reduce-only, and cancels its orders', () => {
  const world = new World({ foreign: 'close' }).begin();
  world.happen((venue) => {
    venue.trade('BTCUSDT', 'BUY', '2', 'web_1');
    venue.place({
      symbol: 'BTCUSDT',
      side: 'BUY',
      positionSide: 'BOTH',
      type: 'LIMIT',
      clientOrderId: 'web_2',
      reduceOnly: false,
      quantity: '1',
    });
  });
  world.run(200_000);
  assert.equal(world.venue.amount('BTCUSDT'), '0');
  assert.ok(!world.venue.state.orders.some(isOpenOrder));
  settle(world);
});

test('what is foreign and more than one market order may take is closed in several', () => {
  const world = new World({ foreign: 'close', marketMaxQuantities: { BTCUSDT: '1.5' } }).begin();
  world.happen((venue) => venue.trade('BTCUSDT', 'SELL', '4', 'web_1'));
  world.run(400_000);
  assert.equal(world.venue.amount('BTCUSDT'), '0');
  const sent = world.calls.flatMap((call) => (call.call === 'submit' ? [call.order.quantity] : []));
  assert.deepEqual(sent, ['1.5', '1.5', '1']);
  settle(world);
});

test('people hear once that what is foreign cannot be closed, and it is tried again', () => {
  const world = new World({ foreign: 'close' }).begin();
  world.happen((venue) => venue.trade('BTCUSDT', 'BUY', '2', 'web_1'));
  world.fates = ['refused', 'refused'];
  world.run(400_000);
  assert.equal(
    world.notices.filter((text) => /closing what nobody here opened was refused/.test(text)).length,
    1,
  );
  assert.equal(world.venue.amount('BTCUSDT'), '0');
  settle(world);
});

test('funding is paid once, by the ledger’s row, to the holder and to the wallet', () => {
  const world = holding('1');
  world.happen((venue) => venue.fund('BTCUSDT', '-0.5'));
  world.run(130_000);
  const funding = world.eventsOf().filter(({ type }) => type === 'FUNDING_SETTLED');
  assert.deepEqual(
    funding.map((event) => 'amount' in event && event.amount),
    ['-0.5'],
  );
  for (const event of funding)
    assert.ok(!('rate' in event) && !('markPrice' in event), 'the ledger tells neither');
  assert.equal(world.toldTo('portfolio').filter(({ reason }) => reason === 'FUNDING_FEE').length, 1);
  settle(world);
});

test('funding that was settled before an unheard stop filled is told to the position that held then', () => {
  const world = holding('1');
  const stop = world.stop('1');
  world.run(1_000);
  unheard(world, (venue) => {
    venue.fund('BTCUSDT', '-0.5');
    venue.now += 1_000;
    const algo = venue.state.algos.find(({ status }) => status === 'NEW');
    if (algo) venue.trigger(algo);
  });
  world.restart();
  world.run(130_000);
  assert.ok(world.heard(stop).includes('ORDER_FILLED'));
  const told = world.eventsOf().map(({ type }) => type);
  assert.equal(told.filter((type) => type === 'FUNDING_SETTLED').length, 1);
  assert.ok(
    told.indexOf('FUNDING_SETTLED') < told.lastIndexOf('ORDER_FILLED'),
    'while it could still book it',
  );
  settle(world);
});

test('funding whose row comes after the position is gone is told to who held it, not to the next life', () => {
  const world = holding('1');
  world.happen((venue) => venue.fund('BTCUSDT', '-0.5'));
  world.happen((venue) => venue.trade('BTCUSDT', 'SELL', '1', 'web_1'));
  world.run(130_000);
  assert.equal(world.held(), '0');
  assert.equal(world.eventsOf().filter(({ type }) => type === 'FUNDING_SETTLED').length, 1);
  settle(world);
});

test('rows that move money in or out reach the portfolio as transfers, others by their own name', () => {
  const world = holding('1');
  const rows = ['INTERNAL_TRANSFER', 'COIN_SWAP_DEPOSIT', 'WELCOME_BONUS', 'COMMISSION_REBATE', 'A_NEW_KIND'];
  const before = world.toldTo('portfolio').length;
  world.happen((venue) => {
    for (const type of rows) venue.transfer('5', type);
  });
  world.run(130_000);
  const told = world.toldTo('portfolio').slice(before);
  assert.deepEqual(
    told.map(({ reason }) => reason),
    ['TRANSFER', 'TRANSFER', 'TRANSFER', 'COMMISSION_REBATE', 'A_NEW_KIND'],
  );
  settle(world);
});

test('a wallet that no row explains is adjusted after two readings, and said', () => {
  const world = holding('1');
  world.venue.state.wallet = '9000';
  world.venue.keep();
  world.run(200_000);
  assert.equal(world.executor.state.wallet, '9000');
  assert.equal(world.toldTo('portfolio').at(-1)?.reason, 'ADJUSTMENT');
  assert.equal(world.notices.filter((text) => /adjusted/.test(text)).length, 1);
});

test('a stop that outlived its position is cancelled', () => {
  const world = holding('1');
  world.stop('1');
  world.happen((venue) => venue.trade('BTCUSDT', 'SELL', '1', 'web_1'));
  world.run(200_000);
  assert.ok(!world.venue.state.algos.some(({ status }) => status === 'NEW'));
  settle(world);
});

test('what the guardian closes is told to the guardian alone, who passes it on', () => {
  const world = holding('1');
  world.submit({ owner: 'guardian', ref: 'guard-1', side: 'SELL', reduceOnly: true });
  world.run(1_000);
  assert.equal(world.held(), '0');
  assert.deepEqual(
    fillsOf(world).map(({ cause }) => cause),
    [undefined],
    'its own entry',
  );
  assert.deepEqual(
    world
      .toldTo('guardian')
      .filter(({ type }) => type === 'ORDER_FILLED')
      .map(({ ref }) => ref),
    ['guard-1'],
  );
});

test('a stop that triggered while nobody listened is told as its own fill, though readings lag', () => {
  const world = holding('1');
  const stop = world.stop('1');
  world.run(10_000);
  world.lagMs = 4_000;
  world.streamDown();
  world.happen((venue) => {
    const algo = venue.state.algos[0];
    if (algo) venue.trigger(algo, 'x-other');
  });
  world.run(60_000);
  assert.deepEqual(world.heard(stop), ['ORDER_ACKNOWLEDGED', 'ORDER_TRIGGERED', 'ORDER_FILLED']);
  settle(world);
});

test('readings that lag longer than believed: a stop’s fill told as somebody else’s is not told again', () => {
  const world = holding('1');
  const stop = world.stop('1');
  world.run(90_000);
  world.lagMs = 60_000;
  // All that is heard of the trigger is its fill, under a name that nobody knows.
  world.streamFates = ['drop', 'drop', 'drop', 'fine', 'fine', 'drop'];
  world.happen((venue) => {
    const algo = venue.state.algos[0];
    if (algo) venue.trigger(algo, 'x-other');
  });
  world.run(20_000);
  assert.equal(fillsOf(world).at(-1)?.cause, 'manual');
  world.run(100_000);
  assert.equal(world.held(), '0');
  assert.equal(fillsOf(world).length, 2);
  world.heal();
  assert.equal(fillsOf(world).length, 2);
  assert.ok(!world.heard(stop).includes('ORDER_FILLED'));
  assert.equal(world.heard(stop).at(-1), 'ORDER_CLOSED');
  world.checkStories();
  assert.equal(world.executor.state.wallet, world.venue.state.wallet);
});

test('a trade whose ledger rows come before its fill reaches the wallet once', () => {
  const world = holding('2');
  world.venue.price.BTCUSDT = '110';
  world.streamDown();
  world.happen((venue) => venue.trade('BTCUSDT', 'SELL', '1', 'web_1'));
  world.now += 20_000;
  world.venue.now = world.now;
  const { now } = world;
  const call = { call: 'report', id: 'x', since: 0, symbols: ['BTCUSDT'] } as const;
  const whole = world.venue.report(call, [now, now, now, now]);
  const rowsOnly = reconcileReport(world.executor.state, { ...whole, fills: [] }, world.options);
  assert.equal(rowsOnly.next.wallet, world.venue.state.wallet);
  const both = reconcileReport(rowsOnly.next, whole, world.options);
  assert.equal(both.next.wallet, world.venue.state.wallet);
  assert.ok(both.events.some(({ event }) => event.type === 'ORDER_FILLED' && event.cause === 'manual'));
});

test('conditional orders that nobody here placed are counted, and the portfolio hears of each new count', () => {
  const world = holding('1');
  world.stop('1');
  world.run(1_000);
  const counts = (): unknown[] =>
    world
      .toldTo('portfolio')
      .filter(({ type }) => type === 'FOREIGN_CONDITIONALS')
      .map(({ count }) => count);
  const [own] = world.venue.state.algos;
  assert.ok(own);
  const theirs = { ...own, algoId: 'web-7', clientOrderId: 'web_7', symbol: 'ETHUSDT' };
  world.happen((venue) => void venue.state.algos.push(theirs));
  world.run(130_000);
  assert.deepEqual(counts(), [1], 'its own stop is not among them');
  world.happen((venue) => {
    venue.state.algos = venue.state.algos.filter(({ clientOrderId }) => clientOrderId !== 'web_7');
  });
  world.run(130_000);
  assert.deepEqual(counts(), [1, 0]);
  settle(world);
});
