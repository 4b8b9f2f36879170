import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DurableTimers } from '../../supervisors/durable-timers.ts';
import type { DurableTimer } from '../../supervisors/host-state.ts';

const timer = (id: string, due: number): DurableTimer => ({ id, kind: 'named', due, event: { type: id } });
const taken = (timers: DurableTimers, now: number) =>
  timers.takeDue(now).map(({ actor, timer: { id, due } }) => `${due} ${actor} ${id}`);

test('due timers come out by deadline, then actor, then id, and only once', () => {
  const timers = new DurableTimers();
  assert.equal(timers.nextDue(), Number.POSITIVE_INFINITY);
  timers.replace('b', [timer('y', 5), timer('x', 5), timer('z', 9)]);
  timers.replace('a', [timer('q', 5), timer('p', 3)]);
  assert.equal(timers.size, 5);
  assert.equal(timers.nextDue(), 3);
  assert.deepEqual(taken(timers, 2), []);
  assert.deepEqual(taken(timers, 5), ['3 a p', '5 a q', '5 b x', '5 b y']);
  assert.deepEqual(taken(timers, 5), []);
  assert.equal(timers.nextDue(), 9);
  assert.equal(timers.size, 1);
});

test('a timer that its actor still lists after it was taken is armed again', () => {
  const timers = new DurableTimers();
  const bell = timer('bell', 5);
  timers.replace('a', [bell]);
  assert.deepEqual(taken(timers, 5), ['5 a bell']);
  timers.replace('a', [bell, timer('other', 8)]);
  assert.equal(timers.nextDue(), 5);
  assert.deepEqual(taken(timers, 8), ['5 a bell', '8 a other']);
  assert.equal(timers.size, 0);
});

test('whatever is armed, replaced and taken: as a plain list would have it', () => {
  const actors = ['a', 'b', 'c', 'd'];
  const due = fc.integer({ min: 0, max: 60 });
  const list = fc.uniqueArray(fc.record({ id: fc.constantFrom('x', 'y', 'z'), due }), {
    selector: ({ id }) => id,
  });
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ actor: fc.constantFrom(...actors), list }) },
    { weight: 2, arbitrary: fc.record({ actor: fc.constantFrom(...actors), keepFirst: fc.boolean() }) },
    { weight: 3, arbitrary: fc.record({ now: due }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const timers = new DurableTimers();
      const plain = new Map<string, readonly DurableTimer[]>();
      for (const one of steps) {
        if ('now' in one) {
          const expected = [...plain]
            .flatMap(([actor, armed]) => armed.map((each) => ({ actor, timer: each })))
            .filter((each) => each.timer.due <= one.now)
            .sort(
              (l, r) =>
                l.timer.due - r.timer.due ||
                (l.actor < r.actor ? -1 : l.actor > r.actor ? 1 : l.timer.id < r.timer.id ? -1 : 1),
            );
          assert.deepEqual(timers.takeDue(one.now), expected);
          for (const [actor, armed] of plain)
            plain.set(
              actor,
              armed.filter((each) => each.due > one.now),
            );
        } else {
          const before = plain.get(one.actor) ?? [];
          // As a row does: what stays armed is the same object, what is new is a new one.
          const next =
            'list' in one
              ? one.list.map(({ id, due: at }) => timer(id, at))
              : before.slice(one.keepFirst ? 0 : 1);
          plain.set(one.actor, next);
          timers.replace(one.actor, next);
        }
        const all = [...plain.values()].flat();
        assert.equal(timers.size, all.length);
        assert.equal(timers.nextDue(), Math.min(Number.POSITIVE_INFINITY, ...all.map((each) => each.due)));
      }
    }),
    { numRuns: 300, seed: 21 },
  );
});

test('an actor that moves its deadline for ever does not make the timers grow slow', () => {
  const timers = new DurableTimers();
  for (let i = 0; i < 1_000; i++) timers.replace(`steady/${i}`, [timer('t', 1_000_000 + i)]);
  for (let i = 0; i < 50_000; i++) timers.replace('restless', [timer('t', 2_000_000 - i)]);
  assert.equal(timers.size, 1_001);
  assert.equal(timers.nextDue(), 1_000_000);
  assert.equal(timers.takeDue(1_000_000 + 999).length, 1_000);
  assert.deepEqual(taken(timers, 2_000_000), ['1950001 restless t']);
});
