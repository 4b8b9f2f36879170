/**
 * What an approval may never break once the market and the results are known, against oracles of their own: the same
 * bet twice, a whole cluster, a lost edge, the book's depth, the margin, the day's loss.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { add, fromNumber, lte, mul, sum, toNumber } from '../../src/core/decimal.ts';
import { crossLiquidation } from '../../src/domain/liquidation.ts';
import type { Exposure, PortfolioView, Results, RiskLimits } from '../../src/domain/risk.ts';
import { DEFAULT_LIMITS } from '../../src/risk/limits.ts';
import { assessEntry } from '../../src/risk/risk-manager.ts';
import { portfolioLoss } from '../../src/risk/value-at-risk.ts';
import { entry, INSTRUMENT } from '../support/machine-bench.ts';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'XRPUSDT', 'ADAUSDT'] as const;
const HOURS = 60;

const cents = (from: number, to: number) =>
  fc.integer({ min: from * 100, max: to * 100 }).map((units) => fromNumber(units / 100));
const direction = fc.constantFrom('long' as const, 'short' as const);
const exposures: fc.Arbitrary<Exposure[]> = fc.array(
  fc.record({ symbol: fc.constantFrom(...SYMBOLS), direction, notional: cents(1, 2_000) }),
  { maxLength: 6 },
);

/** Each symbol follows the market as far as its share says; some have hardly any history. */
const returns = fc
  .record({
    seed: fc.integer({ min: 1, max: 1_000_000 }),
    shares: fc.tuple(...SYMBOLS.map(() => fc.constantFrom(0, 0.7, 0.9, 0.99, -0.95))),
    hours: fc.tuple(...SYMBOLS.map(() => fc.constantFrom(HOURS, HOURS, HOURS, 5))),
  })
  .map(({ seed, shares, hours }) => {
    const next = dice(seed);
    const market = Array.from({ length: HOURS }, next);
    return Object.fromEntries(
      SYMBOLS.map((symbol, i) => {
        const share = shares[i] ?? 0;
        const own = Math.sqrt(1 - share * share);
        const series = market.map((common) => Math.round(600 * (share * common + own * next())));
        return [symbol, series.slice(-(hours[i] ?? HOURS))];
      }),
    );
  });

/** Between −1 and 1, evenly. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return (2 * state) / 2_147_483_647 - 1;
  };
}

const results: fc.Arbitrary<Results> = fc
  .record({
    trades: fc.integer({ min: 0, max: 200 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    won: fc.double({ min: 0, max: 5, noNaN: true }),
    lost: fc.double({ min: 0, max: 5, noNaN: true }),
  })
  .map(({ trades, share, won, lost }) => ({ trades, wins: Math.round(trades * share), won, lost }));

const view = fc
  .record({
    equity: cents(100, 5_000),
    available: cents(0, 5_000),
    exposures,
    returns,
    depth: fc.option(fc.integer({ min: 10, max: 5_000 }), { nil: undefined }),
    all: results,
  })
  .map(
    ({ equity, available, exposures: held, returns: known, depth, all }): PortfolioView => ({
      equity,
      available,
      exposures: held,
      tradingState: 'active',
      at: 1_000,
      learned: { at: 1_000, all, symbols: {}, sides: {}, hours: {} },
      conditions: { returns: known, ...(depth === undefined ? {} : { depth }) },
    }),
  );

const bounds: fc.Arbitrary<RiskLimits> = fc
  .record({
    baseNotional: cents(20, 800),
    maxClusterExposure: cents(0, 3),
    refuseAbove: fc.constantFrom(0.8, 0.95, 1),
    scaleAbove: fc.constantFrom(0.3, 0.75),
    maxVarPercent: fc.integer({ min: 1, max: 30 }),
  })
  .map(({ refuseAbove, scaleAbove, maxVarPercent, ...more }) => ({
    ...DEFAULT_LIMITS,
    ...more,
    maxSideExposure: '50',
    maxTotalExposure: '50',
    capitalPerPosition: '1',
    correlation: { ...DEFAULT_LIMITS.correlation, refuseAbove, scaleAbove },
    valueAtRisk: { ...DEFAULT_LIMITS.valueAtRisk, maxVarPercent, maxCvarPercent: 1.2 * maxVarPercent },
  }));

type Bet = Pick<Exposure, 'symbol' | 'direction'>;

/** Pearson's by its definition; undefined for too little history. */
function together(a: Bet, b: Bet, known: Readonly<Record<string, readonly number[]>>): number | undefined {
  const sign = a.direction === b.direction ? 1 : -1;
  if (a.symbol === b.symbol) return sign;
  const [x, y] = [known[a.symbol] ?? [], known[b.symbol] ?? []];
  const n = Math.min(x.length, y.length);
  if (n < DEFAULT_LIMITS.correlation.minReturns) return undefined;
  const [u, v] = [x.slice(-n), y.slice(-n)];
  const mean = (list: readonly number[]): number => list.reduce((total, each) => total + each, 0) / n;
  const [mu, mv] = [mean(u), mean(v)];
  const moment = (p: readonly number[], mp: number, q: readonly number[], mq: number): number =>
    p.reduce((total, each, i) => total + (each - mp) * ((q[i] ?? 0) - mq), 0);
  return (sign * moment(u, mu, v, mv)) / Math.sqrt(moment(u, mu, u, mu) * moment(v, mv, v, mv));
}

