/** The whole recorded run, and whether its exports and its journal agree with the account to the last digit. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { add, type Decimal, eq, sub, sum } from '../../src/core/decimal.ts';
import { cli, jsonLines } from '../support/cli-process.ts';
import { sharedData } from '../support/shared-data.ts';
import { writeSmallRecording } from '../support/small-recording.ts';
import { makeTempDir, removeTempDir } from '../support/temp.ts';

const recording = sharedData();
const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'XRPUSDT', 'BNBUSDT', 'LINKUSDT'];
const INITIAL = '10000';

interface Finished {
  readonly summary: Record<string, unknown>;
  exported(kind: string): Promise<Record<string, unknown>[]>;
  /** Of the account over the run. */
  readonly change: Decimal;
}

async function runToTheEnd(from: string, dataDir: string): Promise<Finished> {
  const args = ['run', '--mode', 'demo', '--recording', from, '--speed', 'max', '--until-end', '--json'];
  const end = await cli([...args, '--data-dir', dataDir]);
  assert.equal(end.code, 0, end.stderr.slice(-2_000));
  const summary = jsonLines(end).at(-1) ?? {};
  return {
    summary,
    change: sub(summary.wallet as Decimal, INITIAL),
    exported: async (kind) => {
      const answer = await cli(['export', kind, '--format', 'json', '--data-dir', dataDir]);
      assert.equal(answer.code, 0, answer.stderr);
      return jsonLines(answer);
    },
  };
}

const total = (records: readonly Record<string, unknown>[], column: string): Decimal =>
  sum(records.map((record) => record[column] as Decimal));

function same(actual: Decimal, expected: unknown, what: string): void {
  assert.ok(eq(actual, expected as Decimal), `${what}: ${actual} is not ${expected}`);
}

describe('the recording from end to end', { skip: recording === undefined && 'no market data' }, () => {
  const dataDir = makeTempDir('exports');
  let run: Finished;
  before(async () => {
    run = await runToTheEnd(recording ?? '', dataDir);
  });
  after(() => removeTempDir(dataDir));

  test('it trades six symbols over the whole time', () => {
    assert.deepEqual((run.summary.market as { symbols: string[] }).symbols.toSorted(), SYMBOLS.toSorted());
    assert.match(String(run.summary.virtualTime), /^2025-06-2[45]/);
    assert.ok(Number(run.summary.trades) > 50, `${run.summary.trades} trades`);
  });

  test('gross − fees + funding over all trades is the change of the account', async () => {
    const trades = await run.exported('trades');
    const gross = total(trades, 'grossPnl');
    const fees = total(trades, 'fees');
    const funding = total(trades, 'funding');
    same(add(sub(gross, fees), funding), run.change, 'gross − fees + funding');
    same(total(trades, 'netPnl'), run.change, 'net');
    same(gross, run.summary.realised, 'realised');
    same(fees, run.summary.fees, 'fees');
    same(funding, run.summary.funding, 'funding');
    const open = trades.filter(({ reason }) => reason === 'open');
    assert.equal(open.length, run.summary.openPositions);
    assert.equal(trades.length - open.length, run.summary.trades);
    assert.deepEqual(new Set(trades.map(({ symbol }) => symbol)), new Set(SYMBOLS));
    assert.deepEqual(new Set(trades.map(({ direction }) => direction)), new Set(['long', 'short']));
    for (const { closedAt, exitPrice } of open) assert.deepEqual([closedAt, exitPrice], [null, null]);
  });

  test('the steps of the equity add up to the change of the account, each from the one before', async () => {
    const steps = await run.exported('equity');
    same(total(steps, 'delta'), run.change, 'Σ delta');
    let balance: Decimal = INITIAL;
    for (const { n, delta, balance: told } of steps) {
      balance = add(balance, delta as Decimal);
      same(told as Decimal, balance, `balance at row ${n}`);
    }
  });

  test('replaying its journal gives the same bytes', async () => {
    const end = await cli(['replay', '--verify', '--json', '--data-dir', dataDir]);
    assert.equal(end.code, 0, end.stderr);
    const [result] = jsonLines(end);
    assert.deepEqual(
      [result?.n, result?.rows, result?.verified, result?.mismatches],
      [run.summary.rows, run.summary.rows, true, []],
    );
  });
});

describe('a short recording', () => {
  const dataDir = makeTempDir('exports');
  let run: Finished;
  before(async () => {
    run = await runToTheEnd(await writeSmallRecording(path.join(dataDir, 'recording')), dataDir);
  });
  after(() => removeTempDir(dataDir));

  test('fills carry the same fees and profits, and belong to the orders exported', async () => {
    const fills = await run.exported('fills');
    const orders = await run.exported('orders');
    same(total(fills, 'fee'), run.summary.fees, 'fees of the fills');
    same(total(fills, 'realizedPnl'), run.summary.realised, 'profits of the fills');
    const byOrder = Map.groupBy(fills, ({ clientOrderId }) => clientOrderId);
    for (const { clientOrderId, filled } of orders)
      same(total(byOrder.get(clientOrderId) ?? [], 'quantity'), filled as Decimal, String(clientOrderId));
    const ids = new Set(orders.map(({ clientOrderId }) => clientOrderId));
    assert.equal(ids.size, orders.length, 'no order twice');
    for (const { clientOrderId } of fills) assert.ok(ids.has(clientOrderId), String(clientOrderId));
  });

  test('CSV to a file holds as many trades', async () => {
    const file = path.join(dataDir, 'trades.csv');
    const end = await cli(['export', 'trades', '--out', file, '--data-dir', dataDir]);
    assert.deepEqual([end.code, end.stdout], [0, '']);
    const lines = readFileSync(file, 'utf8').trimEnd().split('\r\n');
    assert.equal(lines.length, 1 + Number(run.summary.trades) + Number(run.summary.openPositions));
  });
});
