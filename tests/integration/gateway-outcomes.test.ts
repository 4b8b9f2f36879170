import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, test } from 'node:test';
import type { RemoteOutcome } from '../../src/domain/remote.ts';
import { anOrder, gatewayHarness, submitOf, until } from '../support/gateway-harness.ts';
import { KEY, placedAlgo, placedOrder, type Reply, refusal, SECRET } from '../support/scripted-venue.ts';

const ORDER = 'POST /fapi/v1/order';
const QUERY = 'GET /fapi/v1/order';

const brief = (outcome: RemoteOutcome<unknown>): string | number =>
  outcome.outcome === 'rejected' ? outcome.code : outcome.outcome;

const html = (status: number): Reply => ({
  text: `<html><body>${status} signature=deadbeef</body></html>`,
  status,
  type: 'text/html',
});

/** How a submit ends when the venue does this to it, over a real socket. */
const SUBMITS: readonly (readonly [what: string, reply: Reply, expected: string | number])[] = [
  ['the connection is reset', 'reset', 'unknown'],
  ['nothing comes back', 'hang', 'unknown'],
  ['the body stalls', 'stall', 'unknown'],
  ['the body is cut off', 'truncate', 'unknown'],
  ['200 with HTML', html(200), 'unknown'],
  ['200 with nothing', { text: '', status: 200 }, 'unknown'],
  ['200 with another object', { json: { hello: 'world' } }, 'unknown'],
  ['200 with a list', { json: [] }, 'unknown'],
  ['200 with an error code', refusal(-2019, 'Margin is insufficient.', 200), 'unknown'],
  ['a redirect', { text: '', status: 302 }, 'unknown'],
  ['502', html(502), 'unknown'],
  ['504', html(504), 'unknown'],
  ['500', html(500), 'unknown'],
  ['403 of a firewall', html(403), 403],
  ['404', html(404), 404],
  ['408', refusal(-1007, 'Timeout waiting for response from backend server.', 408), 'unknown'],
  [
    '503 unknown',
    refusal(-1000, 'Unknown error, please check your request or try again later.', 503),
    'unknown',
  ],
  [
    '503 unknown in words',
    { text: 'Unknown error, please check your request or try again later.', status: 503 },
    'unknown',
  ],
  ['503 certain', { text: 'Service Unavailable.', status: 503 }, 503],
  ['503 certain as JSON', { json: { msg: 'Service Unavailable.' }, status: 503 }, 503],
  ['503 HTML', html(503), 'unknown'],
  ['\u22121008', refusal(-1008, 'Request throttled by system-level protection.', 503), -1008],
  ['\u22121006', refusal(-1006, 'An unexpected response was received. Execution status unknown.'), 'unknown'],
  ['\u22121021', refusal(-1021, 'Timestamp for this request is outside of the recvWindow.'), -1021],
  ['\u22125028', refusal(-5028, 'Timestamp for this request is outside of the ME recvWindow.'), -5028],
  ['\u22122019', refusal(-2019, 'Margin is insufficient.'), -2019],
  ['\u22122021', refusal(-2021, 'Order would immediately trigger.'), -2021],
  ['429', refusal(-1003, 'Too many requests.', 429), -1003],
  ['418', refusal(-1003, 'Way too many requests; IP(1.1.1.1) banned until 1700000000000.', 418), -1003],
];

describe('how a submit ends', () => {
  for (const [what, reply, expected] of SUBMITS) {
    test(`${what}: ${expected}`, async (t) => {
      const { gateway, venue, events, notes } = await gatewayHarness(t, { callTimeoutMs: 250 });
      venue.on(ORDER, reply);
      const outcome = await gateway.call(submitOf(anOrder()));
      assert.equal(brief(outcome), expected, JSON.stringify(outcome));
      assert.equal(venue.requests(ORDER).length, 1, 'it left once');
      for (const secret of [SECRET, KEY, 'signature=', 'http://']) {
        assert.ok(!JSON.stringify([outcome, events, notes]).includes(secret), `says ${secret}`);
      }
    });
  }

  test('nobody listens: never sent', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const { gateway } = await gatewayHarness(t, { restUrl: `http://127.0.0.1:${port}` });
    const outcome = await gateway.call(submitOf(anOrder()));
    assert.equal(brief(outcome), 0, JSON.stringify(outcome));
  });

  test('it ends at its deadline, whatever the network does', async (t) => {
    const { gateway, venue } = await gatewayHarness(t, { callTimeoutMs: 200 });
    venue.on(ORDER, 'stall');
    const begun = performance.now();
    await gateway.call(submitOf(anOrder()));
    const tookMs = performance.now() - begun;
    assert.ok(tookMs >= 199 && tookMs < 2000, `${tookMs} ms`);
  });

  test('an answer that comes after all is told as evidence', async (t) => {
    const { gateway, venue, events, open } = await gatewayHarness(t, { callTimeoutMs: 150 });
    await open();
    venue.on(ORDER, (request) => ({
      afterMs: 400,
      reply: { json: placedOrder(request, { status: 'FILLED', executedQty: '0.010' }) },
    }));
    const order = anOrder();
    assert.equal(brief(await gateway.call(submitOf(order))), 'unknown');
    await until(() => events.some((event) => event.type === 'stream'));
    const late = events.find((event) => event.type === 'stream');
    assert.ok(late?.type === 'stream' && late.event.kind === 'order');
    assert.equal(late.event.order.clientOrderId, order.clientOrderId);
    assert.equal(late.event.order.status, 'FILLED');
  });

  test('\u22124116: the order exists, and is looked up', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    const order = anOrder();
    venue.on(ORDER, refusal(-4116, 'ClientOrderId is duplicated.'));
    venue.on(QUERY, (request) => ({ json: placedOrder(request, { orderId: 12, side: 'BUY' }) }));
    const outcome = await gateway.call(submitOf(order));
    assert.ok(outcome.outcome === 'done' && outcome.value.book === 'plain');
    assert.equal(outcome.value.order.orderId, '12');
    assert.equal(venue.requests(QUERY)[0]?.params.get('origClientOrderId'), order.clientOrderId);
  });

  test('\u22124116 of an order that cannot be found is unknown, never refused', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    venue.on('POST /fapi/v1/algoOrder', refusal(-4116, 'ClientOrderId is duplicated.'));
    const stop = anOrder({ type: 'STOP_MARKET', side: 'SELL', triggerPrice: '1', reduceOnly: true });
    assert.equal(brief(await gateway.call(submitOf(stop))), 'unknown');
  });
});

