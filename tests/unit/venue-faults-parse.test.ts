import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isBulkheadError } from '../../src/core/errors.ts';
import { seededRandom } from '../../src/core/random.ts';
import { ACTIONS, parseFaults } from '../../src/venue-server/faults-parse.ts';
import { FaultPlan } from '../../src/venue-server/faults-plan.ts';
import { PRESETS, presetFaults } from '../../src/venue-server/faults-presets.ts';

describe('the written form of faults', () => {
  const WRONG: readonly [unknown, RegExp][] = [
    ['text', /the script is not a mapping/],
    [{ rulse: [] }, /no key "rulse" here\. Did you mean "rules"/],
    [{ rules: {} }, /rules must be a list/],
    [[{ do: 'drop-after' }], /rule 1 needs exactly one of request, event, connect, time/],
    [[{ request: 'X', event: 'Y', do: 'miss' }], /exactly one of/],
    [[{ request: 'X' }], /rule 1: do is missing/],
    [[{ request: 'X', do: 'drop-aftr' }], /no fault "drop-aftr"\. Did you mean "drop-after"/],
    [[{ request: 'X', do: 'miss' }], /miss does not fit request; it fits event/],
    [[{ request: 'X', do: 'delay-after' }], /ms is missing/],
    [[{ request: 'X', do: 'delay-after', ms: [5, 1] }], /must be milliseconds, or \[least, most\]/],
    [[{ request: 'X', do: 'drop-after', ms: 3 }], /no key "ms" here/],
    [[{ request: 'X', do: 'drop-after', probability: 2 }], /probability must be a number from 0 to 1/],
    [[{ request: 'X', do: 'drop-after', nth: 0 }], /nth must be a number from 1/],
    [[{ request: 'X', do: 'drop-after', from: 'soon' }], /from is not a time/],
    [[{ request: 'X', do: 'answer', as: '-9' }], /as must be one of/],
    [[{ request: 'X', do: 'answer' }], /as, or status, is missing/],
    [[{ request: 'X', do: 'body', as: 'wet' }], /as must be one of truncated/],
    [[{ request: 3, do: 'drop-after' }], /request must be a text or a list of texts/],
    [[{ event: 'E', do: 'close', code: 99 }], /code must be a number from 1000 to 4999/],
    [[{ event: 'E', do: 'expire-key', announce: 'yes' }], /announce must be true or false/],
    [[{ request: 'X', do: 'constructor' }], /no fault "constructor"/],
  ];
  for (const [script, message] of WRONG) {
    test(`${JSON.stringify(script)} is refused`, () => {
      assert.throws(
        () => parseFaults(script),
        (error) => isBulkheadError(error, 'CONFIG_INVALID') && message.test(error.message),
      );
    });
  }

  test('presets hold every fault there is, and parse', () => {
    assert.deepEqual(PRESETS, ['none', 'realistic', 'storm']);
    const used = new Set(presetFaults('realistic')?.rules.map(({ action }) => action.do));
    const known = new Set(
      Object.keys(ACTIONS).map((name) =>
        name.replace(/^(drop|reset)-(before|after)$/, 'drop').replace(/^delay-.*/, 'delay'),
      ),
    );
    assert.deepEqual([...used].sort(), [...known].sort());
    assert.equal(presetFaults('none')?.rules.length, 0);
    assert.equal(presetFaults('constructor'), undefined);
  });
});

describe('the plan', () => {
  const plan = (rules: object[], seed = 1): FaultPlan => {
    const made = new FaultPlan(seededRandom(seed));
    made.add(parseFaults(rules));
    return made;
  };
  const hits = (of: FaultPlan, times: number, what = 'POST /x'): number[] =>
    Array.from({ length: times }, (_, i) => i + 1).filter(() => of.strike('request', what, 0).length > 0);

  test('nth, every, times', () => {
    assert.deepEqual(hits(plan([{ request: '*', nth: 3, do: 'drop-after' }]), 7), [3]);
    assert.deepEqual(hits(plan([{ request: '*', every: 3, do: 'drop-after' }]), 7), [3, 6]);
    assert.deepEqual(hits(plan([{ request: '*', every: 2, times: 2, do: 'drop-after' }]), 9), [2, 4]);
  });

  test('globs: a star is anything, everything else is itself', () => {
    const rules = plan([{ request: ['POST /fapi/v*/order', 'DELETE *'], do: 'drop-after' }]);
    for (const [name, isHit] of [
      ['POST /fapi/v1/order', true],
      ['POST /fapi/v1/orders', false],
      ['GET /fapi/v1/order', false],
      ['DELETE /anything', true],
    ] as const)
      assert.equal(rules.strike('request', name, 0).length, isHit ? 1 : 0, name);
  });

  test('probability: its share, the same for the same seed, unmoved by other rules', () => {
    const rule = { request: '*', probability: 0.1, do: 'drop-after' };
    const alone = hits(plan([rule]), 10_000);
    assert.ok(Math.abs(alone.length - 1_000) < 120, String(alone.length));
    assert.deepEqual(hits(plan([rule]), 10_000), alone);
    assert.notDeepEqual(hits(plan([rule], 2), 10_000), alone);
    const beside = plan([rule, { request: '*', probability: 0.5, do: 'drop-before' }]);
    const first = Array.from({ length: 10_000 }, (_, i) => i + 1).filter(() =>
      beside.strike('request', 'POST /x', 0).some(({ rule: name }) => name === '1 drop-after'),
    );
    assert.deepEqual(first, alone);
  });
});
