import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { isBulkheadError } from '../../src/core/errors.ts';
import type { MarketData, MarketStep } from '../../src/market/market-data.ts';
import { openRecording } from '../../src/market/recorded/recorded-market-data.ts';
import { tempDir } from '../support/temp.ts';
import { zipOf } from '../support/zip-file.ts';

const T0 = Date.UTC(2025, 0, 1);
const MINUTE = 60_000;
const HEADER = 'ts_ms,open,high,low,close,volume\n';

/** A line of a quiet minute; `price` drifts so that no two minutes are equal. */
const line = (minute: number, price = 100 + minute * 0.01): string =>
  `${T0 + minute * MINUTE},${price},${price + 0.1},${price - 0.1},${price},5\n`;
const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => line(from + i)).join('');

function folderOf(t: TestContext, files: Readonly<Record<string, string | Buffer>>): string {
  const folder = tempDir(t, 'recording');
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  }
  return folder;
}

async function allSteps(market: MarketData, after?: number): Promise<MarketStep[]> {
  const steps: MarketStep[] = [];
  for await (const chunk of market.steps(after)) steps.push(...chunk);
  return steps;
}

const fails =
  (code: 'DATA_INVALID' | 'INPUT_MISSING', pattern: RegExp) =>
  (error: unknown): boolean =>
    isBulkheadError(error, code) &&
    error.hint !== undefined &&
    pattern.test(`${error.message} ${error.hint}`);

test('symbols start and end on their own; bars come at their close, in the order of the instruments', async (t) => {
  const path = folderOf(t, {
    'BBBUSDT_1m.csv': HEADER + lines(0, 4),
    'AAAUSDT_1m.csv.gz': gzipSync(HEADER + lines(2, 6)),
  });
  const market = openRecording({ path });
  assert.deepEqual(
    market.instruments().map(({ symbol }) => symbol),
    ['AAAUSDT', 'BBBUSDT'],
  );
  const steps = await allSteps(market);
  assert.deepEqual(
    steps.map((step) => step.bars.map(({ symbol }) => symbol[0]).join('')),
    ['B', 'B', 'AB', 'AB', 'A', 'A'],
  );
  assert.deepEqual(
    steps.map(({ at }) => (at - T0) / MINUTE),
    [1, 2, 3, 4, 5, 6],
  );
  assert.deepEqual(market.range(), { from: T0 + MINUTE, to: T0 + 6 * MINUTE, steps: 6 });
});

test('steps start anywhere and are the same steps', async (t) => {
  const market = openRecording({
    path: folderOf(t, { 'AAAUSDT_1m.csv': HEADER + lines(0, 5) + lines(9, 40) }),
  });
  const whole = await allSteps(market);
  for (const after of [T0 - 1, T0 + MINUTE, T0 + 6 * MINUTE, T0 + 7.5 * MINUTE, T0 + 40 * MINUTE]) {
    assert.deepEqual(
      await allSteps(market, after),
      whole.filter(({ at }) => at > after),
    );
  }
});

test('overlapping files give each minute once; the later file wins and a disagreement is reported', async (t) => {
  const path = folderOf(t, {
    'AAAUSDT_1m_2025-01-01_a.csv': HEADER + lines(0, 5),
    'AAAUSDT_1m_2025-01-01_b.csv': HEADER + line(3, 101) + lines(4, 8),
  });
  const market = openRecording({ path });
  const steps = await allSteps(market);
  assert.equal(steps.length, 8);
  assert.equal(steps[3]?.bars[0]?.close, 101);
  assert.deepEqual(
    steps.flatMap(({ at, faults }) => faults.map(({ kind }) => [kind, (at - T0) / MINUTE])),
    [['duplicate', 4]],
  );
  assert.match(market.notes[0] ?? '', /disagree about 1 bars/);
});

test('a gap is reported when the first missing bar was due, and the symbol resumes after clean bars', async (t) => {
  const market = openRecording({
    path: folderOf(t, { 'AAAUSDT_1m.csv': HEADER + lines(0, 5) + lines(7, 60) }),
  });
  const faults = (await allSteps(market)).flatMap(({ at, faults }) =>
    faults.map(({ kind }) => [kind, (at - T0) / MINUTE]),
  );
  assert.deepEqual(faults, [
    ['gap', 6],
    ['resumed', 23],
  ]);
});

test('rows twice or out of order are withheld and reported', async (t) => {
  const path = folderOf(t, {
    'AAAUSDT_1m.csv': HEADER + lines(0, 3) + line(2, 55) + line(3) + line(1, 66) + lines(4, 6),
  });
  const steps = await allSteps(openRecording({ path }));
  assert.deepEqual(
    steps.map((step) => step.bars[0]?.close),
    [100, 100.01, 100.02, 100.03, 100.04, 100.05],
  );
  assert.deepEqual(
    steps.flatMap(({ at, faults }) => faults.map(({ kind }) => [kind, (at - T0) / MINUTE])),
    [
      ['duplicate', 3],
      ['out-of-order', 4],
    ],
  );
});

