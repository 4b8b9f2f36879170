import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isBulkheadError } from '../../src/core/errors.ts';
import { loopbackOnly } from '../../src/venue-server/transport/loopback.ts';
import { Front, MARKET_TIME, sign } from '../support/venue-front.ts';

describe('requests', () => {
  test('a signed order is executed once, journaled and answered with its counts', async (t) => {
    const front = await Front.open(t);
    const { status, json, headers } = await front.place('a');
    assert.equal(status, 200);
    assert.deepEqual(json, { clientOrderId: 'a', number: 1 });
    assert.equal(headers.get('x-mbx-used-weight-1m'), '0');
    assert.equal(headers.get('x-mbx-order-count-10s'), '1');
    assert.equal(headers.get('x-mbx-order-count-1m'), '1');
    assert.equal(front.journal.length, 1);
  });

  test('query and form together: the query wins, names in any case, signed over both as sent', async (t) => {
    const front = await Front.open(t);
    const query = 'NEWCLIENTORDERID=from-query';
    const body = `newClientOrderId=from-body&timestamp=${front.clock.now()}`;
    const response = await fetch(`${front.server.url}/fapi/v1/order?${query}`, {
      method: 'POST',
      headers: { 'X-MBX-APIKEY': 'bulkhead-demo-key', 'Content-Type': 'application/x-www-form-urlencoded' },
      body: `${body}&signature=${sign(query + body)}`,
    });
    assert.equal(response.status, 200);
    assert.deepEqual(front.core.notes, ['from-query']);
  });

  test('the signature covers the text as sent, escapes included', async (t) => {
    const front = await Front.open(t);
    const text = `newClientOrderId=a%2fb&timestamp=${front.clock.now()}`;
    const { status } = await front.send('POST', '/fapi/v1/order', `${text}&signature=${sign(text)}`);
    assert.equal(status, 200);
    assert.deepEqual(front.core.notes, ['a/b']);
    const other = text.replace('%2f', '%2F');
    const refused = await front.send('POST', '/fapi/v1/order', `${other}&signature=${sign(text)}`);
    assert.partialDeepStrictEqual(refused.json, { code: -1022 });
  });

  const REFUSALS: readonly [string, number, number, (front: Front) => ReturnType<Front['send']>][] = [
    ['no key', -2014, 401, (front) => front.send('POST', '/fapi/v1/order', '', { 'X-MBX-APIKEY': '' })],
    [
      'another key',
      -2015,
      401,
      (front) => front.send('POST', '/fapi/v1/listenKey', '', { 'X-MBX-APIKEY': 'x' }),
    ],
    ['no timestamp', -1102, 400, (front) => front.send('POST', '/fapi/v1/order', 'symbol=X&signature=00')],
    [
      'no signature',
      -1102,
      400,
      (front) => front.send('POST', '/fapi/v1/order', `timestamp=${front.clock.now()}`),
    ],
    [
      'a wrong signature',
      -1022,
      400,
      (front) =>
        front.send('POST', '/fapi/v1/order', `timestamp=${front.clock.now()}&signature=${'0'.repeat(64)}`),
    ],
    [
      'too old',
      -1021,
      400,
      (front) => front.signed('GET', '/fapi/v1/openOrders', {}, front.clock.now() - 5_100),
    ],
    [
      'too early',
      -1021,
      400,
      (front) => front.signed('GET', '/fapi/v1/openOrders', {}, front.clock.now() + 1_100),
    ],
    [
      'a window too wide',
      -1131,
      400,
      (front) => front.signed('GET', '/fapi/v1/openOrders', { recvWindow: '60001' }),
    ],
    ['an order that the core refuses', -1121, 400, (front) => front.place('bad')],
  ];
  for (const [name, code, status, ask] of REFUSALS) {
    test(`${name}: ${code}`, async (t) => {
      const front = await Front.open(t);
      const answer = await ask(front);
      assert.partialDeepStrictEqual(answer.json, { code });
      assert.equal(answer.status, status);
      assert.deepEqual(front.core.notes, []);
    });
  }

  test('both texts of -1021', async (t) => {
    const front = await Front.open(t, { speed: 'manual' });
    const late = await front.signed('GET', '/fapi/v1/openOrders', {}, MARKET_TIME - 5_001);
    assert.equal(late.json.msg, 'Timestamp for this request is outside of the recvWindow.');
    const early = await front.signed('GET', '/fapi/v1/openOrders', {}, MARKET_TIME + 1_000);
    assert.equal(early.json.msg, "Timestamp for this request was 1000ms ahead of the server's time.");
    assert.equal((await front.signed('GET', '/fapi/v1/openOrders', {}, MARKET_TIME + 999)).status, 200);
    assert.equal((await front.signed('GET', '/fapi/v1/openOrders', {}, MARKET_TIME - 5_000)).status, 200);
  });

  test('the windows are real time: wider on a faster clock', async (t) => {
    const front = await Front.open(t, { speed: 60 });
    const old = front.clock.now() - 120_000;
    assert.equal((await front.signed('GET', '/fapi/v1/openOrders', {}, old)).status, 200);
  });

  test('an unknown path is a page, as at the venue; a defect of a handler is reported as one', async (t) => {
    const front = await Front.open(t);
    const { status, body } = await front.send('GET', '/fapi/v1/nothing');
    assert.equal(status, 404);
    assert.match(body, /<html>/);
    assert.equal((await front.place('defect')).status, 500);
    assert.match(front.server.violations()[0] ?? '', /a slip/);
  });

  test('large answers are zipped for who accepts it', async (t) => {
    const front = await Front.open(t);
    const zipped = await front.send('GET', '/fapi/v1/exchangeInfo', '', { 'Accept-Encoding': 'gzip' });
    assert.equal(zipped.headers.get('content-encoding'), 'gzip');
    assert.equal(zipped.body.length, 100_014);
    const plain = await front.send('GET', '/fapi/v1/exchangeInfo', '', { 'Accept-Encoding': 'identity' });
    assert.equal(plain.headers.get('content-encoding'), null);
  });

  test('nothing it notes holds a key or a signature', async (t) => {
    const front = await Front.open(t);
    await front.place('a');
    const text = JSON.stringify(front.log);
    assert.match(text, /"request":"POST \/fapi\/v1\/order"/);
    assert.doesNotMatch(text, /signature|bulkhead-demo/);
  });

  test('another address than loopback is refused', () => {
    for (const host of ['0.0.0.0', '::', '192.168.1.4', 'example.com'])
      assert.throws(
        () => loopbackOnly(host),
        (error) => isBulkheadError(error, 'CONFIG_INVALID'),
      );
    assert.equal(loopbackOnly('localhost'), '127.0.0.1');
    assert.equal(loopbackOnly('[::1]'), '::1');
  });
});

