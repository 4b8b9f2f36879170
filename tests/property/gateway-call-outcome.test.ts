import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { classifyFailure, isWorthRepeating, VenueFailure } from '../../src/exchange/call-outcome.ts';

const readsBadly = {
  get message(): string {
    throw new Error('no');
  },
};

const junk = fc.oneof(
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
  fc.string().map((message) => new Error(message)),
  fc.record({ code: fc.anything(), http: fc.anything(), sent: fc.anything(), message: fc.anything() }),
  fc
    .record({ code: fc.anything(), http: fc.anything() })
    .map((facts) => Object.assign(new Error('x'), facts)),
  fc.constantFrom<unknown>(readsBadly, Object.assign(new Error('x'), { outcome: 'rejected' })),
);

test('whatever is thrown that is not the venue\u2019s own word is unknown, and nothing throws', () => {
  fc.assert(
    fc.property(junk, (thrown) => {
      const outcome = classifyFailure(thrown);
      assert.equal(outcome.outcome, 'unknown');
      assert.equal(typeof outcome.reason, 'string');
    }),
    { numRuns: 2000 },
  );
});

test('an answer is a refusal only with a status from 400 on and a word that settles it', () => {
  const facts = fc.record({
    sent: fc.constant(true),
    http: fc.option(fc.integer({ min: 100, max: 599 }), { nil: undefined }),
    code: fc.option(fc.integer({ min: -6000, max: -900 }), { nil: undefined }),
    plain: fc.option(fc.string(), { nil: undefined }),
  });
  fc.assert(
    fc.property(facts, (given) => {
      const outcome = classifyFailure(new VenueFailure('said so', given));
      if (outcome.outcome === 'unknown') return;
      assert.ok(given.http !== undefined && given.http >= 400);
      assert.ok(![-1000, -1001, -1006, -1007, -4116].includes(given.code ?? 0));
      assert.ok(outcome.code === (given.code ?? given.http));
    }),
    { numRuns: 5000 },
  );
});

test('what never left is refused with code 0, whatever else is known', () => {
  fc.assert(
    fc.property(fc.string(), (reason) => {
      const outcome = classifyFailure(new VenueFailure(reason, { sent: false }));
      assert.deepEqual(outcome, { outcome: 'rejected', code: 0, reason });
    }),
  );
});

test('even what cannot be looked at is unknown', () => {
  const { proxy, revoke } = Proxy.revocable(new Error('gone'), {});
  revoke();
  assert.equal(classifyFailure(proxy).outcome, 'unknown');
});

test('junk is never asked again', () => {
  fc.assert(fc.property(junk, (thrown) => assert.equal(isWorthRepeating(thrown), false)));
});
