/** `bulkhead exchange --variants`: ways in which the venue was seen otherwise, and our adapter before them. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { systemTime } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { RemoteAnswers, RemoteCall } from '../../src/domain/remote.ts';
import { CcxtExchange } from '../../src/exchange/binance/ccxt-exchange.ts';
import type { GatewayEvent } from '../../src/exchange/venue-gateway.ts';
import { DEMO_API_KEY, DEMO_API_SECRET } from '../../src/venue-server/demo-account.ts';
import { ExchangeProcess } from '../support/exchange-process.ts';
import { anOrder, until } from '../support/gateway-harness.ts';
import { TestSocket } from '../support/test-socket.ts';

const MARKET = ['--symbols', 'BTCUSDT'];
const BUY = { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: '0.01' };
const LARGE = /^9007199\d{10}$/;

async function gatewayTo(t: TestContext, venue: ExchangeProcess) {
  const events: GatewayEvent[] = [];
  const gateway = new CcxtExchange({
    ...{ mode: 'paper', restUrl: venue.url, streamUrl: venue.url.replace('http', 'ws') },
    ...{ apiKey: DEMO_API_KEY, apiSecret: DEMO_API_SECRET, allowWithdrawals: false },
    ...{ time: systemTime(), realTime: systemTime(), random: seededRandom(3), mayAct: () => true },
    symbols: ['BTCUSDT'],
    limits: { maxLeverage: 20, marginMode: 'cross', positionMode: 'one-way' },
  });
  t.after(() => gateway.close());
  await gateway.open((event) => events.push(event));
  await until(() => events.some(({ type }) => type === 'stream-up'));
  const done = async <C extends RemoteCall>(call: C): Promise<RemoteAnswers[C['call']]> => {
    const outcome = await gateway.call(call);
    assert.ok(outcome.outcome === 'done', JSON.stringify(outcome));
    return outcome.value;
  };
  return { events, done };
}

test('ids beyond 2^53 stay exact through answers, streams, questions and readings', async (t) => {
  const venue = await ExchangeProcess.start(t, [...MARKET, '--variants', 'large-ids']);
  const since = Date.now();
  const { events, done } = await gatewayTo(t, venue);
  const submit = (order: ReturnType<typeof anOrder>) =>
    done({ call: 'submit', id: order.clientOrderId, order, sendBy: Date.now() + 60_000 });
  const placed = await submit(anOrder({ ref: 'entry', quantity: '0.01', clientOrderId: 'large-1' }));
  assert.ok(placed.book === 'plain');
  assert.match(placed.order.orderId, LARGE);
  const fillOf = () =>
    events.flatMap((event) => (event.type === 'stream' && event.event.kind === 'order' ? [event.event] : []));
  await until(() => fillOf().some(({ fill }) => fill !== undefined));
  const told = fillOf().find(({ fill }) => fill !== undefined)?.fill;
  assert.equal(told?.orderId, placed.order.orderId);
  const { symbol } = BUY;
  const asked = await done({ call: 'query', id: 'q', symbol, book: 'plain', clientOrderId: 'large-1' });
  assert.ok(asked?.book === 'plain');
  assert.equal(asked.fills[0]?.tradeId, told?.tradeId);
  const report = await done({ call: 'report', id: 'r', since, symbols: [symbol] });
  assert.deepEqual(
    report.fills.map(({ orderId, tradeId }) => [orderId, tradeId]),
    [[told?.orderId, told?.tradeId]],
  );
  const rest = { type: 'LIMIT', price: '60000', quantity: '0.01', timeInForce: 'GTC' } as const;
  const resting = await submit(anOrder({ ...rest, ref: 'rest', clientOrderId: 'large-2' }));
  assert.ok(resting.book === 'plain');
  const { orderId } = resting.order;
  await done({ call: 'cancel', id: 'c', symbol, book: 'plain', clientOrderId: 'large-2', orderId });
});

test('the others: Retry-After, a trigger’s refusal told twice, a liquidation that says TRADE', async (t) => {
  const flags = ['retry-after', 'trigger-reject-event', 'liquidation-trade', 'orders-kept'];
  const venue = await ExchangeProcess.start(t, [
    ...[...MARKET, '--balance', '700', '--speed', 'manual', '--variants', flags.join(',')],
  ]);
  const { listenKey } = (await venue.signed('POST', '/fapi/v1/listenKey')).json as { listenKey: string };
  const socket = await TestSocket.open(t, `${venue.url}/private/ws?listenKey=${listenKey}`);
  const { markPrice } = (await venue.get('/fapi/v1/premiumIndex?symbol=BTCUSDT')) as { markPrice: string };
  const stop = { symbol: 'BTCUSDT', side: 'SELL', algoType: 'CONDITIONAL', type: 'STOP_MARKET' };
  const triggerPrice = `${Math.round(Number(markPrice) * 0.99)}`;
  const waiting = await venue.signed('POST', '/fapi/v1/algoOrder', {
    ...{ ...stop, quantity: '0.01', reduceOnly: 'true', triggerPrice, clientAlgoId: 'refused' },
  });
  assert.equal(waiting.status, 200, JSON.stringify(waiting.json));
  await venue.admin('POST', '/price', { symbol: 'BTCUSDT', fraction: -0.02, forMs: 600_000 });
  await venue.admin('POST', '/clock/advance', { ms: 5_000 });
  await socket.frame(({ e }) => e === 'CONDITIONAL_ORDER_TRIGGER_REJECT');
  const far = { type: 'LIMIT', timeInForce: 'GTC', price: '97000', newClientOrderId: 'unfilled' };
  await venue.signed('POST', '/fapi/v1/order', { ...BUY, ...far, quantity: '0.001' });
  await venue.signed('DELETE', '/fapi/v1/order', { symbol: 'BTCUSDT', origClientOrderId: 'unfilled' });
  const bought = await venue.signed('POST', '/fapi/v1/order', { ...BUY, quantity: '0.1' });
  assert.equal(bought.status, 200, JSON.stringify(bought.json));
  await venue.admin('POST', '/price', { symbol: 'BTCUSDT', fraction: -0.1, forMs: 600_000 });
  await venue.admin('POST', '/clock/advance', { ms: 5_000 });
  await socket.frame(({ o }) => {
    const { x, c = '' } = (o ?? {}) as { x?: string; c?: string };
    return x === 'TRADE' && c.startsWith('autoclose-');
  });
  let limited: Response | undefined;
  for (let i = 0; i < 200 && limited?.status !== 429; i++)
    limited = await fetch(`${venue.url}/fapi/v1/depth?symbol=BTCUSDT&limit=1000`);
  assert.ok(Number(limited?.headers.get('retry-after')) > 0);
  await venue.admin('POST', '/clock/advance', { ms: 4 * 86_400_000 });
  const kept = await venue.signed('GET', '/fapi/v1/order', {
    symbol: 'BTCUSDT',
    origClientOrderId: 'unfilled',
  });
  assert.equal(kept.json.status, 'CANCELED');
});
