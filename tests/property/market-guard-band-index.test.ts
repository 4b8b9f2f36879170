import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { GuardBandIndex } from '../../src/market/guard-band-index.ts';

type Owners = Map<string, { low: number | undefined; high: number | undefined }>;

/** What the index must answer, the slow way. */
const bruteForce = (owners: Owners, low: number, high: number): string[] =>
  [...owners]
    .filter(
      ([, band]) =>
        (band.low !== undefined && low <= band.low) || (band.high !== undefined && high >= band.high),
    )
    .map(([owner]) => owner)
    .sort();

const price = fc.integer({ min: 1, max: 40 });
const owner = fc.integer({ min: 0, max: 12 }).map((n) => `position/${n}`);
const symbol = fc.constantFrom('AAAUSDT', 'BBBUSDT');
const action = fc.oneof(
  fc.record({
    kind: fc.constant('set' as const),
    symbol,
    owner,
    low: fc.option(price, { nil: undefined }),
    high: fc.option(price, { nil: undefined }),
  }),
  fc.record({ kind: fc.constant('remove' as const), symbol, owner }),
  fc.record({
    kind: fc.constant('check' as const),
    symbol,
    low: price,
    span: fc.integer({ min: 0, max: 10 }),
  }),
);

test('the index wakes exactly whom a look at every position would wake, in owner order', () => {
  fc.assert(
    fc.property(fc.array(action, { minLength: 1, maxLength: 120 }), (actions) => {
      const index = new GuardBandIndex();
      const model = new Map<string, Owners>([
        ['AAAUSDT', new Map()],
        ['BBBUSDT', new Map()],
      ]);
      for (const step of actions) {
        const owners = model.get(step.symbol) as Owners;
        if (step.kind === 'set') {
          index.set(step.symbol, step.owner, step.low, step.high);
          owners.set(step.owner, { low: step.low, high: step.high });
        } else if (step.kind === 'remove') {
          index.remove(step.symbol, step.owner);
          owners.delete(step.owner);
        } else {
          const high = step.low + step.span;
          assert.deepEqual(index.check(step.symbol, step.low, high), bruteForce(owners, step.low, high));
        }
        assert.equal(index.of(step.symbol).size, owners.size);
      }
    }),
    { numRuns: 500, seed: 20250504 },
  );
});

test('inside the band nobody is woken; touching a trigger wakes', () => {
  const index = new GuardBandIndex();
  index.set('AAAUSDT', 'position/1', 90, 110);
  assert.deepEqual(index.check('AAAUSDT', 90.1, 109.9), []);
  assert.deepEqual(index.check('AAAUSDT', 90, 100), ['position/1']);
  assert.deepEqual(index.check('AAAUSDT', 100, 110), ['position/1']);
  assert.deepEqual(index.check('ZZZUSDT', 1, 1000), []);
});

test('a trigger that is not a number is refused, never silently lost', () => {
  assert.throws(
    () => new GuardBandIndex().set('AAAUSDT', 'position/1', Number.NaN, undefined),
    /not a number/,
  );
});
