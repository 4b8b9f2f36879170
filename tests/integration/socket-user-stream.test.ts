/** The private stream against a real server on loopback, with the venue's and the network's time in the test's hand. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { VirtualTime } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import {
  type ListenKeys,
  UserStream,
  type UserStreamEvent,
} from '../../src/exchange/binance/socket-user-stream.ts';
import { type SocketServer, type SocketServerOptions, socketServer } from '../support/socket-server.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

interface Bench {
  readonly server: SocketServer;
  readonly venue: VirtualTime;
  readonly real: VirtualTime;
  readonly stream: UserStream;
  readonly events: UserStreamEvent[];
  readonly notices: string[];
  readonly asked: string[];
  /** What the next calls for keys do: an error to throw, or nothing. */
  failCreate: Error | undefined;
  failRenew: Error | undefined;
  key: string;
  up(times: number): Promise<void>;
  trades(): string[];
}

async function bench(t: TestContext, serverOptions: SocketServerOptions = {}): Promise<Bench> {
  const server = await socketServer(t, serverOptions);
  const venue = new VirtualTime(1_700_000_000_000);
  const real = new VirtualTime();
  const events: UserStreamEvent[] = [];
  const notices: string[] = [];
  const asked: string[] = [];
  const keys: ListenKeys = {
    create: () => {
      asked.push('create');
      server.changed();
      return b.failCreate ? Promise.reject(b.failCreate) : Promise.resolve(b.key);
    },
    renew: (key) => {
      asked.push(`renew ${key}`);
      server.changed();
      return b.failRenew ? Promise.reject(b.failRenew) : Promise.resolve();
    },
    close: () => Promise.reject(new Error('nobody may close the key')),
  };
  const stream = new UserStream({
    url: server.url,
    keys,
    time: venue,
    realTime: real,
    random: seededRandom(5),
    onEvent: (event) => {
      events.push(event);
      server.changed();
    },
    onNotice: (text) => {
      notices.push(text);
      server.changed();
    },
  });
  const count = (type: string): number => events.filter((event) => event.type === type).length;
  const b: Bench = {
    server,
    venue,
    real,
    stream,
    events,
    notices,
    asked,
    failCreate: undefined,
    failRenew: undefined,
    key: 'key1',
    up: (times) => server.until(() => count('stream-up') >= times),
    trades: () =>
      events.flatMap((event) =>
        event.type === 'stream' && event.event.kind === 'order' ? [event.event.fill?.tradeId ?? 'none'] : [],
      ),
  };
  t.after(() => stream.stop());
  return b;
}

