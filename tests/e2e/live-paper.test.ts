/**
 * Paper trading as a person would do it: an exchange in one process, the runtime in another, real sockets between
 * them, and a kill -9 in the midst.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { readStatus, type StatusDocument } from '../../src/app/status/status-file.ts';
import { CliProcess, cli } from '../support/cli-process.ts';
import { BUSY_CONFIG } from '../support/system-harness.ts';
import { tempDir } from '../support/temp.ts';

const LIMIT_MS = 120_000;
/** In this market ETHUSDT breaks out at 03:45. */
const START = '2025-01-13T03:20:00Z';

interface Ledger {
  readonly orders: readonly { readonly clientOrderId: string; readonly symbol: string }[];
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The newest status for which it is so. */
async function until(
  dataDir: string,
  what: string,
  isSo: (status: StatusDocument) => boolean,
): Promise<StatusDocument> {
  for (const end = Date.now() + LIMIT_MS; Date.now() < end; await pause(100)) {
    const status = readStatus(dataDir);
    if (isSo(status)) return status;
  }
  throw new Error(`never: ${what}\n${JSON.stringify(readStatus(dataDir).venue, null, 1)}`);
}

test('an entry, its stop, a kill -9, and the same position afterwards', { timeout: 300_000 }, async (t) => {
  const dir = tempDir(t, 'paper');
  const config = path.join(dir, 'busy.json');
  const { strategy } = BUSY_CONFIG;
  writeFileSync(config, JSON.stringify({ strategy, entry: { coolDownMs: 3_600_000 } }));
  const exchange = new CliProcess([
    ...['exchange', '--synthetic', '--seed', '7', '--symbols', 'ETHUSDT', '--start', START],
    ...['--speed', '60', '--port', '0', '--admin-port', '0', '--state', path.join(dir, 'venue'), '--json'],
  ]);
  t.after(() => exchange.reap());
  const ready = JSON.parse((await exchange.said(/^\{"ready".*$/m))[0]) as { port: number; adminPort: number };
  const dataDir = path.join(dir, 'data');
  const args = [
    ...['run', '--mode', 'paper', '--venue', `http://127.0.0.1:${ready.port}`, '--time-factor', '60'],
    ...['--config', config, '--data-dir', dataDir, '--json'],
  ];
  const first = new CliProcess(args);
  t.after(() => first.reap());
  await first.said(/"event":"running"/);
  const opened = await until(
    dataDir,
    'a protected position',
    ({ positions, venue }) => positions.length === 1 && venue?.protection.fillToStop.count === 1,
  );
  assert.equal(opened.positions[0]?.symbol, 'ETHUSDT');

  first.kill('SIGKILL');
  await first.ended;
  const second = new CliProcess(args);
  t.after(() => second.reap());
  await second.said(/"event":"running"/);
  const again = await until(dataDir, 'a full reading', ({ venue }) => venue?.reconcile.ready === true);
  assert.deepEqual(again.venue?.unknownOrders, []);
  assert.deepEqual(again.venue?.foreign, []);
  if (again.positions.length > 0)
    assert.equal(again.positions[0]?.quantity, opened.positions[0]?.quantity, 'or its stop was reached');
  else assert.ok(again.trades.count > 0);

  const answer = await fetch(`http://127.0.0.1:${ready.adminPort}/ledger`);
  const ledger = (await answer.json()) as Ledger | Record<string, Ledger>;
  const orders = 'orders' in ledger ? (ledger as Ledger).orders : Object.values(ledger)[0]?.orders;
  const ids = (orders ?? []).map(({ clientOrderId }) => clientOrderId);
  assert.ok(ids.length > 0);
  assert.equal(new Set(ids).size, ids.length, 'no order stands there twice');

  second.kill('SIGTERM');
  assert.equal((await second.ended).code, 143, second.tail());
  const verified = await cli(['replay', '--verify', '--config', config, '--data-dir', dataDir, '--json']);
  assert.equal(verified.code, 0, verified.stderr);
});
