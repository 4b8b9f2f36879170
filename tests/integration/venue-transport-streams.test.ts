import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { DEMO_ACCOUNT } from '../../src/venue-server/demo-account.ts';
import { TestSocket } from '../support/test-socket.ts';
import { Front, MARKET_TIME } from '../support/venue-front.ts';

const book = (u: number) => ({ e: 'bookTicker', u });
const own = (i: number) => ({ e: 'ORDER_TRADE_UPDATE', E: i, o: { X: 'NEW' } });

function market(
  front: Front,
  stream: string,
  data: Record<string, string | number>,
  socket: 'public' | 'market',
) {
  front.server.push({ socket, stream, at: front.clock.now(), data });
}

describe('market sockets', () => {
  test('subscribe, hear, list, unsubscribe; the market hears what is wanted', async (t) => {
    const front = await Front.open(t);
    const socket = await TestSocket.open(t, `${front.server.url}/public/ws/0`);
    assert.deepEqual(await socket.ask('SUBSCRIBE', ['btcusdt@bookTicker'], 1), { result: null, id: 1 });
    const second = await TestSocket.open(t, `${front.server.url}/public/ws/btcusdt@bookTicker`);
    market(front, 'btcusdt@bookTicker', book(1), 'public');
    assert.deepEqual(await socket.frame(({ u }) => u === 1), book(1));
    assert.deepEqual(await second.frame(({ u }) => u === 1), book(1));
    assert.deepEqual(await socket.ask('LIST_SUBSCRIPTIONS', [], 'text-id'), {
      result: ['btcusdt@bookTicker'],
      id: 'text-id',
    });
    await socket.ask('UNSUBSCRIBE', ['btcusdt@bookTicker'], 3);
    assert.deepEqual(front.demand, ['+btcusdt@bookTicker']);
    await second.ask('UNSUBSCRIBE', ['btcusdt@bookTicker'], 4);
    assert.deepEqual(front.demand, ['+btcusdt@bookTicker', '-btcusdt@bookTicker']);
  });

  test('combined addresses wrap', async (t) => {
    const front = await Front.open(t);
    const socket = await TestSocket.open(
      t,
      `${front.server.url}/market/stream?streams=a@kline_1m/!miniTicker@arr`,
    );
    market(front, 'a@kline_1m', { e: 'kline' }, 'market');
    assert.deepEqual(await socket.frame(({ stream }) => stream === 'a@kline_1m'), {
      stream: 'a@kline_1m',
      data: { e: 'kline' },
    });
    assert.deepEqual(front.demand, ['+a@kline_1m', '+!miniTicker@arr']);
  });

  test('a market stream on the public socket is silent, the root serves public streams only unless told', async (t) => {
    for (const legacyStreams of [false, true]) {
      const front = await Front.open(t, { legacyStreams });
      const wrong = await TestSocket.open(t, `${front.server.url}/public/ws/a@kline_1m/a@bookTicker`);
      const root = await TestSocket.open(t, `${front.server.url}/stream?streams=a@kline_1m/a@bookTicker`);
      market(front, 'a@kline_1m', { e: 'kline' }, 'market');
      market(front, 'a@bookTicker', book(1), 'public');
      await wrong.frame(({ u }) => u === 1);
      await root.frame(({ stream }) => stream === 'a@bookTicker');
      assert.equal(wrong.frames.length, 1);
      assert.equal(root.frames.length, legacyStreams ? 2 : 1);
    }
  });

  test('what is no command is refused in the venue’s form', async (t) => {
    const front = await Front.open(t);
    const socket = await TestSocket.open(t, `${front.server.url}/public/ws`);
    socket.say('{');
    await socket.frame(({ error }) => (error as { code?: number } | undefined)?.code === 3);
    const unknown = await socket.ask('SUBSCRIB', ['a@trade'], 9);
    assert.equal((unknown.error as { code: number }).code, 2);
    const empty = await socket.ask('SUBSCRIBE', [], 10);
    assert.equal((empty.error as { code: number }).code, 2);
  });

  test('more than ten messages in a second end the connection, and so do more than 1024 streams', async (t) => {
    const front = await Front.open(t);
    const chatty = await TestSocket.open(t, `${front.server.url}/public/ws`);
    for (let i = 0; i < 24; i++) chatty.say({ method: 'LIST_SUBSCRIPTIONS', id: i });
    assert.equal(await chatty.closed, 1008);
    const greedy = await TestSocket.open(t, `${front.server.url}/public/ws`);
    greedy.say({
      method: 'SUBSCRIBE',
      params: Array.from({ length: 1_025 }, (_, i) => `s${i}@trade`),
      id: 1,
    });
    assert.equal(await greedy.closed, 1008);
  });

  test('an address that is none is not found', async (t) => {
    const front = await Front.open(t);
    await assert.rejects(TestSocket.open(t, `${front.server.url}/nowhere`), /404/);
  });

  test('who does not read is cut off, and others are not held up', async (t) => {
    const front = await Front.open(t);
    const slow = await TestSocket.open(t, `${front.server.url}/public/ws/a@depth`);
    const brisk = await TestSocket.open(t, `${front.server.url}/public/ws/a@depth`);
    slow.pause();
    const levels = 'x'.repeat(1_000_000);
    for (let u = 1; u <= 40; u++) {
      market(front, 'a@depth', { e: 'depthUpdate', u, levels }, 'public');
      await brisk.frame((frame) => frame.u === u);
    }
    assert.equal(front.server.state().tooSlow, 1);
    assert.equal(front.server.state().sockets, 1);
  });
});

