/** Several accounts on one market. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VenueCore } from '../../src/venue-server/core.ts';
import { CoreBench } from '../support/venue-account.ts';

test('two accounts on one market: their own ids, books and money, and both over again from the journal', () => {
  const bench = new CoreBench({
    accounts: [
      { id: 'one', apiKey: 'k1', initialBalance: '1000' },
      { id: 'two', apiKey: 'k2', initialBalance: '2000', marginMode: 'isolated' },
    ],
  });
  const place = bench.core.endpoints().find((e) => e.method === 'POST' && e.path === '/fapi/v1/order');
  const rest = (apiKey: string, side: string, price: string) =>
    place?.handle({
      method: 'POST',
      path: '/fapi/v1/order',
      at: ++bench.at,
      apiKey,
      params: new Map(
        Object.entries({ symbol: 'BTCUSDT', side, type: 'LIMIT', timeinforce: 'GTC', quantity: '1', price }),
      ),
    }) as { orderId: number };
  assert.notEqual(rest('k1', 'BUY', '99').orderId, rest('k2', 'SELL', '101').orderId);
  // The book moves the queue of one account only; both must know it afterwards.
  bench.feed({ type: 'BOOK', at: ++bench.at, symbol: 'BTCUSDT', bids: [['98', '1']], asks: [['98.5', '9']] });
  assert.equal(bench.core.ledger('one')?.positions.length, 1);
  assert.equal(bench.core.ledger('two')?.positions.length, 0);
  bench.feed({ type: 'DEPOSIT', at: ++bench.at, amount: '5' }, 'two');
  assert.equal(bench.core.ledger('two')?.wallet, '2005');
  assert.throws(() => rest('k3', 'BUY', '99'), { code: -2015 });
  const again = new VenueCore(bench.options);
  for (const entry of bench.entries.slice()) again.replay(entry);
  assert.deepEqual(again.checkpoint(), bench.core.checkpoint());
  assert.deepEqual(bench.core.violations(), []);
});
