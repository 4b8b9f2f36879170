/** The checkers of what lives and of what is replayed are ones that can fail (9, 12, 13). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveSystem } from '../../src/app/compose/compose-live.ts';
import { AliveCheck } from '../../src/app/simulation/checks/alive-check.ts';
import type { Oracle } from '../../src/app/simulation/checks/oracle.ts';
import { checkAlive, unsettled } from '../../src/app/simulation/checks/settled-check.ts';
import { VenueEye } from '../../src/app/simulation/checks/venue-eye.ts';

type Actors = Readonly<Record<string, number>>;

/** A run in which these actors stand at these seqs, with so many timers armed. */
const running = (actors: Actors, timers: number): LiveSystem =>
  ({
    runtime: {
      actorIds: () => Object.keys(actors),
      actor: (id: string) => (id in actors ? { seq: actors[id] } : undefined),
      timers: { size: timers },
    },
  }) as unknown as LiveSystem;

const row = (seq: number, timers = 0) => ({
  ...{ seq, n: seq, snapshot: null },
  host: JSON.stringify({ timers: Array.from({ length: timers }, (_, i) => ({ id: `${i}`, due: 9 })) }),
});
const journal = {
  live: new Map([
    ['portfolio', row(7)],
    ['venue', row(9, 2)],
  ]),
} as unknown as Oracle['journal'];
const WELL: Actors = { portfolio: 7, venue: 9 };

const wrong = (actors: Actors, timers: number): string[] =>
  checkAlive(running(actors, timers), journal).map(({ invariant, text }) => `${invariant} ${text}`);

test('who lives, where he stands, and what is armed', () => {
  assert.deepEqual(wrong(WELL, 2), []);
  assert.deepEqual(wrong({ venue: 9 }, 2), ['12 portfolio lives in the journal and in no process']);
  assert.deepEqual(wrong({ ...WELL, venue: 8 }, 2), ['12 venue stands at 8, its newest row is 9']);
  assert.deepEqual(wrong({ ...WELL, ghost: 1 }, 2), ['12 ghost runs, and the journal has it not']);
  assert.deepEqual(wrong(WELL, 1), ['12 1 timers are armed, the journal has 2']);
});

/** What is said of a run that is looked at every second, by what it is at each. */
function looking(at: (second: number) => LiveSystem | undefined): number[] {
  const said: number[] = [];
  let now = 0;
  const oracle = { now: () => now, violate: () => said.push(now / 1_000), journal } as unknown as Oracle;
  const check = new AliveCheck(oracle, () => at(now / 1_000));
  check.started();
  for (; now < 100_000 && said.length === 0; now += 1_000) check.step();
  return said;
}

test('what stays wrong is said, soon after a start and within a minute later', () => {
  const [well, ill] = [running(WELL, 2), running(WELL, 1)];
  assert.deepEqual(
    looking(() => well),
    [],
  );
  assert.deepEqual(
    looking(() => ill),
    [15],
  );
  const timers = { size: 2 };
  const falling = { runtime: { ...well.runtime, timers } } as unknown as LiveSystem;
  const [at = 0] = looking((second) => {
    if (second > 20) timers.size = 1;
    return falling;
  });
  assert.ok(at > 20 && at <= 80, `${at}`);
});

test('not what is under way, nor while nothing is quiet', () => {
  const [well, ill] = [running(WELL, 2), running(WELL, 1)];
  // One and the same run, and a moment later the row is there.
  const timers = { size: 1 };
  const writing = { runtime: { ...well.runtime, timers } } as unknown as LiveSystem;
  const settled = looking((second) => {
    if (second >= 8) timers.size = 2;
    return writing;
  });
  assert.deepEqual(settled, []);
  assert.deepEqual(
    looking((second) => (second % 10 === 0 ? undefined : ill)),
    [],
  );
});

test('nobody who trades once all faults are over', () => {
  const eye = new VenueEye(
    () => ({}) as never,
    0,
    () => undefined,
  );
  assert.deepEqual(unsettled(undefined, eye), [{ invariant: 13, text: 'no process trades' }]);
});
