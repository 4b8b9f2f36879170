/** An engine that makes something else of its inputs than before: carried over once, and every row still verified. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../src/core/json.ts';
import { type ActorEvent, VENUE } from '../../src/domain/events.ts';
import type { JournalRow } from '../../src/journal/journal.ts';
import { MemoryDatabase } from '../../src/journal/memory-journal.ts';
import { Replay } from '../../supervisors/replay.ts';
import type { EngineFactory, ReplayedEngine } from '../../supervisors/replayed-logic.ts';
import { TreeHarness } from '../support/tree-harness.ts';

/** Sums of what it is told, times `factor`. */
function engineOf(factor: number, machine: string, older: readonly string[] = []): EngineFactory {
  const at = (start: number): ReplayedEngine => {
    let sum = start;
    return {
      apply: ({ amount }) => {
        sum += factor * Number(amount);
        return [];
      },
      checkpoint: () => ({ sum }),
    };
  };
  return {
    machine,
    older,
    create: () => at(0),
    restore: (checkpoint: Json) => at((checkpoint as { sum: number }).sum),
  };
}

const add = (amount: number): [string, ActorEvent] => [VENUE, { type: 'ADD', amount }];
const OLD = engineOf(1, 'engine@1');
const NEW = engineOf(10, 'engine@2', ['engine@1']);
const rowsOf = (harness: TreeHarness): JournalRow[] => harness.rows().filter(({ actor }) => actor === VENUE);

/** By the old engine until its rows stand after a checkpoint, then by the new one over two starts. */
async function carriedOver() {
  const database = new MemoryDatabase();
  const first = await TreeHarness.start({ database, venue: OLD });
  await first.tell(add(1), add(2), add(4), add(8), add(16));
  const second = await TreeHarness.start({ database, venue: NEW });
  await second.tell(add(32));
  const third = await TreeHarness.start({ database, venue: NEW });
  await third.tell(add(64), add(128));
  return third;
}

test('it is carried over once, in a row of its own that is a checkpoint, with the inputs since the last', async () => {
  const third = await carriedOver();
  assert.deepEqual(
    rowsOf(third).map(({ kind, machine, snapshot }) => `${kind} ${machine} ${snapshot}`),
    [
      'start engine@1 {"sum":0}',
      'event engine@1 null',
      'event engine@1 null',
      'event engine@1 {"sum":7}',
      'event engine@1 null',
      'event engine@1 null',
      // The last two inputs once more, as the engine of today takes them.
      'restored engine@2 {"sum":247}',
      'event engine@2 {"sum":567}',
      'event engine@2 null',
      'event engine@2 null',
    ],
  );
});

test('a replay takes the old rows as given and verifies the others, the one between them among those', async () => {
  const third = await carriedOver();
  const replay = new Replay(third.machines, () => 'test-instance');
  for (const row of third.rows()) assert.deepEqual(replay.take(row), []);
  assert.equal(replay.foreignRows, 6);
  const other = await TreeHarness.start({ venue: engineOf(11, 'engine@2', ['engine@1']) });
  const wrong = new Replay(other.machines, () => 'test-instance');
  const found = rowsOf(third).flatMap((row) => wrong.take(row));
  assert.deepEqual([found[0]?.n, found[0]?.what], [rowsOf(third)[6]?.n, 'snapshot']);
});

test('one that does not know the older machine does not touch its rows', async () => {
  const database = new MemoryDatabase();
  const first = await TreeHarness.start({ database, venue: OLD });
  await first.tell(add(1));
  const again = await TreeHarness.start({ database, venue: engineOf(1, 'engine@3', ['engine@2']) });
  assert.deepEqual(
    again.host.unrestorable.map(({ actor }) => actor),
    [VENUE],
  );
});
