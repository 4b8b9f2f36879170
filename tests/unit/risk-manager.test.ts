import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Instrument } from '../../src/domain/instrument.ts';
import type { Entry, PortfolioView, RiskLimits } from '../../src/domain/risk.ts';
import { DEFAULT_LIMITS } from '../../src/risk/limits.ts';
import { assessEntry } from '../../src/risk/risk-manager.ts';
import { volatilityMultiplier } from '../../src/risk/sizing.ts';
import { entry, INSTRUMENT } from '../support/machine-bench.ts';

interface Case {
  readonly entry?: Partial<Entry>;
  readonly instrument?: Partial<Instrument>;
  readonly view?: Partial<PortfolioView>;
  readonly limits?: Partial<RiskLimits>;
}

const decide = (one: Case = {}) =>
  assessEntry(
    entry(one.entry),
    { ...INSTRUMENT, ...one.instrument },
    { equity: '1000', exposures: [], tradingState: 'active', ...one.view },
    { ...DEFAULT_LIMITS, maxSideExposure: '100', ...one.limits },
  );

const rules = (one: Case): string[] => {
  const decision = decide(one);
  return decision.approved ? [] : decision.refusals.map(({ rule }) => rule);
};

const held = (symbol: string, notional = '100', direction: 'long' | 'short' = 'long') => ({
  symbol,
  direction,
  notional,
});

test('an approval carries its size and leverage', () => {
  const decision = decide();
  assert.ok(decision.approved);
  assert.equal(decision.entry.quantity, '1');
  assert.equal(decision.entry.leverage, 20);
});

test('calm markets get up to twice the base, wild ones half', () => {
  const { volatility } = DEFAULT_LIMITS;
  const factors = (limits: typeof volatility): string[] =>
    [0.1, 1, 2, 3.2, 4, 50].map((atr) => volatilityMultiplier(atr, limits));
  assert.deepEqual(factors(volatility), ['2', '2', '1', '0.625', '0.5', '0.5']);
  const narrow = { ...volatility, referenceAtrPercent: 1, minFactor: 0.8, maxFactor: 1 };
  assert.deepEqual(factors(narrow), ['1', '1', '0.8', '0.8', '0.8', '0.8']);
  assert.deepEqual(new Set(factors({ ...volatility, enabled: false })), new Set(['1']));
});

for (const [rule, one] of [
  ['trading-state', { view: { tradingState: 'reducing' } }],
  ['trading-state', { view: { tradingState: 'halted' } }],
  ['instrument', { instrument: { status: 'SETTLING' } }],
  ['instrument', { entry: { symbol: 'ETHUSDT' } }],
  ['one-per-symbol', { view: { exposures: [held('BTCUSDT')] } }],
  ['one-per-symbol', { entry: { add: true } }],
  ['one-per-symbol', { entry: { add: true }, view: { exposures: [held('BTCUSDT', '100', 'short')] } }],
  ['position-count', { view: { equity: '199', exposures: [held('ETHUSDT', '10')] } }],
  ['position-count', { view: { equity: '-5' } }],
  ['price', { entry: { referencePrice: '0', direction: 'short' } }],
  ['volatility', { entry: { atrPercent: Number.NaN } }],
  ['volatility', { entry: { atrPercent: 0 } }],
  ['trail', { entry: { trailDistance: '0' } }],
  ['stop-side', { entry: { stopPrice: '100' } }],
  ['stop-side', { entry: { stopPrice: '101' } }],
  ['stop-side', { entry: { direction: 'short', stopPrice: '99' } }],
  ['total-exposure', { view: { exposures: [held('ETHUSDT', '3000')] } }],
  ['symbol-exposure', { entry: { add: true }, view: { exposures: [held('BTCUSDT', '1000')] } }],
  [
    'leverage',
    { limits: { maxTotalExposure: '100', maxLeverage: 3 }, view: { exposures: [held('ETHUSDT', '3000')] } },
  ],
  ['lot-size', { instrument: { stepSize: '10', minQuantity: '10' } }],
  ['lot-size', { instrument: { minNotional: '500' } }],
  ['lot-size', { instrument: { marketMaxQuantity: '0.0005' } }],
] as const satisfies readonly (readonly [string, Case])[]) {
  test(`refused by ${rule}: ${JSON.stringify(one)}`, () => {
    assert.deepEqual(rules(one), [rule]);
  });
}

test('every rule that refuses is named', () => {
  const found = rules({
    view: { tradingState: 'halted', exposures: [held('BTCUSDT')] },
    entry: { stopPrice: '101' },
  });
  assert.deepEqual(found, ['trading-state', 'one-per-symbol', 'stop-side']);
});

test('a size below the least order is rounded up within 1.5 times, and says so', () => {
  const decision = decide({ instrument: { stepSize: '1.4', minQuantity: '1.4' } });
  assert.ok(decision.approved);
  assert.equal(decision.entry.quantity, '1.4');
  assert.ok(decision.notes.some((note) => note.startsWith('rounded up to the least order')));
  assert.deepEqual(rules({ instrument: { stepSize: '1.6', minQuantity: '1.6' } }), ['lot-size']);
});

test('a size is cut to the room that is left', () => {
  const decision = decide({ view: { exposures: [held('ETHUSDT', '2950')] } });
  assert.ok(decision.approved);
  assert.equal(decision.entry.quantity, '0.5');
});

test('rounding up never breaks a limit', () => {
  assert.deepEqual(
    rules({
      view: { exposures: [held('ETHUSDT', '2950')] },
      instrument: { stepSize: '0.6', minQuantity: '0.6' },
    }),
    ['total-exposure'],
  );
});

test('leverage is the venue’s for this notional, and never more than ours', () => {
  const one = { limits: { baseNotional: '60000', maxSymbolExposure: '100', maxTotalExposure: '100' } };
  const decision = decide({
    ...one,
    view: { equity: '100000' },
    instrument: { marketMaxQuantity: '1000' },
  });
  assert.ok(decision.approved);
  assert.equal(decision.entry.leverage, 10);
});
