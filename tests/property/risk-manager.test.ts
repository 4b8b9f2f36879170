import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { add, fromNumber, gt, gte, isMultipleOf, lte, mul, sub, sum } from '../../src/core/decimal.ts';
import { isolatedLiquidation } from '../../src/domain/liquidation.ts';
import { moded } from '../../src/domain/position-key.ts';
import type { Entry, Exposure, PortfolioView, RiskLimits } from '../../src/domain/risk.ts';
import { DEFAULT_LIMITS } from '../../src/risk/limits.ts';
import { assessEntry } from '../../src/risk/risk-manager.ts';
import { volatilityMultiplier } from '../../src/risk/sizing.ts';
import { entry, INSTRUMENT } from '../support/machine-bench.ts';

const dec = (from: number, to: number, places = 2) =>
  fc
    .integer({ min: Math.round(from * 10 ** places), max: Math.round(to * 10 ** places) })
    .map((units) => fromNumber(units / 10 ** places));

const symbols = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'] as const;
const direction = fc.constantFrom('long' as const, 'short' as const);
const exposure: fc.Arbitrary<Exposure> = fc.record({
  symbol: fc.constantFrom(...symbols),
  direction,
  notional: dec(0, 5000),
});
const view: fc.Arbitrary<PortfolioView> = fc
  .record({
    equity: dec(-100, 20_000),
    available: dec(-100, 20_000),
    exposures: fc.array(exposure, { maxLength: 5 }),
    foreignConditionals: fc.constantFrom(0, 0, 3, 155, 160, 200),
    tradingState: fc.constantFrom(
      ...(['active', 'active', 'reducing', 'halted'] as const satisfies PortfolioView['tradingState'][]),
    ),
    isHedged: fc.boolean(),
  })
  .map(({ isHedged, ...account }) => ({ ...account, ...moded(isHedged ? 'hedge' : 'one-way') }));
const bounds: fc.Arbitrary<Partial<RiskLimits>> = fc.record({
  capitalPerPosition: dec(1, 500),
  baseNotional: dec(1, 5000),
  maxLeverage: fc.integer({ min: 1, max: 20 }),
  maxSymbolExposure: dec(0, 3),
  maxSideExposure: dec(0, 4),
  maxTotalExposure: dec(0, 5),
  maxLotRoundUp: dec(1, 2),
  conditionalOrders: fc.constantFrom({ limit: 200, reserve: 40 }, { limit: 4, reserve: 1 }),
  liquidation: fc.record({
    enabled: fc.boolean(),
    marginMode: fc.constantFrom('cross' as const, 'isolated' as const),
    bufferRate: fc.constantFrom(0, 0.005, 0.1),
  }),
});
const limits: fc.Arbitrary<RiskLimits> = bounds.map((drawn) => ({ ...DEFAULT_LIMITS, ...drawn }));
const proposal: fc.Arbitrary<Entry> = fc
  .record({
    direction,
    referencePrice: dec(0.1, 100_000, 1),
    stopPrice: dec(0, 100_000, 1),
    trailDistance: dec(0, 100, 1),
    atrPercent: fc.oneof(fc.double({ min: 0.01, max: 60, noNaN: true }), fc.double()),
    add: fc.boolean(),
  })
  .map((more) => entry(more));
const instrument = fc
  .record({
    stepSize: fc.constantFrom('0.001', '0.01', '1', '10'),
    minNotional: fc.constantFrom('5', '20', '100'),
    marketMaxQuantity: fc.constantFrom('0.5', '120', '1000'),
  })
  .map((more) => ({ ...INSTRUMENT, ...more, minQuantity: more.stepSize }));

