/** What is read of a snapshot without parsing all of it is what parsing all of it gives. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snapshotParts, stateJson } from '../../src/core/snapshot-parts.ts';
import { stateOf } from '../../src/operator/feed.ts';
import { SnapshotText } from '../../supervisors/snapshot-text.ts';

const written = (value: unknown, context: unknown, status = 'active'): string => {
  const text = new SnapshotText().of({ status, value, context, children: {}, historyValue: {} });
  assert.ok(text !== undefined);
  return text;
};

test('the state is that of the snapshot, however it is nested and whatever the context says', () => {
  const context = { text: ',"historyValue":{"value":"nothing"}', value: 'other' };
  for (const value of ['closed', { open: 'halted' }, { a: 'b', c: { d: 'e' } }])
    for (const status of ['active', 'done'])
      assert.deepEqual(JSON.parse(stateJson(written(value, context, status)) ?? ''), value);
  const byLibrary = JSON.stringify({ status: 'done', output: { value: 'no' }, value: 'over', context });
  assert.equal(stateJson(byLibrary), '"over"');
  assert.equal(stateJson(JSON.stringify({ version: 1, orders: {} })), undefined);
});

test('people are told the state in words, the same ones each time', () => {
  const position = written({ open: { fill: 'filled', stop: 'armed' } }, {});
  assert.equal(stateOf(position), 'open filled armed');
  assert.equal(stateOf(position), 'open filled armed');
  assert.equal(stateOf(written('closed', {})), 'closed');
  assert.equal(stateOf(JSON.stringify({ version: 1 })), null);
});

test('who asks for the same snapshot shares it, and another one is another', () => {
  const [one, other] = [written('a', { n: 1 }), written('a', { n: 2 })];
  const first = snapshotParts(one);
  assert.equal(snapshotParts(`${one}`), first);
  assert.deepEqual(snapshotParts(other), JSON.parse(other));
  assert.deepEqual(snapshotParts(one), first);
});
