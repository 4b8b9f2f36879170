/** The gateway and the local venue, the real ones both, over real sockets: what they say must be the same thing. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { systemTime } from '../../src/core/clock.ts';
import { add, eq, roundTo, sum, toNumber } from '../../src/core/decimal.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { IdentifiedOrder } from '../../src/domain/order.ts';
import type { RemoteCall, RemoteReport } from '../../src/domain/remote.ts';
import { CcxtExchange } from '../../src/exchange/binance/ccxt-exchange.ts';
import type { GatewayEvent } from '../../src/exchange/venue-gateway.ts';
import { DEMO_API_KEY, DEMO_API_SECRET } from '../../src/venue-server/demo-account.ts';
import { anOrder, until } from '../support/gateway-harness.ts';
import { WholeVenue, type WholeVenueOptions } from '../support/whole-venue.ts';

function gatewayTo(t: TestContext, venue: WholeVenue) {
  const time = venue.clientTime();
  const gateway = new CcxtExchange({
    mode: 'paper',
    restUrl: venue.server.url,
    streamUrl: venue.server.url.replace('http', 'ws'),
    apiKey: DEMO_API_KEY,
    apiSecret: DEMO_API_SECRET,
    time,
    realTime: systemTime(),
    random: seededRandom(3),
    mayAct: () => true,
    symbols: ['BTCUSDT', 'ETHUSDT'],
    limits: { maxLeverage: 20, marginMode: 'isolated', positionMode: 'one-way' },
    allowWithdrawals: false,
    callTimeoutMs: 1000,
  });
  t.after(() => gateway.close());
  return { gateway, time };
}

const REPORT = { call: 'report', id: 'r', symbols: ['BTCUSDT', 'ETHUSDT'] } as const;

async function setup(t: TestContext, options: WholeVenueOptions = {}) {
  const venue = await WholeVenue.open(t, options);
  const events: GatewayEvent[] = [];
  const { gateway, time } = gatewayTo(t, venue);
  const checks = await gateway.open((event) => events.push(event));
  await until(() => events.some(({ type }) => type === 'stream-up'));
  const submit = (order: IdentifiedOrder) =>
    gateway.call({ call: 'submit', id: order.clientOrderId, order, sendBy: time.clock.now() + 60_000 });
  const done = async <C extends RemoteCall>(call: C) => {
    const outcome = await gateway.call(call);
    assert.ok(outcome.outcome === 'done', JSON.stringify(outcome));
    return outcome.value;
  };
  const report = (since: number) => done({ ...REPORT, since });
  const price = (symbol: string, factor: number): string =>
    roundTo(String(((venue.market.quote(symbol)?.mark ?? 0) * factor).toFixed(6)), '0.1');
  return { venue, gateway, events, checks, submit, done, report, price, time };
}

const streamed = (events: readonly GatewayEvent[]) =>
  events.flatMap((event) => (event.type === 'stream' ? [event.event] : []));

/** The venue's wallet is what its ledger sums up to. */
function closes(report: RemoteReport, deposited: string): void {
  const total = add(
    deposited,
    sum(report.income.filter(({ type }) => type !== 'TRANSFER').map(({ amount }) => amount)),
  );
  assert.ok(eq(report.wallet, total), `${report.wallet} is not ${total}`);
}