/** Everything that hangs together with the candidate, by widening the circle until nothing joins any more. */
function cluster(
  candidate: Bet,
  held: readonly Exposure[],
  known: Record<string, readonly number[]>,
  above: number,
) {
  const circle: Bet[] = [candidate];
  let inside: Exposure[] = [];
  for (let size = -1; size !== inside.length; ) {
    size = inside.length;
    inside = held.filter((one) => circle.some((each) => (together(each, one, known) ?? -1) > above));
    circle.push(...inside);
  }
  return inside;
}

test('no approval doubles a bet, swells a cluster, ignores a lost edge, or outgrows depth, margin and loss', () => {
  let approvals = 0;
  fc.assert(
    fc.property(direction, view, bounds, fc.constantFrom(92, 97, 99), (side, account, limits, distance) => {
      const stopPrice = String(side === 'long' ? distance : 200 - distance);
      const wanted = entry({
        symbol: 'BTCUSDT',
        direction: side,
        referencePrice: '100',
        stopPrice,
        atrPercent: 2,
      });
      const decision = assessEntry(wanted, INSTRUMENT, account, limits);
      if (!decision.approved) return;
      approvals += 1;
      const { quantity, leverage } = decision.entry;
      const notional = mul(quantity, '100');
      const known = account.conditions?.returns ?? {};
      const { equity, available = '0', exposures: held } = account;
      const others = held.filter((one) => one.symbol !== 'BTCUSDT');
      for (const one of others)
        assert.ok((together(wanted, one, known) ?? -1) <= limits.correlation.refuseAbove + 1e-9);
      const near = 1e-9;
      const inside = cluster(wanted, others, known, limits.correlation.scaleAbove + near);
      assert.ok(
        lte(add(sum(inside.map((one) => one.notional)), notional), mul(equity, limits.maxClusterExposure)),
      );
      const { trades, wins, won, lost } = account.learned?.all ?? { trades: 0, wins: 0, won: 0, lost: 0 };
      if (trades >= limits.kelly.minTrades && trades > wins && lost > 0) {
        const losses = trades - wins;
        const edge = wins === 0 ? -1 : wins / trades - losses / trades / (won / wins / (lost / losses));
        assert.ok(edge > 0, `an edge of ${edge}`);
      }
      const depth = account.conditions?.depth;
      if (depth !== undefined) assert.ok(toNumber(notional) <= depth * limits.liquidity.maxDepthShare + 1e-9);
      assert.ok(toNumber(notional) / leverage <= toNumber(available) + 1e-6);
      const planned = { direction: side, quantity, entryPrice: '100' };
      const liquidation = crossLiquidation(planned, INSTRUMENT, toNumber(available));
      const [stop, buffer] = [Number(decision.entry.stopPrice), 100 * limits.liquidation.bufferRate];
      assert.ok(side === 'long' ? liquidation <= stop - buffer : liquidation >= stop + buffer);
      const { minReturns, maxVarPercent, maxCvarPercent } = limits.valueAtRisk;
      const loss = portfolioLoss(
        [...held, { ...planned, symbol: 'BTCUSDT', notional }],
        { returns: known },
        minReturns,
      );
      const worst = loss ? Math.max(loss.historicalVar, loss.parametricVar) : 0;
      assert.ok((100 * worst) / toNumber(equity) <= maxVarPercent + 1e-9);
      const beyond = loss ? Math.max(loss.historicalCvar, loss.parametricCvar) : 0;
      assert.ok((100 * beyond) / toNumber(equity) <= maxCvarPercent + 1e-9);
    }),
    { numRuns: 6_000, seed: 20_250_407 },
  );
  assert.ok(approvals > 300, `only ${approvals} approvals: the property would say little`);
});

