/** The gentle pace of a compaction, on a store as slow as it is told to be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GentlePace } from '../../src/app/store/compaction-pace.ts';
import { turn, VirtualTime } from '../../src/core/clock.ts';

const OPTIONS = { rows: 20, least: 5, most: 200, aimMs: 15, pauseMs: 25 };

/** Batches whose rows take so long each; how large they were, and how long the store was free after each. */
async function paced(msPerRow: number, batches: number) {
  const time = new VirtualTime();
  const pace = new GentlePace(OPTIONS, time);
  const sizes: number[] = [];
  const pauses: number[] = [];
  for (let i = 0; i < batches; i++) {
    const { rows } = pace;
    const done = pace.batch(async () => time.advanceTo(time.now() + rows * msPerRow));
    await turn();
    const due = time.nextDeadline() ?? 0;
    pauses.push(Math.round(due - time.now()));
    time.advanceTo(due);
    await done;
    sizes.push(rows);
  }
  return { sizes, pauses };
}

test('a fast store is given more and more rows, up to a bound', async () => {
  const { sizes, pauses } = await paced(0.01, 60);
  assert.equal(sizes[0], OPTIONS.rows);
  assert.ok(sizes.every((size, i) => size >= (sizes[i - 1] ?? 0)));
  assert.equal(sizes.at(-1), OPTIONS.most);
  assert.deepEqual([...new Set(pauses)], [OPTIONS.pauseMs]);
});

test('a slow one gets few, and is free at least half of the time', async () => {
  const { sizes, pauses } = await paced(10, 20);
  assert.equal(sizes.at(-1), OPTIONS.least);
  assert.ok(pauses.every((pause, i) => pause >= (sizes[i] ?? 0) * 10));
});

test('between the two a batch takes about what it may', async () => {
  const { sizes } = await paced(0.3, 60);
  const late = sizes.slice(20).map((size) => size * 0.3);
  assert.ok(
    late.every((ms) => ms <= OPTIONS.aimMs * 1.2 && ms >= OPTIONS.aimMs / 3),
    String(late),
  );
});
