/** A snapshot's text is JSON.stringify's, whatever contexts came before it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SnapshotText } from '../../supervisors/snapshot-text.ts';

const shared = [{ a: 1 }, [1, 2], { 'b"': null }] as const;
const value = fc.oneof(
  fc.constantFrom(...shared, 0, -0, 1.5, Number.NaN, true, null, undefined, '', 'a"b\\', 'ü\u2028'),
  fc.jsonValue({ maxDepth: 2 }),
);
/** Keys in any order, some there and some not: mostly the same ones, as from one event to the next. */
const context = fc
  .shuffledSubarray(['at', 'orders', 'a"b', 'ledger', 'stop'], { minLength: 2 })
  .chain((keys) => fc.tuple(...keys.map((key) => fc.tuple(fc.constant(key), value))))
  .map((entries) => Object.fromEntries(entries) as Record<string, unknown>);

test('a context is written as JSON has it, with what was written before in mind', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(context, context, fc.boolean()), { maxLength: 12 }), (steps) => {
      const text = new SnapshotText();
      let before: Record<string, unknown> = {};
      for (const [next, changes, isSpread] of steps) {
        const now = isSpread ? { ...before, ...changes } : next;
        before = now;
        const snapshot = { status: 'active', value: 'live', historyValue: {}, context: now, children: {} };
        assert.equal(text.of(snapshot), JSON.stringify(snapshot));
        assert.equal(text.of(snapshot), JSON.stringify(snapshot));
      }
    }),
    { numRuns: 1_000 },
  );
});
