/** A liquidation as the public sees it: through the exchange's own process and its market streams. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExchangeProcess } from '../support/exchange-process.ts';
import { TestSocket } from '../support/test-socket.ts';

interface ForceOrderFrame {
  readonly o: { readonly s: string; readonly S: string; readonly X: string; readonly q: string };
}

test('who is liquidated is told on the public stream of forced orders', async (t) => {
  const flags = ['--synthetic', '--seed', '7', '--symbols', 'BTCUSDT', '--speed', 'manual'];
  const exchange = await ExchangeProcess.start(t, [...flags, '--admin-port', '0', '--balance', '10000']);
  const socket = await TestSocket.open(
    t,
    `${exchange.url}/market/stream?streams=!forceOrder@arr/btcusdt@forceOrder`,
  );
  const leverage = await exchange.signed('POST', '/fapi/v1/leverage', { symbol: 'BTCUSDT', leverage: '50' });
  assert.equal(leverage.status, 200);
  const order = { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: '2' };
  const bought = await exchange.signed('POST', '/fapi/v1/order', order);
  assert.equal(bought.status, 200, JSON.stringify(bought.json));
  await exchange.admin('POST', '/price', { symbol: 'BTCUSDT', fraction: -0.1 });
  await exchange.admin('POST', '/clock/advance', { ms: 5_000 });
  await socket.until(() => (socket.frames.length >= 2 ? true : undefined));
  assert.deepEqual(socket.frames.map(({ stream }) => stream).sort(), [
    '!forceOrder@arr',
    'btcusdt@forceOrder',
  ]);
  for (const { data } of socket.frames) {
    const { o } = data as ForceOrderFrame;
    assert.deepEqual([o.s, o.S, o.X, Number(o.q)], ['BTCUSDT', 'SELL', 'FILLED', 2]);
  }
});
