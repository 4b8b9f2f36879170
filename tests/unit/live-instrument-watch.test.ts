/** When the instruments are read: now and then, and at once when the stream says that a contract has changed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InstrumentWatch, type WatchOptions } from '../../src/app/live/instrument-watch.ts';
import { VirtualTime } from '../../src/core/clock.ts';
import type { ActorEvent } from '../../src/domain/events.ts';
import { INSTRUMENT } from '../support/machine-bench.ts';

const HOUR = 3_600_000;

function bench() {
  const time = new VirtualTime(0);
  const readAt: number[] = [];
  const told: ActorEvent[] = [];
  let atVenue = INSTRUMENT;
  let known = INSTRUMENT;
  const watch = new InstrumentWatch({
    gateway: {
      instruments: async () => {
        readAt.push(time.now());
        return [atVenue];
      },
    },
    runtime: {
      actor: () => ({ context: { instrument: known } }),
      tell: ({ event }: { event: ActorEvent }) => {
        told.push(event);
        known = event.instrument as unknown as typeof known;
      },
    },
    instruments: [INSTRUMENT],
    realTime: time,
    everyMs: HOUR,
    epoch: 1,
    log: { info() {}, warn() {} },
  } as unknown as WatchOptions);
  const pass = async (ms: number): Promise<void> => {
    time.advanceTo(time.now() + ms);
    for (let turn = 0; turn < 8; turn++) await Promise.resolve();
  };
  return { watch, readAt, told, pass, change: (more: object) => (atVenue = { ...atVenue, ...more }) };
}

test('the stream’s word is read at once, once more when a reading can no longer lag, and then as ever', async () => {
  const b = bench();
  await b.watch.start();
  await b.pass(600_000);
  b.watch.changed('BTCUSDT');
  await b.pass(0);
  assert.deepEqual(b.told, [], 'what REST shows is still the old');
  b.change({ status: 'TRADING_HALT' });
  await b.pass(5_000);
  assert.deepEqual(
    b.told.map(({ type }) => type),
    ['INSTRUMENT'],
  );
  await b.pass(HOUR);
  assert.deepEqual(b.readAt, [0, 600_000, 605_000, 605_000 + HOUR]);
  b.watch.changed('ETHUSDT');
  await b.pass(0);
  assert.equal(b.readAt.length, 4, 'no symbol of ours');
});

test('many words during one reading ask for one more', async () => {
  const b = bench();
  const reading = b.watch.start();
  for (let i = 0; i < 50; i++) b.watch.changed('BTCUSDT');
  await reading;
  await b.pass(5_000);
  await b.pass(5_000);
  assert.deepEqual(b.readAt, [0, 5_000, 10_000]);
  b.watch.stop();
  await b.pass(2 * HOUR);
  assert.equal(b.readAt.length, 3);
});
