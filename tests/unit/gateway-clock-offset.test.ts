import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Time, VirtualTime } from '../../src/core/clock.ts';
import { ClockOffset, type ClockReading } from '../../src/exchange/binance/clock-offset.ts';

/** A wall clock that can be set, over a monotonic one that cannot. */
function setup(venueAhead: number, roundTrips: readonly number[]) {
  const virtual = new VirtualTime(1_000_000);
  const wall = { shift: 0 };
  const time: Time = {
    clock: { now: () => virtual.now() + wall.shift },
    monotonic: virtual,
    timers: virtual,
  };
  const venue = { ahead: venueAhead, fails: false };
  const readings: ClockReading[] = [];
  let asked = 0;
  const ask = async (): Promise<number> => {
    const roundTripMs = roundTrips[asked++ % roundTrips.length] ?? 0;
    if (venue.fails) throw new Error('no answer');
    // Half of the way there, then the venue looks at its clock.
    virtual.advanceTo(virtual.now() + roundTripMs / 2);
    const answer = Math.floor(virtual.now() + venue.ahead);
    virtual.advanceTo(virtual.now() + roundTripMs / 2);
    return answer;
  };
  const offset = new ClockOffset({ time, ask, onReading: (reading) => readings.push(reading) });
  return { virtual, wall, venue, offset, readings, asked: () => asked };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('the venue\u2019s clock', () => {
  test('is our own until it was measured', () => {
    const { offset, virtual } = setup(5000, [10]);
    assert.equal(offset.venueNow(), virtual.now());
    assert.equal(offset.offsetMs, undefined);
  });

  test('is the median of several round trips, each halved', async () => {
    const { offset, virtual, readings } = setup(3_600_000, [400, 20, 30]);
    await offset.start();
    assert.ok(Math.abs(offset.venueNow() - virtual.now() - 3_600_000) <= 1);
    assert.deepEqual(
      readings.map(({ roundTripMs }) => roundTripMs),
      [30],
    );
    assert.ok(Math.abs((readings[0]?.offsetMs ?? 0) - 3_600_000) <= 1);
    offset.stop();
  });

  test('one slow answer does not move it', async () => {
    const { offset, virtual } = setup(0, [10, 10, 4000]);
    await offset.start();
    assert.ok(Math.abs(offset.venueNow() - virtual.now()) <= 1);
    offset.stop();
  });

  test('stands when the wall clock jumps, which is noticed once', async () => {
    const { offset, virtual, wall } = setup(100, [10]);
    await offset.start();
    wall.shift = -86_400_000;
    assert.ok(Math.abs(offset.venueNow() - virtual.now() - 100) <= 1);
    assert.ok(Math.abs((offset.offsetMs ?? 0) - 86_400_100) <= 1);
    assert.ok(offset.noticeJump());
    assert.ok(!offset.noticeJump());
    assert.equal(offset.wallJumps, 1);
    offset.stop();
  });

  test('is measured anew every minute, and follows', async () => {
    const { offset, virtual, venue, readings } = setup(0, [10]);
    await offset.start();
    venue.ahead = 250;
    virtual.advanceTo(virtual.now() + 60_000);
    for (let i = 0; i < 20; i++) await settled();
    assert.equal(readings.length, 2);
    assert.ok(Math.abs(offset.venueNow() - virtual.now() - 250) <= 1);
    offset.stop();
    virtual.advanceTo(virtual.now() + 600_000);
    await settled();
    assert.equal(readings.length, 2, 'not after it was stopped');
  });

  test('one failed measurement leaves the last one standing; the first must succeed', async () => {
    const { offset, virtual, venue } = setup(700, [10]);
    venue.fails = true;
    await assert.rejects(offset.start(), /no answer/);
    venue.fails = false;
    await offset.start();
    venue.fails = true;
    assert.equal(await offset.measure(), false);
    assert.ok(Math.abs(offset.venueNow() - virtual.now() - 700) <= 1);
    offset.stop();
  });

  test('two who ask for a measurement get the same one', async () => {
    const { offset, asked } = setup(0, [10]);
    await Promise.all([offset.measure(), offset.measure()]);
    assert.equal(asked(), 3);
  });
});
