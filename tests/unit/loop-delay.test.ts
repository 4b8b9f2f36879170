import assert from 'node:assert/strict';
import { createHistogram } from 'node:perf_hooks';
import { test } from 'node:test';
import { LoopDelay } from '../../src/app/run/loop-delay.ts';
import { VirtualTime } from '../../src/core/clock.ts';

const MINUTE_MS = 60_000;

test('a stall is seen however long it went well before, and is over two minutes later', () => {
  const time = new VirtualTime();
  const histogram = Object.assign(createHistogram(), { enable: () => true, disable: () => true });
  const delay = new LoopDelay(time, histogram as unknown as ConstructorParameters<typeof LoopDelay>[1]);
  const record = (ms: number, times: number): void => {
    for (let i = 0; i < times; i++) histogram.record(ms * 1e6);
  };
  const later = (ms: number): number => {
    time.advanceTo(time.now() + ms);
    return delay.look();
  };
  for (let hour = 0; hour < 60; hour++) {
    record(1, 3_000);
    assert.ok(later(MINUTE_MS) < 2);
  }
  record(600, 50);
  assert.ok(later(MINUTE_MS / 2) > 500, 'in its own minute');
  record(1, 1_000);
  later(MINUTE_MS / 2);
  record(1, 3_000);
  assert.ok(later(MINUTE_MS / 2) > 500, 'in the minute after');
  later(MINUTE_MS / 2);
  record(1, 3_000);
  assert.ok(later(MINUTE_MS) < 2, 'over');
});
