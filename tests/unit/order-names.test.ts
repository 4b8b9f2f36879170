import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RemoteFill } from '../../src/domain/remote.ts';
import { OrderNames } from '../../src/exchange/order-names.ts';

const fill = (orderId: string, clientOrderId?: string): RemoteFill => ({
  ...{
    symbol: 'BTCUSDT',
    positionSide: 'BOTH',
    tradeId: `t${orderId}`,
    orderId,
    side: 'BUY',
    price: '1',
    quantity: '1',
  },
  ...{ fee: '0', feeAsset: 'USDT', realizedPnl: '0', maker: false, at: 1 },
  ...(clientOrderId === undefined ? {} : { clientOrderId }),
});

test('a name is asked for once, and not where it was heard or the journal has the order', () => {
  const names = new OrderNames(({ symbol, orderId }) => symbol === 'BTCUSDT' && orderId === '3');
  names.heard({ symbol: 'BTCUSDT', orderId: '2', clientOrderId: 'two' });
  const fills = [fill('1'), fill('1'), fill('2'), fill('3'), fill('4', 'four')];
  assert.deepEqual(names.unknown(fills), [{ symbol: 'BTCUSDT', orderId: '1' }]);
  assert.deepEqual(
    fills.map((each) => names.named(each).clientOrderId),
    [undefined, undefined, 'two', undefined, 'four'],
  );
});
