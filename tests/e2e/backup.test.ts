/**
 * A machine that burns down, as a person lives through it: backups while the account trades, kill -9, everything gone,
 * the backup restored into an empty folder. The position is the same, protected, and no order id comes again.
 */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { readStatus, type StatusDocument } from '../../src/app/status/status-file.ts';
import { CliProcess, cli, jsonLines } from '../support/cli-process.ts';
import { BUSY_CONFIG } from '../support/system-harness.ts';
import { tempDir } from '../support/temp.ts';

const LIMIT_MS = 120_000;
/** In this market ETHUSDT breaks out at 03:45. */
const START = '2025-01-13T03:20:00Z';

interface Ledger {
  readonly orders: readonly { readonly clientOrderId: string }[];
  readonly algoOrders: readonly { readonly clientAlgoId?: string; readonly algoStatus: string }[];
  readonly positions: readonly { readonly symbol: string; readonly positionAmt?: string }[];
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

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

test('backed up while it trades, killed, wiped, restored, and it goes on', {
  timeout: 400_000,
}, async (t) => {
  const dir = tempDir(t, 'burnt');
  const config = path.join(dir, 'busy.json');
  const { strategy } = BUSY_CONFIG;
  writeFileSync(config, JSON.stringify({ strategy, entry: { coolDownMs: 3_600_000 } }));
  const key = path.join(dir, 'key');
  assert.equal((await cli(['backup', '--new-key', key])).code, 0);
  const env = { BULKHEAD_BACKUP_KEY_FILE: key };
  const exchange = new CliProcess([
    ...['exchange', '--synthetic', '--seed', '7', '--symbols', 'ETHUSDT', '--start', START],
    ...['--speed', '30', '--port', '0', '--admin-port', '0', '--state', path.join(dir, 'venue'), '--json'],
  ]);
  t.after(() => exchange.reap());
  const ready = JSON.parse((await exchange.said(/^\{"ready".*$/m))[0]) as { port: number; adminPort: number };
  const ledger = async (): Promise<Ledger> => {
    const answer = (await (await fetch(`http://127.0.0.1:${ready.adminPort}/ledger`)).json()) as object;
    return ('orders' in answer ? answer : Object.values(answer)[0]) as Ledger;
  };
  const runArgs = (dataDir: string): string[] => [
    ...['run', '--mode', 'paper', '--venue', `http://127.0.0.1:${ready.port}`, '--time-factor', '30'],
    ...['--config', config, '--data-dir', dataDir, '--json'],
  ];
  const first = path.join(dir, 'first');
  const run = new CliProcess(runArgs(first), { env });
  t.after(() => run.reap());
  await run.said(/"event":"running"/);
  const opened = await until(
    first,
    'a protected position',
    ({ positions, venue }) => positions.length === 1 && venue?.protection.fillToStop.count === 1,
  );
  const place = ['--place', path.join(dir, 'place'), '--config', config];
  const taken = await cli(['backup', ...place, '--data-dir', first, '--json'], { env });
  assert.equal(taken.code, 0, taken.stderr);
  const [report] = jsonLines(taken);
  assert.deepEqual([report?.verified, readStatus(first).state], ['restored', 'running']);
  const idsBefore = idsOf(await ledger());

  run.kill('SIGKILL');
  await run.ended;
  rmSync(first, { recursive: true });
  const second = path.join(dir, 'second');
  const restored = await cli(['restore', 'latest', ...place, '--data-dir', second, '--json'], { env });
  assert.equal(restored.code, 0, restored.stderr);
  assert.equal(jsonLines(restored)[0]?.n, report?.rows);
  const life = new CliProcess(runArgs(second), { env });
  t.after(() => life.reap());
  await life.said(/"event":"running"/);
  const again = await until(second, 'a full reading', ({ venue }) => venue?.reconcile.ready === true);
  assert.deepEqual([again.venue?.unknownOrders, again.venue?.foreign], [[], []]);
  if (again.positions.length > 0) {
    assert.equal(again.positions[0]?.quantity, opened.positions[0]?.quantity);
    const { algoOrders } = await ledger();
    assert.ok(
      algoOrders.some(({ algoStatus }) => algoStatus === 'NEW'),
      'its stop rests at the venue',
    );
  } else assert.ok(again.trades.count > 0, 'or its stop was reached');
  // The restored life acts: what is open is closed by its own orders.
  const killed = await cli(['kill', '--data-dir', second, '--config', config, '--reason', 'a drill'], {
    env,
  });
  assert.equal(killed.code, 0, killed.stderr);
  const flat = await until(second, 'flat', ({ positions }) => positions.length === 0);
  assert.ok(flat.trades.count > 0);
  const ids = idsOf(await ledger());
  assert.equal(new Set(ids).size, ids.length, 'no order id twice');
  assert.ok(idsBefore.every((id) => ids.includes(id)));

  life.kill('SIGTERM');
  assert.equal((await life.ended).code, 143, life.tail());
  const verified = await cli(['replay', '--verify', '--config', config, '--data-dir', second, '--json']);
  assert.equal(verified.code, 0, verified.stderr);
});

const idsOf = ({ orders, algoOrders }: Ledger): string[] =>
  [
    ...orders.map(({ clientOrderId }) => clientOrderId),
    ...algoOrders.map((each) => each.clientAlgoId ?? ''),
  ].filter((id) => id !== '');