test('what may not be there: no portfolio without some of it loses more than what is counted', () => {
  const held = fc.array(
    fc.record({
      symbol: fc.constantFrom(...SYMBOLS),
      direction,
      notional: cents(1, 2_000),
      doubtful: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  );
  let hedges = 0;
  fc.assert(
    fc.property(held, returns, fc.infiniteStream(fc.boolean()), (drawn, known, coin) => {
      const full = Object.fromEntries(
        Object.entries(known).map(([symbol, series]) => [symbol, series.slice(-5)]),
      );
      const counted = drawn.map(({ doubtful, ...one }) =>
        doubtful ? { ...one, uncertain: one.notional } : one,
      );
      const loss = portfolioLoss(counted, { returns: full }, 5);
      const there = drawn.filter(({ doubtful }) => !doubtful || coin.next().value === true);
      const real = portfolioLoss(there, { returns: full }, 5);
      const all = portfolioLoss(drawn, { returns: full }, 5);
      assert.ok(loss && all);
      if (!real) return;
      if (real.parametricVar > all.parametricVar + 1e-9) hedges += 1;
      // Its quantile alone is not bounded by parts that are worse together.
      for (const measure of ['historicalCvar', 'parametricVar', 'parametricCvar'] as const)
        assert.ok(loss[measure] >= real[measure] - 1e-9, `${measure}: ${loss[measure]} < ${real[measure]}`);
    }),
    { numRuns: 2_000, seed: 20_230_817 },
  );
  assert.ok(hedges > 100, `only ${hedges} hedges: the property would say little`);
});

test('more history never makes the day\u2019s loss larger than what is assumed without it', () => {
  fc.assert(
    fc.property(exposures, returns, fc.constantFrom(...SYMBOLS), (held, known, forgotten) => {
      const full = Object.fromEntries(Object.entries(known).filter(([, series]) => series.length >= 48));
      const judged = held.filter(({ symbol }) => symbol in full);
      const others = judged.filter(({ symbol }) => symbol !== forgotten);
      fc.pre(others.length > 0 && judged.length > others.length);
      const without = portfolioLoss(judged, { returns: { ...full, [forgotten]: [] } }, 48);
      const alone = portfolioLoss(others, { returns: full }, 48);
      assert.ok(without && alone);
      for (const measure of ['historicalVar', 'historicalCvar', 'parametricVar', 'parametricCvar'] as const)
        assert.ok(without[measure] > alone[measure], 'what is not known counts');
    }),
    { numRuns: 500, seed: 7 },
  );
});
