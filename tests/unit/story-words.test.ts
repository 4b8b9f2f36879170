import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tellEvent } from '../../src/app/results/story-words.ts';

const what = (event: { readonly type: string; readonly [name: string]: unknown }): string =>
  tellEvent(event, { kind: 'external', id: 'x' }).what;

test('funding is told with its rate where the venue told one', () => {
  const funding = { type: 'FUNDING_SETTLED', symbol: 'BTCUSDT', amount: '-0.5' };
  assert.equal(what(funding), 'funding -0.5');
  assert.equal(what({ ...funding, rate: '0.0001' }), 'funding -0.5 at a rate of 0.0001');
});

test('a fill is told with who traded', () => {
  const fill = { type: 'ORDER_FILLED', ref: 'exit', side: 'SELL', quantity: '2', price: '9', complete: true };
  assert.equal(what(fill), 'exit sold 2 at 9');
  assert.equal(what({ ...fill, cause: 'liquidation' }), "the venue's liquidation sold 2 at 9");
  assert.equal(what({ ...fill, cause: 'manual' }), 'somebody by hand sold 2 at 9');
  assert.equal(what({ ...fill, cause: 'guardian' }), 'the guardian, in its place, sold 2 at 9');
});

test('a deadline is told by its name, not by the machine’s path to it', () => {
  const type = 'xstate.after.unprotectedDeadline.position.open.protection.exposed';
  const passed = (id: string) => tellEvent({ type }, { kind: 'timer', id, due: 0 }).what;
  assert.equal(passed(`after:${type}`), 'the deadline unprotectedDeadline passed');
  assert.equal(passed('pulse'), 'the deadline pulse passed');
});
