import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { add, eq, gt, isMultipleOf, lt, mul, sub } from '../../src/core/decimal.ts';
import { instrumentFor, KNOWN_SYMBOLS } from '../../src/market/instrument-table.ts';
import { readRecordingFile } from '../../src/market/recorded/archive.ts';
import { sharedData } from '../support/shared-data.ts';

const instruments = [
  ...KNOWN_SYMBOLS.map((symbol) => instrumentFor(symbol, 1)),
  instrumentFor('NEWUSDT', 0.0371),
];

test('margin tiers ascend, adjoin, and keep the maintenance margin continuous', () => {
  for (const { symbol, brackets } of instruments) {
    assert.equal(brackets[0]?.cum, '0');
    for (const [i, bracket] of brackets.entries()) {
      assert.equal(bracket.bracket, i + 1);
      assert.ok(lt(bracket.notionalFloor, bracket.notionalCap), symbol);
      const before = brackets[i - 1];
      if (!before) continue;
      assert.equal(bracket.notionalFloor, before.notionalCap);
      assert.ok(bracket.initialLeverage < before.initialLeverage);
      const margin = ({ maintMarginRate, cum }: typeof bracket): string =>
        sub(mul(bracket.notionalFloor, maintMarginRate), cum);
      assert.ok(eq(margin(bracket), margin(before)), `${symbol} at ${bracket.notionalFloor}`);
    }
  }
});

test('filters are usable: lots fit their bounds, bands surround 1', () => {
  for (const instrument of instruments) {
    const { symbol, stepSize, minQuantity, maxQuantity, marketMaxQuantity, multiplierUp, multiplierDown } =
      instrument;
    assert.ok(symbol === instrument.base + instrument.quote);
    assert.ok(isMultipleOf(minQuantity, stepSize) && isMultipleOf(maxQuantity, stepSize));
    assert.ok(lt(minQuantity, marketMaxQuantity) && !gt(marketMaxQuantity, maxQuantity), symbol);
    assert.equal(add(multiplierUp, multiplierDown), '2');
    assert.ok(gt(multiplierUp, '1'));
  }
});

test('an unknown symbol gets filters that fit its price', () => {
  const filters = [65_000, 150, 1, 0.0371, 0.00002].map((price) => {
    const { tickSize, stepSize } = instrumentFor('NEWUSDT', price);
    return [tickSize, stepSize];
  });
  assert.deepEqual(filters, [
    ['1', '0.0001'],
    ['0.01', '0.01'],
    ['0.0001', '1'],
    ['0.000001', '1'],
    ['0.000000001', '1'],
  ]);
});

const data = sharedData();

test('tiers are the venue’s own', {
  skip: data === undefined && 'no market data beside the checkout',
}, () => {
  interface Tier {
    readonly info: { readonly notionalCap: number; readonly maintMarginRatio: number; readonly cum: number };
  }
  const file = path.join(data ?? '', 'reference/binance_um_leverage_tiers_2026-05.json.gz');
  const reference = JSON.parse(readRecordingFile(file).toString()) as Record<string, readonly Tier[]>;
  for (const symbol of KNOWN_SYMBOLS) {
    const { base, brackets } = instrumentFor(symbol, 1);
    assert.deepEqual(
      brackets.map(({ notionalCap, maintMarginRate, cum }) =>
        [notionalCap, maintMarginRate, cum].map(Number),
      ),
      reference[`${base}/USDT:USDT`]?.map(({ info }) => [info.notionalCap, info.maintMarginRatio, info.cum]),
      symbol,
    );
  }
});
