/** The kept socket against a real server on loopback; its time is virtual, so that no test waits. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { VirtualTime } from '../../src/core/clock.ts';
import { KeptSocket, type KeptSocketEvent, type KeptSocketOptions } from '../../src/core/kept-socket.ts';
import { seededRandom } from '../../src/core/random.ts';
import { type SocketServer, type SocketServerOptions, socketServer } from '../support/socket-server.ts';

const DAY_MS = 86_400_000;

interface Bench {
  readonly server: SocketServer;
  readonly time: VirtualTime;
  readonly venue: VirtualTime;
  readonly kept: KeptSocket;
  readonly frames: string[];
  readonly events: KeptSocketEvent[];
  types(): string[];
}

async function bench(
  t: TestContext,
  options: Partial<KeptSocketOptions> = {},
  serverOptions: SocketServerOptions = {},
): Promise<Bench> {
  const server = await socketServer(t, serverOptions);
  const time = new VirtualTime();
  const venue = new VirtualTime();
  const frames: string[] = [];
  const events: KeptSocketEvent[] = [];
  const kept = new KeptSocket({
    url: () => server.url,
    time,
    random: seededRandom(1),
    onFrame: (bytes) => {
      frames.push(bytes.toString());
      server.changed();
    },
    onEvent: (event) => {
      events.push(event);
      server.changed();
    },
    ...options,
  });
  t.after(() => kept.stop());
  return { server, time, venue, kept, frames, events, types: () => events.map(({ type }) => type) };
}

const isUp = (b: Bench, times = 1) => b.events.filter(({ type }) => type === 'up').length >= times;

test('a move has the new connection up before the old one goes, and says nothing twice', async (t) => {
  const venue = new VirtualTime();
  const b = await bench(t, { move: { time: venue, afterMs: DAY_MS }, overlapMs: 1000 });
  b.kept.start();
  const old = await b.server.connection(0);
  await b.server.until(() => isUp(b));
  old.send('1');
  await b.server.until(() => b.frames.length === 1);

  venue.advanceTo(DAY_MS);
  const young = await b.server.connection(1);
  // Registered there, as it is here: the same events go to both, each in its own hurry.
  old.send('2');
  young.send('3', '4');
  await b.server.until(() => b.frames.length === 2);
  old.send('3');
  await b.server.until(() => b.frames.length === 3);
  assert.deepEqual(b.frames, ['1', '2', '3'], 'the old connection is the one that is heard');
  assert.equal(b.server.open().length, 2);

  b.time.advanceTo(b.time.now() + 1000);
  await b.server.until(() => isUp(b, 2));
  assert.deepEqual(b.frames, ['1', '2', '3', '4'], 'what both said is told once');
  assert.deepEqual(b.events.at(-1), { type: 'up', attempt: 1, continuous: true });
  await b.server.until(() => b.server.open().length === 1);
  assert.equal(b.server.open()[0], young);

  // The new connection lags: it says now what the old one had said.
  young.send('2', '5');
  await b.server.until(() => b.frames.length === 5);
  assert.deepEqual(b.frames.at(-1), '5');
  b.time.advanceTo(b.time.now() + 1000);
  young.send('5');
  await b.server.until(() => b.frames.length === 6);
  assert.deepEqual(b.frames.at(-1), '5', 'later the same text is news again');
  assert.ok(!b.types().includes('down'));
});

test('of a move that fails nobody hears, and it is tried again', async (t) => {
  let refusing = false;
  const venue = new VirtualTime();
  const b = await bench(t, { move: { time: venue, afterMs: DAY_MS } }, { refuse: () => refusing });
  b.kept.start();
  const old = await b.server.connection(0);
  await b.server.until(() => isUp(b));
  refusing = true;
  venue.advanceTo(DAY_MS);
  // The refusal has been heard once the next attempt is armed, which is sooner than the next look for life.
  const armed = b.time.nextDeadline();
  while (b.time.nextDeadline() === armed) await new Promise((resolve) => setImmediate(resolve));
  old.send('still here');
  await b.server.until(() => b.frames.length === 1);
  assert.deepEqual(b.types(), ['up']);
  refusing = false;
  b.time.advanceTo(b.time.now() + 600);
  await b.server.connection(1);
  await b.server.until(() => b.kept.isUp);
});

test('the old connection dies during the move: the new one takes over at once, without a gap', async (t) => {
  const venue = new VirtualTime();
  const b = await bench(t, { move: { time: venue, afterMs: DAY_MS } });
  b.kept.start();
  const old = await b.server.connection(0);
  await b.server.until(() => isUp(b));
  venue.advanceTo(DAY_MS);
  const young = await b.server.connection(1);
  let opened = false;
  young.socket.on('pong', () => {
    opened = true;
    b.server.changed();
  });
  young.socket.ping();
  await b.server.until(() => opened);
  young.send('held');
  old.socket.terminate();
  await b.server.until(() => isUp(b, 2));
  await b.server.until(() => b.frames.length === 1);
  assert.deepEqual(b.frames, ['held']);
  assert.deepEqual(b.types(), ['up', 'up']);
});

test('nothing of a replaced connection is heard', async (t) => {
  const b = await bench(t);
  b.kept.start();
  const old = await b.server.connection(0);
  await b.server.until(() => isUp(b));
  b.kept.lose('the owner says so');
  old.send('late');
  b.time.advanceTo(500);
  const young = await b.server.connection(1);
  await b.server.until(() => isUp(b, 2));
  young.send('new');
  await b.server.until(() => b.frames.length > 0);
  assert.deepEqual(b.frames, ['new']);
  assert.deepEqual(b.types(), ['up', 'down', 'up']);
});

test('a peer that answers no ping is given up within twenty seconds', async (t) => {
  const b = await bench(t, {}, { mute: true });
  b.kept.start();
  const connection = await b.server.connection(0);
  await b.server.until(() => isUp(b));
  for (let seconds = 5; seconds <= 20; seconds += 5) b.time.advanceTo(seconds * 1000);
  assert.deepEqual(b.types(), ['up', 'silent', 'down']);
  assert.ok(connection.pings <= 4);
});

test('a quiet peer that answers pings is kept', async (t) => {
  const b = await bench(t);
  b.kept.start();
  const connection = await b.server.connection(0);
  await b.server.until(() => isUp(b));
  for (let check = 1; check <= 20; check++) {
    b.time.advanceTo(check * 5000);
    await b.server.until(() => connection.pings === check);
    // The pong is back once the answer to a ping of the server's own is: both go the same way.
    await new Promise<void>((resolve) => {
      connection.socket.once('pong', () => resolve());
      connection.socket.ping();
    });
  }
  assert.deepEqual(b.types(), ['up']);
});

test('a venue that takes and drops every dial is not stormed', async (t) => {
  const b = await bench(t, {}, { onConnection: ({ socket }) => socket.terminate() });
  b.kept.start();
  // Three minutes of it: waits double from half a second to half a minute.
  for (let dials = 1; b.time.now() < 180_000; dials++) {
    const seen = (): number => b.types().filter((type) => type === 'down').length;
    await b.server.until(() => seen() === dials);
    b.time.advanceTo(b.time.now() + (b.events.at(-1) as { retryInMs: number }).retryInMs);
  }
  assert.ok(b.server.connections.length <= 20, `${b.server.connections.length} dials`);
});

test('a greeting counts as said when it is answered; a refused one is a lost dial', async (t) => {
  const b = await bench(
    t,
    {
      greeting: () => ({
        messages: ['hello', 'there'],
        answer: (bytes) => (bytes.toString() === 'no' ? 'no' : bytes.toString() === 'yes' ? true : undefined),
      }),
    },
    {},
  );
  b.kept.start();
  const first = await b.server.connection(0);
  await b.server.until(() => first.said.length === 2);
  first.send('yes', 'early', 'yes', 'later');
  await b.server.until(() => b.frames.length === 2);
  assert.deepEqual(b.frames, ['early', 'later'], 'answers are not handed on, the rest is, after up');
  assert.deepEqual(b.types(), ['up']);
  b.kept.lose('again');
  b.time.advanceTo(500);
  const second = await b.server.connection(1);
  await b.server.until(() => second.said.length === 2);
  second.send('no');
  await b.server.until(() => b.events.length === 3);
  assert.match((b.events[2] as { reason: string }).reason, /refused: no/);
  b.time.advanceTo(b.time.now() + 1000);
  await b.server.connection(2);
  b.time.advanceTo(b.time.now() + 20_000);
  assert.match((b.events[3] as { reason: string }).reason, /not answered|never opened/);
});

test('a URL that cannot be had, or never comes, is a lost dial', async (t) => {
  let give: 'fail' | 'hang' | 'url' = 'fail';
  const url = (): Promise<string> =>
    give === 'fail'
      ? Promise.reject(new Error('no key to be had'))
      : give === 'hang'
        ? new Promise(() => {})
        : Promise.resolve(b.server.url);
  const b: Bench = await bench(t, { url });
  b.kept.start();
  await b.server.until(() => b.events.length === 1);
  assert.match((b.events[0] as { reason: string }).reason, /no key to be had/);
  const retry = (): void => b.time.advanceTo(b.time.nextDeadline() as number);
  give = 'hang';
  retry();
  retry();
  assert.match((b.events[1] as { reason: string }).reason, /never opened/);
  give = 'url';
  retry();
  await b.server.until(() => isUp(b));
});

test('after stop nothing is armed and nothing is dialled', async (t) => {
  const venue = new VirtualTime();
  const b = await bench(t, { move: { time: venue, afterMs: DAY_MS } });
  b.kept.start();
  await b.server.connection(0);
  await b.server.until(() => isUp(b));
  b.kept.stop();
  assert.equal(b.time.nextDeadline(), undefined);
  assert.equal(venue.nextDeadline(), undefined);
  await b.server.until(() => b.server.open().length === 0);
});
