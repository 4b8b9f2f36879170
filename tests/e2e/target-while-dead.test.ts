/**
 * A take-profit that rests at the venue fills while nobody is here: the runtime is killed, the price gets there, and
 * the next life has the parts, the stop and the result right. Two real processes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readStatus, type StatusDocument } from '../../src/app/status/status-file.ts';
import { add, sum } from '../../src/core/decimal.ts';
import { CliProcess, cli, jsonLines } from '../support/cli-process.ts';
import { ExchangeProcess } from '../support/exchange-process.ts';
import { tempDir } from '../support/temp.ts';

const LIMIT_MS = 90_000;
const SYMBOL = 'BTCUSDT';
const BOUGHT = 0.03;

type Row = Readonly<Record<string, unknown>>;

async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const end = Date.now() + LIMIT_MS; Date.now() < end; ) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`never: ${what}`);
}

test('killed, a third is sold at its target, begun again: two parts, the smaller stop, the venue’s own P&L', {
  timeout: 240_000,
}, async (t) => {
  const dataDir = tempDir(t, 'target');
  const flags = ['--synthetic', '--seed', '7', '--symbols', SYMBOL, '--speed', '10', '--admin-port', '0'];
  const exchange = await ExchangeProcess.start(t, flags);
  const start = async (): Promise<CliProcess> => {
    const run = new CliProcess(
      [
        ...['run', '--mode', 'paper', '--venue', exchange.url, '--time-factor', '10'],
        ...['--data-dir', dataDir, '--json'],
      ],
      { env: { BULKHEAD_VENUE_FOREIGN: 'adopt' } },
    );
    t.after(() => run.reap());
    await run.said(/"event":"running"/);
    return run;
  };
  const rows = async (url: string): Promise<readonly Row[]> =>
    (await exchange.signed('GET', url)).json as unknown as readonly Row[];
  const targets = async () =>
    (await rows('/fapi/v1/openOrders'))
      .map(({ side, origQty, price, reduceOnly }) => ({ side, origQty, price, reduceOnly }))
      .sort((a, b) => Number(a.price) - Number(b.price));
  const stops = async () =>
    (await rows('/fapi/v1/openAlgoOrders')).map(({ side, quantity }) => [side, Number(quantity)]);
  const held = async (): Promise<number> =>
    Number((await rows('/fapi/v3/positionRisk')).find(({ symbol }) => symbol === SYMBOL)?.positionAmt ?? 0);
  const statusWhere = (what: string, isSo: (status: StatusDocument) => boolean) =>
    until(what, () => {
      const status = readStatus(dataDir);
      return isSo(status) ? status : undefined;
    });

  const first = await start();
  const bought = { symbol: SYMBOL, side: 'BUY', type: 'MARKET', quantity: String(BOUGHT) };
  assert.equal((await exchange.signed('POST', '/fapi/v1/order', bought)).status, 200);
  const planned = await until('three targets', async () => {
    const all = await targets();
    return all.length === 3 ? all : undefined;
  });
  assert.deepEqual(
    planned.map(({ side, origQty, reduceOnly }) => [side, Number(origQty), reduceOnly]),
    [0.009, 0.01, 0.011].map((quantity) => ['SELL', quantity, true]),
  );
  assert.deepEqual(
    await until('its stop', async () => ((await stops()).length === 1 ? stops() : undefined)),
    [['SELL', BOUGHT]],
  );
  first.kill('SIGKILL');
  await first.ended;

  // Above the first target at two percent, below the trailing stop's three.
  await exchange.admin('POST', '/price', { symbol: SYMBOL, fraction: 0.025, forMs: 3_600_000 });
  await until('its first target', async () => ((await held()) < BOUGHT ? true : undefined));
  assert.equal(await held(), 0.021);
  assert.deepEqual(await stops(), [['SELL', BOUGHT]], 'nobody was here to make it smaller');

  const second = await start();
  const status = await statusWhere(
    'a position of two thirds',
    ({ positions }) => Number(positions[0]?.quantity) === 0.021,
  );
  assert.equal(status.positions.length, 1);
  await until('a stop of its size', async () => {
    const [stop, ...more] = await stops();
    return more.length === 0 && stop?.[1] === 0.021 ? true : undefined;
  });
  assert.deepEqual(await targets(), planned.slice(1), 'the others stand where they stood, untouched');

  const closed = await cli(['close', SYMBOL, '--data-dir', dataDir]);
  assert.equal(closed.code, 0, closed.stderr + closed.stdout);
  await statusWhere('its end', ({ positions, trades }) => positions.length === 0 && trades.count === 1);
  await until('nothing left', async () =>
    (await held()) === 0 && (await targets()).length + (await stops()).length === 0 ? true : undefined,
  );
  second.kill('SIGTERM');
  assert.equal((await second.ended).code, 143, second.tail());

  const ledger = (await exchange.admin('GET', '/ledger')).json as unknown as { trades: readonly Row[] };
  const sold = ledger.trades.filter(({ side }) => side === 'SELL');
  const total = (name: string): string => sum(sold.map((trade) => String(trade[name])));
  const exported = await cli(['export', 'trades', '--format', 'json', '--data-dir', dataDir]);
  const [trade, ...others] = jsonLines(exported);
  assert.deepEqual(others, []);
  assert.equal(Number(trade?.quantity), BOUGHT);
  assert.equal(add(String(trade?.grossPnl), '0'), add(total('realizedPnl'), '0'));
  assert.equal(add(String(trade?.fees), '0'), add(total('commission'), '0'));
  assert.equal(sold.length, 2, 'one sale at the target, one by the person');
  const verified = await cli(['replay', '--verify', '--data-dir', dataDir, '--json']);
  assert.equal(verified.code, 0, verified.stderr);
});
