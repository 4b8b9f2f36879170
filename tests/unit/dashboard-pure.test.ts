import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { money as asElsewhere } from '../../src/core/amounts.ts';
import { evenly, marksOf, ratchetOf, roomBehind } from '../../src/http/dashboard/chart-series.ts';
import { litStates, takenWays } from '../../src/http/dashboard/chart-state.ts';
import { FrameReader } from '../../src/http/dashboard/event-frames.ts';
import {
  amount,
  asFineAs,
  counted,
  csv,
  csvCell,
  duration,
  exact,
  money,
  percent,
  time,
  tone,
} from '../../src/http/dashboard/format.ts';
import { diffLines } from '../../src/http/dashboard/json-diff.ts';
import { ownFirst, parseMetrics, quantile, spanOf, wordsOf } from '../../src/http/dashboard/metrics-text.ts';
import type { ChartLayout, DrawnEdge, DrawnState } from '../../src/operator/chart-drawing.ts';

describe('how numbers read', () => {
  test('money is rounded as everywhere, grouped and signed', () => {
    assert.equal(money('1234567.899'), '1,234,567.90');
    assert.equal(money('-0.004'), '0.00');
    const halves = [
      '-3.4579',
      '0.005',
      '0.015',
      '0.0050001',
      '999.995',
      '9.5',
      '10083.4782258139',
      '-0.0076',
      '0',
    ];
    for (const one of halves) assert.equal(money(one).replace('−', '-'), asElsewhere(one), one);
    assert.equal(money('9.5', 0), '10');
    assert.equal(money('-1234.5', 2, true), '−1,234.50');
    assert.equal(money('12', 2, true), '+12.00');
    assert.equal(money('0', 2, true), '0.00');
    assert.deepEqual([money(null), money(Number.NaN), money(Number.POSITIVE_INFINITY)], ['–', '–', '–']);
    assert.equal(money(1e-7, 8), '0.00000010');
    assert.equal(exact('65123.10'), '65,123.10');
    assert.equal(exact(-1234), '−1,234');
    assert.equal(percent(12.345), '12.3 %');
    assert.deepEqual(
      [-0.1, -0.01].map((value) => percent(value)),
      ['−0.1 %', '0.0 %'],
    );
    assert.equal(percent(null), '–');
    assert.deepEqual(
      ['1', '-1', '0', null, '-0.0076', '0.01'].map((value) => tone(value)),
      ['good', 'bad', '', '', 'bad', 'good'],
    );
    assert.equal(tone('-0.0076', 4), 'bad');
    assert.equal(tone('-0.0046'), '', 'nothing is red that reads 0.00');
  });

  test('what is counted has no cents, one is one, and a price is as fine as its instrument’s', () => {
    assert.equal(amount(4, 99), '4');
    assert.equal(amount('4.00', '99.00'), '4');
    assert.equal(amount('1234.5', 5_000), '1,234.50');
    assert.equal(amount(5_000, '1234.5'), '5,000.00');
    assert.deepEqual(
      [counted(1, 'open position'), counted(0, 'x'), counted(2, 'x')],
      ['1 open position', '0 xs', '2 xs'],
    );
    assert.equal(asFineAs('168.72316427', '0.010'), '168.72');
    assert.equal(asFineAs('168.72616427', '1'), '169');
  });

  test('times are UTC, durations are short', () => {
    assert.equal(time(Date.UTC(2025, 0, 6, 16, 37, 5)), '2025-01-06 16:37:05');
    assert.deepEqual([5, 5_000, 65_000, 3_700_000, 90_000_000].map(duration), [
      '5 ms',
      '5 s',
      '1 min 5 s',
      '1 h 1 min',
      '1 d 1 h',
    ]);
  });

  test('a spreadsheet runs nothing of an export', () => {
    assert.equal(csvCell('=1+1'), "'=1+1");
    assert.equal(csvCell('-1.5'), '-1.5');
    assert.equal(csvCell('a "b", c'), '"a ""b"", c"');
    assert.equal(
      csv([
        ['a', 1],
        [null, '+x'],
      ]),
      "a,1\r\n,'+x\r\n",
    );
  });
});