describe('limits', () => {
  test('weight: 429, then 418 with a ban that grows, all on the venue’s clock', async (t) => {
    const limits = { weightPerMinute: 100, patience: 2, retryAfter: true };
    const front = await Front.open(t, { speed: 'manual', limits });
    const ask = () => front.signed('GET', '/fapi/v1/openOrders');
    assert.equal((await ask()).headers.get('x-mbx-used-weight-1m'), '40');
    assert.equal((await ask()).status, 200);
    const over = await ask();
    assert.equal(over.status, 429);
    assert.equal(over.headers.get('retry-after'), '60');
    assert.equal(
      over.json.msg,
      'Too many requests; current limit of IP(127.0.0.1) is 100 requests per minute. Please use the websocket for live updates to avoid polling the API.',
    );
    assert.deepEqual([(await ask()).status, (await ask()).status, (await ask()).status], [429, 429, 418]);
    const banned = await ask();
    const until = MARKET_TIME + 120_000;
    assert.equal(
      banned.json.msg,
      `Way too many requests; IP(127.0.0.1) banned until ${until}. Please use the websocket for live updates to avoid bans.`,
    );
    front.clock.advanceTo?.(until - 1);
    assert.equal((await ask()).status, 418);
    front.clock.advanceTo?.(until);
    assert.deepEqual([(await ask()).status, (await ask()).status], [200, 200]);
    for (let i = 0; i < 4; i++) await ask();
    assert.match(String((await ask()).json.msg), new RegExp(`banned until ${until + 480_000}\\.`));
  });

  test('orders: -1015 for the account, and the next ten seconds are free', async (t) => {
    const front = await Front.open(t, { speed: 'manual', limits: { ordersPer10Seconds: 2 } });
    await front.place('a');
    await front.place('b');
    const over = await front.place('c');
    assert.equal(over.status, 429);
    assert.partialDeepStrictEqual(over.json, {
      code: -1015,
      msg: 'Too many new orders; current limit is 2 orders per 10 SECONDS.',
    });
    assert.deepEqual(front.core.notes, ['a', 'b']);
    front.clock.advanceTo?.(MARKET_TIME + 10_000);
    assert.equal((await front.place('c')).status, 200);
  });
});
