/** The feed against a real WebSocket server on loopback; its timers are virtual, so that no test waits. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';
import { VirtualTime } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import { type FeedEvent, SocketFeed, type SocketFeedOptions } from '../../src/market/feeds/socket-feed.ts';

interface Bench {
  readonly server: WebSocketServer;
  readonly time: VirtualTime;
  readonly feed: SocketFeed;
  readonly frames: string[];
  readonly events: FeedEvent[];
  /** Resolves at the next event of the type. */
  next<T extends FeedEvent['type']>(type: T): Promise<Extract<FeedEvent, { type: T }>>;
  /** Resolves when so many frames have come in all. */
  received(count: number): Promise<void>;
  client(): Promise<WebSocket>;
}

async function bench(t: TestContext, options: Partial<SocketFeedOptions> = {}): Promise<Bench> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  const time = new VirtualTime();
  const frames: string[] = [];
  const events: FeedEvent[] = [];
  let changed = (): void => {};
  const until = async <T>(look: () => T | undefined): Promise<T> => {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        changed = resolve;
      });
    }
  };
  const feed = new SocketFeed({
    url: `ws://127.0.0.1:${address.port}`,
    time,
    random: seededRandom(3),
    onFrame: (bytes) => {
      frames.push(bytes.toString());
      changed();
    },
    onEvent: (event) => {
      events.push(event);
      changed();
    },
    ...options,
  });
  t.after(() => {
    feed.stop();
    for (const client of server.clients) client.terminate();
    server.close();
  });
  const client = async (): Promise<WebSocket> => (await once(server, 'connection'))[0] as WebSocket;
  return {
    server,
    time,
    feed,
    frames,
    events,
    client,
    next: (type) => {
      const from = events.length;
      return until(() => events.slice(from).find((event) => event.type === type) as never);
    },
    received: async (count) => {
      await until(() => (frames.length >= count ? true : undefined));
    },
  };
}

test('subscribes, and hands on every frame in order', async (t) => {
  const b = await bench(t, { streams: ['btcusdt@bookTicker', 'ethusdt@bookTicker'] });
  b.feed.start();
  const client = await b.client();
  const [request] = await once(client, 'message');
  assert.deepEqual(JSON.parse(String(request)), {
    method: 'SUBSCRIBE',
    params: ['btcusdt@bookTicker', 'ethusdt@bookTicker'],
    id: 1,
  });
  const sent = Array.from({ length: 5000 }, (_, i) => `frame ${i}`);
  for (const frame of sent) client.send(frame);
  await b.received(sent.length);
  assert.deepEqual(b.frames, sent);
  assert.equal(b.feed.frames, sent.length);
  assert.deepEqual(b.events, [{ type: 'connected', attempt: 0 }]);
});

test('many streams are asked for in several requests', async (t) => {
  const streams = Array.from({ length: 450 }, (_, i) => `coin${i}@aggTrade`);
  const b = await bench(t, { streams });
  b.feed.start();
  const client = await b.client();
  const asked: string[] = [];
  for await (const [request] of on(client)) {
    asked.push(...(JSON.parse(String(request)).params as string[]));
    if (asked.length === streams.length) break;
  }
  assert.deepEqual(asked, streams);
});

async function* on(client: WebSocket): AsyncGenerator<[unknown]> {
  const queue: [unknown][] = [];
  let wake = (): void => {};
  client.on('message', (data) => {
    queue.push([data]);
    wake();
  });
  for (;;) {
    const entry = queue.shift();
    if (entry) yield entry;
    else
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  }
}

test('a closed connection comes back after a random, doubling wait', async (t) => {
  const b = await bench(t, { firstRetryMs: 1000, longestRetryMs: 4000 });
  let connected = b.next('connected');
  b.feed.start();
  const waits: number[] = [];
  for (let loss = 0; loss < 4; loss++) {
    await connected;
    const disconnected = b.next('disconnected');
    for (const client of b.server.clients) client.close(1001);
    const { retryInMs, reason } = await disconnected;
    assert.match(reason, /1001/);
    assert.equal(b.feed.connected, false);
    waits.push(retryInMs);
    connected = b.next('connected');
    b.time.advanceTo(b.time.now() + retryInMs);
  }
  assert.equal((await connected).attempt, 4);
  for (const [i, bound] of [1000, 2000, 4000, 4000].entries()) {
    const wait = waits[i] ?? 0;
    assert.ok(wait >= bound / 2 && wait <= bound, `${wait} within ${bound / 2}..${bound}`);
  }
  assert.equal(new Set(waits).size, 4);
});

test('a mute socket is given up when the watchdog finds no frame in its period', async (t) => {
  const b = await bench(t, { staleAfterMs: 10_000 });
  const connected = b.next('connected');
  b.feed.start();
  const client = await b.client();
  await connected;
  client.send('one');
  await b.received(1);
  b.time.advanceTo(10_000);
  assert.equal(b.feed.connected, true, 'a frame came in this period');
  b.time.advanceTo(20_000);
  assert.deepEqual(
    b.events.map(({ type }) => type),
    ['connected', 'stale', 'disconnected'],
  );
  const again = b.next('connected');
  b.time.advanceTo(60_000);
  assert.equal((await again).attempt, 1);
});

test('a refused connection is retried too', async (t) => {
  const b = await bench(t);
  const { server } = b;
  await new Promise((resolve) => server.close(resolve));
  const disconnected = b.next('disconnected');
  b.feed.start();
  assert.match((await disconnected).reason, /ECONNREFUSED/);
  assert.notEqual(b.time.nextDeadline(), undefined);
});

test('after stop nothing is heard and nothing is armed', async (t) => {
  const b = await bench(t);
  const connected = b.next('connected');
  b.feed.start();
  const client = await b.client();
  await connected;
  client.send('late');
  b.feed.stop();
  await once(client, 'close');
  assert.deepEqual(b.frames, []);
  assert.equal(b.time.nextDeadline(), undefined);
  assert.deepEqual(
    b.events.map(({ type }) => type),
    ['connected'],
  );
});
