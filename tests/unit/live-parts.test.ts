import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { CommandOptions } from '../../src/app/cli/io.ts';
import { TimerPump } from '../../src/app/drive/timer-pump.ts';
import { leaveRequest, RequestDesk, takeAnswer } from '../../src/app/requests/person-requests.ts';
import { isLoopback, venueTarget } from '../../src/app/run/modes.ts';
import { Histogram } from '../../src/app/status/histogram.ts';
import { loadConfig } from '../../src/config/load.ts';
import { VirtualTime } from '../../src/core/clock.ts';
import { isBulkheadError } from '../../src/core/errors.ts';
import { SILENT } from '../../src/core/logger.ts';
import type { OperatorAnswer, OperatorRequest } from '../../src/operator/operator.ts';
import type { ActorRuntime } from '../../supervisors/actor-runtime.ts';
import { DurableTimers } from '../../supervisors/durable-timers.ts';
import { tempDir } from '../support/temp.ts';

const target = (env: Record<string, string>) => {
  const { config, secrets } = loadConfig({ env, cwd: '/nowhere' });
  return venueTarget({ config, secrets } as CommandOptions);
};

const missing = (env: Record<string, string>): string => {
  try {
    target(env);
  } catch (error) {
    assert.ok(isBulkheadError(error, 'MODE_UNAVAILABLE'), String(error));
    assert.ok(error.hint);
    return error.message;
  }
  return assert.fail('accepted');
};

const PAPER = { BULKHEAD_MODE: 'paper' };
const LIVE = {
  ...{ BULKHEAD_MODE: 'live', BULKHEAD_API_KEY: 'k', BULKHEAD_API_SECRET: 's' },
  BULKHEAD_MARKET_SYMBOLS: 'BTCUSDT',
};

describe('where a mode trades', () => {
  test('demo nowhere, paper on this machine, live at Binance', () => {
    assert.equal(target({}), undefined);
    const paper = target(PAPER);
    assert.equal(paper?.restUrl, 'http://127.0.0.1:7700');
    assert.equal(paper?.streamUrl, 'ws://127.0.0.1:7700');
    assert.ok(paper?.apiKey && paper.apiSecret, 'the demo pair');
    const live = target(LIVE);
    assert.equal(live?.restUrl, 'https://fapi.binance.com');
    assert.equal(live?.streamUrl, 'wss://fstream.binance.com');
  });

  test('a local exchange on another port has its streams there too', () => {
    const paper = target({ ...PAPER, BULKHEAD_VENUE_REST_URL: 'http://127.0.0.1:9001' });
    assert.equal(paper?.streamUrl, 'ws://127.0.0.1:9001');
  });

  test('paper never leaves this machine, live never stays on it', () => {
    assert.match(missing({ ...PAPER, BULKHEAD_VENUE_REST_URL: 'https://fapi.binance.com' }), /this machine/);
    assert.match(missing({ ...PAPER, BULKHEAD_VENUE_STREAM_URL: 'wss://fstream.binance.com' }), /streamUrl/);
    assert.match(missing({ ...LIVE, BULKHEAD_VENUE_REST_URL: 'https://localhost:7700' }), /itself/);
    assert.match(missing({ ...LIVE, BULKHEAD_VENUE_REST_URL: 'http://fapi.binance.com' }), /encrypted/);
    for (const url of ['http://127.0.0.1:1', 'http://127.9.9.9', 'ws://localhost', 'http://[::1]:3'])
      assert.ok(isLoopback(url), url);
    for (const url of ['http://127.0.0.1.evil.org', 'http://localhost.evil.org', 'http://10.0.0.1'])
      assert.ok(!isLoopback(url), url);
  });

  test('live names all that is missing at once', () => {
    const message = missing({ BULKHEAD_MODE: 'live' });
    for (const what of [/BULKHEAD_API_KEY/, /BULKHEAD_API_SECRET/, /symbols/]) assert.match(message, what);
  });

  test('the market of paper and live is the venue’s, and of nothing else', () => {
    const load = (env: Record<string, string>) => loadConfig({ env, cwd: '/nowhere' }).config.market.source;
    assert.equal(load(PAPER), 'live');
    assert.throws(() => load({ ...PAPER, BULKHEAD_MARKET_SOURCE: 'synthetic' }), /bulkhead exchange/);
    assert.throws(() => load({ BULKHEAD_MARKET_SOURCE: 'live' }), /not allowed with mode demo/);
    assert.throws(() => load({ ...LIVE, BULKHEAD_VENUE_TIME_FACTOR: '60' }), /timeFactor/);
  });
});