describe('nothing leaves', () => {
  test('when this process may not act', async (t) => {
    const { gateway, venue, may } = await gatewayHarness(t);
    may.act = false;
    const cancel = { call: 'cancel', id: 'c', symbol: 'BTCUSDT', book: 'plain', clientOrderId: 'x' } as const;
    const leverage = { call: 'leverage', id: 'l', symbol: 'BTCUSDT', leverage: 3 } as const;
    for (const call of [submitOf(anOrder()), cancel, leverage])
      assert.equal(brief(await gateway.call(call)), 0);
    assert.equal(venue.seen.length, 0);
    const query = { call: 'query', id: 'q', symbol: 'BTCUSDT', book: 'plain', clientOrderId: 'x' } as const;
    assert.deepEqual(await gateway.call(query), { outcome: 'done', value: null }, 'looking is allowed');
  });

  test('after its time to be sent', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    assert.equal(brief(await gateway.call(submitOf(anOrder(), 0))), 0);
    assert.equal(venue.seen.length, 0);
  });

  test('when its time passes while it waits its turn', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    venue.on('POST /fapi/v1/leverage', refusal(-1003, 'Too many requests.', 429));
    await gateway.call({ call: 'leverage', id: 'l', symbol: 'BTCUSDT', leverage: 3 });
    assert.equal(brief(await gateway.call(submitOf(anOrder(), 50))), 0);
    assert.equal(venue.requests(ORDER).length, 0);
  });

  test('after it was closed', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    await gateway.close();
    assert.equal(brief(await gateway.call(submitOf(anOrder()))), 0);
    assert.equal(venue.seen.length, 0);
  });
});

describe('the venue\u2019s limits', () => {
  test('429 is told, and closes the way at once', async (t) => {
    const { gateway, venue, events, open } = await gatewayHarness(t);
    await open();
    venue.on(ORDER, {
      json: { code: -1003, msg: 'Too many requests.' },
      status: 429,
      headers: { 'retry-after': '7' },
    });
    const before = gateway.venueNow();
    await gateway.call(submitOf(anOrder()));
    const throttled = events.find((event) => event.type === 'throttled');
    assert.ok(throttled?.type === 'throttled' && throttled.code === 429);
    assert.ok(Math.abs(throttled.untilMs - before - 7000) < 1000);
    assert.ok(gateway.budgetUse().closedForMs > 6000);
    await gateway.call(submitOf(anOrder(), 100));
    assert.equal(venue.requests(ORDER).length, 1);
  });

  test('418 keeps us out until the end of the ban', async (t) => {
    const { gateway, venue, events, open } = await gatewayHarness(t);
    await open();
    const until = Date.now() + 3_600_000;
    venue.on(ORDER, refusal(-1003, `Way too many requests; IP(1.1.1.1) banned until ${until}.`, 418));
    await gateway.call(submitOf(anOrder()));
    assert.ok(
      events.some((event) => event.type === 'throttled' && event.code === 418 && event.untilMs === until),
    );
    assert.ok(gateway.budgetUse().closedForMs > 3_500_000);
  });

  test('too many orders close orders, not cancels', async (t) => {
    const { gateway, venue, events, open } = await gatewayHarness(t);
    await open();
    venue.on(ORDER, refusal(-1015, 'Too many new orders; current limit is 300 orders per TEN_SECONDS.', 429));
    assert.equal(brief(await gateway.call(submitOf(anOrder()))), -1015);
    assert.ok(events.some((event) => event.type === 'throttled' && event.code === 429));
    const cancel = { call: 'cancel', id: 'c', symbol: 'BTCUSDT', book: 'plain', clientOrderId: 'x' } as const;
    assert.equal(brief(await gateway.call(cancel)), 'done');
  });

  test('its headers are counted', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    venue.on(ORDER, (request) => ({
      json: placedOrder(request),
      headers: {
        'X-MBX-USED-WEIGHT-1M': '1234',
        'X-MBX-ORDER-COUNT-10S': '17',
        'X-MBX-ORDER-COUNT-1M': '99',
      },
    }));
    await gateway.call(submitOf(anOrder()));
    const { weight, orders10s, orders1m } = gateway.budgetUse();
    assert.deepEqual([weight, orders10s, orders1m], [1234, 17, 99]);
  });

  test('a refused timestamp measures the clock anew', async (t) => {
    const { gateway, venue, events, open } = await gatewayHarness(t);
    await open();
    const readings = () => events.filter((event) => event.type === 'clock').length;
    assert.equal(readings(), 1);
    venue.once(
      ORDER,
      refusal(-1021, 'Timestamp for this request was 1000ms ahead of the server\u2019s time.'),
    );
    assert.equal(brief(await gateway.call(submitOf(anOrder()))), -1021);
    await until(() => readings() >= 2);
  });
});