describe('what changed in a context', () => {
  test('marks what is new, other and gone, down to the leaf', () => {
    const lines = diffLines({ a: 1, b: { c: 'x', d: [1] } }, { a: 1, b: { c: 'y' }, e: true });
    assert.deepEqual(
      lines.map(({ depth, key, kind }) => [depth, key, kind]),
      [
        [0, 'a', 'same'],
        [0, 'b', 'changed'],
        [1, 'c', 'changed'],
        [1, 'd', 'gone'],
        [0, 'e', 'added'],
      ],
    );
    assert.deepEqual(lines[2], { depth: 1, key: 'c', value: '"y"', old: '"x"', kind: 'changed' });
  });

  test('nothing differs from itself, and every leaf has its line', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (given) => {
        const value = JSON.parse(JSON.stringify({ given }));
        assert.ok(diffLines(value, value).every(({ kind }) => kind === 'same' || kind === 'holder'));
      }),
    );
  });
});

const state = (id: string, parent: string | null, arrivals: string[] = [], isInitial = false): DrawnState =>
  ({ id, parent, key: id.split('.').at(-1), kind: 'atomic', arrivals, isInitial }) as unknown as DrawnState;
const edge = (id: string, source: string, target: string, event: string): DrawnEdge => ({
  id,
  source,
  target,
  ways: [{ event, guard: null, actions: [], words: event }],
});
const LAYOUT = {
  states: [
    state('m', null),
    state('m.a', 'm'),
    state('m.b', 'm'),
    state('m.b.x', 'm.b'),
    state('m.b.x.one', 'm.b.x', ['[back]'], true),
    state('m.b.x.two', 'm.b.x', ['[moved]']),
    state('m.b.y', 'm.b'),
    state('m.b.y.one', 'm.b.y'),
    state('m.c', 'm', ['KILL [sure]', '[flat]']),
  ],
  edges: [
    edge('go', 'm.a', 'm.b', 'GO'),
    edge('skip', 'm.a', 'm.b', 'always'),
    edge('on', 'm.b.x.one', 'm.b.x.two', 'ON'),
    edge('again', 'm.a', 'm.a', 'AGAIN'),
  ],
} as unknown as ChartLayout;

describe('a chart, lit', () => {
  test('simple, nested and parallel values', () => {
    assert.deepEqual([...litStates(LAYOUT, 'a')], ['m', 'm.a']);
    assert.deepEqual([...litStates(LAYOUT, { b: { x: 'two', y: 'one' } })].sort(), [
      'm',
      'm.b',
      'm.b.x',
      'm.b.x.two',
      'm.b.y',
      'm.b.y.one',
    ]);
    assert.deepEqual([...litStates(LAYOUT, null)], []);
    assert.deepEqual([...litStates(LAYOUT, 'gone')], ['m'], 'a state of another version lights nothing');
  });

  const edgesOf = (before: ReadonlySet<string>, after: ReadonlySet<string>, event: string) => [
    ...takenWays(LAYOUT, before, after, event).edges,
  ];
  const arrivalsOf = (before: ReadonlySet<string>, after: ReadonlySet<string>, event: string) => [
    ...takenWays(LAYOUT, before, after, event).arrivals,
  ];

  test('the arrow of the event is taken; without one, what the machine does by itself, and nobody else’s', () => {
    const a = litStates(LAYOUT, 'a');
    const b = litStates(LAYOUT, { b: { x: 'one', y: 'one' } });
    const b2 = litStates(LAYOUT, { b: { x: 'two', y: 'one' } });
    assert.deepEqual(edgesOf(a, b, 'GO'), ['go']);
    assert.deepEqual(edgesOf(a, b, 'OTHER'), ['skip']);
    assert.deepEqual(edgesOf(a, b, 'xstate.after.x.m.a'), ['go', 'skip'], 'a delay may be any of them');
    assert.deepEqual(edgesOf(b, b2, 'ON'), ['on']);
    assert.deepEqual(edgesOf(b, b2, 'OTHER'), []);
    assert.deepEqual(edgesOf(a, a, 'AGAIN'), ['again']);
    assert.deepEqual(edgesOf(a, a, 'ELSE'), []);
    assert.deepEqual(edgesOf(new Set(), a, 'GO'), [], 'a first moment comes from nowhere');
  });

  test('a line of arrival is taken where no arrow leads, by the event’s own words first', () => {
    const b = litStates(LAYOUT, { b: { x: 'one', y: 'one' } });
    const b2 = litStates(LAYOUT, { b: { x: 'two', y: 'one' } });
    const c = litStates(LAYOUT, 'c');
    assert.deepEqual(arrivalsOf(b, c, 'KILL'), ['m.c KILL [sure]']);
    assert.deepEqual(arrivalsOf(b, c, 'OTHER'), ['m.c [flat]']);
    assert.deepEqual(arrivalsOf(b, b2, 'OTHER'), ['m.b.x.two [moved]']);
    assert.deepEqual(arrivalsOf(b, b2, 'ON'), [], 'the arrow was taken');
    assert.deepEqual(arrivalsOf(c, c, 'KILL'), []);
    assert.deepEqual(arrivalsOf(new Set(), c, 'KILL'), []);
  });

  test('where a state that was entered begins is no arrival; entered otherwise, it is one', () => {
    const a = litStates(LAYOUT, 'a');
    const b = litStates(LAYOUT, { b: { x: 'one', y: 'one' } });
    const c = litStates(LAYOUT, 'c');
    assert.deepEqual(arrivalsOf(a, b, 'GO'), []);
    assert.deepEqual(arrivalsOf(c, b, 'GO'), ['m.b.x.one [back]'], 'no arrow leads from c');
  });
});

