/**
 * A person's hand beside paper trading: a position opened at the exchange is shown, adopted, protected, taken by
 * the venue; and what the exports, the story and the replay say of it all afterwards.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readStatus, type StatusDocument } from '../../src/app/status/status-file.ts';
import { CliProcess, cli, jsonLines } from '../support/cli-process.ts';
import { ExchangeProcess } from '../support/exchange-process.ts';
import { tempDir } from '../support/temp.ts';

const LIMIT_MS = 60_000;
const SYMBOL = 'BTCUSDT';

async function until(
  dataDir: string,
  what: string,
  isSo: (status: StatusDocument) => boolean,
): Promise<void> {
  for (const end = Date.now() + LIMIT_MS; Date.now() < end; ) {
    if (isSo(readStatus(dataDir))) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`never: ${what}\n${JSON.stringify(readStatus(dataDir).venue, null, 1)}`);
}

/** Where an actor's answer can move orders that are not the demo's, it is told nothing that did not happen. */
async function noTestEvents(run: CliProcess, dataDir: string): Promise<void> {
  const [, url] = await run.said(/the page is at (http:\/\/127\.0\.0\.1:\d+)/, 'stderr');
  const token = readFileSync(join(dataDir, 'http-token'), 'utf8').trim();
  const [position] = readStatus(dataDir).positions;
  const event = { type: 'OPERATOR_CLOSE', by: 'a test' };
  const body = {
    id: 'a-test-event',
    command: { kind: 'test-event', actor: position?.actor, event },
    confirmed: true,
  };
  const answer = await fetch(`${url}/api/commands`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const { data } = (await answer.json()) as {
    data: { outcome: string; code: string; text: string; n: number };
  };
  assert.deepEqual([data.outcome, data.code], ['refused', 'NOT_HERE']);
  assert.match(data.text, /for a demo alone/);
  assert.ok(data.n > 0, 'on record');
}

test('a foreign position: shown, adopted, protected, deleveraged; told the same everywhere', async (t) => {
  const dataDir = tempDir(t, 'by-hand');
  const flags = ['--synthetic', '--seed', '7', '--symbols', SYMBOL, '--speed', '10', '--admin-port', '0'];
  const exchange = await ExchangeProcess.start(t, flags);
  const run = new CliProcess(
    [
      ...['run', '--mode', 'paper', '--venue', exchange.url, '--time-factor', '10'],
      ...['--data-dir', dataDir, '--json'],
    ],
    { env: { BULKHEAD_HTTP_ENABLED: 'true', BULKHEAD_HTTP_PORT: '0' } },
  );
  t.after(() => run.reap());
  await run.said(/"event":"running"/);
  await until(dataDir, 'a full reading', ({ venue }) => venue?.reconcile.ready === true);
  const order = { symbol: SYMBOL, side: 'BUY', type: 'MARKET', quantity: '0.02', newClientOrderId: 'web_1' };
  assert.equal((await exchange.signed('POST', '/fapi/v1/order', order)).status, 200);
  await until(dataDir, 'a finding', ({ venue }) => venue?.foreign.length === 1);

  const shown = await cli(['status', '--data-dir', dataDir]);
  assert.match(shown.stdout, /stream up \d+[sm]/, 'on the exchange\u2019s clock');
  assert.match(
    shown.stdout,
    /Foreign {2}BTCUSDT: 0\.02 and 0 orders; bulkhead adopt BTCUSDT, or ignore BTCUSDT/,
  );
  const adopted = await cli(['adopt', SYMBOL, '--data-dir', dataDir]);
  assert.equal(adopted.code, 0, adopted.stderr);
  await until(dataDir, 'adoption', ({ positions, venue }) => {
    const isHeld = positions.length === 1 && venue?.foreign.length === 0;
    return isHeld && venue?.protection.unprotectedNow === 0;
  });
  const stops = await exchange.signed('GET', '/fapi/v1/openAlgoOrders');
  const [stop] = stops.json as unknown as Record<string, unknown>[];
  assert.deepEqual([stop?.side, stop?.reduceOnly, Number(stop?.quantity)], ['SELL', true, 0.02]);

  await noTestEvents(run, dataDir);
  assert.equal((await exchange.admin('POST', '/adl', { symbol: SYMBOL })).status, 200);
  await until(dataDir, 'its end', ({ positions }) => positions.length === 0);
  run.kill('SIGTERM');
  assert.equal((await run.ended).code, 143, run.tail());

  const exported = async (kind: string): Promise<Record<string, unknown>[]> => {
    const end = await cli(['export', kind, '--format', 'json', '--data-dir', dataDir]);
    assert.equal(end.code, 0, end.stderr);
    return jsonLines(end);
  };
  const fills = await exported('fills');
  assert.deepEqual(
    fills.map(({ side, quantity, cause }) => [side, Number(quantity), cause]),
    [['SELL', 0.02, 'adl']],
  );
  const orders = await exported('orders');
  const kinds = orders.map(({ type, status }) => `${String(type)} ${String(status)}`);
  assert.deepEqual(kinds.slice(0, 1), ['STOP_MARKET canceled']);
  // Targets rested beside it as far as there was time; the venue ends them with what they would reduce.
  for (const kind of kinds.slice(1)) assert.match(kind, /^LIMIT (expired|canceled)$/);
  const [trade] = await exported('trades');
  const story = await cli(['explain', String(trade?.actor), '--data-dir', dataDir]);
  assert.equal(story.code, 0, story.stderr);
  assert.match(story.stdout, /taken over from the venue: 0\.02/);
  assert.match(story.stdout, /the venue's adl sold 0\.02/);
  const verified = await cli(['replay', '--verify', '--data-dir', dataDir, '--json']);
  assert.equal(verified.code, 0, verified.stderr);
  assert.deepEqual(jsonLines(verified)[0]?.mismatches, []);
});
