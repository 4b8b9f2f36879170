/** The durable step under any cut, any failed append and any schedule of events. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VirtualTime } from '../../src/core/clock.ts';
import { BulkheadError } from '../../src/core/errors.ts';
import type { ActorEvent } from '../../src/domain/events.ts';
import type { JournalRow } from '../../src/journal/journal.ts';
import { MemoryJournal } from '../../src/journal/memory-journal.ts';
import { verifyChain } from '../../src/journal/row-hash.ts';
import { MachineRegistry } from '../../supervisors/machine-registry.ts';
import { Replay } from '../../supervisors/replay.ts';
import { Harness } from '../support/runtime-harness.ts';
import { toyMachine } from '../support/toy-machine.ts';

const ACTORS = ['toy/a', 'toy/b', 'toy/c'];

const event = fc.oneof(
  fc.record({ type: fc.constant('ADD'), amount: fc.integer({ min: 1, max: 9 }) }),
  fc.record({
    type: fc.constant('TELL'),
    to: fc.constantFrom(...ACTORS, 'toy/nobody'),
    amount: fc.integer({ min: 1, max: 9 }),
  }),
  fc.record({ type: fc.constantFrom('OPEN', 'CLOSE', 'LATER', 'ARM', 'DISARM', 'THROW') }),
  fc.record({ type: fc.constant('BUY'), ref: fc.string({ minLength: 1, maxLength: 4 }) }),
);
/** Turns of tells; all of one turn are sent at once. Time moves between turns. */
const script = fc.array(
  fc.record({
    advanceMs: fc.integer({ min: 0, max: 6_000 }),
    tells: fc.array(fc.record({ to: fc.constantFrom(...ACTORS), event }), { minLength: 1, maxLength: 4 }),
  }),
  { minLength: 1, maxLength: 8 },
);
type Script = readonly { advanceMs: number; tells: readonly { to: string; event: ActorEvent }[] }[];

/** Plays the turns from `from` on; a turn is known by its number in the cause. */
async function play(harness: Harness, turns: Script, from = 0): Promise<void> {
  await harness.runtime.quiescent();
  let at = 1_000;
  for (const [index, { advanceMs, tells }] of turns.entries()) {
    at += advanceMs;
    if (index < from) continue;
    await harness.advanceTo(at);
    for (const { to, event: told } of tells) {
      harness.runtime.tell({ to, event: told, cause: { kind: 'external', id: `turn-${index}` } });
    }
    await harness.runtime.quiescent();
  }
}

const content = (rows: readonly JournalRow[]) => rows.map(({ epoch: _e, hash: _h, ...rest }) => rest);

async function journalOf(rows: readonly JournalRow[], clock: VirtualTime): Promise<MemoryJournal> {
  const store = new MemoryJournal({ account: 'test', clock });
  await store.open();
  const lease = await store.acquireLease('writer', 0);
  if (rows.length > 0) await store.append(lease, rows, 0);
  return store;
}

test('any prefix of the journal restores to a state whose future is that of the run never killed', async () => {
  await fc.assert(
    fc.asyncProperty(script, fc.nat(), async (turns, cutSeed) => {
      const whole = await Harness.start({ actors: ACTORS });
      await play(whole, turns);
      const rows = await whole.rows();
      // A crash keeps whole batches; the start rows are one batch.
      const cut = ACTORS.length + (cutSeed % (rows.length - ACTORS.length + 1));
      const kept = rows.slice(0, cut);
      const clock = new VirtualTime(1_000);
      const store = await journalOf(kept, clock);
      const resumed = await Harness.start({ store, time: clock, owner: 'two' });
      await resumed.runtime.quiescent();
      // Turns whose tells are all journaled are not told again; a turn cut in the middle is told in its rest.
      const told = kept
        .map((row) => JSON.parse(row.cause))
        .filter((cause) => cause.kind === 'external' && cause.id !== 'boot');
      let journaled = told.length;
      let from = 0;
      for (const { tells } of turns) {
        if (journaled < tells.length) break;
        journaled -= tells.length;
        from += 1;
      }
      const inMidTurn = journaled > 0;
      if (!inMidTurn) {
        await play(resumed, turns, from);
        const again = await store.rowsAfter(0, 100_000);
        assert.deepEqual(content(again), content(rows));
      }
      verifyChain(await store.rowsAfter(0, 100_000));
      assert.equal(resumed.runtime.outstandingRows, 0);
    }),
    { numRuns: 150, seed: 11 },
  );
});

test('property 27 and 30: replaying the events of every actor gives byte-identical snapshots and intents', async () => {
  await fc.assert(
    fc.asyncProperty(script, async (turns) => {
      const harness = await Harness.start({ actors: ACTORS });
      await play(harness, turns);
      const replay = new Replay(new MachineRegistry([toyMachine()]), () => 'test-instance');
      for (const row of await harness.rows()) assert.deepEqual(replay.take(row), []);
    }),
    { numRuns: 60, seed: 12 },
  );
});

test('a failed append at any position leaves no gap, loses no event and releases nothing early', async () => {
  const fault = fc.record({
    at: fc.integer({ min: 1, max: 12 }),
    when: fc.constantFrom('before', 'after'),
    times: fc.integer({ min: 1, max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(script, fc.array(fault, { minLength: 1, maxLength: 4 }), async (turns, plan) => {
      const calm = await Harness.start({ actors: ACTORS });
      await play(calm, turns);
      let appends = 0;
      const left = plan.map((f) => ({ ...f }));
      const strike = (when: 'before' | 'after') => {
        const due = left.find((f) => f.when === when && f.at <= appends && f.times > 0);
        if (!due) return;
        due.times -= 1;
        throw new BulkheadError('STORE_UNAVAILABLE', 'connection lost');
      };
      const stormy = await Harness.start({
        actors: ACTORS,
        faults: {
          before: (operation) => {
            if (operation !== 'append') return;
            appends += 1;
            strike('before');
          },
          after: (operation) => {
            if (operation === 'append') strike('after');
          },
        },
      });
      let seen = 0;
      stormy.runtime.observe(({ row }) => {
        assert.equal(row.n, ++seen, 'released once, in order');
      });
      await play(stormy, turns);
      assert.deepEqual(content(await stormy.rows()), content(await calm.rows()));
      assert.equal(seen, (await stormy.rows()).length);
    }),
    { numRuns: 60, seed: 13 },
  );
});
