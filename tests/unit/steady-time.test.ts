/** The time of a live run: follows the machine's clock forwards, and is never set back by it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { TimerPump } from '../../src/app/drive/timer-pump.ts';
import { steadyTime, type Time, VirtualTime } from '../../src/core/clock.ts';
import type { ActorRuntime } from '../../supervisors/actor-runtime.ts';
import { DurableTimers } from '../../supervisors/durable-timers.ts';

/** A wall clock that can be set, over a monotonic one that cannot. */
function settable() {
  const virtual = new VirtualTime(1_000_000);
  const wall = { shift: 0 };
  const real: Time = {
    clock: { now: () => virtual.now() + wall.shift },
    monotonic: virtual,
    timers: virtual,
  };
  return { virtual, wall, real };
}

describe('a steady time', () => {
  test('never runs backwards, always goes on, and is the wall clock again once that has caught up', () => {
    const steps = fc.array(
      fc.record({
        passes: fc.integer({ min: 1, max: 60_000 }),
        set: fc.integer({ min: -40_000, max: 40_000 }),
      }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        const { virtual, wall, real } = settable();
        const { clock } = steadyTime(real);
        let before = clock.now();
        for (const { passes, set } of all) {
          wall.shift += set;
          virtual.advanceTo(virtual.now() + passes);
          const now = clock.now();
          assert.ok(now >= before + Math.floor(passes / 2) - 1, 'at half its pace at least');
          assert.ok(now >= real.clock.now());
          before = now;
        }
        virtual.advanceTo(virtual.now() + 2 * Math.max(0, before - real.clock.now()) + 2);
        assert.equal(clock.now(), real.clock.now());
      }),
    );
  });

  test('a clock that is set back by an hour does not keep durable timers waiting for it', () => {
    const { virtual, wall, real } = settable();
    const time = steadyTime(real);
    const timers = new DurableTimers();
    let fired = 0;
    const runtime = {
      timers,
      observe: () => {},
      fireDueTimers: () => {
        fired += timers.takeDue(time.clock.now()).length;
      },
    } as unknown as ActorRuntime;
    const event = { type: 'UNPROTECTED' };
    timers.replace('position/a', [{ id: 'x', kind: 'named', due: time.clock.now() + 10_000, event }]);
    const pump = new TimerPump(runtime, time);
    pump.start();
    wall.shift = -3_600_000;
    virtual.advanceTo(virtual.now() + 60_000);
    pump.stop();
    assert.equal(fired, 1);
  });
});