describe('the gateway before the local venue', () => {
  test('is let in, and knows the instruments exactly', async (t) => {
    const { checks, gateway, venue } = await setup(t);
    assert.deepEqual(
      checks.filter(({ ok }) => !ok),
      [],
    );
    const instruments = await gateway.instruments(['BTCUSDT', 'ETHUSDT']);
    assert.deepEqual(
      instruments.map(({ symbol, tickSize, stepSize, minNotional, maxQuantity, brackets }) => ({
        symbol,
        tickSize,
        stepSize,
        minNotional,
        maxQuantity,
        brackets,
      })),
      ['BTCUSDT', 'ETHUSDT'].map((name) => {
        const known = venue.market.instrument(name);
        assert.ok(known);
        const { symbol, tickSize, stepSize, minNotional, maxQuantity, brackets } = known;
        return { symbol, tickSize, stepSize, minNotional, maxQuantity, brackets };
      }),
    );
  });

  test('trades a whole life: entry, stop, exit, the ledger closing to the last digit', async (t) => {
    const { venue, events, submit, done, report, price, gateway, time } = await setup(t);
    const since = time.clock.now() - 1000;
    await gateway.instruments(['BTCUSDT', 'ETHUSDT']);
    assert.deepEqual(await done({ call: 'leverage', id: 'l', symbol: 'BTCUSDT', leverage: 5 }), {
      leverage: 5,
    });

    const entry = anOrder({ quantity: '0.01' });
    const placed = await submit(entry);
    assert.ok(placed.outcome === 'done' && placed.value.book === 'plain', JSON.stringify(placed));
    assert.equal(placed.value.order.status, 'FILLED');
    await until(() => streamed(events).some((event) => event.kind === 'order' && event.fill !== undefined));

    const stop = anOrder({
      type: 'STOP_MARKET',
      side: 'SELL',
      quantity: '0.01',
      triggerPrice: price('BTCUSDT', 0.9),
      reduceOnly: true,
      workingType: 'MARK_PRICE',
      priceProtect: true,
    });
    const standing = await submit(stop);
    assert.ok(standing.outcome === 'done' && standing.value.book === 'algo', JSON.stringify(standing));
    await until(() => streamed(events).some((event) => event.kind === 'algo'));

    const open = await report(since);
    assert.deepEqual(
      open.positions.map(({ symbol, amount, isolated }) => [symbol, eq(amount, '0.01'), isolated]),
      [['BTCUSDT', true, true]],
    );
    assert.deepEqual(
      open.openAlgoOrders.map(({ clientOrderId }) => clientOrderId),
      [stop.clientOrderId],
    );
    assert.ok(
      open.margin && toNumber(open.margin.maintenance) > 0,
      'the account says what its margin must be',
    );
    assert.ok(toNumber(open.margin.balance) > toNumber(open.margin.maintenance));
    assert.equal(open.fills.length, 1);
    assert.ok(open.fills[0] && toNumber(open.fills[0].fee) > 0);

    const found = await done({
      call: 'query',
      id: 'q',
      symbol: 'BTCUSDT',
      book: 'plain',
      clientOrderId: entry.clientOrderId,
    });
    assert.ok(found?.book === 'plain');
    assert.deepEqual(
      found.fills.map(({ tradeId, quantity }) => [tradeId, quantity]),
      open.fills.map(({ tradeId, quantity }) => [tradeId, quantity]),
    );

    await done({
      call: 'cancel',
      id: 'c',
      symbol: 'BTCUSDT',
      book: 'algo',
      clientOrderId: stop.clientOrderId,
    });
    const exit = await submit(anOrder({ side: 'SELL', quantity: '0.01', reduceOnly: true }));
    assert.ok(exit.outcome === 'done', JSON.stringify(exit));
    const flat = await report(since);
    assert.deepEqual([flat.positions, flat.openOrders, flat.openAlgoOrders], [[], [], []]);
    assert.equal(flat.fills.length, 2);
    closes(flat, '10000');
    assert.deepEqual(venue.core.violations(), []);
  });

  test('a stop that fires is known from the stream and from a look, with what it became', async (t) => {
    const { venue, events, submit, done, price, report, time } = await setup(t, { speed: 60 });
    const since = time.clock.now() - 1000;
    await submit(anOrder({ quantity: '0.01' }));
    const stop = anOrder({
      type: 'STOP_MARKET',
      side: 'SELL',
      quantity: '0.01',
      triggerPrice: price('BTCUSDT', 0.98),
      reduceOnly: true,
    });
    const standing = await submit(stop);
    assert.ok(standing.outcome === 'done', JSON.stringify(standing));
    venue.market.shock('BTCUSDT', -0.05, 60_000);
    await until(() =>
      streamed(events).some(
        (event) =>
          event.kind === 'algo' &&
          event.algo.status === 'FINISHED' &&
          event.algo.clientOrderId === stop.clientOrderId,
      ),
    );
    const found = await done({
      call: 'query',
      id: 'q',
      symbol: 'BTCUSDT',
      book: 'algo',
      clientOrderId: stop.clientOrderId,
    });
    assert.ok(found?.book === 'algo' && found.actual);
    assert.equal(found.actual.order.status, 'FILLED');
    assert.equal(found.actual.fills.length, 1);
    closes(await report(since), '10000');
  });

  test('a stop that is refused at its trigger ends REJECTED, with why; the next one fires', async (t) => {
    const faults = [{ request: 'POST /fapi/v1/algoOrder', nth: 1, do: 'reject-at-trigger' }];
    const { venue, events, submit, done, price } = await setup(t, { speed: 60, faults });
    await submit(anOrder({ quantity: '0.01' }));
    const stop = { type: 'STOP_MARKET', side: 'SELL', quantity: '0.01', reduceOnly: true } as const;
    const refused = anOrder({ ...stop, triggerPrice: price('BTCUSDT', 0.98) });
    const second = anOrder({ ...stop, triggerPrice: price('BTCUSDT', 0.97) });
    assert.equal((await submit(refused)).outcome, 'done');
    assert.equal((await submit(second)).outcome, 'done');
    venue.market.shock('BTCUSDT', -0.05, 60_000);
    const ended = (order: IdentifiedOrder) =>
      streamed(events).flatMap((event) =>
        event.kind === 'algo' &&
        event.algo.clientOrderId === order.clientOrderId &&
        ['REJECTED', 'FINISHED'].includes(event.algo.status)
          ? [event.algo]
          : [],
      );
    await until(() => ended(refused).length > 0 && ended(second).length > 0);
    assert.equal(ended(second)[0]?.status, 'FINISHED');
    const [told] = ended(refused);
    assert.deepEqual([told?.status, told?.actualOrderId], ['REJECTED', undefined]);
    assert.match(told?.reason ?? '', /-4131.*PERCENT_PRICE/);
    const look = { call: 'query', id: 'q', symbol: 'BTCUSDT', book: 'algo' } as const;
    const found = await done({ ...look, clientOrderId: refused.clientOrderId });
    assert.ok(found?.book === 'algo');
    assert.equal(found.algo.status, 'REJECTED');
    assert.deepEqual(venue.core.violations(), []);
  });

  test('a liquidation that nobody heard of has its client id in the next reading', async (t) => {
    const { venue, gateway, submit, done, time } = await setup(t, { speed: 60, balance: '1000' });
    const since = time.clock.now() - 1000;
    await done({ call: 'leverage', id: 'l', symbol: 'BTCUSDT', leverage: 20 });
    assert.equal((await submit(anOrder({ quantity: '0.15' }))).outcome, 'done');
    await gateway.close();
    venue.market.shock('BTCUSDT', -0.12, 60_000);
    await until(() => venue.ledger()?.positions.length === 0);
    const next = gatewayTo(t, venue);
    await next.gateway.open(() => {});
    const outcome = await next.gateway.call({ ...REPORT, since });
    assert.ok(outcome.outcome === 'done', JSON.stringify(outcome));
    assert.match(outcome.value.fills.at(-1)?.clientOrderId ?? '', /^autoclose-/);
    assert.match(outcome.value.fills[0]?.clientOrderId ?? '', /^bh-/);
  });

  test('what the venue refuses comes back as its own code', async (t) => {
    const { submit, done, price, gateway } = await setup(t);
    const code = async (order: IdentifiedOrder) => {
      const outcome = await submit(order);
      return outcome.outcome === 'rejected' ? outcome.code : outcome.outcome;
    };
    assert.equal(await code(anOrder({ quantity: '100' })), -2019);
    assert.equal(await code(anOrder({ side: 'SELL', quantity: '0.01', reduceOnly: true })), -2022);
    assert.equal(
      await code(
        anOrder({ symbol: 'ETHUSDT', type: 'LIMIT', price: price('ETHUSDT', 0.99), quantity: '0.001' }),
      ),
      -4164,
    );
    await submit(anOrder({ quantity: '0.01' }));
    const above = { type: 'STOP_MARKET', side: 'SELL', quantity: '0.01', reduceOnly: true } as const;
    assert.equal(await code(anOrder({ ...above, triggerPrice: price('BTCUSDT', 1.1) })), -2021);
    assert.equal(
      await done({ call: 'query', id: 'q', symbol: 'BTCUSDT', book: 'plain', clientOrderId: 'nobody' }),
      null,
    );
    assert.equal(
      await done({ call: 'query', id: 'q', symbol: 'BTCUSDT', book: 'algo', clientOrderId: 'nobody' }),
      null,
    );
    const cancel = await gateway.call({
      call: 'cancel',
      id: 'c',
      symbol: 'BTCUSDT',
      book: 'plain',
      clientOrderId: 'nobody',
    });
    assert.deepEqual([cancel.outcome, cancel.outcome === 'rejected' && cancel.code], ['rejected', -2011]);
  });

  test('a placed order whose answer was lost is unknown, and then found', async (t) => {
    const faults = [
      { request: 'POST /fapi/v1/order', do: 'drop-after', nth: 1 },
      { request: 'POST /fapi/v1/order', do: 'drop-before', nth: 2 },
      { request: 'POST /fapi/v1/order', do: 'body', as: 'truncated', nth: 3 },
    ];
    const { submit, done, venue } = await setup(t, { faults });
    const look = (order: IdentifiedOrder) =>
      done({ call: 'query', id: 'q', symbol: 'BTCUSDT', book: 'plain', clientOrderId: order.clientOrderId });
    const [executed, lost, cut] = [anOrder(), anOrder(), anOrder()];
    assert.equal((await submit(executed)).outcome, 'unknown');
    assert.equal((await submit(lost)).outcome, 'unknown');
    assert.equal((await submit(cut)).outcome, 'unknown');
    assert.equal((await look(executed))?.book, 'plain');
    assert.equal(await look(lost), null);
    assert.equal((await look(cut))?.book, 'plain');
    assert.equal(venue.ledger()?.trades.length, 2, 'each at most once');
  });

  test('an id that is taken among the open orders finds the order that has it', async (t) => {
    const { submit, price, venue } = await setup(t);
    const order = anOrder({ type: 'LIMIT', price: price('BTCUSDT', 0.97), quantity: '0.01' });
    const first = await submit(order);
    const second = await submit(order);
    assert.ok(first.outcome === 'done' && second.outcome === 'done');
    assert.ok(first.value.book === 'plain' && second.value.book === 'plain');
    assert.equal(second.value.order.orderId, first.value.order.orderId);
    assert.equal(venue.ledger()?.orders.length, 1);
  });

  test('the budget hears the venue\u2019s own counts', async (t) => {
    const { submit, gateway } = await setup(t);
    await submit(anOrder());
    const use = gateway.budgetUse();
    assert.equal(use.weightLimit, 2400);
    assert.ok(use.orders10s >= 1 && use.orders1m >= 1 && use.weight > 0);
  });
});
