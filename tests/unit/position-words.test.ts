import assert from 'node:assert/strict';
import { test } from 'node:test';
import { positionMachine } from '../../machines/position/chart.ts';
import { POSITION_WORDS, positionWords } from '../../src/operator/position-words.ts';
import { PositionBench } from '../support/machine-bench.ts';

interface StateNode {
  readonly path: readonly string[];
  readonly states: Readonly<Record<string, StateNode>>;
}

const leavesOf = ({ path, states }: StateNode): string[] => {
  const inner = Object.values(states);
  return inner.length === 0 ? [path.join('.')] : inner.flatMap(leavesOf);
};

test('every state of the chart has its words, and no other has', () => {
  assert.deepEqual(Object.keys(POSITION_WORDS).sort(), leavesOf(positionMachine.root).sort());
});

test('what is as usual goes without saying', () => {
  const bench = new PositionBench();
  assert.equal(positionWords(bench.value), 'prepares its entry');
  bench.open();
  assert.equal(positionWords(bench.value), 'protected');
  bench.send('KILL', { reason: 'now' });
  assert.equal(positionWords(bench.value), 'emergency close');
  const regions = { entry: 'filled', protection: { covered: 'replacing' }, trailing: 'armed' };
  assert.equal(positionWords({ open: regions }), 'protected, stop moves, trailing');
  assert.equal(positionWords({ open: { entry: 'new' } }), 'open.entry.new');
});
