import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { scaledTime, systemTime } from '../../src/core/clock.ts';
import { anOrder, gatewayHarness, submitOf } from '../support/gateway-harness.ts';
import { KEY, placedAlgo, placedOrder, SECRET } from '../support/scripted-venue.ts';

const ORDER = 'POST /fapi/v1/order';
const ALGO = 'POST /fapi/v1/algoOrder';

/** What was sent, without what every signed request carries. */
const sent = (params: ReadonlyMap<string, string>): Record<string, string> => {
  const { timestamp, recvWindow, signature, ...rest } = Object.fromEntries(params);
  assert.ok(timestamp && recvWindow && signature);
  return rest;
};

describe('orders on the wire', () => {
  test('a market entry: exact text, our id, signed over what was sent', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    const order = anOrder({ quantity: '0.12300000000000000001', clientOrderId: 'bh-abc' });
    const outcome = await gateway.call(submitOf(order));
    assert.equal(outcome.outcome, 'done');
    const [request] = venue.requests(ORDER);
    assert.ok(request);
    assert.deepEqual(sent(request.params), {
      symbol: 'BTCUSDT',
      side: 'BUY',
      type: 'MARKET',
      quantity: '0.12300000000000000001',
      newClientOrderId: 'bh-abc',
      newOrderRespType: 'RESULT',
    });
    assert.ok(request.signed);
    assert.equal(request.headers['x-mbx-apikey'], KEY);
    assert.equal(request.params.get('recvWindow'), '5000');
    assert.ok(!request.literal.includes(SECRET));
  });

  test('a limit order carries price and time in force; reduce-only says so', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    await gateway.call(
      submitOf(
        anOrder({ type: 'LIMIT', price: '60000.10', timeInForce: 'GTX', reduceOnly: true, side: 'SELL' }),
      ),
    );
    const params = venue.requests(ORDER)[0]?.params;
    assert.equal(params?.get('price'), '60000.10');
    assert.equal(params?.get('timeInForce'), 'GTX');
    assert.equal(params?.get('reduceOnly'), 'true');
  });

  test('a stop goes to the Algo service, under its own names', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    const stop = anOrder({
      type: 'STOP_MARKET',
      side: 'SELL',
      triggerPrice: '58000.1',
      reduceOnly: true,
      workingType: 'MARK_PRICE',
      priceProtect: true,
      clientOrderId: 'bh-stop',
    });
    const outcome = await gateway.call(submitOf(stop));
    assert.deepEqual(sent(venue.requests(ALGO)[0]?.params ?? new Map()), {
      algoType: 'CONDITIONAL',
      symbol: 'BTCUSDT',
      side: 'SELL',
      type: 'STOP_MARKET',
      quantity: '0.010',
      triggerPrice: '58000.1',
      workingType: 'MARK_PRICE',
      priceProtect: 'TRUE',
      reduceOnly: 'true',
      clientAlgoId: 'bh-stop',
      newOrderRespType: 'RESULT',
    });
    assert.equal(venue.requests(ORDER).length, 0);
    assert.ok(outcome.outcome === 'done' && outcome.value.book === 'algo');
  });

  test('closePosition goes without quantity and reduceOnly, which exclude it', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    const order = anOrder({
      type: 'STOP_MARKET',
      side: 'SELL',
      triggerPrice: '58000',
      reduceOnly: true,
      closePosition: true,
    });
    await gateway.call(submitOf(order));
    const params = venue.requests(ALGO)[0]?.params;
    assert.equal(params?.get('closePosition'), 'true');
    assert.ok(!params?.has('quantity') && !params?.has('reduceOnly'));
  });

  test('a trailing stop says activatePrice, not what ccxt would', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    await gateway.call(
      submitOf(
        anOrder({
          type: 'TRAILING_STOP_MARKET',
          side: 'SELL',
          reduceOnly: true,
          activatePrice: '61000',
          callbackRate: '1.5',
        }),
      ),
    );
    const params = venue.requests(ALGO)[0]?.params;
    assert.equal(params?.get('activatePrice'), '61000');
    assert.equal(params?.get('callbackRate'), '1.5');
    assert.ok(!params?.has('activationPrice'));
  });

  test('hedge mode names the side and leaves reduceOnly out', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    await gateway.call(submitOf(anOrder({ side: 'SELL', positionSide: 'LONG', reduceOnly: true })));
    const params = venue.requests(ORDER)[0]?.params;
    assert.equal(params?.get('positionSide'), 'LONG');
    assert.ok(!params?.has('reduceOnly'));
  });

  test('once the instrument is known, an order off its grid is put on it, never looser', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    await gateway.instruments(['BTCUSDT']);
    const stop = { type: 'STOP_MARKET', side: 'SELL', reduceOnly: true } as const;
    await gateway.call(submitOf(anOrder({ ...stop, triggerPrice: '60000.16', quantity: '0.0109' })));
    assert.equal(venue.requests(ALGO)[0]?.params.get('triggerPrice'), '60000.2');
    assert.equal(venue.requests(ALGO)[0]?.params.get('quantity'), '0.01');
    const dust = await gateway.call(submitOf(anOrder({ quantity: '0.0009' })));
    assert.deepEqual(dust, {
      outcome: 'rejected',
      code: 0,
      reason: 'its quantity is less than one step of the venue',
    });
    assert.equal(venue.requests(ORDER).length, 0);
  });

  test('taken back by the id of its own space', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    const cancel = { call: 'cancel', id: 'c', symbol: 'BTCUSDT', clientOrderId: 'bh-1' } as const;
    for (const call of [
      { ...cancel, book: 'plain' },
      { ...cancel, book: 'plain', orderId: '9007199254740995' },
      { ...cancel, book: 'algo' },
      { ...cancel, book: 'algo', orderId: '77' },
    ] as const) {
      assert.deepEqual(await gateway.call(call), { outcome: 'done', value: { canceled: true } });
    }
    assert.deepEqual(
      [...venue.requests('DELETE /fapi/v1/order'), ...venue.requests('DELETE /fapi/v1/algoOrder')].map(
        ({ params }) => sent(params),
      ),
      [
        { symbol: 'BTCUSDT', origClientOrderId: 'bh-1' },
        { symbol: 'BTCUSDT', orderId: '9007199254740995' },
        { symbol: 'BTCUSDT', clientAlgoId: 'bh-1' },
        { symbol: 'BTCUSDT', algoId: '77' },
      ],
    );
  });

  test('leverage is set once and said back', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    const outcome = await gateway.call({ call: 'leverage', id: 'l', symbol: 'ETHUSDT', leverage: 7 });
    assert.deepEqual(outcome, { outcome: 'done', value: { leverage: 7 } });
    assert.deepEqual(sent(venue.requests('POST /fapi/v1/leverage')[0]?.params ?? new Map()), {
      symbol: 'ETHUSDT',
      leverage: '7',
    });
  });

  test('ids beyond 2^53 come back exact', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    const big = '9999999999999999123';
    venue.on(ORDER, (request) => {
      const json = JSON.stringify(placedOrder(request, { orderId: 0 })).replace(
        '"orderId":0',
        `"orderId":${big}`,
      );
      return { text: json, status: 200, type: 'application/json' };
    });
    const outcome = await gateway.call(submitOf(anOrder()));
    assert.ok(outcome.outcome === 'done' && outcome.value.book === 'plain');
    assert.equal(outcome.value.order.orderId, big);
  });

  test('a triggered algo order is not a filled one', async (t) => {
    const { gateway, venue } = await gatewayHarness(t);
    for (const algoStatus of ['TRIGGERED', 'FINISHED'] as const) {
      venue.on('GET /fapi/v1/algoOrder', (request) => ({
        json: placedAlgo(request, {
          algoStatus,
          actualOrderId: '55',
          clientAlgoId: 'bh-stop',
          quantity: '0.01',
        }),
      }));
      venue.on('GET /fapi/v1/order', (request) => ({
        json: placedOrder(request, { orderId: 55, status: 'EXPIRED', clientOrderId: 'bh-stop' }),
      }));
      const outcome = await gateway.call({
        call: 'query',
        id: 'q',
        symbol: 'BTCUSDT',
        book: 'algo',
        clientOrderId: 'bh-stop',
      });
      assert.ok(outcome.outcome === 'done' && outcome.value?.book === 'algo');
      assert.equal(outcome.value.algo.status, algoStatus);
      assert.equal(outcome.value.algo.actualOrderId, '55');
      assert.equal(outcome.value.actual?.order.filled, '0');
      assert.deepEqual(outcome.value.actual?.fills, []);
    }
  });

  test('requests carry the venue\u2019s clock, however fast it runs and whatever ours says', async (t) => {
    const real = systemTime();
    const start = Date.UTC(2022, 4, 9);
    const venueTime = scaledTime(real, start, 60);
    // Ours runs an hour behind it.
    const time = scaledTime(real, start - 3_600_000, 60);
    const { gateway, venue, open, events } = await gatewayHarness(t, { time });
    venue.on('GET /fapi/v1/time', () => ({ json: { serverTime: venueTime.clock.now() } }));
    await open();
    await gateway.call({ ...submitOf(anOrder()), sendBy: time.clock.now() + 60_000 });
    const timestamp = Number(venue.requests(ORDER)[0]?.params.get('timestamp'));
    assert.ok(Math.abs(timestamp - venueTime.clock.now()) < 30_000, 'within half a real second');
    const reading = events.find((event) => event.type === 'clock');
    assert.ok(reading?.type === 'clock' && Math.abs(reading.offsetMs - 3_600_000) < 30_000);
  });
});
