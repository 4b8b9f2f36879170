import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ExchangeProcess } from '../support/exchange-process.ts';
import { tempDir } from '../support/temp.ts';

const KILLS = 3;
const FLIGHT = 8;

interface Acknowledged {
  readonly orderId: number;
  readonly clientOrderId: string;
}

describe('the exchange is killed while requests fly', () => {
  test('every acknowledged order is there again, no id twice, nothing it never heard of', async (t) => {
    const dir = tempDir(t);
    const flags = ['--symbols', 'BTCUSDT', '--state', dir, '--seed', '3', '--speed', '1'];
    const acknowledged: Acknowledged[] = [];
    const sent = new Set<string>();
    let venue = await ExchangeProcess.start(t, flags);
    const price = Math.floor(
      Number(((await venue.get('/fapi/v1/ticker/price?symbol=BTCUSDT')) as { price: string }).price) * 0.96,
    );
    for (let life = 0; life < KILLS; life++) {
      const running = venue;
      const at = await running.now();
      const began = acknowledged.length;
      let isKilled = false;
      const place = async (lane: number): Promise<void> => {
        for (let i = 0; !isKilled; i++) {
          const clientOrderId = `k${life}-${lane}-${i}`;
          sent.add(clientOrderId);
          const order = {
            symbol: 'BTCUSDT',
            side: 'BUY',
            type: 'LIMIT',
            timeInForce: 'GTC',
            quantity: '0.002',
          };
          const cancel = { symbol: 'BTCUSDT', origClientOrderId: clientOrderId };
          const request = {
            ...order,
            price: String(price),
            newClientOrderId: clientOrderId,
            recvWindow: '60000',
          };
          const { status, json } = await running.signed('POST', '/fapi/v1/order', request, at);
          assert.equal(status, 200, JSON.stringify(json));
          acknowledged.push({ orderId: Number(json.orderId), clientOrderId });
          // Margin is for a few at a time.
          await running.signed('DELETE', '/fapi/v1/order', { ...cancel, recvWindow: '60000' }, at);
          if (acknowledged.length - began >= 40 && !isKilled) {
            isKilled = true;
            running.process.kill('SIGKILL');
          }
        }
      };
      await Promise.allSettled(Array.from({ length: FLIGHT }, (_, lane) => place(lane)));
      assert.ok(acknowledged.length - began >= 40, `${acknowledged.length - began} before the kill`);
      await running.process.ended;
      venue = await ExchangeProcess.start(t, flags);
      const { json } = await venue.admin('GET', '/ledger');
      const orders = json.orders as Acknowledged[];
      const byId = new Map(orders.map((order) => [order.orderId, order.clientOrderId]));
      for (const { orderId, clientOrderId } of acknowledged) assert.equal(byId.get(orderId), clientOrderId);
      assert.equal(byId.size, orders.length, 'an order id was given twice');
      assert.equal(new Set(orders.map(({ clientOrderId }) => clientOrderId)).size, orders.length);
      for (const { clientOrderId } of orders) assert.ok(sent.has(clientOrderId), clientOrderId);
      assert.deepEqual((await venue.admin('GET', '/violations')).json, { violations: [] });
    }
    t.diagnostic(`${acknowledged.length} acknowledged of ${sent.size} sent, ${KILLS} kills`);
  });
});
