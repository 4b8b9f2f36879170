import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import type { Candle } from '../../src/domain/candle.ts';
import {
  candleStatistics,
  marketStatistics,
  symbolStatistics,
} from '../../src/market/synthetic/market-statistics.ts';
import {
  compareMarkets,
  compareStatistics,
  statisticsTable,
} from '../../src/market/synthetic/statistics-report.ts';
import { SYNTHETIC_START_AT, SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
import { recordedCandles, recordedFunding } from '../support/recorded-candles.ts';

const DAY_MS = 86_400_000;

/** Candles whose log returns are the given ones. */
function candlesOf(returns: readonly number[], symbol = 'T'): Candle[] {
  let close = 100;
  return [0, ...returns].map((change, i) => {
    const open = close;
    close *= Math.exp(change);
    const high = Math.max(open, close) * 1.0001;
    const low = Math.min(open, close) / 1.0001;
    return {
      symbol,
      timeframe: '1m',
      openTime: i * 60_000,
      open,
      high,
      low,
      close,
      volume: 1 + Math.abs(change),
    };
  });
}

const near = (actual: number, expected: number, tolerance: number) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} instead of ${expected} ± ${tolerance}`);

test('normal returns have thin tails, no clustering and no memory', () => {
  const random = seededRandom('normal');
  const returns = Array.from({ length: 40_000 }, () => 0.001 * random.normal());
  const statistics = symbolStatistics(candlesOf(returns));
  near(statistics.volatilityBps, 10, 0.2);
  near(statistics.excessKurtosis, 0, 0.15);
  near(statistics.extremeRatio, 3.29, 0.2);
  assert.ok(statistics.tailIndex > 6);
  for (const value of statistics.clustering) near(value, 0, 0.02);
  near(statistics.returnMemory, 0, 0.02);
  near(statistics.leverage, 0, 0.02);
  assert.equal(statistics.jumpsPerDay, 0);
});

test('an unequal volatility is found: kurtosis, clustering, leverage', () => {
  const random = seededRandom('clusters');
  let volatility = 0.001;
  const returns = Array.from({ length: 40_000 }, () => {
    const change = volatility * random.normal();
    // Falls excite, rises calm.
    volatility = 0.001 + 0.98 * (volatility - 0.001) + (change < 0 ? 0.04 * -change : 0);
    return change;
  });
  const statistics = symbolStatistics(candlesOf(returns));
  assert.ok((statistics.clustering[0] ?? 0) > 0.05);
  assert.ok(statistics.excessKurtosis > 0.2);
  assert.ok(statistics.leverage < -0.05);
});

test('correlation, drawdown and jumps are what they are by construction', () => {
  const random = seededRandom('pair');
  const common = Array.from({ length: 5000 }, () => 0.001 * random.normal());
  const own = () => common.map((value) => value * 0.8 + 0.0006 * random.normal());
  const { meanCorrelation, correlations } = candleStatistics([candlesOf(own(), 'A'), candlesOf(own(), 'B')]);
  near(meanCorrelation, 0.64, 0.03);
  assert.equal(correlations[0]?.[0], 1);
  assert.equal(correlations[0]?.[1], correlations[1]?.[0]);

  const calm: number[] = Array.from({ length: 2880 }, (_, i) => (i % 2 === 0 ? 0.0001 : -0.0001));
  calm[2000] = -0.2;
  const statistics = symbolStatistics(candlesOf(calm));
  near(statistics.maxDrawdown, 1 - Math.exp(-0.2), 0.001);
  near(statistics.jumpsPerDay, 1, 0.01);
});

test('no return is taken across a gap', () => {
  const candles = candlesOf(Array.from({ length: 3000 }, (_, i) => 0.0001 * ((i % 3) - 1)));
  const after = candles.slice(1500).map((candle) => ({
    ...candle,
    openTime: candle.openTime + DAY_MS,
    open: candle.open * 3,
    high: candle.high * 3,
    low: candle.low * 3,
    close: candle.close * 3,
  }));
  const { volatilityBps } = symbolStatistics([...candles.slice(0, 1500), ...after]);
  assert.ok(volatilityBps < 2, `${volatilityBps}`);
});

test('statistics can be taken of any market, up to a moment', async () => {
  const market = new SyntheticMarketData({ seed: 1, symbols: ['BTCUSDT', 'ETHUSDT'] });
  const statistics = await marketStatistics(market, SYNTHETIC_START_AT + 2 * DAY_MS);
  assert.deepEqual(
    statistics.symbols.map(({ symbol, bars }) => [symbol, bars]),
    [
      ['BTCUSDT', 2880],
      ['ETHUSDT', 2880],
    ],
  );
  assert.equal(statistics.funding.settlements, 12);
});

test('the report says what differs', async () => {
  const random = seededRandom('plain');
  const plain = candleStatistics([
    candlesOf(
      Array.from({ length: 10_000 }, () => 0.001 * random.normal()),
      'A',
    ),
    candlesOf(
      Array.from({ length: 10_000 }, () => 0.001 * random.normal()),
      'B',
    ),
  ]);
  const market = new SyntheticMarketData({ seed: 1, symbols: ['BTCUSDT', 'ETHUSDT'], days: 7 });
  const report = compareStatistics(plain, await marketStatistics(market));
  assert.equal(report.alike, false);
  const table = statisticsTable(report);
  assert.match(table, /tail index .* DIFFERS/);
  assert.match(table, /correlation of pairs .* DIFFERS/);
  assert.equal(compareStatistics(plain, plain).facts.find(({ fact }) => fact === 'tail index')?.within, true);
});

test('two markets are compared step by step, an endless one up to a moment', async () => {
  const symbols = ['BTCUSDT', 'ETHUSDT'];
  const bounded = new SyntheticMarketData({ seed: 5, symbols, days: 6 });
  const endless = new SyntheticMarketData({ seed: 6, symbols });
  const report = await compareMarkets(bounded, endless, SYNTHETIC_START_AT + 6 * DAY_MS);
  assert.equal(report.real.symbols[0]?.bars, report.synthetic.symbols[0]?.bars);
  assert.ok(report.facts.length >= 16);
  for (const { fact, synthetic, band, within } of report.facts)
    assert.equal(within, synthetic.median >= band[0] && synthetic.median <= band[1], fact);
});

test('synthetic markets of several seeds are alike to two real months of BTC, ETH and SOL', async (t) => {
  const symbols = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];
  const recorded = symbols.flatMap((symbol) => {
    const candles = recordedCandles(symbol);
    return candles ? [candles] : [];
  });
  if (recorded.length < symbols.length) return t.skip('no recorded market data');
  const funding = symbols.flatMap((symbol) =>
    recordedFunding(symbol, Date.UTC(2025, 2, 6), Date.UTC(2025, 5, 24)),
  );
  assert.ok(funding.length > 600);
  const real = candleStatistics(recorded, funding);
  for (const seed of [1, 2, 3]) {
    const synthetic = await marketStatistics(new SyntheticMarketData({ seed, symbols, days: 51 }));
    const report = compareStatistics(real, synthetic);
    const table = statisticsTable(report);
    t.diagnostic(`seed ${seed}\n${table}`);
    assert.ok(report.alike, `seed ${seed}\n${table}`);
  }
});
