import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { machineDefinitions } from '../../machines/index.ts';
import { type ChartNode, drawingOf, eventsOf, eventWords } from '../../src/operator/chart-drawing.ts';
import { riskJudge } from '../../src/risk/learning.ts';
import { strategyByName } from '../../src/strategy/strategy.ts';

const definitions = machineDefinitions({
  strategy: strategyByName('trend-breakout', undefined),
  risk: riskJudge,
});
const rootOf = (type: string): ChartNode => {
  const found = definitions.find((one) => one.type === type);
  assert.ok(found, type);
  return found.machine.root as unknown as ChartNode;
};

describe('the drawing of a statechart', () => {
  test('every machine: parents come first, every arrow has both its ends', () => {
    for (const { type } of definitions) {
      const { states, edges, root } = drawingOf(rootOf(type));
      const ids = states.map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length, type);
      assert.equal(states[0]?.id, root);
      for (const [index, { parent }] of states.entries())
        if (parent !== null) assert.ok(ids.indexOf(parent) < index, `${type}: ${parent}`);
      for (const { source, target } of edges) assert.ok(ids.includes(source) && ids.includes(target), type);
    }
  });

  test('what can be told to a machine: its events from every state, without XState’s own', () => {
    assert.deepEqual(eventsOf(rootOf('operator')), ['COMMAND', 'LOCK_OVER', 'PAUSE_OVER']);
    const position = eventsOf(rootOf('position'));
    assert.ok(['ORDER_FILLED', 'OPERATOR_CLOSE', 'MOVE_STOP'].every((name) => position.includes(name)));
    for (const { type } of definitions)
      for (const name of eventsOf(rootOf(type))) assert.match(name, /^[A-Z][A-Z0-9_]*$/, type);
  });

  test('a position: eventless ways, guards, delays and actions are named', () => {
    const { edges, states } = drawingOf(rootOf('position'));
    const between = (source: string, target: string) =>
      edges.find((edge) => edge.source === source && edge.target === target)?.ways ?? [];
    assert.deepEqual(between('position.preparing.settingLeverage', 'position.preparing.confirming'), [
      { event: 'LEVERAGE_SET', guard: null, actions: [], words: 'LEVERAGE_SET' },
    ]);
    assert.ok(
      between('position.open', 'position.emergencyClosing').some(({ guard }) => guard === 'emergency'),
    );
    assert.ok(
      between('position.entering.submitted', 'position.entering.cancelling').some(
        ({ event }) => event === 'after entryTimeout',
      ),
    );
    const preparing = states.find(({ id }) => id === 'position.preparing');
    assert.equal(preparing?.isInitial, true);
    assert.deepEqual(preparing?.entry, [], 'delays are no actions of anybody');
  });

  test('a state that is reached alike from everywhere tells it in a line, without arrows', () => {
    const { edges, states } = drawingOf(rootOf('position'));
    const covered = states.find(({ key }) => key === 'protected');
    assert.ok(covered?.arrivals.includes('[protectionIs(protected)]'));
    assert.ok(!edges.some(({ target }) => target === covered?.id));
  });

  test('what stays is a line inside its state, not an arrow', () => {
    const { states } = drawingOf(rootOf('portfolio'));
    const lines = states.flatMap(({ inside }) => inside);
    assert.ok(lines.includes('ASSESS / assess'), lines.join('\n'));
  });

  test('words', () => {
    assert.equal(eventWords(''), 'always');
    assert.equal(eventWords('xstate.after.entryTimeout.position.entering'), 'after entryTimeout');
    assert.equal(eventWords('xstate.after.500.a.b'), 'after 500 ms');
    assert.equal(eventWords('xstate.done.state.a'), 'done');
    assert.equal(eventWords('*'), 'anything else');
  });
});
