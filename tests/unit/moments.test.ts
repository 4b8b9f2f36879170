/** Any past moment of a golden demo: what stands in its rows, engines rebuilt, and the way from row to row. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { machineRegistry } from '../../src/app/compose/compose.ts';
import { type RunIdentity, readIdentity } from '../../src/app/run/run-identity.ts';
import type { JournalRow } from '../../src/journal/journal.ts';
import { Moments } from '../../supervisors/moments.ts';
import { goldenDatabase, goldenNames, readGolden } from '../support/golden.ts';

let rows: readonly JournalRow[];
let moments: Moments;

before(async () => {
  const golden = await readGolden(goldenNames().find((name) => name.endsWith('-demo')) ?? '');
  ({ rows } = golden);
  const { store } = await goldenDatabase(golden, 'test', rows.length);
  const identity = (await readIdentity(store)) as RunIdentity;
  moments = new Moments(store, machineRegistry(identity, identity.instruments).registry);
});

const parsed = (row: JournalRow | undefined) => JSON.parse(row?.snapshot ?? 'null');

test('an actor at a row is the snapshot of its newest row up to there', async () => {
  for (const n of [40, 400, 1_200, rows.length]) {
    for (const moment of await moments.actors(n)) {
      const own = rows.filter((row) => row.actor === moment.actor && row.n <= n).at(-1);
      assert.deepEqual([moment.n, moment.seq, moment.final], [own?.n, own?.seq, own?.final]);
      if (moment.value !== null) assert.deepEqual(moment.context, parsed(own).context);
    }
  }
  const alive = await moments.actors(rows.length, 'alive');
  assert.ok(alive.length > 0 && alive.every(({ final }) => !final));
});

test('an engine between two checkpoints is rebuilt: at the next checkpoint it is that one', async () => {
  const checkpoints = rows.filter(({ actor, snapshot, seq }) => actor === 'venue' && snapshot && seq > 64);
  const [checkpoint] = checkpoints;
  assert.ok(checkpoint);
  const there = await moments.actor('venue', checkpoint.n);
  assert.deepEqual(there?.context, parsed(checkpoint));
  const between = await moments.actor('venue', checkpoint.n - 1);
  assert.equal(between?.seq, checkpoint.seq - 1);
  assert.deepEqual(Object.keys(between?.context as object).sort(), Object.keys(parsed(checkpoint)).sort());
  assert.notDeepEqual(between?.context, there?.context);
});

test('forward and back, through all rows and through one actor\u2019s', async () => {
  const position = rows.find(({ actor }) => actor.startsWith('position/'))?.actor ?? '';
  const own = rows.filter(({ actor }) => actor === position).map(({ n }) => n);
  const walked: number[] = [];
  for (let row = await moments.next(0, position); row; row = await moments.next(row.n, position))
    walked.push(row.n);
  assert.deepEqual(walked, own);
  const back: number[] = [];
  for (let n = rows.length + 1; ; ) {
    const row = await moments.previous(n, position);
    if (!row) break;
    back.push(row.n);
    n = row.n;
  }
  assert.deepEqual(back.reverse(), own);
  assert.equal((await moments.next(41))?.n, 42);
  assert.equal((await moments.previous(42))?.n, 41);
  assert.equal(await moments.next(rows.length), undefined);
  assert.equal(await moments.previous(1), undefined);
  assert.equal((await moments.rowsOf(position, 2, 3)).length, 3);
});

test('the row of a moment is the last one up to it', async () => {
  for (const row of [rows[0], rows[700], rows.at(-1)]) {
    assert.ok(row);
    const last = rows.filter(({ at }) => at <= row.at).at(-1);
    assert.equal(await moments.rowAt(row.at), last?.n);
  }
  assert.equal(await moments.rowAt((rows[0]?.at ?? 0) - 1), 0);
  assert.deepEqual(await moments.last(), { n: rows.length, at: rows.at(-1)?.at });
});