const trade = (id: number, E = id) => ({
  e: 'ORDER_TRADE_UPDATE',
  E,
  T: id,
  o: {
    ...{ s: 'BTCUSDT', c: `c${id}`, S: 'BUY', o: 'MARKET', q: '1', p: '0', ap: '1', x: 'TRADE', X: 'FILLED' },
    ...{ i: id, l: '1', z: '1', L: '100', N: 'USDT', n: '0.1', T: id, t: id, m: false, R: false, ps: 'BOTH' },
  },
});
const account = (E: number) => ({
  e: 'ACCOUNT_UPDATE',
  E,
  T: E,
  a: { m: 'ORDER', B: [{ a: 'USDT', wb: '1', cw: '1', bc: '0' }], P: [] },
});
const goneError = () => Object.assign(new Error('This listenKey does not exist.'), { venueCode: -1125 });
/** Lets the promises of calls for keys be heard. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('dials the private path with its key, and tells every event in order', async (t) => {
  const b = await bench(t);
  b.stream.start();
  const connection = await b.server.connection(0);
  assert.equal(connection.path, '/private/ws?listenKey=key1');
  await b.up(1);
  // Many in one turn end up in one chunk; four account updates of one instant are four.
  const frames = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? trade(i + 1) : account(i + 1)));
  connection.send(...frames, account(7), account(7), account(7), account(7));
  await b.server.until(() => b.events.length === 1 + 204);
  const told = b.events.slice(1).map((event) => event.type === 'stream' && event.event.at);
  assert.deepEqual(told, [...frames.map(({ E }) => E), 7, 7, 7, 7]);
});

test('the key is renewed every 20 minutes of the venue; a failed renewal is tried again and drops nothing', async (t) => {
  const b = await bench(t);
  b.stream.start();
  await b.up(1);
  const renewals = (): number => b.asked.filter((what) => what === 'renew key1').length;
  for (let i = 1; i <= 3; i++) {
    b.venue.advanceTo(b.venue.now() + 20 * MINUTE_MS);
    assert.equal(renewals(), i);
    await settled();
  }
  b.failRenew = new Error('binanceusdm PUT http://venue/fapi/v1/listenKey key1 503 Service Unavailable');
  b.venue.advanceTo(b.venue.now() + 20 * MINUTE_MS);
  await b.server.until(() => b.notices.length === 1);
  assert.doesNotMatch(b.notices[0] as string, /key1/);
  b.real.advanceTo(b.real.now() + 1000);
  assert.equal(renewals(), 5, 'within a second');
  await b.server.until(() => b.notices.length === 2);
  b.failRenew = undefined;
  b.real.advanceTo(b.real.now() + 2000);
  assert.equal(renewals(), 6);
  await settled();
  b.venue.advanceTo(b.venue.now() + 20 * MINUTE_MS);
  assert.equal(renewals(), 7, 'and then as before');
  assert.equal(b.server.connections.length, 1);
  assert.deepEqual(b.asked.filter((what) => what === 'create').length, 1);
});

test('a key that the venue no longer knows is replaced', async (t) => {
  const b = await bench(t);
  b.stream.start();
  await b.up(1);
  b.failRenew = goneError();
  b.key = 'key2';
  b.venue.advanceTo(b.venue.now() + 20 * MINUTE_MS);
  await b.server.until(() => b.events.at(-1)?.type === 'stream-down');
  b.real.advanceTo(b.real.now() + 500);
  assert.equal((await b.server.connection(1)).path, '/private/ws?listenKey=key2');
  await b.up(2);
});

test('renewals that fail for an hour end the connection', async (t) => {
  const b = await bench(t);
  b.stream.start();
  await b.up(1);
  b.failRenew = new Error('503');
  b.venue.advanceTo(b.venue.now() + 20 * MINUTE_MS);
  await settled();
  b.venue.advanceTo(b.venue.now() + 40 * MINUTE_MS);
  b.real.advanceTo(b.real.now() + 1000);
  await b.server.until(() => b.events.at(-1)?.type === 'stream-down');
  b.real.advanceTo(b.real.now() + 500);
  await b.up(2);
});

test('an expired key is replaced at once; the end of another key is not ours', async (t) => {
  const b = await bench(t);
  b.stream.start();
  const first = await b.server.connection(0);
  await b.up(1);
  first.send({ e: 'listenKeyExpired', E: 1, listenKey: 'another' }, trade(1));
  await b.server.until(() => b.trades().length === 1);
  b.key = 'key2';
  first.send({ e: 'listenKeyExpired', E: 2, listenKey: 'key1' }, trade(2));
  await b.server.until(() => b.events.at(-1)?.type === 'stream-down');
  b.real.advanceTo(b.real.now() + 500);
  const second = await b.server.connection(1);
  assert.equal(second.path, '/private/ws?listenKey=key2');
  await b.up(2);
  second.send(trade(3));
  await b.server.until(() => b.trades().length === 2);
  assert.deepEqual(b.trades(), ['1', '3'], 'what the old connection said after that is for the full reading');
});

test('before the day is over a new connection takes its place, and no event is lost or told twice', async (t) => {
  const b = await bench(t);
  b.stream.start();
  const old = await b.server.connection(0);
  await b.up(1);
  for (let hours = 0; hours < 23; hours++) {
    b.venue.advanceTo(b.venue.now() + HOUR_MS);
    await settled();
  }
  const young = await b.server.connection(1);
  let registered = false;
  young.socket.on('pong', () => {
    registered = true;
    b.server.changed();
  });
  young.socket.ping();
  await b.server.until(() => registered);
  // Both hear all of it from here on, each stamped with its own E.
  for (let id = 1; id <= 50; id++) {
    young.send(trade(id, 1000 + id));
    if (id <= 40) old.send(trade(id, 2000 + id));
  }
  await b.server.until(() => b.trades().length === 40);
  b.real.advanceTo(b.real.now() + 1000);
  await b.server.until(() => b.trades().length === 50);
  assert.deepEqual(
    b.trades(),
    Array.from({ length: 50 }, (_, i) => String(i + 1)),
  );
  await b.server.until(() => b.server.open().length === 1);
  assert.equal(
    b.events.filter(({ type }) => type === 'stream-up').length,
    2,
    'a reading after each connection',
  );
  assert.ok(!b.events.some(({ type }) => type === 'stream-down'));
});

test('a venue that refuses keys or sockets is not stormed', async (t) => {
  const b = await bench(t, { refuse: () => true });
  b.failCreate = new Error('503');
  b.stream.start();
  for (let losses = 1; losses <= 30; losses++) {
    if (losses === 10) b.failCreate = undefined;
    await b.server.until(() => b.events.length === losses);
    const before = b.real.now();
    b.real.advanceTo(b.real.nextDeadline() as number);
    assert.ok(b.real.now() - before >= (losses < 8 ? 250 : 15_000), `wait ${losses}`);
  }
  assert.ok(b.events.every(({ type }) => type === 'stream-down'));
});

test('a dead peer is noticed within twenty seconds of real time', async (t) => {
  const b = await bench(t, { mute: true });
  b.stream.start();
  await b.up(1);
  for (let s = 5; s <= 20; s += 5) b.real.advanceTo(s * 1000);
  assert.equal(b.events.at(-1)?.type, 'stream-down');
});

test('events of new types are told of once; one that cannot be read asks for a full reading', async (t) => {
  const b = await bench(t);
  b.stream.start();
  const connection = await b.server.connection(0);
  await b.up(1);
  const broken = { ...trade(1), o: { ...trade(1).o, z: 'much' } };
  connection.send({ e: 'NEW_THING', E: 1 }, { e: 'NEW_THING', E: 2 }, broken, broken, trade(2));
  await b.server.until(() => b.trades().length === 1);
  assert.equal(b.notices.length, 2);
  assert.match(b.notices[0] as string, /NEW_THING/);
  assert.match(b.notices[1] as string, /ORDER_TRADE_UPDATE z/);
  assert.deepEqual(
    b.events.map(({ type }) => type),
    ['stream-up', 'stream-up', 'stream-up', 'stream'],
  );
});

test('after stop nothing is heard and nothing armed', async (t) => {
  const b = await bench(t);
  b.stream.start();
  await b.server.connection(0);
  await b.up(1);
  b.stream.stop();
  assert.equal(b.real.nextDeadline(), undefined);
  assert.equal(b.venue.nextDeadline(), undefined);
  await b.server.until(() => b.server.open().length === 0);
});