test('funding settles at the minute, once; marks are attached where they are fine enough', async (t) => {
  const hour = (h: number): number => T0 + h * 60 * MINUTE;
  const bars = Array.from({ length: 12 }, (_, h) => `${hour(h)},100,101,99,100.5,7\n`).join('');
  const marks = (to: number): string =>
    `ts_ms,open,high,low,close\n${Array.from({ length: to }, (_, h) => `${hour(h)},100,100.9,99.1,100.4\n`).join('')}`;
  const path = folderOf(t, {
    'AAAUSDT_1h.csv': HEADER + bars,
    'mark/AAAUSDT_1h-mark.csv': marks(11),
    'mark/AAAUSDT_8h-mark.csv': marks(1),
    'AAAUSDT_funding_a.csv': `ts_ms,funding_rate\n${hour(0)},0.5\n${hour(8) + 7},0.0001\n`,
    'AAAUSDT_funding_b.csv': `ts_ms,funding_rate\n${hour(8)},0.0001\n${hour(16)},0.0002\n`,
  });
  const steps = await allSteps(openRecording({ path }));
  assert.deepEqual(
    steps.flatMap(({ at, funding }) => funding.map(({ rate }) => [(at - T0) / MINUTE / 60, rate])),
    [[8, 0.0001]],
  );
  assert.equal(steps[10]?.bars[0]?.markHigh, 100.9);
  assert.equal(steps[10]?.bars[0]?.markLow, 99.1);
  assert.equal(steps[10]?.bars[0]?.markClose, 100.4);
  assert.equal(steps[11]?.bars[0]?.markHigh, undefined);
});

test('seconds, microseconds and other column names are understood', async (t) => {
  const bar = (time: number): string => `${time},1,2,1,2,3\n`;
  const path = folderOf(t, {
    'AAAUSDT_1m.csv': `timestamp,open,high,low,close,vol\n${bar(T0 / 1000)}`,
    'BBBUSDT_1m.csv': `open_time,o,h,l,c,v\n${bar(T0 * 1000)}`,
  });
  const [step, ...rest] = await allSteps(openRecording({ path }));
  assert.deepEqual(rest, []);
  assert.deepEqual(
    step?.bars.map(({ openTime }) => openTime),
    [T0, T0],
  );
});

test('a Binance klines zip is read with and without its header', async (t) => {
  const kline = (minute: number): string =>
    `${line(minute).trim()},${T0 + minute * MINUTE + 59_999},500,3,2,200,0\n`;
  const header =
    'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n';
  const path = folderOf(t, {
    'AAAUSDT-1m-2025-01.zip': zipOf([['AAAUSDT-1m-2025-01.csv', header + kline(0) + kline(1)]]),
    'AAAUSDT-1m-2025-02.zip': zipOf([['AAAUSDT-1m-2025-02.csv', kline(2) + kline(3)]]),
  });
  assert.deepEqual(
    (await allSteps(openRecording({ path }))).map((step) => step.bars[0]?.close),
    [100, 100.01, 100.02, 100.03],
  );
});

test('a copy of Binance’s tree: marks by folder, what is not for us left alone, folders above without a say', async (t) => {
  const mark = line(0).replace(/5\n$/, '0\n');
  const folder = folderOf(t, {
    'markus/um/klines/AAAUSDT/1m/AAAUSDT-1m-2025-01.csv': HEADER + line(0),
    'markus/um/markPriceKlines/AAAUSDT/1m/AAAUSDT-1m-2025-01.csv': HEADER + mark,
    'markus/um/indexPriceKlines/AAAUSDT/1m/AAAUSDT-1m-2025-01.csv': 'not,read\n',
    'markus/um/trades/AAAUSDT/AAAUSDT-trades-2025-01.zip': 'not read',
  });
  const [step] = await allSteps(openRecording({ path: path.join(folder, 'markus') }));
  assert.equal(step?.bars.length, 1);
  assert.equal(step?.bars[0]?.markHigh, 100.1);
});

