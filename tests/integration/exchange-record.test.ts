/** `bulkhead exchange --record`: what a venue's market was can be played again. */
import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { openRecording } from '../../src/market/recorded/recorded-market-data.ts';
import { ExchangeProcess } from '../support/exchange-process.ts';
import { tempDir } from '../support/temp.ts';

const START = '2025-01-04T07:50:00Z';
const MARKET = ['--symbols', 'BTCUSDT,ETHUSDT', '--speed', 'manual'];
const KLINES = '/fapi/v1/klines?symbol=BTCUSDT&interval=1m&limit=1500';
const from = Date.parse(START);

test('a market is written down, killed or not, and played again as it was', {
  timeout: 60_000,
}, async (t) => {
  const dir = path.join(tempDir(t), 'market');
  const flags = [...MARKET, '--start', START, '--record', dir];
  const first = await ExchangeProcess.start(t, flags);
  await first.admin('POST', '/clock/advance', { ms: 5 * 60_000 });
  await first.process.kill('SIGKILL');
  const bars = path.join(dir, 'BTCUSDT-1m.csv');
  appendFileSync(bars, '1735977300000,98');
  const again = await ExchangeProcess.start(t, flags);
  await again.admin('POST', '/clock/advance', { ms: 20 * 60_000 });
  const shown = (await again.get(KLINES)) as [number, ...string[]][];
  await again.process.kill('SIGTERM');
  assert.deepEqual(readdirSync(dir).sort(), [
    ...['BTCUSDT-1m-mark.csv', 'BTCUSDT-1m.csv', 'BTCUSDT-funding.csv'],
    ...['ETHUSDT-1m-mark.csv', 'ETHUSDT-1m.csv', 'ETHUSDT-funding.csv'],
  ]);
  const rows = readFileSync(bars, 'utf8').trimEnd().split('\n').slice(1);
  assert.deepEqual(
    rows.map((row) => row.split(',').map(Number)),
    shown
      .filter(([openTime]) => openTime >= from)
      .slice(0, 20)
      .map((row) => row.slice(0, 6).map(Number)),
  );
  const recording = openRecording({ path: dir });
  assert.deepEqual(recording.notes, []);
  const played = await ExchangeProcess.start(t, [
    ...MARKET,
    '--recording',
    dir,
    '--start',
    '2025-01-04T08:05:30Z',
  ]);
  const replayed = (await played.get(KLINES)) as [number, ...string[]][];
  const ended = ([openTime]: readonly [number, ...string[]]): boolean =>
    openTime >= from && openTime < from + 15 * 60_000;
  assert.deepEqual(
    replayed.filter(ended).map((row) => row.slice(0, 6)),
    shown.filter(ended).map((row) => row.slice(0, 6)),
  );
  const funding = (await played.get('/fapi/v1/fundingRate?symbol=BTCUSDT')) as { fundingTime: number }[];
  assert.deepEqual(
    funding.map(({ fundingTime }) => fundingTime),
    [Date.parse('2025-01-04T08:00:00Z')],
  );
});
