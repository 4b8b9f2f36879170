import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBulkheadError } from '../../src/core/errors.ts';
import { STRATEGY_NAMES, type StrategyOptions, strategyByName } from '../../src/strategy/strategy.ts';

const refused = (message: RegExp, hint: RegExp) => (error: unknown) => {
  assert.ok(isBulkheadError(error, 'CONFIG_INVALID'));
  assert.match(error.message, message);
  assert.match(error.hint ?? '', hint);
  return true;
};

test('every name gives the strategy of that name', () => {
  assert.ok(STRATEGY_NAMES.length > 0);
  for (const name of STRATEGY_NAMES) assert.equal(strategyByName(name).name, name);
});

test('an unknown name lists the known ones', () => {
  assert.throws(() => strategyByName('moonshot'), refused(/"moonshot"/, /trend-breakout/));
  assert.throws(() => strategyByName('toString'), refused(/"toString"/, /trend-breakout/));
});

test('options are checked by name and value', () => {
  const cases: [StrategyOptions, RegExp, RegExp][] = [
    [{ stopAtr: 2 }, /trend-breakout\.stopAtr\b/, /Did you mean "stopAtrs"/],
    [{ fastFrame: { quick: 3 } }, /fastFrame\.quick/, /fast, slow/],
    [{ stopAtrs: -1 }, /stopAtrs cannot be -1/, /default is 2/],
    [{ stopAtrs: NaN }, /stopAtrs/, /above 0/],
    [{ channelBars: 2.5 }, /channelBars cannot be 2.5/, /whole number/],
    [{ fastFrame: 20 }, /fastFrame cannot be 20/, /mapping/],
    [{ stopAtrs: { fast: 1 } }, /stopAtrs/, /above 0/],
  ];
  for (const [options, message, hint] of cases)
    assert.throws(() => strategyByName('trend-breakout', options), refused(message, hint));
});

test('an option overrides its default and nothing else', () => {
  assert.doesNotThrow(() => strategyByName('trend-breakout', { fastFrame: { fast: 10 }, minAdx: 25.5 }));
});