test('no approval breaks a limit, whatever the input', () => {
  let approvals = 0;
  let isolated = 0;
  fc.assert(
    fc.property(proposal, instrument, view, limits, (wanted, market, account, bounds) => {
      const decision = assessEntry(wanted, market, account, bounds);
      if (!decision.approved) {
        assert.ok(decision.refusals.length > 0);
        for (const { rule, detail } of decision.refusals) assert.ok(rule !== '' && detail !== '');
        return;
      }
      approvals += 1;
      const { quantity, leverage, referencePrice, symbol } = decision.entry;
      const notional = mul(quantity, referencePrice);
      const inAll = sum(account.exposures.map((one) => one.notional));
      const inSymbol = sum(
        account.exposures.filter((one) => one.symbol === symbol).map((one) => one.notional),
      );
      assert.equal(account.tradingState, 'active');
      assert.ok(lte(add(inSymbol, notional), mul(account.equity, bounds.maxSymbolExposure)));
      const onSide = sum(
        account.exposures.filter((one) => one.direction === wanted.direction).map((one) => one.notional),
      );
      assert.ok(lte(add(onSide, notional), mul(account.equity, bounds.maxSideExposure)));
      assert.ok(lte(add(inAll, notional), mul(account.equity, bounds.maxTotalExposure)));
      assert.ok(lte(add(inAll, notional), mul(account.equity, String(bounds.maxLeverage))));
      assert.ok(leverage >= 1 && leverage <= bounds.maxLeverage);
      assert.ok(isMultipleOf(quantity, market.stepSize) && gte(quantity, market.minQuantity));
      assert.ok(lte(quantity, market.marketMaxQuantity) && gte(notional, market.minNotional));
      const computed = mul(bounds.baseNotional, volatilityMultiplier(wanted.atrPercent, bounds.volatility));
      assert.ok(lte(notional, mul(computed, bounds.maxLotRoundUp)));
      const placeOf = (one: Pick<Exposure, 'symbol' | 'direction'>) =>
        account.positionMode === 'hedge' ? `${one.symbol}/${one.direction}` : one.symbol;
      const held = new Set(account.exposures.map(placeOf));
      const { limit, reserve } = bounds.conditionalOrders;
      if (!wanted.add) {
        assert.ok((held.size + 1) * Number(bounds.capitalPerPosition) <= Number(account.equity));
        assert.ok(held.size + 1 + (account.foreignConditionals ?? 0) <= limit - reserve);
      }
      assert.equal(wanted.add, held.has(placeOf(wanted)));
      assert.ok(Number(notional) / leverage <= Number(account.available) + 1e-6);
      const { enabled, marginMode, bufferRate } = bounds.liquidation;
      if (enabled && marginMode === 'isolated') {
        const same = account.exposures.filter(
          (one) => one.symbol === symbol && one.direction === wanted.direction,
        );
        const whole =
          Number(quantity) + Number(sum(same.map((one) => one.notional))) / Number(referencePrice);
        const planned = { direction: wanted.direction, quantity: String(whole), entryPrice: referencePrice };
        const liquidation = isolatedLiquidation(planned, market, leverage);
        const room =
          (Number(decision.entry.stopPrice) - liquidation) * (wanted.direction === 'long' ? 1 : -1);
        assert.ok(
          room >= Number(referencePrice) * bufferRate * (1 - 1e-6),
          `${room} between stop and liquidation`,
        );
        isolated += 1;
      }
      const { stopPrice } = decision.entry;
      assert.ok(isMultipleOf(stopPrice, market.tickSize) && gt(stopPrice, '0'));
      const lost = mul(sub(referencePrice, stopPrice), wanted.direction === 'long' ? '1' : '-1');
      assert.ok(gt(lost, '0'), 'the stop is behind the entry');
      if (wanted.add) assert.equal(stopPrice, wanted.stopPrice);
      else assert.ok(lte(lost, mul(referencePrice, '0.1')), 'and within the hard cap');
    }),
    { numRuns: 16_000, seed: 20_250_504 },
  );
  assert.ok(approvals > 50, `only ${approvals} approvals: the property would say little`);
  assert.ok(isolated > 20, `only ${isolated} with isolated margin`);
});