describe('the stop on a chart of prices', () => {
  const BAR = 900_000;
  test('goes on to the end of the bar that is open, or in which it ended; of one bar the last move counts', () => {
    const moves = [
      { at: 10, price: 90 },
      { at: BAR + 1, price: 91 },
      { at: BAR + 2, price: 92 },
    ];
    const drawn = [
      { at: 0, price: 90 },
      { at: BAR, price: 92 },
    ];
    assert.deepEqual(ratchetOf(moves, 5 * BAR + 7), [...drawn, { at: 6 * BAR, price: 92 }]);
    assert.deepEqual(
      ratchetOf(moves, null),
      [...drawn, { at: 2 * BAR, price: 92 }],
      'the time is not known yet',
    );
    assert.deepEqual(ratchetOf(moves.slice(0, 1), 20), [
      { at: 0, price: 90 },
      { at: BAR, price: 90 },
    ]);
    assert.deepEqual(ratchetOf([], 20), []);
  });
});

describe('metrics as text', () => {
  const text = `# HELP x_ms how long
# TYPE x_ms histogram
x_ms_bucket{lane="data",le="1"} 2
x_ms_bucket{lane="data",le="5"} 9
x_ms_bucket{lane="data",le="+Inf"} 10
x_ms_sum{lane="data"} 31.5
x_ms_count{lane="data"} 10
# TYPE rows_total counter
rows_total 42
`;
  test('values and histograms, each bucket by itself', () => {
    const { metrics, histograms } = parseMetrics(text);
    assert.deepEqual(metrics, [{ name: 'rows_total', labels: '', value: 42 }]);
    const [one] = histograms;
    assert.ok(one && histograms.length === 1);
    assert.deepEqual(
      one.buckets.map(({ count }) => count),
      [2, 7, 1],
    );
    assert.deepEqual([one.labels, one.count, one.sum], ['lane="data"', 10, 31.5]);
    assert.deepEqual(
      [quantile(one, 0.2), quantile(one, 0.5), quantile(one, 0.99)],
      [1, 5, Number.POSITIVE_INFINITY],
    );
    assert.equal(quantile({ ...one, count: 0 }, 0.5), null);
  });
});

describe('the stream', () => {
  const whole = ': hello\n\nid: 7\nevent: row\ndata: {"a":1}\n\nevent: status\r\ndata: x\r\ndata: y\r\n\r\n';
  const expected = [
    { id: '7', type: 'row', data: '{"a":1}' },
    { id: null, type: 'status', data: 'x\ny' },
  ];

  test('events come whole, wherever they were cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length), { maxLength: 8 }), (cuts) => {
        const frames = new FrameReader();
        const places = [0, ...cuts.sort((a, b) => a - b), whole.length];
        const pieces = places.slice(1).map((to, index) => whole.slice(places[index], to));
        assert.deepEqual(
          pieces.flatMap((piece) => frames.push(piece)),
          expected,
        );
      }),
    );
  });
});

