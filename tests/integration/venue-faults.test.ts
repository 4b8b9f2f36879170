import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { DEMO_ACCOUNT } from '../../src/venue-server/demo-account.ts';
import { TestSocket } from '../support/test-socket.ts';
import { Front, MARKET_TIME } from '../support/venue-front.ts';

const ORDER = 'POST /fapi/v1/order';

/** The error that fetch gives, down to its cause. */
async function broken(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    return cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause ?? error);
  }
  return 'answered';
}

describe('requests that go wrong', () => {
  const DROPS: readonly [string, boolean][] = [
    ['drop-before', false],
    ['drop-after', true],
    ['reset-before', false],
    ['reset-after', true],
  ];
  for (const [fault, executed] of DROPS) {
    test(`${fault}: no answer, and it was${executed ? '' : ' not'} executed`, async (t) => {
      const front = await Front.open(t, { faults: [{ request: ORDER, nth: 2, do: fault }] });
      assert.equal((await front.place('a')).status, 200);
      assert.match(await broken(front.place('b')), /UND_ERR_SOCKET|ECONNRESET/);
      assert.equal((await front.place('c')).status, 200);
      assert.deepEqual(front.core.notes, executed ? ['a', 'b', 'c'] : ['a', 'c']);
    });
  }

  const ANSWERS: readonly [string, number, boolean, RegExp][] = [
    [
      'unknown-503',
      503,
      true,
      /"code":-1000,"msg":"Unknown error, please check your request or try again later\."/,
    ],
    ['unknown-503-plain', 503, true, /^{"msg":"Unknown error/],
    ['unavailable-503', 503, false, /"Service Unavailable\."/],
    ['overload-503', 503, false, /-1008/],
    ['-1000', 400, true, /-1000/],
    ['-1001', 503, true, /-1001/],
    ['-1006', 503, true, /Execution status unknown/],
    ['-1007', 408, true, /Send status unknown; execution status unknown/],
    ['-5028', 400, false, /-5028/],
    ['html-403', 403, false, /<html>/],
    ['html-500', 500, false, /<html>/],
    ['html-502', 502, false, /Bad Gateway/],
    ['html-504', 504, false, /<html>/],
    ['timeout-408', 408, true, /<html>/],
  ];
  for (const [as, status, executed, text] of ANSWERS) {
    test(`answer ${as}, executed or not as it is meant and as it is told`, async (t) => {
      const front = await Front.open(t, {
        faults: [
          { request: ORDER, nth: 1, do: 'answer', as },
          { request: ORDER, nth: 2, do: 'answer', as, executed: !executed },
        ],
      });
      const first = await front.place('a');
      assert.equal(first.status, status);
      assert.match(first.body, text);
      assert.deepEqual(front.core.notes, executed ? ['a'] : []);
      await front.place('b');
      assert.deepEqual(front.core.notes, executed ? ['a'] : ['b']);
    });
  }

  test('an overloaded venue lets protective orders through', async (t) => {
    const front = await Front.open(t, { faults: [{ request: ORDER, do: 'answer', as: 'overload-503' }] });
    assert.equal((await front.place('a')).status, 503);
    assert.equal((await front.place('b', { reduceOnly: 'true' })).status, 200);
  });

  test('an answer of one’s own, for the orders that `where` means', async (t) => {
    const faults = [
      {
        request: ORDER,
        where: { side: 'SELL' },
        do: 'answer',
        status: 400,
        code: -2022,
        msg: 'ReduceOnly Order is rejected.',
      },
    ];
    const front = await Front.open(t, { faults });
    assert.equal((await front.place('a', { side: 'BUY' })).status, 200);
    assert.deepEqual((await front.place('b', { side: 'SELL' })).json, {
      code: -2022,
      msg: 'ReduceOnly Order is rejected.',
    });
  });

  test('a delay longer than the client waits, before and after the execution', async (t) => {
    const front = await Front.open(t, {
      speed: 'manual',
      faults: [
        { request: ORDER, where: { newClientOrderId: 'late' }, do: 'delay-before', ms: 3_000 },
        { request: ORDER, where: { newClientOrderId: 'silent' }, do: 'delay-after', ms: 3_000 },
        { request: ORDER, where: { newClientOrderId: 'stale' }, do: 'delay-before', ms: 6_000 },
      ],
    });
    const answers = ['late', 'silent', 'stale'].map((id) => front.place(id));
    while (front.server.state().requests !== 3) await turn();
    assert.deepEqual(front.core.notes, ['silent']);
    front.clock.advanceTo?.(MARKET_TIME + 2_999);
    assert.deepEqual(front.core.notes, ['silent']);
    front.clock.advanceTo?.(MARKET_TIME + 6_000);
    const [late, silent, stale] = await Promise.all(answers);
    assert.deepEqual([late?.status, silent?.status, stale?.status], [200, 200, 400]);
    assert.equal(stale?.json.code, -5028);
    assert.deepEqual(front.core.notes, ['silent', 'late']);
  });

  for (const as of ['truncated', 'stalled', 'html', 'empty', 'slow'] as const) {
    test(`executed, and the body is ${as}`, async (t) => {
      const front = await Front.open(t, { faults: [{ request: ORDER, nth: 1, do: 'body', as }] });
      const answer = front.place('a');
      if (as === 'truncated') assert.notEqual(await broken(answer), 'answered');
      else if (as === 'stalled') {
        const first = await Promise.race([
          answer.then(() => 'answered'),
          front.place('b').then(() => 'stalled'),
        ]);
        assert.equal(first, 'stalled');
        answer.catch(() => {});
      } else if (as === 'slow') assert.equal((await answer).json.clientOrderId, 'a');
      else
        assert.match(
          `${(await answer).status} ${(await answer).body}`,
          as === 'html' ? /^200 <html>/ : /^200 $/,
        );
      assert.equal(front.core.notes[0], 'a');
    });
  }
});

describe('the venue in trouble', () => {
  test('refused connections, and then it is there again on the same port', async (t) => {
    const faults = [{ request: 'GET /fapi/v1/time', nth: 1, do: 'refuse', forMs: 300 }];
    const front = await Front.open(t, { faults });
    const socket = await TestSocket.open(t, `${front.server.url}/public/ws`);
    const time = () => front.send('GET', '/fapi/v1/time');
    assert.match(await broken(time()), /UND_ERR_SOCKET|ECONNRESET/);
    assert.equal(await socket.closed, 1006);
    assert.match(await broken(time()), /ECONNREFUSED/);
    let state = '';
    while (state !== 'answered') state = await broken(time());
    assert.equal((await time()).status, 200);
  });

  test('maintenance: everything unavailable, sockets ended; then over', async (t) => {
    const front = await Front.open(t, { speed: 'manual' });
    const socket = await TestSocket.open(t, `${front.server.url}/public/ws`);
    front.server.weather.apply({ do: 'maintenance', forMs: 1_000 });
    assert.equal(await socket.closed, 1001);
    assert.deepEqual((await front.place('a')).json, { msg: 'Service Unavailable.' });
    await assert.rejects(TestSocket.open(t, `${front.server.url}/public/ws`), /503/);
    front.clock.advanceTo?.(MARKET_TIME + 1_000);
    assert.equal((await front.place('a')).status, 200);
  });

  test('a storm of 429 turns into a ban for who goes on; a ban by order', async (t) => {
    const front = await Front.open(t, { speed: 'manual', limits: { patience: 1 } });
    front.server.weather.apply({ do: 'storm', forMs: 10_000 });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await front.send('GET', '/fapi/v1/time')).status);
    assert.deepEqual(statuses, [429, 429, 418]);
    front.server.clearFaults();
    assert.equal((await front.send('GET', '/fapi/v1/time')).status, 200);
    front.server.weather.apply({ do: 'ban', forMs: 5_000 });
    assert.match(
      (await front.send('GET', '/fapi/v1/time')).body,
      new RegExp(`banned until ${MARKET_TIME + 5_000}`),
    );
  });

  test('a gateway whose clock is off shows it and checks by it', async (t) => {
    const front = await Front.open(t, { speed: 'manual' });
    front.server.weather.apply({ do: 'skew', ms: 7_000, forMs: 60_000 });
    assert.equal((await front.send('GET', '/fapi/v1/time')).json.serverTime, MARKET_TIME + 7_000);
    assert.equal((await front.place('a')).json.code, -1021);
    assert.equal(
      (await front.signed('POST', '/fapi/v1/order', { newClientOrderId: 'b' }, MARKET_TIME + 7_000)).status,
      200,
    );
    front.clock.advanceTo?.(MARKET_TIME + 60_000);
    assert.equal((await front.send('GET', '/fapi/v1/time')).json.serverTime, MARKET_TIME + 60_000);
  });

  test('reads that lag behind writes', async (t) => {
    const faults = [{ request: 'GET /fapi/v1/openOrders', every: 2, do: 'stale', ms: 800 }];
    const front = await Front.open(t, { speed: 'manual', faults });
    const read = async () => (await front.signed('GET', '/fapi/v1/openOrders')).body;
    await front.place('a');
    assert.equal(await read(), '[{"clientOrderId":"a"}]');
    assert.equal(await read(), '[]');
    front.clock.advanceTo?.(MARKET_TIME + 799);
    await front.place('b');
    await read();
    assert.equal(await read(), '[]');
    front.clock.advanceTo?.(MARKET_TIME + 800);
    await read();
    assert.equal(await read(), '[{"clientOrderId":"a"}]');
  });

  test('rules in a window of the venue’s time, a number of times', async (t) => {
    const faults = [
      {
        time: true,
        from: '2025-06-01T00:00:02Z',
        to: '2025-06-01T00:00:05Z',
        times: 2,
        do: 'expire-key',
        announce: false,
      },
    ];
    const front = await Front.open(t, { speed: 'manual', faults });
    front.core.keys.add('k1');
    front.clock.advanceTo?.(MARKET_TIME + 1_000);
    assert.equal(front.core.keys.size, 1);
    front.clock.advanceTo?.(MARKET_TIME + 10_000);
    assert.equal(front.core.keys.size, 0);
    assert.partialDeepStrictEqual(front.server.faults.report()[0], { seen: 3, hits: 2 });
  });
});

