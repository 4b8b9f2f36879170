import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Candle, Timeframe } from '../../src/domain/candle.ts';
import { TIMEFRAME_MS } from '../../src/domain/candle.ts';
import { barContradiction, QUALITY_LIMITS, QualityGate } from '../../src/market/quality.ts';

/** A quiet, slowly rising market: 0.1 % a bar. */
function bar(index: number, change: Partial<Candle> = {}, timeframe: Timeframe = '1m'): Candle {
  const price = 100 + index * 0.05;
  const openTime = Date.UTC(2025, 0, 1) + index * TIMEFRAME_MS[timeframe];
  const fields = { open: price, high: price + 0.06, low: price - 0.04, close: price + 0.05, volume: 10 };
  return { symbol: 'AAAUSDT', timeframe, openTime, ...fields, ...change };
}

function warm(bars = 100, timeframe: Timeframe = '1m'): QualityGate {
  const gate = new QualityGate('AAAUSDT', timeframe);
  for (let i = 0; i < bars; i++)
    assert.deepEqual(gate.push(bar(i, {}, timeframe)), { accepted: true, faults: [] });
  return gate;
}

const kinds = (gate: QualityGate, candle: Candle): string => {
  const { accepted, faults } = gate.push(candle);
  return [accepted ? 'accepted' : 'withheld', ...faults.map(({ kind }) => kind)].join(' ');
};

test('a bar that contradicts itself is withheld', () => {
  const bad: Partial<Candle>[] = [
    { close: Number.NaN },
    { open: 0 },
    { low: -1 },
    { high: Infinity },
    { volume: -1 },
    { volume: Number.NaN },
    { high: 90 },
    { open: 200 },
    { close: 1 },
  ];
  for (const change of bad) {
    const gate = warm();
    assert.equal(kinds(gate, bar(100, change)), 'withheld absurd', JSON.stringify(change));
    assert.equal(gate.suspended, true);
  }
});

test('a spike on ordinary volume is absurd, and the return from it is not', () => {
  const gate = warm();
  assert.equal(kinds(gate, bar(100, { high: 140, close: 139 })), 'withheld absurd');
  assert.equal(kinds(gate, bar(101)), 'accepted');
});

test('the same spike on a crash’s volume is real', () => {
  const gate = warm();
  assert.equal(kinds(gate, bar(100, { low: 100, close: 100.5, volume: 2000 })), 'accepted');
  assert.equal(gate.suspended, false);
});

test('a shift that lasts is accepted from its second bar on', () => {
  const gate = warm();
  const shifted = (i: number): Candle => bar(i, { open: 150, high: 150.1, low: 149.9, close: 150 });
  assert.equal(kinds(gate, shifted(100)), 'withheld absurd');
  assert.equal(kinds(gate, shifted(101)), 'accepted');
  assert.equal(kinds(gate, shifted(102)), 'accepted');
});

test('a gap is reported with its length, and resumed comes after the clean bars, once', () => {
  const gate = warm();
  const { accepted, faults } = gate.push(bar(103));
  assert.equal(accepted, true);
  assert.match(faults[0]?.detail ?? '', /3 1m bars are missing/);
  const { cleanAfterOther } = QUALITY_LIMITS;
  for (let i = 1; i < cleanAfterOther; i++) assert.equal(kinds(gate, bar(103 + i)), 'accepted');
  assert.equal(gate.suspended, true);
  assert.equal(kinds(gate, bar(103 + cleanAfterOther)), 'accepted resumed');
  assert.equal(gate.suspended, false);
  assert.equal(kinds(gate, bar(104 + cleanAfterOther)), 'accepted');
});

test('duplicates and late bars are withheld and change nothing else', () => {
  const gate = warm();
  assert.equal(kinds(gate, bar(99)), 'withheld duplicate');
  assert.equal(kinds(gate, bar(50)), 'withheld out-of-order');
  assert.equal(kinds(gate, bar(100)), 'accepted');
});

test('a flat bar without volume is an outage fill from 5m on, an idle minute on 1m', () => {
  const flat = { open: 105, high: 105, low: 105, close: 105, volume: 0 };
  assert.equal(kinds(warm(100, '5m'), bar(100, flat, '5m')), 'withheld outage-fill');
  assert.equal(kinds(warm(), bar(100, flat)), 'accepted');
});

test('relapses cost more each time', () => {
  const gate = warm();
  const lengths: number[] = [];
  let i = 100;
  for (let round = 0; round < 3; round++) {
    gate.push(bar(i++, { close: Number.NaN }));
    const from = i;
    while (gate.suspended) gate.push(bar(i++));
    lengths.push(i - from);
  }
  const { cleanAfterAbsurd } = QUALITY_LIMITS;
  assert.deepEqual(lengths, [cleanAfterAbsurd, 2 * cleanAfterAbsurd, 4 * cleanAfterAbsurd]);
});

test('prices that bounce without getting anywhere are withheld as long as they do', () => {
  const gate = new QualityGate('AAAUSDT', '1m');
  const bounce = (i: number): Candle =>
    bar(i, { open: 100, high: 100.5, low: 99.5, close: i % 2 ? 99.5 : 100.5 });
  const verdicts = Array.from({ length: 120 }, (_, i) => gate.push(bounce(i)));
  const found = verdicts.findIndex(({ faults }) => faults.length > 0);
  assert.equal(found, QUALITY_LIMITS.travelBars - 1);
  assert.match(verdicts[found]?.faults[0]?.detail ?? '', /bounce/);
  assert.ok(verdicts.slice(found).every(({ accepted }) => !accepted));
});

test('a fault known from elsewhere suspends too', () => {
  const gate = warm();
  assert.equal(gate.flag('gap', 'the feed is silent').kind, 'gap');
  assert.equal(gate.suspended, true);
});

test('a source without volumes or ranges gives nothing to judge movement by', () => {
  const gate = new QualityGate('AAAUSDT', '1m');
  for (let i = 0; i < 100; i++) gate.push(bar(i, { volume: 0 }));
  assert.equal(kinds(gate, bar(100, { high: 140, close: 139, volume: 0 })), 'accepted');
});

test('whatever comes, accepted bars ascend and are consistent, and the same bars get the same verdicts', () => {
  const price = fc.oneof(fc.double({ min: 50, max: 150 }), fc.constantFrom(0, -1, Number.NaN, Infinity));
  const candle = fc.record({
    step: fc.integer({ min: -2, max: 4 }),
    open: price,
    high: price,
    low: price,
    close: price,
    volume: fc.double({ min: -1, max: 1e6 }),
  });
  fc.assert(
    fc.property(fc.array(candle, { maxLength: 60 }), (candles) => {
      const run = (): boolean[] => {
        const gate = warm(50);
        let index = 50;
        let last = -1;
        return candles.map(({ step, ...fields }) => {
          index += step;
          const { openTime, ...rest } = bar(index, fields);
          const { accepted, faults } = gate.push({ openTime, ...rest });
          if (accepted) {
            assert.ok(openTime > last);
            assert.equal(barContradiction({ openTime, ...rest }), undefined);
            last = openTime;
          } else assert.ok(gate.suspended);
          if (faults.some(({ kind }) => kind !== 'resumed')) assert.ok(gate.suspended);
          return accepted;
        });
      };
      assert.deepEqual(run(), run());
    }),
    { numRuns: 300, seed: 13 },
  );
});