describe('the equity curve at even steps', () => {
  const HOUR = 3_600_000;

  test('what happened within an hour takes an hour of its width, what stood for two days two days', () => {
    const points = [
      { at: 0, equity: '1000' },
      { at: HOUR, equity: '900' },
      { at: 2 * HOUR, equity: '1100' },
      { at: 50 * HOUR, equity: '1050' },
    ];
    const curve = evenly(points, 50);
    assert.equal(curve.length, 51);
    const gaps = new Set(curve.slice(1).map(({ at }, i) => at - (curve[i]?.at ?? 0)));
    assert.deepEqual([...gaps], [HOUR]);
    assert.deepEqual(
      [0, 1, 2, 30, 50].map((hour) => curve[hour]?.equity),
      [1000, 900, 1100, 1100, 1050],
    );
    assert.deepEqual(
      [0, 1, 2, 3].map((hour) => Math.round(curve[hour]?.drawdown ?? 9)),
      [0, -10, -10, 0],
      'deep until the step at which it came back',
    );
    assert.ok(Math.abs((curve.at(-1)?.drawdown ?? 0) + 4.545) < 0.001);
  });

  test('a trough between two steps is in the drawdown', () => {
    const points = [100, 50, 100].map((equity, i) => ({ at: i * 60_000, equity: String(equity) }));
    const curve = evenly([...points, { at: 100 * 60_000, equity: '100' }], 10);
    assert.equal(Math.min(...curve.map(({ drawdown }) => drawdown)), -50);
    assert.equal(Math.min(...curve.map(({ equity }) => equity)), 100, 'it had come back at the step');
  });

  test('its times rise by whole seconds and it ends where the points do, whatever they are', () => {
    assert.deepEqual(evenly([], 10), []);
    const at = fc.integer({ min: 0, max: 10_000_000 });
    fc.assert(
      fc.property(
        fc.array(at, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 60 }),
        (times, most) => {
          const points = times.sort((a, b) => a - b).map((one, i) => ({ at: one, equity: String(100 + i) }));
          const curve = evenly(points, most);
          const seconds = curve.map((one) => Math.floor(one.at / 1_000));
          assert.ok(seconds.every((one, i) => i === 0 || one > (seconds[i - 1] ?? 0)));
          assert.equal(curve.at(-1)?.at, times.at(-1));
          assert.equal(curve.at(-1)?.equity, 99 + times.length);
          assert.ok(curve.length <= most + 3);
        },
      ),
    );
  });
});

test('what is measured has names and units that people use', () => {
  assert.deepEqual([0.0005, 0.0025, 0.25, 1, 60].map(spanOf), ['0.5 ms', '2.5 ms', '250 ms', '1 s', '60 s']);
  assert.equal(wordsOf('bulkhead_journal_rows_total', 'type="venue"'), 'rows of venue');
  assert.equal(wordsOf('nodejs_gc_duration_seconds', 'kind="minor"'), 'Garbage collection, minor');
  assert.equal(wordsOf('bulkhead_api_in_flight', ''), 'api in flight');
  const names = ['nodejs_gc_duration_seconds', 'bulkhead_order_fill_seconds'].map((name) => ({ name }));
  assert.equal(names.sort(ownFirst)[0]?.name, 'bulkhead_order_fill_seconds');
});

test('a fill’s mark stands at its own bar or nowhere, and its words have room behind the newest', () => {
  const candles = Array.from({ length: 10 }, (_, i) => ({ openTime: (i + 1) * 900_000 }));
  const fill = (at: number) => ({ at, buys: true, text: '0.001 @ 89,694.3' });
  const marks = marksOf(candles, [fill(1), fill(2_000_000), fill(9_500_000)]);
  assert.deepEqual(
    marks.map(({ bar }) => bar),
    [1_800_000, 9_000_000],
  );
  assert.equal(roomBehind(candles, marks), 56);
  assert.equal(roomBehind(candles, marks.slice(0, 1)), 0, 'far from the end there is room');
  assert.equal(roomBehind([], []), 0);
});
