import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { abs, type Decimal, gte, isMultipleOf, lt, lte, mul, sub } from '../../src/core/decimal.ts';
import type { ConditionalOrderType, OrderRequest } from '../../src/domain/order.ts';
import {
  activationPrice,
  callbackRate,
  limitPrice,
  onGrid,
  stopPrice,
} from '../../src/exchange/binance/side-rounding.ts';

const price = fc
  .tuple(fc.integer({ min: 1, max: 200_000 }), fc.integer({ min: 0, max: 99_999_999 }))
  .map(([whole, part]): Decimal => `${whole}.${String(part).padStart(8, '0')}`);
const tick = fc.constantFrom<Decimal>('0.00001', '0.0001', '0.001', '0.01', '0.05', '0.1', '0.25', '1', '10');
const side = fc.constantFrom('BUY' as const, 'SELL' as const);

describe('prices go onto the grid', () => {
  test('by less than a step, and stay where they are on it', () => {
    fc.assert(
      fc.property(price, tick, side, fc.boolean(), (asked, step, by, protective) => {
        for (const round of [
          limitPrice(by, asked, step),
          stopPrice(by, protective, asked, step),
          activationPrice(by, protective, asked, step),
        ]) {
          assert.ok(isMultipleOf(round, step));
          assert.ok(lt(abs(sub(round, asked)), step));
          assert.equal(limitPrice(by, round, step), round);
        }
      }),
    );
  });

  test('a limit is never looser: nobody pays more or takes less than asked', () => {
    fc.assert(
      fc.property(price, tick, (asked, step) => {
        assert.ok(lte(limitPrice('BUY', asked, step), asked));
        assert.ok(gte(limitPrice('SELL', asked, step), asked));
      }),
    );
  });

  test('a protective stop never moves away from the market, one that opens never towards it', () => {
    fc.assert(
      fc.property(price, tick, (asked, step) => {
        assert.ok(gte(stopPrice('SELL', true, asked, step), asked), 'a long is stopped no lower');
        assert.ok(lte(stopPrice('BUY', true, asked, step), asked), 'a short is stopped no higher');
        assert.ok(gte(stopPrice('BUY', false, asked, step), asked));
        assert.ok(lte(stopPrice('SELL', false, asked, step), asked));
      }),
    );
  });

  test('a protective trailing stop arms no later than asked', () => {
    fc.assert(
      fc.property(price, tick, (asked, step) => {
        assert.ok(lte(activationPrice('SELL', true, asked, step), asked));
        assert.ok(gte(activationPrice('BUY', true, asked, step), asked));
      }),
    );
  });

  test('a callback is never wider, and at least a tenth of a percent', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), (thousandths) => {
        const asked = mul(String(thousandths), '0.001');
        const rounded = callbackRate(asked);
        assert.ok(isMultipleOf(rounded, '0.1') && gte(rounded, '0.1'));
        assert.ok(lte(rounded, asked) || rounded === '0.1');
      }),
    );
  });
});

describe('a whole order goes onto the grid', () => {
  const type = fc.constantFrom<ConditionalOrderType | 'LIMIT' | 'MARKET'>(
    'LIMIT',
    'MARKET',
    'STOP',
    'STOP_MARKET',
    'TAKE_PROFIT',
    'TAKE_PROFIT_MARKET',
    'TRAILING_STOP_MARKET',
  );
  const order = fc
    .record({ side, type, price, trigger: price, quantity: price, reduceOnly: fc.boolean() })
    .map(
      ({ trigger, ...rest }): OrderRequest => ({
        ref: 'stop-1',
        symbol: 'BTCUSDT',
        positionSide: 'BOTH',
        ...rest,
        triggerPrice: trigger,
      }),
    );

  test('no quantity grows, everything is on it, and a second time changes nothing', () => {
    fc.assert(
      fc.property(order, tick, tick, (asked, tickSize, stepSize) => {
        const once = onGrid(asked, { tickSize, stepSize });
        assert.ok(lte(once.quantity ?? '0', asked.quantity ?? '0'));
        assert.ok(isMultipleOf(once.quantity ?? '0', stepSize));
        assert.ok(isMultipleOf(once.price ?? '0', tickSize));
        assert.ok(isMultipleOf(once.triggerPrice ?? '0', tickSize));
        assert.equal(onGrid(once, { tickSize, stepSize }), once);
      }),
    );
  });

  test('taking profit never takes less than asked', () => {
    fc.assert(
      fc.property(order, tick, (asked, tickSize) => {
        const taking = { ...asked, type: 'TAKE_PROFIT_MARKET' as const, reduceOnly: true };
        const trigger = onGrid(taking, { tickSize, stepSize: '0.001' }).triggerPrice ?? '0';
        const wanted = asked.triggerPrice ?? '0';
        assert.ok(asked.side === 'SELL' ? gte(trigger, wanted) : lte(trigger, wanted));
      }),
    );
  });
});
