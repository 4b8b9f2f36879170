import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GatewayRunner } from '../../src/app/live/gateway-runner.ts';
import type { Intent, Message } from '../../src/domain/events.ts';
import type { RemoteCall, RemoteOutcome } from '../../src/domain/remote.ts';
import type { GatewayEvent, VenueGateway } from '../../src/exchange/venue-gateway.ts';
import type { Committed } from '../../supervisors/actor-runtime.ts';

const submit = (id: string, reduceOnly = false): RemoteCall => ({
  call: 'submit',
  id,
  sendBy: 1,
  order: {
    ...{ ref: 'entry-1', symbol: 'BTCUSDT', side: 'BUY', positionSide: 'BOTH', type: 'MARKET' },
    ...{ quantity: '1', reduceOnly, clientOrderId: `bh-${id}`, owner: 'position/BTCUSDT/BOTH/1' },
  },
});
const report = (id: string): RemoteCall => ({ call: 'report', id, since: 0, symbols: [] });
const cancel = (id: string): RemoteCall => ({
  ...{ call: 'cancel', id, symbol: 'BTCUSDT', book: 'algo', clientOrderId: 'bh-x' },
});

const committed = (calls: readonly RemoteCall[], actor = 'venue'): Committed =>
  ({
    row: { actor },
    intents: calls.map((call): Intent => ({ type: 'venue.call', call })),
  }) as unknown as Committed;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function bench(answer: (call: RemoteCall) => Promise<RemoteOutcome<unknown>>) {
  const called: RemoteCall[] = [];
  const told: Message[] = [];
  const gateway = {
    name: 'bench',
    venueNow: () => 42,
    call: (call: RemoteCall) => {
      called.push(call);
      return answer(call);
    },
  } as unknown as VenueGateway;
  const runner = new GatewayRunner({ epoch: 7 });
  runner.use(gateway);
  return { runner, called, told, attach: () => runner.attach((message) => told.push(message)) };
}

const done = async (): Promise<RemoteOutcome<unknown>> => ({ outcome: 'done', value: {} });

describe('calls', () => {
  test('orders of one commit go before questions, each once, and outcomes come back as messages', async () => {
    const { runner, called, told, attach } = bench(done);
    attach();
    runner.observe(committed([report('r'), submit('a')]));
    runner.observe(committed([cancel('c'), submit('b')]));
    assert.equal(called.length, 0, 'not within the commit itself');
    assert.equal(runner.inFlight, 4);
    await turn();
    assert.deepEqual(
      called.map(({ id }) => id),
      ['a', 'b', 'c', 'r'],
    );
    assert.deepEqual(
      told.map(({ to, event }) => [to, event.type, event.id, event.venueAt]),
      ['a', 'b', 'c', 'r'].map((id) => ['venue', 'CALL_ENDED', id, 42]),
    );
    assert.equal(new Set(told.map(({ cause }) => JSON.stringify(cause))).size, 4, 'causes of their own');
    assert.equal(runner.inFlight, 0);
  });

  test('rows of other actors cause none', async () => {
    const { runner, called } = bench(done);
    runner.observe(committed([submit('a')], 'position/BTCUSDT/BOTH/1'));
    await turn();
    assert.equal(called.length, 0);
  });

  test('a gateway that throws has said nothing: the outcome is unknown', async () => {
    const { runner, told, attach } = bench(async () => {
      throw new Error('defect');
    });
    attach();
    runner.observe(committed([submit('a')]));
    await turn();
    assert.deepEqual(told[0]?.event.result, { outcome: 'unknown', reason: 'defect' });
  });

  test('while draining nothing that could open is sent; protection and cancels are', async () => {
    const { runner, called, told, attach } = bench(done);
    attach();
    runner.drain();
    runner.observe(committed([submit('open'), submit('stop', true), cancel('c')]));
    await turn();
    assert.deepEqual(
      called.map(({ id }) => id),
      ['stop', 'c'],
    );
    const refused = told.find(({ event }) => event.id === 'open');
    assert.deepEqual(refused?.event.result, {
      ...{ outcome: 'rejected', code: 0, reason: 'this process is stopping' },
    });
  });

  test('quiet waits for the last outcome; after stop nothing is called or told', async () => {
    let answer: (outcome: RemoteOutcome<unknown>) => void = () => {};
    const { runner, called, told, attach } = bench(() => new Promise((resolve) => (answer = resolve)));
    attach();
    runner.observe(committed([submit('a')]));
    await turn();
    let isQuiet = false;
    const quiet = runner.quiet().then(() => {
      isQuiet = true;
    });
    await turn();
    assert.equal(isQuiet, false);
    runner.stop();
    answer({ outcome: 'done', value: {} });
    await quiet;
    assert.equal(told.length, 0);
    runner.observe(committed([submit('b')]));
    runner.hear({ type: 'stream-up' });
    await turn();
    assert.equal(called.length, 1);
    assert.equal(told.length, 0);
  });
});

describe('events', () => {
  test('what was heard before anybody could be told comes first, in its order', () => {
    const { runner, told, attach } = bench(done);
    runner.hear({ type: 'stream-up' });
    runner.hear({ type: 'clock', offsetMs: 1, roundTripMs: 1 });
    runner.hear({
      type: 'stream',
      event: { kind: 'leverage', at: 5, symbol: 'BTCUSDT', leverage: 3 },
    });
    assert.equal(told.length, 0);
    attach();
    runner.hear({ type: 'stream-down', reason: 'cut' });
    assert.deepEqual(
      told.map(({ event }) => event.type),
      ['STREAM_UP', 'STREAM', 'STREAM_DOWN'],
    );
    assert.ok(told.every(({ cause }) => cause.kind === 'external' && cause.id.startsWith('venue:7:')));
  });
});

describe('the private stream that came up before anybody was told', () => {
  const up = { type: 'stream-up' } as const;
  const down = { type: 'stream-down', reason: 'lost' } as const;
  const word = { type: 'stream', event: { kind: 'leverage', at: 1 } } as unknown as GatewayEvent;
  const said = (heard: readonly GatewayEvent[]) => {
    const { runner, told, attach } = bench(done);
    for (const event of heard) runner.hear(event);
    const isUp = runner.takeStreamUp();
    attach();
    return [isUp, ...told.map(({ event }) => event.type)];
  };

  test('is part of the start, and what it has said since is told after it', () => {
    assert.deepEqual(said([up, word]), [true, 'STREAM']);
    assert.deepEqual(said([up, down, word, up, word]), [true, 'STREAM', 'STREAM']);
  });

  test('is told in its order where it went down again, or has not come up', () => {
    assert.deepEqual(said([up, word, down]), [false, 'STREAM_UP', 'STREAM', 'STREAM_DOWN']);
    assert.deepEqual(said([]), [false]);
  });
});