describe('reads', () => {
  const query = { call: 'query', id: 'q', symbol: 'BTCUSDT', book: 'plain', clientOrderId: 'bh-1' } as const;

  test('are asked again through trouble, within their time', async (t) => {
    const { gateway, venue } = await gatewayHarness(t, { callTimeoutMs: 2000 });
    for (const reply of ['reset', html(502), 'truncate'] as const) venue.once(QUERY, reply);
    venue.on(QUERY, (request) => ({ json: placedOrder(request) }));
    const outcome = await gateway.call(query);
    assert.ok(outcome.outcome === 'done' && outcome.value?.book === 'plain');
    assert.equal(venue.requests(QUERY).length, 4);
  });

  test('end unknown when the trouble stays', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    venue.on(QUERY, 'reset');
    assert.equal(brief(await gateway.call(query)), 'unknown');
    assert.ok(venue.requests(QUERY).length > 1);
  });

  test('that find nothing say so', async (t) => {
    const { gateway } = await gatewayHarness(t);
    assert.deepEqual(await gateway.call(query), { outcome: 'done', value: null });
    assert.deepEqual(await gateway.call({ ...query, book: 'algo' }), { outcome: 'done', value: null });
  });

  test('bring the fills, waiting a little for those that lag behind', async (t) => {
    const { gateway, venue } = await gatewayHarness(t, { callTimeoutMs: 2000 });
    const fill = (id: number, qty: string) => ({
      symbol: 'BTCUSDT',
      id,
      orderId: 8886774,
      side: 'BUY',
      price: '60000.1',
      qty,
      realizedPnl: '0',
      commission: '0.00123',
      commissionAsset: 'USDT',
      time: 1_700_000_000_000,
      positionSide: 'BOTH',
      maker: false,
    });
    venue.on(QUERY, (request) => ({
      json: placedOrder(request, { status: 'FILLED', origQty: '0.3', executedQty: '0.3' }),
    }));
    venue.once('GET /fapi/v1/userTrades', { json: [fill(1, '0.1')] });
    venue.on('GET /fapi/v1/userTrades', { json: [fill(1, '0.1'), fill(2, '0.2')] });
    const outcome = await gateway.call(query);
    assert.ok(outcome.outcome === 'done' && outcome.value?.book === 'plain');
    assert.deepEqual(
      outcome.value.fills.map(({ tradeId, quantity, fee }) => [tradeId, quantity, fee]),
      [
        ['1', '0.1', '0.00123'],
        ['2', '0.2', '0.00123'],
      ],
    );
    assert.equal(venue.requests('GET /fapi/v1/userTrades')[0]?.params.get('orderId'), '8886774');
  });

  test('say what filled when its trades cannot be had', { timeout: 30_000 }, async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    venue.on(QUERY, (request) => ({
      json: placedOrder(request, { status: 'FILLED', origQty: '0.3', executedQty: '0.3' }),
    }));
    venue.on('GET /fapi/v1/userTrades', html(502));
    const outcome = await gateway.call(query);
    assert.ok(outcome.outcome === 'done' && outcome.value?.book === 'plain', JSON.stringify(outcome));
    assert.deepEqual([outcome.value.order.filled, outcome.value.fills], ['0.3', []]);
  });

  test('of a triggered stop bring what it became', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    venue.on('GET /fapi/v1/algoOrder', (request) => ({
      json: placedAlgo(request, {
        algoStatus: 'FINISHED',
        actualOrderId: '9007199254740995',
        quantity: '0.01',
      }),
    }));
    venue.on(QUERY, (request) => ({
      json: placedOrder(request, { orderId: '9007199254740995', status: 'NEW' }),
    }));
    const outcome = await gateway.call({ ...query, book: 'algo' });
    assert.ok(outcome.outcome === 'done' && outcome.value?.book === 'algo');
    assert.equal(outcome.value.actual?.order.orderId, '9007199254740995');
    assert.equal(venue.requests(QUERY)[0]?.params.get('orderId'), '9007199254740995');
  });
});
