/**
 * What holds of the exits by rule whatever is said in whatever order: at most one decision an event, and the first
 * by precedence; the cap always wins over words; no rule ever opens; and an emergency close ends flat.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decide, momentOf, verdicts } from '../../machines/position/exit-rules/decide.ts';
import { DEFAULT_EXITS } from '../../machines/position/exit-rules/plan.ts';
import { RULE_NAMES, type RuleName } from '../../machines/position/exit-rules/records.ts';
import type { PositionEvent } from '../../machines/position.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { ActorEvent } from '../../src/domain/events.ts';
import { PositionBench } from '../support/machine-bench.ts';
import { TinyVenue } from '../support/tiny-venue.ts';

const rank = (rule: RuleName): number => RULE_NAMES.indexOf(rule);
/** Hundredths: even numbers are as likely as small ones. */
const hundredths = (min: number, max: number) => fc.integer({ min, max }).map((n) => n / 100);

const mark = fc.integer({ min: 850, max: 1_150 }).map((tenths) => tenths / 10);
const word = fc.oneof(
  mark.map((at) => ({ type: 'PRICE', mark: at, last: at })),
  fc.record({
    type: fc.constant('EXIT_OPINION'),
    confidence: hundredths(0, 100),
    reason: fc.constant('m'),
    mark,
  }),
  fc.record({
    type: fc.constant('EXIT_SIGNAL'),
    reason: fc.constant('s'),
    signal: fc.constantFrom('exit', 'opposite'),
    confidence: hundredths(0, 100),
    mark,
  }),
  fc.record({
    type: fc.constant('REGIME'),
    regime: fc.constant('r'),
    suits: fc.subarray(['long', 'short']),
    mark,
  }),
  fc.record({
    type: fc.constant('FUNDING_AHEAD'),
    rate: fc.integer({ min: -20, max: 20 }).map((n) => n / 10_000),
    settlesAt: fc.constant(1_800_000),
    mark,
  }),
  fc.record({ type: fc.constant('TIME_STOP'), mark }),
);
const setting = fc.record({
  direction: fc.constantFrom('long' as const, 'short' as const),
  fallback: fc.boolean(),
  cap: fc.boolean(),
  parts: fc.boolean(),
});

interface Setting {
  readonly direction: 'long' | 'short';
  readonly fallback: boolean;
  readonly cap: boolean;
  readonly parts: boolean;
}

const opened = ({ direction, fallback, cap, parts }: Setting): PositionBench =>
  new PositionBench({
    entry: { direction, stopPrice: direction === 'long' ? '80' : '120' },
    plan: {
      scaleOut: parts ? [{ profitPercent: '2', sharePercent: '50' }] : [],
      pyramid: {
        maxAdds: 1,
        stepPercent: '3',
        sizeFactor: '0.5',
        confirm: 'touch' as const,
        maxExposure: '10',
      },
      timeStopMs: 3_600_000,
      exits: {
        ...DEFAULT_EXITS,
        fallback: fallback ? DEFAULT_EXITS.fallback : null,
        hardCapLoss: cap ? DEFAULT_EXITS.hardCapLoss : null,
      },
    },
  }).open();

test('one decision an event: the first by precedence; what else was due is recorded, and nothing opens', () => {
  const winners = new Set<string>();
  fc.assert(
    fc.property(setting, fc.array(word, { minLength: 1, maxLength: 12 }), (given, words) => {
      const bench = opened(given);
      for (const event of words) {
        const before = bench.state;
        const { type, ...data } = event;
        bench.send(type, data);
        const after = bench.state;
        const orders = bench.orders().filter((order) => order.triggerPrice === undefined);
        assert.ok(orders.length <= 1, 'at most one order that trades at once');
        assert.ok(
          orders.every((order) => order.reduceOnly),
          'no rule opens',
        );
        if (before.decision !== null) {
          assert.deepEqual(after.decision, before.decision, 'what is decided stays');
          continue;
        }
        if (after.decision === null) continue;
        const { rule } = after.decision;
        winners.add(rule);
        const lost = after.suppressed.filter(({ at, by }) => at === bench.at && by === rule);
        assert.ok(lost.every((one) => rank(one.rule) > rank(rule)));
        assert.equal(orders.length, 1, 'it is carried out in the same row');
        const beyondCap = given.cap && (given.direction === 'long' ? event.mark <= 90 : event.mark >= 110);
        if (beyondCap) assert.ok(['stop', 'hard-cap'].includes(rule), `${rule} beat the cap`);
      }
      const last = words.at(-1);
      const judged = bench.in('open') && last !== undefined && given.cap;
      if (judged)
        assert.ok(given.direction === 'long' ? last.mark > 90 : last.mark < 110, 'the cap was passed over');
    }),
    { numRuns: 400 },
  );
  for (const rule of [
    'hard-cap',
    'emergency-fallback',
    'model',
    'opposite',
    'regime',
    'funding',
    'time-stop',
  ])
    assert.ok(winners.has(rule), `${rule} never won`);
});

test('judging is pure, and in the order of precedence', () => {
  fc.assert(
    fc.property(setting, word, (given, said) => {
      const { state } = opened(given);
      const event = { ...said, at: state.at + 10 } as PositionEvent;
      const frozen = JSON.stringify(state);
      const due = verdicts(state, momentOf(event)).map(({ rule }) => rank(rule));
      assert.deepEqual(
        due,
        [...due].sort((a, b) => a - b),
      );
      assert.equal(new Set(due).size, due.length, 'each rule once');
      assert.equal(
        decide(state, momentOf(event)).verdict?.rule ?? null,
        due.length ? RULE_NAMES[due[0] ?? 0] : null,
      );
      assert.equal(JSON.stringify(state), frozen);
    }),
    { numRuns: 200 },
  );
});

const EMERGENCIES: readonly ActorEvent[] = [
  { type: 'KILL', reason: 'all' },
  { type: 'PRICE', mark: 89, last: 89 },
  { type: 'PRICE', mark: 91.9, last: 91.9 },
];

test('an emergency close ends flat and settled, whatever the venue refuses, loses or fills in pieces', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), fc.constantFrom(...EMERGENCIES), (seed, emergency) => {
      const random = seededRandom(seed);
      const venue = new TinyVenue('100', () => random.next());
      venue.moody = false;
      const bench = new PositionBench({ entry: { stopPrice: '80' }, plan: { trailing: null } });
      const hear = (): void => {
        const event = venue.queue.shift();
        if (!event || bench.isDone()) return;
        bench.deliver(event);
        venue.take(bench.last);
      };
      venue.take(bench.last);
      while (!bench.in('open.protection.covered')) hear();
      venue.moody = true;
      bench.deliver(emergency);
      venue.take(bench.last);
      assert.ok(bench.in('emergencyClosing'));
      for (let round = 0; round < 400 && !bench.isDone(); round++) {
        // Its mood never gets better for as long as twenty rounds.
        if (round > 20) venue.moody = random.next() < 0.5;
        while (venue.queue.length > 0) hear();
        venue.settle();
        while (venue.queue.length > 0) hear();
        if (!bench.isDone() && bench.fireNext()) venue.take(bench.last);
      }
      assert.equal(bench.value, 'closed', JSON.stringify(bench.value));
      assert.equal(venue.position, '0');
      assert.deepEqual(venue.liveOrders(), []);
    }),
    { numRuns: 150 },
  );
});