describe('events that go wrong', () => {
  async function heard(
    t: Parameters<typeof Front.open>[0],
    rule: object,
    orders: string[],
  ): Promise<string[]> {
    const front = await Front.open(t, { faults: [{ event: 'ORDER_TRADE_UPDATE', ...rule }] });
    front.core.keys.add('k1');
    const socket = await TestSocket.open(
      t as { after(fn: () => void): void },
      `${front.server.url}/private/ws/k1`,
    );
    for (const id of orders) await front.place(id);
    front.server.push({ socket: 'private', account: DEMO_ACCOUNT, at: 1, data: { e: 'LAST' } });
    await socket.frame(({ e }) => e === 'LAST');
    return socket.frames.flatMap(({ o }) => (o as { c?: string } | undefined)?.c ?? []);
  }
  const second = { where: { 'o.c': 'b' } };

  test('missed', async (t) => {
    assert.deepEqual(await heard(t, { ...second, do: 'miss' }, ['a', 'b', 'c']), ['a', 'c']);
  });
  test('duplicated', async (t) => {
    assert.deepEqual(await heard(t, { ...second, do: 'duplicate' }, ['a', 'b', 'c']), ['a', 'b', 'b', 'c']);
  });
  test('reordered', async (t) => {
    assert.deepEqual(await heard(t, { ...second, do: 'reorder', ms: 60_000 }, ['a', 'b', 'c']), [
      'a',
      'c',
      'b',
    ]);
  });
  test('late', async (t) => {
    assert.deepEqual(await heard(t, { ...second, do: 'late', ms: 60_000 }, ['a', 'b', 'c']), ['a', 'c']);
  });

  test('the socket ends in the midst of a fill, with or without a closing frame', async (t) => {
    for (const code of [1001, 1006, 1008]) {
      const faults = [
        {
          event: 'ORDER_TRADE_UPDATE',
          where: { 'o.X': 'PARTIALLY_FILLED' },
          do: 'close',
          sockets: 'private',
          code,
        },
      ];
      const front = await Front.open(t, { faults });
      front.core.keys.add('k1');
      const socket = await TestSocket.open(t, `${front.server.url}/private/ws/k1`);
      await front.place('a', { status: 'PARTIALLY_FILLED' });
      assert.equal(await socket.closed, code);
      assert.deepEqual(socket.frames, []);
    }
  });

  test('a muted socket stays open and says nothing, pongs included', async (t) => {
    const front = await Front.open(t, { speed: 'manual' });
    front.core.keys.add('k1');
    const socket = await TestSocket.open(t, `${front.server.url}/private/ws/k1`);
    front.server.weather.apply({ do: 'mute', sockets: 'private', forMs: 5_000 });
    let isAnswered = false;
    void socket.ping().then(() => {
      isAnswered = true;
    });
    await front.place('a');
    front.clock.advanceTo?.(MARKET_TIME + 5_000);
    await front.place('b');
    await socket.frame(({ e }) => e !== undefined);
    assert.equal(socket.frames.length, 1);
    assert.equal(isAnswered, false);
  });

  test('a listen key that ends, announced and not', async (t) => {
    for (const announce of [true, false]) {
      const front = await Front.open(t);
      front.core.keys.add('k1');
      const socket = await TestSocket.open(t, `${front.server.url}/private/ws/k1`);
      front.server.weather.apply({ do: 'expire-key', announce });
      await front.place('a');
      await socket.ping();
      assert.deepEqual(
        socket.frames.map(({ e }) => e),
        announce ? ['listenKeyExpired'] : [],
      );
    }
  });

  test('latency: events of one socket stay in order, the answer may be overtaken', async (t) => {
    const latency = { gatewayMs: [0, 3], answerMs: [0, 20], streamMs: [0, 20] };
    const orders: string[] = [];
    const front = await Front.open(t, { faults: { latency, rules: [] }, seed: 5 });
    front.core.keys.add('k1');
    const socket = await TestSocket.open(t, `${front.server.url}/private/ws/k1`);
    for (let i = 0; i < 20; i++) {
      const answer = front.place(`n${i}`).then(() => orders.push('answer'));
      const event = socket
        .frame(({ o }) => (o as { c?: string }).c === `n${i}`)
        .then(() => orders.push('event'));
      await Promise.all([answer, event]);
    }
    assert.deepEqual(
      socket.frames.map(({ o }) => (o as { c: string }).c),
      Array.from({ length: 20 }, (_, i) => `n${i}`),
    );
    const firsts = orders.filter((_, i) => i % 2 === 0);
    assert.ok(firsts.includes('answer') && firsts.includes('event'), firsts.join());
  });
});
