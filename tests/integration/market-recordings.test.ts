/** The real recordings: loaded whole, judged without a false alarm, rolled up to what the venue itself published. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { type Candle, TIMEFRAME_MS, type Timeframe } from '../../src/domain/candle.ts';
import { CandleRollup } from '../../src/market/candle-rollup.ts';
import type { MarketBar, MarketData, MarketFault } from '../../src/market/market-data.ts';
import { QualityGate } from '../../src/market/quality.ts';
import { openRecording } from '../../src/market/recorded/recorded-market-data.ts';
import { loadCandles } from '../../src/market/recorded/recording-files.ts';
import { sharedData } from '../support/shared-data.ts';

const data = sharedData();
const skip = data === undefined ? 'no market data beside the checkout' : false;
const root = data ?? '';

async function contents(
  market: MarketData,
): Promise<{ bars: MarketBar[]; faults: MarketFault[]; settlements: number }> {
  const bars: MarketBar[] = [];
  const faults: MarketFault[] = [];
  let settlements = 0;
  let last = -1;
  for await (const chunk of market.steps(undefined)) {
    for (const step of chunk) {
      assert.ok(step.at > last, 'steps ascend');
      last = step.at;
      bars.push(...step.bars);
      faults.push(...step.faults);
      settlements += step.funding.length;
    }
  }
  return { bars, faults, settlements };
}

test('the main recording: six symbols, each over its own range, without a fault', { skip }, async () => {
  const market = openRecording({ path: root });
  const instruments = market.instruments();
  assert.deepEqual(
    instruments.map(({ symbol }) => symbol),
    ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'XRPUSDT', 'BNBUSDT', 'LINKUSDT'],
  );
  const { bars, faults, settlements } = await contents(market);
  assert.deepEqual(faults, []);
  assert.equal(bars.length, 378_957);
  assert.equal(settlements, 726);
  assert.ok(
    bars.every((bar) => bar.openTime >= Date.UTC(2025, 4, 4) && bar.openTime < Date.UTC(2025, 5, 25)),
  );
  for (const { symbol, tickSize } of instruments) {
    for (const bar of bars) {
      if (bar.symbol !== symbol) continue;
      const ticks = bar.close / Number(tickSize);
      assert.ok(Math.abs(ticks - Math.round(ticks)) < 1e-4, `${symbol} ${bar.close} is on its tick`);
    }
  }
});

test('hourly recordings carry their hourly mark prices and seven years of funding', { skip }, async () => {
  const { bars, settlements } = await contents(
    openRecording({ path: root, timeframe: '1h', symbols: ['BTCUSDT', 'ETHUSDT'] }),
  );
  const wick = bars.find((bar) => bar.symbol === 'ETHUSDT' && bar.openTime === Date.UTC(2020, 2, 13, 2));
  assert.ok(wick && wick.high > 300, 'the last price tripled');
  assert.ok((wick.markHigh ?? Infinity) < 120, 'the mark price did not');
  assert.equal(settlements, 12_676);
});

const candleFiles = (): { file: string; timeframe: Timeframe }[] => {
  const candles = path.join(root, 'candles');
  return readdirSync(candles).flatMap((venue) =>
    readdirSync(path.join(candles, venue)).flatMap((timeframe) =>
      readdirSync(path.join(candles, venue, timeframe)).map((name) => ({
        file: path.join(candles, venue, timeframe, name),
        timeframe: timeframe as Timeframe,
      })),
    ),
  );
};

function judge(
  file: string,
  timeframe: Timeframe,
): { counts: Map<string, number>; tradable: number; rows: number } {
  const rows = loadCandles(file, 'XUSDT', timeframe);
  const gate = new QualityGate('XUSDT', timeframe);
  const counts = new Map<string, number>();
  let tradable = 0;
  for (let i = 0; i < rows.length; i++) {
    const at = (column: Float64Array): number => column[i] as number;
    const { accepted, faults } = gate.push({
      symbol: 'XUSDT',
      timeframe,
      openTime: at(rows.openTime),
      open: at(rows.open),
      high: at(rows.high),
      low: at(rows.low),
      close: at(rows.close),
      volume: at(rows.volume),
    });
    if (accepted && !gate.suspended) tradable++;
    for (const { kind } of faults) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return { counts, tradable, rows: rows.length };
}

test('no bar of any clean recording is called absurd, crash days included', { skip }, () => {
  const files = candleFiles();
  assert.ok(files.length > 30);
  let outageFills = 0;
  for (const { file, timeframe } of files) {
    const { counts } = judge(file, timeframe);
    outageFills += counts.get('outage-fill') ?? 0;
    for (const kind of ['absurd', 'gap', 'duplicate', 'out-of-order'])
      assert.equal(counts.get(kind), undefined, `${kind} in ${path.basename(file)}`);
  }
  assert.ok(outageFills > 600, 'the recorders’ outage fills are found');
});

test('the deliberately bad recording is hardly ever tradable', { skip }, () => {
  const [name = ''] = readdirSync(path.join(root, 'dirty'));
  const { counts, tradable, rows } = judge(path.join(root, 'dirty', name), '1m');
  assert.equal(counts.get('gap'), 44);
  assert.ok((counts.get('absurd') ?? 0) > 100);
  assert.ok(tradable < rows * 0.07, `${tradable} of ${rows} bars tradable`);
});

test('1m rolls up to exactly the venue’s own 15m, 1h and 4h', { skip }, async () => {
  let compared = 0;
  for (const symbol of ['BTCUSDT', 'ETHUSDT', 'SOLUSDT']) {
    const { bars } = await contents(openRecording({ path: root, symbols: [symbol] }));
    const rollup = new CandleRollup();
    const rolled = bars.flatMap((bar) => rollup.push(bar).closed);
    for (const timeframe of ['15m', '1h', '4h'] as const) {
      const published = new Map<number, Candle>();
      const venue = await contents(openRecording({ path: root, symbols: [symbol], timeframe }));
      for (const bar of venue.bars) published.set(bar.openTime, bar);
      for (const bar of rolled) {
        const theirs = bar.timeframe === timeframe ? published.get(bar.openTime) : undefined;
        if (!theirs) continue;
        compared++;
        const { volume, ...prices } = bar;
        const { markHigh, markLow, markClose, volume: theirVolume, ...theirPrices } = theirs as MarketBar;
        assert.deepEqual(prices, theirPrices);
        assert.ok(Math.abs(volume - theirVolume) <= theirVolume * 1e-12, 'volume up to rounding');
      }
    }
  }
  assert.ok(compared > 14_000, `${compared} bars compared`);
});

test('5m rolls up to the 15m of the same months', { skip }, async () => {
  const window = { from: Date.UTC(2025, 2, 7), to: Date.UTC(2025, 3, 4) };
  for (const symbol of ['BTCUSDT', 'ADAUSDT']) {
    const options = { path: root, symbols: [symbol], ...window };
    const fine = await contents(openRecording({ ...options, timeframe: '5m' }));
    const coarse = await contents(openRecording({ ...options, timeframe: '15m' }));
    const rollup = new CandleRollup('5m', ['15m']);
    const rolled = fine.bars.flatMap((bar) => rollup.push(bar).closed);
    const prices = ({ openTime, open, high, low, close }: Candle): number[] => [
      openTime,
      open,
      high,
      low,
      close,
    ];
    assert.ok(rolled.length >= ((window.to - window.from) / TIMEFRAME_MS['15m']) * 0.99);
    assert.deepEqual(rolled.map(prices), coarse.bars.map(prices));
  }
});

test('a day of aggregated trades becomes a day of 1m candles', { skip }, async () => {
  const market = openRecording({
    path: path.join(root, 'trades/binance-um/APEUSDT-aggTrades-2024-10-18.zip'),
  });
  const { bars, faults } = await contents(market);
  assert.equal(bars.length, 1440);
  assert.deepEqual(faults, []);
  assert.equal(market.instruments()[0]?.symbol, 'APEUSDT');
});
