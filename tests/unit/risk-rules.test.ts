/** The rules of risk one by one, at their boundaries. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Instrument } from '../../src/domain/instrument.ts';
import { crossLiquidation, isolatedLiquidation, safeLeverage } from '../../src/domain/liquidation.ts';
import type { Entry, Exposure, PortfolioView, Results, RiskLimits } from '../../src/domain/risk.ts';
import { correlation, correlationFactor } from '../../src/risk/correlation.ts';
import { drawdownFactor, drawdownPercent } from '../../src/risk/drawdown.ts';
import { kellyFactor, kellyFraction, learnedFactor, weightAfter, withTrade } from '../../src/risk/edge.ts';
import { DEFAULT_LIMITS } from '../../src/risk/limits.ts';
import { assessEntry } from '../../src/risk/risk-manager.ts';
import { portfolioLoss } from '../../src/risk/value-at-risk.ts';
import { entry, INSTRUMENT } from '../support/machine-bench.ts';

const { kelly, learning, drawdownScaling } = DEFAULT_LIMITS;
const results = (trades: number, wins: number, won: number, lost: number): Results => ({
  trades,
  wins,
  won,
  lost,
});

const decide = (
  view: Partial<PortfolioView> = {},
  limits: Partial<RiskLimits> = {},
  proposed: Partial<Entry> = {},
) =>
  assessEntry(
    entry(proposed),
    INSTRUMENT,
    { equity: '1000', exposures: [], tradingState: 'active', ...view },
    { ...DEFAULT_LIMITS, ...limits },
  );
const rulesOf = (decision: ReturnType<typeof decide>): string[] =>
  decision.approved ? [] : decision.refusals.map(({ rule }) => rule);
const quantityOf = (decision: ReturnType<typeof decide>): string =>
  decision.approved ? decision.entry.quantity : `refused: ${rulesOf(decision)}`;

describe('Kelly', () => {
  test('half won at two to one is a quarter', () =>
    assert.equal(kellyFraction(results(100, 50, 2, 1)), 0.25));
  test('nothing lost is all in, nothing won is less than nothing', () => {
    assert.equal(kellyFraction(results(10, 10, 1, 0)), 1);
    assert.ok(kellyFraction(results(10, 0, 0, 1)) < 0);
  });
  test('the base stands until enough trades exist, then the measured edge is shrunk towards it', () => {
    assert.equal(kellyFactor(results(49, 0, 0, 9), kelly), 1);
    assert.equal(kellyFactor(results(50, 20, 1, 1.5), kelly), 0, 'a measured loss');
    assert.equal(kellyFactor(results(50, 25, 1, 1), kelly), 0, 'no edge at all');
    assert.equal(kellyFactor(results(50, 25, 2, 1), kelly), 1.25, 'capped at 1.5, half believed');
    const thin = kellyFactor(results(50, 25, 1.02, 1), kelly);
    assert.ok(thin > 0.5 && thin < 1, `a thin edge shrinks the size: ${thin}`);
  });
  test('a zero edge refuses with its numbers', () => {
    const learned = { at: 0, all: results(60, 20, 1, 2), symbols: {}, sides: {}, hours: {} };
    const decision = decide({ learned });
    assert.deepEqual(rulesOf(decision), ['edge']);
    assert.match(decision.approved ? '' : (decision.refusals[0]?.detail ?? ''), /60\.0 trades/);
  });
});

test('a lost edge is forgotten in time: otherwise nothing would ever trade again', () => {
  const at = Date.UTC(2025, 0, 1);
  const learned = { at, all: results(60, 20, 1, 2), symbols: {}, sides: {}, hours: {} };
  assert.deepEqual(rulesOf(decide({ learned, at })), ['edge']);
  assert.equal(
    quantityOf(decide({ learned, at: at + 30 * 86_400_000 })),
    '1',
    'thirty trades’ worth: the base',
  );
});

describe('what results teach', () => {
  const all = results(100, 50, 2, 1);
  test('a symbol that did as all did changes nothing', () => {
    assert.equal(learnedFactor(results(50, 25, 1, 0.5), all, learning), 1);
    assert.equal(learnedFactor(undefined, all, learning), 1);
  });
  test('better is larger, worse is smaller, both bounded and believed by their number', () => {
    const better = learnedFactor(results(20, 15, 2, 0.1), all, learning);
    const worse = learnedFactor(results(20, 2, 0.1, 2), all, learning);
    assert.equal(better, 1.25);
    assert.equal(worse, 0.75);
    assert.ok(learnedFactor(results(2, 0, 0, 1), all, learning) > worse, 'two trades say little');
  });
  test('a result weighs half after its half-life', () => {
    assert.equal(weightAfter(30 * 86_400_000, 30), 0.5);
    assert.deepEqual(withTrade(results(4, 2, 1, 1), -0.5, 0.5), results(3, 1, 0.5, 1));
  });
});

test('a drawdown shrinks the size from 5 % on, to a quarter at 20 %', () => {
  const factors = [0, 5, 12.5, 20, 50].map((percent) => drawdownFactor(percent, drawdownScaling));
  assert.deepEqual(factors, [1, 1, 0.625, 0.25, 0.25]);
  assert.equal(drawdownPercent('900', '1000'), 10);
  assert.equal(quantityOf(decide({ equity: '800', peakEquity: '1000' })), '0.25');
});

describe('correlation', () => {
  const rising = Array.from({ length: 60 }, (_, i) => ((i * 37) % 11) - 5);
  const falling = rising.map((value) => -value);
  const returns = { BTCUSDT: rising, ETHUSDT: rising.map((value) => value * 2), SOLUSDT: falling };
  const held = (symbol: string, direction: 'long' | 'short', notional = '100') => [
    { symbol, direction, notional },
  ];
  test('is of the moves, not of their size, and undefined where little is known', () => {
    assert.ok(Math.abs((correlation(rising, returns.ETHUSDT, 48) ?? 0) - 1) < 1e-12);
    assert.ok(Math.abs((correlation(rising, falling, 48) ?? 0) + 1) < 1e-12);
    assert.equal(correlation(rising.slice(0, 47), rising, 48), undefined);
    assert.equal(correlation(rising, new Array(60).fill(1), 48), undefined, 'no movement');
  });
  test('the same bet twice is refused, its hedge is not', () => {
    const conditions = { returns };
    assert.deepEqual(rulesOf(decide({ conditions, exposures: held('ETHUSDT', 'long') })), ['correlation']);
    assert.deepEqual(rulesOf(decide({ conditions, exposures: held('ETHUSDT', 'short') })), []);
    assert.deepEqual(rulesOf(decide({ conditions, exposures: held('SOLUSDT', 'long') })), []);
    assert.deepEqual(rulesOf(decide({ conditions, exposures: held('SOLUSDT', 'short') })), ['correlation']);
  });
  test('between the limits the size falls to a half', () => {
    const limits = { ...DEFAULT_LIMITS.correlation, scaleAbove: 0.8, refuseAbove: 1 };
    assert.deepEqual(
      [0.5, 0.8, 0.9, 1].map((value) => Number(correlationFactor(value, limits).toFixed(6))),
      [1, 1, 0.75, 0.5],
    );
  });
  test('a cluster has a limit of its own', () => {
    const correlation = { ...DEFAULT_LIMITS.correlation, refuseAbove: 1 };
    const view = { conditions: { returns }, exposures: held('ETHUSDT', 'long', '1500'), equity: '1000' };
    assert.deepEqual(rulesOf(decide(view, { correlation })), ['cluster-exposure']);
  });
});

describe('liquidity and funding', () => {
  const returns = {};
  test('a wide spread refuses', () => {
    assert.deepEqual(rulesOf(decide({ conditions: { returns, spreadRate: 0.002 } })), []);
    assert.deepEqual(rulesOf(decide({ conditions: { returns, spreadRate: 0.0021 } })), ['spread']);
  });
  test('an order is at most a quarter of the depth', () => {
    assert.equal(quantityOf(decide({ conditions: { returns, depth: 200 } })), '0.5');
  });
  test('a next settlement that costs too much refuses its payer only, however far off it is in its interval', () => {
    const at = Date.UTC(2025, 0, 1, 7, 31);
    const conditions = { returns, fundingRate: 0.0011, nextFundingAt: Date.UTC(2025, 0, 1, 8) };
    assert.deepEqual(rulesOf(decide({ at, conditions })), ['funding']);
    assert.deepEqual(rulesOf(decide({ at: Date.UTC(2025, 0, 1), conditions })), ['funding']);
    const fundingCost = { ...DEFAULT_LIMITS.fundingCost, withinMs: 1_800_000 };
    assert.deepEqual(rulesOf(decide({ at: at - 120_000, conditions }, { fundingCost })), [], 'not near yet');
    const receiver = { direction: 'short', stopPrice: '110' } as const;
    assert.deepEqual(rulesOf(decide({ at, conditions }, {}, receiver)), []);
  });
});

describe('liquidation', () => {
  const tier = (maintMarginRate: string, cum: string): Instrument => ({
    ...INSTRUMENT,
    brackets: [
      {
        bracket: 1,
        initialLeverage: 20,
        notionalFloor: '0',
        notionalCap: '1000000000',
        maintMarginRate,
        cum,
      },
    ],
  });
  test('the venue’s two documented cross examples, to a cent', () => {
    // Wallet 1,535,443.01; a long of BTC and a long of ETH live off it.
    const btc = { direction: 'long', quantity: '109.488', entryPrice: '32481.980' } as const;
    const behindBtc = 1_535_443.01 - 356_512.508 - 448_192.89;
    assert.ok(Math.abs(crossLiquidation(btc, tier('0.025', '16300'), behindBtc) - 26_316.89) < 0.01);
    const eth = { direction: 'long', quantity: '3683.979', entryPrice: '1456.84' } as const;
    const behindEth = 1_535_443.01 - 71_200.81144 - 56_354.57;
    assert.ok(Math.abs(crossLiquidation(eth, tier('0.1', '135365'), behindEth) - 1_153.26) < 0.01);
  });
  test('isolated at 20× is a little under 5 % away, less what is kept for maintenance', () => {
    const planned = { direction: 'long', quantity: '1', entryPrice: '100' } as const;
    const price = isolatedLiquidation(planned, tier('0.01', '0'), 20);
    assert.ok(Math.abs(price - 95 / 0.99) < 1e-9, String(price));
    const short = isolatedLiquidation({ ...planned, direction: 'short' }, tier('0.01', '0'), 20);
    assert.ok(Math.abs(short - 105 / 1.01) < 1e-9, String(short));
  });
  test('leverage falls until the stop comes first', () => {
    const planned = { direction: 'long', quantity: '1', entryPrice: '100' } as const;
    assert.equal(safeLeverage(planned, '97', tier('0.01', '0'), 20, 0.005), 20);
    assert.equal(safeLeverage(planned, '90', tier('0.01', '0'), 20, 0.005), 8);
    assert.equal(safeLeverage(planned, '0.1', tier('0.01', '0'), 20, 0.005), 0);
  });
  test('an add is judged with what it adds to', () => {
    const limits = { maxSymbolExposure: '100', maxSideExposure: '100', maxTotalExposure: '100' };
    const exposures = [{ symbol: 'BTCUSDT', direction: 'long', notional: '300' } as const];
    const view = { equity: '400', available: '30', exposures };
    const alone = decide({ ...view, exposures: [] }, limits, { stopPrice: '90' });
    assert.deepEqual(rulesOf(alone), [], 'alone it is safe');
    assert.deepEqual(rulesOf(decide(view, limits, { stopPrice: '90', add: true })), ['liquidation']);
  });
  // Where the strategy wants it: what is judged here is the liquidation price behind it.
  const stop = { ...DEFAULT_LIMITS.stop, adaptive: false, hardCapPercent: '99' };
  test('in isolated mode an approval carries the safe leverage', () => {
    const liquidation = { ...DEFAULT_LIMITS.liquidation, marginMode: 'isolated' } as const;
    const decision = decide({}, { liquidation, stop }, { stopPrice: '90' });
    assert.ok(decision.approved);
    assert.ok(decision.entry.leverage < 10, String(decision.entry.leverage));
  });
  test('in cross mode a smaller size is tried before it is refused', () => {
    const limits = { stop, maxSymbolExposure: '100', maxSideExposure: '100', maxTotalExposure: '100' };
    const small = decide({ equity: '100', available: '1' }, limits, { stopPrice: '90' });
    assert.ok(small.approved && small.notes.some((note) => note.includes('by liquidation')));
    assert.equal(small.entry.quantity, '0.05');
    const far = decide({ equity: '100', available: '20' }, limits, { stopPrice: '1' });
    assert.deepEqual(rulesOf(far), ['liquidation']);
  });
});

describe('value at risk', () => {
  const calm = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 100 : -100));
  const crash = calm.map((value, i) => (i === 50 ? -20_000 : value));
  const long = (notional: string) => [{ symbol: 'BTCUSDT', direction: 'long' as const, notional }];
  test('doubles with the position, vanishes with its hedge', () => {
    const conditions = { returns: { BTCUSDT: calm } };
    const one = portfolioLoss(long('100'), conditions, 48);
    const two = portfolioLoss(long('200'), conditions, 48);
    assert.ok(one && two && one.historicalVar > 0);
    assert.ok(Math.abs(two.parametricVar - 2 * one.parametricVar) < 1e-9);
    const hedged = [...long('100'), { symbol: 'BTCUSDT', direction: 'short' as const, notional: '100' }];
    assert.equal(portfolioLoss(hedged, conditions, 48)?.historicalVar, 0);
  });
  test('what may not be there hedges nothing, and counts where it adds', () => {
    const conditions = { returns: { BTCUSDT: calm } };
    const short = { symbol: 'BTCUSDT', direction: 'short' as const, notional: '100' };
    const varOf = (...held: Exposure[]) => portfolioLoss(held, conditions, 48)?.historicalVar ?? Number.NaN;
    const [one] = long('100');
    assert.ok(one);
    const single = varOf(one);
    const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-9, `${a} and ${b}`);
    near(varOf(one, short), 0);
    near(varOf(one, { ...short, uncertain: '100' }), single);
    near(varOf(one, { ...short, uncertain: '40' }), 0.4 * single);
    near(varOf(one, { ...one, uncertain: '100' }), 2 * single);
    near(varOf(one, { ...short, notional: '300', uncertain: '300' }), 2 * single);
  });
  test('the mean beyond is never less than the bound itself', () => {
    const loss = portfolioLoss(long('100'), { returns: { BTCUSDT: crash } }, 48);
    assert.ok(loss && loss.historicalCvar >= loss.historicalVar && loss.parametricCvar > loss.parametricVar);
  });
  test('little history is said, not guessed', () => {
    assert.equal(portfolioLoss(long('100'), { returns: { BTCUSDT: calm.slice(0, 10) } }, 48), undefined);
    const decision = decide({ conditions: { returns: {} } });
    assert.ok(decision.approved);
    assert.ok(decision.notes.some((note) => note.includes('too little history')));
  });
  test('a portfolio at its limit takes a smaller position, then none', () => {
    const conditions = { returns: { BTCUSDT: crash } };
    const at = (maxVarPercent: number) =>
      decide(
        { conditions },
        { valueAtRisk: { ...DEFAULT_LIMITS.valueAtRisk, maxVarPercent, maxCvarPercent: 100 } },
      );
    assert.equal(quantityOf(at(10)), '1');
    assert.equal(quantityOf(at(6)), '0.5');
    assert.deepEqual(rulesOf(at(1)), ['value-at-risk']);
  });
});

test('every factor that is not 1 stands in the notes with its numbers', () => {
  const decision = decide({ equity: '900', peakEquity: '1000' }, {}, { atrPercent: 4 });
  assert.ok(decision.approved);
  assert.match(decision.notes.join('\n'), /volatility ×0\.5 \(ATR 4\.00 %\)/);
  assert.match(decision.notes.join('\n'), /drawdown ×0\.75 \(10\.00 % below the peak\)/);
});
