import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChartLayouts } from '../../src/http/chart-layout.ts';
import type { Box, ChartDrawing, DrawnState } from '../../src/operator/chart-drawing.ts';

const state = (id: string, parent: string | null, kind: DrawnState['kind'] = 'atomic'): DrawnState => ({
  id,
  key: id.split('.').at(-1) ?? id,
  kind,
  parent,
  isInitial: false,
  entry: [],
  exit: [],
  inside: [],
  arrivals: [],
});

const DRAWING: ChartDrawing = {
  root: 'm',
  states: [
    state('m', null, 'compound'),
    state('m.a', 'm'),
    state('m.b', 'm', 'parallel'),
    state('m.b.x', 'm.b', 'compound'),
    state('m.b.x.one', 'm.b.x'),
    state('m.b.y', 'm.b'),
    state('m.end', 'm', 'final'),
  ],
  edges: [
    {
      id: 'e0',
      source: 'm.a',
      target: 'm.b',
      ways: [{ event: 'GO', guard: null, actions: [], words: 'GO' }],
    },
    {
      id: 'e1',
      source: 'm.b',
      target: 'm.end',
      ways: [{ event: 'always', guard: 'done', actions: [], words: '[done]' }],
    },
    {
      id: 'e2',
      source: 'm.a',
      target: 'm.a',
      ways: [{ event: 'AGAIN', guard: null, actions: ['x'], words: 'AGAIN' }],
    },
  ],
};

const inside = (inner: Box, outer: Box): boolean =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width &&
  inner.y + inner.height <= outer.y + outer.height;

const apart = (a: Box, b: Box): boolean =>
  a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;

test('boxes lie inside their parents, siblings beside one another, arrows have a way and a label', async () => {
  const layouts = new ChartLayouts();
  const layout = await layouts.of('m@1', DRAWING);
  const boxes = new Map(layout.states.map((box) => [box.id, box]));
  for (const box of layout.states) {
    assert.ok(box.width > 0 && box.height > 0, box.id);
    const parent = box.parent === null ? undefined : boxes.get(box.parent);
    if (parent) assert.ok(inside(box, parent), `${box.id} in ${parent.id}`);
    for (const other of layout.states)
      if (other.id !== box.id && other.parent === box.parent)
        assert.ok(apart(box, other), `${box.id} ${other.id}`);
  }
  for (const { points, label } of layout.edges) {
    assert.ok(points.length >= 2);
    assert.ok(label && label.width > 0);
  }
  assert.equal(await layouts.of('m@1', DRAWING), layout, 'one layout for a version');
});

test('a drawing that cannot be laid out says so, and the next is laid out all the same', async () => {
  const layouts = new ChartLayouts();
  const broken = { ...DRAWING, edges: [{ id: 'e0', source: 'nowhere', target: 'm.a', ways: [] }] };
  await assert.rejects(layouts.of('broken@1', broken as ChartDrawing));
  assert.ok((await layouts.of('m@1', DRAWING)).width > 0);
});