describe('requests of people', () => {
  const ANSWER: OperatorAnswer = { id: 'x', outcome: 'accepted', code: 'DONE', text: 'done' };

  const desk = (dataDir: string, asked: OperatorRequest[], answer: OperatorAnswer) => {
    const time = new VirtualTime(0);
    const operator = {
      execute: async (request: OperatorRequest) => {
        asked.push(request);
        return { ...answer, id: request.id };
      },
    };
    const hashOf = async (n: number) => (n === 7 ? 'hash of 7' : undefined);
    const made = new RequestDesk({ dataDir, time, log: SILENT, operator, hashOf });
    made.start();
    return { made, time };
  };

  test('is asked again until there is a row, and is then answered and gone', async (t) => {
    const dataDir = tempDir(t);
    const id = leaveRequest(dataDir, { command: { kind: 'adopt', symbol: 'BTCUSDT' }, by: 'me', at: 5 });
    const asked: OperatorRequest[] = [];
    const first = desk(dataDir, asked, { ...ANSWER, outcome: 'pending' });
    await nextTurn();
    assert.deepEqual(asked[0], {
      id,
      command: { kind: 'adopt', symbol: 'BTCUSDT' },
      who: { name: 'me', role: 'admin', channel: 'cli' },
      issuedAt: 5,
      confirmed: true,
    });
    first.time.advanceTo(600);
    assert.equal(asked.length, 2, 'the row of the first time never came');
    first.made.stop();
    const second = desk(dataDir, asked, ANSWER);
    await nextTurn();
    assert.equal(asked.length, 3);
    assert.deepEqual(takeAnswer(dataDir, id), { ...ANSWER, id });
    assert.deepEqual(readdirSync(path.join(dataDir, 'requests')), []);
    second.time.advanceTo(9_000);
    assert.equal(asked.length, 3);
    second.made.stop();
  });

  test('what a plan for another journal asks is refused by the run, and never asked', async (t) => {
    const dataDir = tempDir(t);
    const leave = (n: number, hash: string) =>
      leaveRequest(dataDir, {
        ...{ command: { kind: 'adopt', symbol: 'BTCUSDT' }, by: 'me', at: 5 },
        row: { n, hash },
      });
    const [ours, other, beyond] = [leave(7, 'hash of 7'), leave(7, 'of another'), leave(8, 'hash of 8')];
    const asked: OperatorRequest[] = [];
    const { made } = desk(dataDir, asked, ANSWER);
    await nextTurn();
    made.stop();
    assert.deepEqual(
      asked.map(({ id }) => id),
      [ours],
    );
    for (const id of [other, beyond]) assert.equal(takeAnswer(dataDir, id)?.outcome, 'refused');
  });

  test('what is no request is put aside and never asked', async (t) => {
    const dataDir = tempDir(t);
    mkdirSync(path.join(dataDir, 'requests'));
    for (const [name, text] of [
      ['a.json', '{'],
      ['b.json', '{"command":{"kind":"withdraw"},"by":"me","at":1}'],
      ['c.json', '{"command":{"kind":"pause"}}'],
      ['d.json', '{"command":{"kind":"pause"},"by":"me","at":1,"row":{"n":"7"}}'],
    ] as const)
      writeFileSync(path.join(dataDir, 'requests', name), text);
    const asked: OperatorRequest[] = [];
    const { made } = desk(dataDir, asked, ANSWER);
    await nextTurn();
    made.stop();
    assert.equal(asked.length, 0);
    for (const name of ['a', 'b', 'c', 'd'])
      assert.ok(existsSync(path.join(dataDir, 'requests', `${name}.json.refused`)), name);
  });
});

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('durable timers in real time', () => {
  test('fire at their deadline, follow what is armed, and stop', () => {
    const time = new VirtualTime(1_000);
    const timers = new DurableTimers();
    const fired: string[] = [];
    let rearm: () => void = () => {};
    const runtime = {
      timers,
      observe: (observer: () => void) => {
        rearm = observer;
      },
      fireDueTimers: () => {
        const due = timers.takeDue(time.now());
        for (const { timer } of due) fired.push(`${timer.id}@${time.now()}`);
        return due.length;
      },
    } as unknown as ActorRuntime;
    const arm = (actor: string, id: string, due: number): void => {
      timers.replace(actor, [{ id, due, kind: 'named', event: { type: 'X' } }]);
      rearm();
    };
    const pump = new TimerPump(runtime, time);
    arm('a', 'first', 1_500);
    time.advanceTo(1_600);
    assert.deepEqual(fired, [], 'not started yet');
    pump.start();
    time.advanceTo(1_700);
    assert.deepEqual(fired, ['first@1601']);
    arm('b', 'later', 200_000);
    arm('c', 'sooner', 2_000);
    time.advanceTo(250_000);
    assert.deepEqual(fired.slice(1), ['sooner@2000', 'later@200000']);
    arm('d', 'never', 300_000);
    pump.stop();
    time.advanceTo(400_000);
    assert.equal(fired.length, 3);
  });
});

describe('a histogram', () => {
  test('counts, and says where most and nearly all lie', () => {
    const histogram = new Histogram();
    assert.deepEqual(histogram.status(), {
      ...{ count: 0, meanMs: null, maxMs: null, p50Ms: null, p95Ms: null, p99Ms: null, buckets: [] },
    });
    for (let i = 0; i < 98; i++) histogram.add(20);
    histogram.add(700);
    histogram.add(90_000);
    const { count, maxMs, p50Ms, p95Ms, p99Ms, buckets } = histogram.status();
    assert.deepEqual([count, maxMs, p50Ms, p95Ms, p99Ms], [100, 90_000, 22.5, 24.8, 650]);
    assert.deepEqual(buckets.at(-1), { toMs: null, count: 1 });
  });

  test('is on the same side of each aim as what was measured, however near', () => {
    const p95Of = (ms: number): number => {
      const histogram = new Histogram();
      // One in twenty is far off, on either side: the nineteenth decides.
      for (let i = 0; i < 20; i++) histogram.add(i === 0 ? 1 : i < 19 ? ms : 40_000);
      return histogram.status().p95Ms ?? Number.NaN;
    };
    for (const aim of [200, 1_000]) {
      for (const below of [0.5, 1, 10, 40]) assert.ok(p95Of(aim - below) < aim, `${aim} - ${below}`);
      for (const above of [0.5, 1, 10, 40]) assert.ok(p95Of(aim + above) >= aim, `${aim} + ${above}`);
    }
    for (const ms of [105, 180, 520, 640]) {
      const even = new Histogram();
      for (let i = 0; i < 100; i++) even.add(ms - 20 + (i * 20) / 95);
      const { p95Ms } = even.status();
      assert.ok(Math.abs((p95Ms ?? 0) - ms) < ms / 10, `${ms} reads ${p95Ms}`);
    }
  });
});