test('an aggTrades zip becomes 1m candles, flat where nobody traded', async (t) => {
  const trade = (id: number, price: number, quantity: number, atMs: number): string =>
    `${id},${price},${quantity},${id},${id},${T0 + atMs},true\n`;
  const zip = zipOf([
    ['x.csv', trade(1, 10, 1, 5) + trade(2, 12, 2, 100) + trade(3, 11, 1, 59_999) + trade(4, 9, 4, 120_000)],
  ]);
  const path = folderOf(t, { 'AAAUSDT-aggTrades-2025-01-01.zip': zip });
  assert.deepEqual(
    (await allSteps(openRecording({ path }))).map(({ bars: [bar] }) => [
      bar?.open,
      bar?.high,
      bar?.low,
      bar?.close,
      bar?.volume,
    ]),
    [
      [10, 12, 10, 11, 4],
      [11, 11, 11, 11, 0],
      [9, 9, 9, 9, 4],
    ],
  );
});

test('from, to and symbols choose; what is not there is named with what is', (t) => {
  const path = folderOf(t, { 'AAAUSDT_1m.csv': HEADER + lines(0, 9) });
  assert.equal(openRecording({ path, from: T0 + MINUTE, to: T0 + 4 * MINUTE }).range().steps, 3);
  assert.throws(
    () => openRecording({ path, symbols: ['ZZZUSDT'] }),
    fails('DATA_INVALID', /ZZZUSDT.*AAAUSDT/),
  );
  assert.throws(
    () => openRecording({ path, timeframe: '4h' }),
    fails('DATA_INVALID', /no candles of 4h.*1m/),
  );
  assert.throws(
    () => openRecording({ path, from: T0 + 9 * MINUTE }),
    fails('DATA_INVALID', /no usable 1m bars/),
  );
});

test('a file whose name does not say the symbol needs one named', (t) => {
  const file = path.join(folderOf(t, { 'my-data.csv': HEADER + lines(0, 3) }), 'my-data.csv');
  assert.throws(() => openRecording({ path: file }), fails('DATA_INVALID', /does not say the symbol/));
  assert.equal(openRecording({ path: file, symbols: ['AAAUSDT'] }).range().steps, 3);
});

test('bad input is refused with its name and what is expected', (t) => {
  const zip = zipOf([['a.csv', HEADER + lines(0, 300)]]);
  const flipped = Buffer.from(zip);
  flipped.writeUInt8(flipped.readUInt8(60) ^ 0xff, 60);
  const folder = folderOf(t, {
    'empty/readme.txt': 'nothing here',
    'AUSDT_1m_cut.csv.gz': gzipSync(HEADER + lines(0, 300)).subarray(0, 500),
    'BUSDT_1m_notgz.csv.gz': HEADER,
    'CUSDT-1m-cut.zip': zip.subarray(0, zip.length - 40),
    'DUSDT-1m-flip.zip': flipped,
    'EUSDT-1m-two.zip': zipOf([
      ['a.csv', HEADER],
      ['b.csv', HEADER],
    ]),
    'FUSDT_1m.csv': `time,price\n1,2\n`,
    'GUSDT_1m.csv': `${HEADER}${line(0)}${T0 + MINUTE},1,2,oops,1,1\n`,
    'HUSDT_1m.csv': `${HEADER}${T0 + 59_999},1,2,1,1,1\n`,
    'IUSDT_1m.csv': `${HEADER}7,1,2,1,1,1\n`,
    'JUSDT_1m.parquet': 'PAR1',
  });
  const open = (name: string) => () => openRecording({ path: path.join(folder, name) });
  assert.throws(open('nowhere'), fails('INPUT_MISSING', /nowhere.*--recording/));
  assert.throws(open('empty'), fails('DATA_INVALID', /no recording of a known format.*CSV/));
  assert.throws(
    open('AUSDT_1m_cut.csv.gz'),
    fails('DATA_INVALID', /cut\.csv\.gz: the gzip data is truncated/),
  );
  assert.throws(open('BUSDT_1m_notgz.csv.gz'), fails('DATA_INVALID', /gzip data is truncated or broken/));
  assert.throws(open('CUSDT-1m-cut.zip'), fails('DATA_INVALID', /not a complete zip/));
  assert.throws(open('DUSDT-1m-flip.zip'), fails('DATA_INVALID', /zip archive is broken|checksum/));
  assert.throws(open('EUSDT-1m-two.zip'), fails('DATA_INVALID', /holds 2 files/));
  assert.throws(open('FUSDT_1m.csv'), fails('DATA_INVALID', /line 1: no column "open" among "time,price"/));
  assert.throws(open('GUSDT_1m.csv'), fails('DATA_INVALID', /GUSDT_1m\.csv, line 3, column "low": "oops"/));
  assert.throws(open('HUSDT_1m.csv'), fails('DATA_INVALID', /not the open time of a 1m bar/));
  assert.throws(open('IUSDT_1m.csv'), fails('DATA_INVALID', /not an epoch time/));
  assert.throws(open('JUSDT_1m.parquet'), fails('DATA_INVALID', /not a recording of a known format/));
});