describe('time on a socket', () => {
  test('pinged every three minutes, dropped after ten without a pong, ended after a day', async (t) => {
    const front = await Front.open(t, { speed: 'manual' });
    const polite = await TestSocket.open(t, `${front.server.url}/public/ws`);
    const deaf = await TestSocket.open(t, `${front.server.url}/public/ws`, { autoPong: false });
    for (let minute = 1; minute <= 13; minute++) {
      front.clock.advanceTo?.(MARKET_TIME + minute * 60_000);
      // The pong must be back before the clock moves on.
      await polite.ping();
      if (minute % 3 === 0) await polite.until(() => (polite.pings >= minute / 3 ? true : undefined));
      await polite.ping();
    }
    await new Promise((resolve) => setTimeout(resolve, 600));
    front.clock.advanceTo?.(MARKET_TIME + 14 * 60_000);
    assert.equal(await deaf.closed, 1006);
    assert.equal(polite.pings, 4);
    let at = MARKET_TIME + 14 * 60_000;
    while (at < MARKET_TIME + 86_400_000) {
      at += 180_000;
      front.clock.advanceTo?.(at);
      await Promise.race([polite.ping(), polite.closed]);
    }
    assert.equal(await polite.closed, 1001);
  });

  test('a clock moved by hand over half a day ends no socket that answers', async (t) => {
    const front = await Front.open(t, { speed: 'manual' });
    const socket = await TestSocket.open(t, `${front.server.url}/public/ws`);
    for (let hour = 6; hour <= 18; hour += 6) {
      front.clock.advanceTo?.(MARKET_TIME + hour * 3_600_000);
      assert.equal(await Promise.race([socket.ping().then(() => 'answered'), socket.closed]), 'answered');
    }
  });

  test('nor where the hours in between are long work, in which nobody could hear the answer', async (t) => {
    const front = await Front.open(t, { speed: 'manual' });
    const socket = await TestSocket.open(t, `${front.server.url}/public/ws`);
    // After the first ping, which is answered while this process hears nothing.
    front.clock.timers.set(5 * 60_000, () => {
      const until = performance.now() + 700;
      while (performance.now() < until);
    });
    front.clock.advanceTo?.(MARKET_TIME + 8 * 3_600_000);
    assert.equal(await Promise.race([socket.ping().then(() => 'answered'), socket.closed]), 'answered');
  });
});

describe('the private socket', () => {
  test('all its addresses, and only while the key lives', async (t) => {
    const front = await Front.open(t);
    await front.send('POST', '/fapi/v1/listenKey');
    const sockets = await Promise.all(
      ['/private/ws?listenKey=k1', '/private/ws/k1', '/private/stream?streams=k1', '/private/ws'].map(
        (path) => TestSocket.open(t, `${front.server.url}${path}`),
      ),
    );
    const [first, second, combined, late] = sockets as [TestSocket, TestSocket, TestSocket, TestSocket];
    const stranger = await TestSocket.open(t, `${front.server.url}/private/ws/other`);
    await late.ask('SUBSCRIBE', ['k1'], 'x');
    await front.place('a');
    const event = { e: 'ORDER_TRADE_UPDATE', o: { c: 'a', X: 'NEW' } };
    assert.deepEqual(await first.frame(({ e }) => e !== undefined), event);
    assert.deepEqual(await second.frame(({ e }) => e !== undefined), event);
    assert.deepEqual(await late.frame(({ e }) => e !== undefined), event);
    assert.deepEqual(await combined.frame(({ stream }) => stream === 'k1'), { stream: 'k1', data: event });
    front.core.keys.clear();
    await front.place('b');
    await stranger.ping();
    await first.ping();
    assert.equal(first.frames.length, 1);
    assert.equal(stranger.frames.length, 0);
  });

  test('only the events asked for', async (t) => {
    const front = await Front.open(t);
    await front.send('POST', '/fapi/v1/listenKey');
    const socket = await TestSocket.open(
      t,
      `${front.server.url}/private/ws?listenKey=k1&events=ACCOUNT_UPDATE`,
    );
    await front.place('a');
    front.server.push({ socket: 'private', account: DEMO_ACCOUNT, at: 1, data: { e: 'ACCOUNT_UPDATE' } });
    await socket.frame(({ e }) => e === 'ACCOUNT_UPDATE');
    assert.equal(socket.frames.length, 1);
  });

  test('several events of one turn come in one TCP chunk', async (t) => {
    const front = await Front.open(t);
    front.core.keys.add('k1');
    const raw = connect(front.server.port, '127.0.0.1');
    t.after(() => raw.destroy());
    const chunks: Buffer[] = [];
    raw.write(
      'GET /private/ws/k1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    await new Promise<void>((resolve) => raw.once('data', () => resolve()));
    const heard = new Promise<void>((resolve) =>
      raw.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        if (Buffer.concat(chunks).includes('"E":4')) resolve();
      }),
    );
    for (let i = 1; i <= 4; i++)
      front.server.push({ socket: 'private', account: DEMO_ACCOUNT, at: i, data: own(i) });
    await heard;
    assert.equal(chunks.length, 1);
  });
});
