import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../src/core/json.ts';
import type { ActorEvent } from '../../src/domain/events.ts';
import { type EngineFactory, type ReplayedEngine, ReplayedLogic } from '../../supervisors/replayed-logic.ts';

const EVERY = 4;

/** Order matters: the state is a running hash of the amounts. */
function engine(start: number): ReplayedEngine {
  let sum = start;
  return {
    apply: (event: ActorEvent) => {
      sum = (sum * 31 + Number(event.amount)) % 1_000_003;
      return [{ type: 'notify', level: 'info', text: String(sum) }];
    },
    checkpoint: () => ({ sum }),
  };
}

const FACTORY: EngineFactory = {
  machine: 'engine@1',
  create: () => engine(7),
  restore: (checkpoint: Json) => engine((checkpoint as { sum: number }).sum),
};

const events = Array.from({ length: 23 }, (_, i): ActorEvent => ({ type: 'ADD', amount: i * i }));

test('property 30: a checkpoint and the inputs since give the state of a full replay, at every cut', () => {
  for (let cut = 0; cut <= events.length; cut++) {
    const whole = new ReplayedLogic(FACTORY, EVERY);
    whole.start({});
    let checkpoint = whole.snapshot(1);
    let since: ActorEvent[] = [];
    for (const [index, event] of events.slice(0, cut).entries()) {
      whole.send(event);
      const snapshot = whole.snapshot(index + 2);
      checkpoint = snapshot ?? checkpoint;
      since = snapshot === null ? [...since, event] : [];
    }
    assert(checkpoint !== null && since.length < EVERY, 'a start replays few inputs');
    const restored = new ReplayedLogic(FACTORY, EVERY);
    restored.restore(checkpoint, since);
    for (const event of events.slice(cut)) assert.deepEqual(restored.send(event), whole.send(event));
    assert.equal(restored.snapshot(EVERY), whole.snapshot(EVERY));
  }
});

test('a checkpoint that cannot be read is ACTOR_UNRESTORABLE', () => {
  const logic = new ReplayedLogic(FACTORY, EVERY);
  assert.throws(() => logic.restore('{"sum":', []), { code: 'ACTOR_UNRESTORABLE' });
});
