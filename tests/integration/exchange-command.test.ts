import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { ERRORS } from '../../src/core/errors.ts';
import { cli, errorOf } from '../support/cli-process.ts';
import { ExchangeProcess } from '../support/exchange-process.ts';
import { tempDir } from '../support/temp.ts';
import { TestSocket } from '../support/test-socket.ts';

const MARKET = ['--symbols', 'BTCUSDT,ETHUSDT'];
const BUY = { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: '0.01' };

describe('bulkhead exchange', () => {
  test('an order through the real core: answered, told on the private socket, and in the books', async (t) => {
    const venue = await ExchangeProcess.start(t, [...MARKET, '--speed', 'manual']);
    const { listenKey } = (await venue.signed('POST', '/fapi/v1/listenKey')).json as { listenKey: string };
    const socket = await TestSocket.open(t, `${venue.url}/private/ws?listenKey=${listenKey}`);
    const placed = await venue.signed('POST', '/fapi/v1/order', { ...BUY, newClientOrderId: 'first' });
    assert.equal(placed.status, 200, JSON.stringify(placed.json));
    await socket.frame(({ e, o }) => e === 'ORDER_TRADE_UPDATE' && (o as { X?: string }).X === 'FILLED');
    await socket.frame(({ e }) => e === 'ACCOUNT_UPDATE');
    const ledger = (await venue.admin('GET', '/ledger')).json as { orders: { clientOrderId: string }[] };
    assert.deepEqual(
      ledger.orders.map(({ clientOrderId }) => clientOrderId),
      ['first'],
    );
    assert.deepEqual((await venue.admin('GET', '/violations')).json, { violations: [] });
  });

  test('of a generated market in real time it is now: a client needs no clock but its own', async (t) => {
    const venue = await ExchangeProcess.start(t, MARKET);
    const read = await venue.signed('GET', '/fapi/v3/account', {}, Date.now());
    assert.equal(read.status, 200, JSON.stringify(read.json));
    const again = await ExchangeProcess.start(t, [...MARKET, '--speed', '60']);
    assert.ok((await again.now()) < Date.now() - 86_400_000, 'at another speed it begins with its market');
  });

  test('market streams move with the clock that the admin moves', async (t) => {
    const venue = await ExchangeProcess.start(t, [...MARKET, '--speed', 'manual']);
    const socket = await TestSocket.open(t, `${venue.url}/public/ws/btcusdt@bookTicker`);
    const before = await venue.now();
    await venue.admin('POST', '/clock/advance', { ms: 5_000 });
    assert.equal(await venue.now(), before + 5_000);
    await socket.frame(({ e }) => e === 'bookTicker');
    assert.equal((await venue.admin('POST', '/clock/advance', { ms: -1 })).status, 400);
    const named = await venue.admin('POST', '/clock/advance', { to: '2030-01-01T00:00:00Z' });
    assert.deepEqual([named.status, JSON.stringify(named).includes('no number')], [400, true]);
  });

  test('the admin: faults come and go, deposits, halts; strangers stay out', async (t) => {
    const venue = await ExchangeProcess.start(t, [...MARKET, '--speed', 'manual']);
    const rules = [{ request: 'POST /fapi/v1/order', nth: 1, do: 'answer', as: 'unavailable-503' }];
    assert.equal((await venue.admin('POST', '/faults', { rules })).status, 200);
    assert.equal((await venue.signed('POST', '/fapi/v1/order', BUY)).status, 503);
    const { faults } = (await venue.admin('GET', '/faults')).json as { faults: { hits: number }[] };
    assert.equal(faults[0]?.hits, 1);
    await venue.admin('DELETE', '/faults');
    assert.deepEqual(((await venue.admin('GET', '/faults')).json as { faults: [] }).faults, []);
    assert.match(
      String((await venue.admin('POST', '/faults', { rules: [{ do: 'x' }] })).json.error),
      /rule 1 needs/,
    );

    await venue.admin('POST', '/deposit', { amount: '500' });
    assert.equal((await venue.admin('GET', '/ledger')).json.wallet, '10500');
    assert.equal(
      (await venue.admin('POST', '/instrument', { symbol: 'BTCUSDT', status: 'TRADING_HALT' })).status,
      200,
    );
    assert.notEqual((await venue.signed('POST', '/fapi/v1/order', BUY)).status, 200);
    assert.equal(
      (await venue.admin('POST', '/instrument', { symbol: 'BTCUSDT', colour: 'red' })).status,
      400,
    );
    assert.equal((await venue.admin('POST', '/price', { symbol: 'BTCUSDT', fraction: -0.05 })).status, 200);

    assert.equal(
      (await venue.admin('GET', '/state', undefined, { Origin: 'http://evil.example' })).status,
      403,
    );
    assert.equal((await venue.admin('GET', '/nothing')).status, 404);
  });

  test('a cancel that comes too late: half of it fills, or all', async (t) => {
    const venue = await ExchangeProcess.start(t, [...MARKET, '--speed', 'manual']);
    const book = (await venue.get('/fapi/v1/ticker/bookTicker?symbol=BTCUSDT')) as { bidPrice: string };
    const price = (Math.floor(Number(book.bidPrice) * 0.99 * 10) / 10).toFixed(1);
    const order = {
      symbol: 'BTCUSDT',
      side: 'BUY',
      type: 'LIMIT',
      timeInForce: 'GTC',
      quantity: '0.010',
      price,
    };
    for (const [share, status, executed] of [
      [0.5, 200, '0.005'],
      [1, 400, undefined],
    ] as const) {
      await venue.admin('DELETE', '/faults');
      const rules = [{ request: 'DELETE /fapi/v1/order', do: 'fill-first', share }];
      await venue.admin('POST', '/faults', { rules });
      const id = `late-${share}`;
      assert.equal(
        (await venue.signed('POST', '/fapi/v1/order', { ...order, newClientOrderId: id })).status,
        200,
      );
      const cancelled = await venue.signed('DELETE', '/fapi/v1/order', {
        symbol: 'BTCUSDT',
        origClientOrderId: id,
      });
      assert.equal(cancelled.status, status, JSON.stringify(cancelled.json));
      if (status === 400) assert.equal(cancelled.json.code, -2011);
      else assert.equal(Number(cancelled.json.executedQty), Number(executed));
    }
    assert.deepEqual((await venue.admin('GET', '/violations')).json, { violations: [] });
  });

  test('its journal for people holds requests, events and faults, and no key', async (t) => {
    const file = path.join(tempDir(t), 'journal.jsonl');
    const faults = path.join(tempDir(t), 'faults.yaml');
    writeFileSync(faults, 'rules:\n  - { request: POST /fapi/v1/order, nth: 2, do: drop-after }\n');
    const venue = await ExchangeProcess.start(t, [
      ...MARKET,
      '--speed',
      'manual',
      '--journal',
      file,
      '--faults',
      faults,
    ]);
    await venue.signed('POST', '/fapi/v1/listenKey');
    await venue.signed('POST', '/fapi/v1/order', BUY);
    await assert.rejects(venue.signed('POST', '/fapi/v1/order', BUY));
    venue.process.kill('SIGTERM');
    assert.equal((await venue.process.ended).code, 143);
    const text = readFileSync(file, 'utf8');
    assert.match(text, /"what":"request","request":"POST \/fapi\/v1\/order"/);
    assert.match(text, /"what":"ORDER_TRADE_UPDATE"/);
    assert.match(text, /"what":"fault".*"fault":"drop"/);
    assert.doesNotMatch(text, /signature|bulkhead-demo/);
  });

  const WRONG: readonly [string[], keyof typeof ERRORS, RegExp][] = [
    [['--speed', 'fast'], 'USAGE', /--speed fast/],
    [['--port', '70000'], 'USAGE', /--port 70000/],
    [['--synthetic', '--live-feed', 'binance'], 'USAGE', /exclude each other/],
    [['--live-feed', 'kraken'], 'USAGE', /--live-feed kraken is no market/],
    [['--live-feed', 'bybit@nowhere'], 'USAGE', /--live-feed bybit@nowhere is no market/],
    [['--api-key', 'x'], 'USAGE', /belong together/],
    [['--balance', '-3'], 'USAGE', /--balance/],
    [['--faults', 'wild'], 'INPUT_MISSING', /no preset and no file of faults "wild"/],
    [['--recording', '/nowhere/at/all'], 'INPUT_MISSING', /nowhere/],
  ];
  for (const [flags, code, message] of WRONG) {
    test(`exchange ${flags.join(' ')}: ${code}`, async () => {
      const end = await cli(['exchange', '--json', ...flags]);
      assert.equal(end.code, ERRORS[code].exit, end.stderr);
      assert.equal(errorOf(end).code, code);
      assert.match(errorOf(end).message, message);
    });
  }

  test('a port that is taken, and a state folder of another venue', async (t) => {
    const dir = tempDir(t);
    const venue = await ExchangeProcess.start(t, [...MARKET, '--state', dir]);
    const taken = await cli(['exchange', '--json', '--port', String(venue.port)]);
    assert.match(errorOf(taken).message, new RegExp(`Port ${venue.port} cannot be used`));
    const held = await cli(['exchange', '--json', '--port', '0', ...MARKET, '--state', dir]);
    assert.equal(errorOf(held).code, 'STORE_LOCKED');
    venue.process.kill('SIGTERM');
    await venue.process.ended;
    const other = await cli(['exchange', '--json', '--port', '0', ...MARKET, '--state', dir, '--seed', '7']);
    assert.match(errorOf(other).message, /belongs to an exchange with seed 42, not 7/);
  });
});
