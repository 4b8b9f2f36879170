/**
 * Refusals that depend on a state of the account, the market or the venue, provoked over a real socket through ccxt:
 * code, exact text and ccxt's class. Which code of the list is provoked where, and which is not and why, stands in
 * docs/CONFORMANCE.md and is held here.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, beforeEach, test } from 'node:test';
import { type CcxtClient, openCcxt } from '../support/conformance/ccxt-client.ts';
import { ConformanceVenue } from '../support/conformance/conformance-venue.ts';
import { ERROR_CODES, errorCodesText } from '../support/conformance/error-codes.ts';

type Params = Readonly<Record<string, unknown>>;

let venue: ConformanceVenue;
let ccxt: CcxtClient;
let price: number;

before(async () => {
  venue = await ConformanceVenue.open(['--balance', '10000']);
  ccxt = await openCcxt(venue);
});

beforeEach(async () => {
  await venue.advance(60_000);
  const ticker = (await ccxt.fapiPublicV2GetTickerPrice({ symbol: 'BTCUSDT' })) as { price: string };
  price = Number(ticker.price);
});

after(async () => {
  await ccxt?.close();
  await venue?.close();
});

const SYMBOL = { symbol: 'BTCUSDT' };
const at = (fraction: number): string => String(Math.floor(price * fraction));
const limit = (more: Params = {}) =>
  ccxt.fapiPrivatePostOrder({
    ...SYMBOL,
    side: 'BUY',
    type: 'LIMIT',
    timeInForce: 'GTC',
    quantity: '0.01',
    price: at(0.97),
    ...more,
  });
const market = (more: Params = {}) =>
  ccxt.fapiPrivatePostOrder({ ...SYMBOL, side: 'BUY', type: 'MARKET', quantity: '0.01', ...more });
const algo = (more: Params = {}) =>
  ccxt.fapiPrivatePostAlgoOrder({
    ...SYMBOL,
    algoType: 'CONDITIONAL',
    side: 'SELL',
    type: 'STOP_MARKET',
    quantity: '0.01',
    triggerPrice: at(0.9),
    ...more,
  });
const amend = (more: Params = {}) =>
  ccxt.fapiPrivatePutOrder({ ...SYMBOL, side: 'BUY', quantity: '0.01', price: at(0.96), ...more });
const cancelAll = () => ccxt.fapiPrivateDeleteAllOpenOrders(SYMBOL);
const leverage = (to: number) => ccxt.fapiPrivatePostLeverage({ ...SYMBOL, leverage: String(to) });
const instrument = (change: Params) => venue.admin('POST', '/instrument', { ...SYMBOL, ...change });

async function refused(
  code: number,
  ccxtClass: string,
  text: string,
  asked: Promise<unknown>,
): Promise<void> {
  const error: unknown = await asked.then(
    (answer) => assert.fail(`${code} did not come, but ${JSON.stringify(answer)}`),
    (failure: unknown) => failure,
  );
  assert.ok(error instanceof Error);
  const body = JSON.parse(/\{.*\}/.exec(error.message)?.[0] ?? '{}') as unknown;
  assert.deepEqual([body, error.name], [{ code, msg: text }, ccxtClass]);
}

test('an account that the venue restricts: opening is refused, closing goes on, except in its own liquidation', async () => {
  await market();
  const regimes = [
    ['cooling-off', -4192, 'PermissionDenied', 'Trade forbidden due to Cooling-off Period.'],
    [
      'quantitative-rules',
      -4400,
      'PermissionDenied',
      'Futures Trading Quantitative Rules violated, only reduceOnly order is allowed, please try again later.',
    ],
    [
      'large-position',
      -4401,
      'PermissionDenied',
      'Futures Trading Risk Control Rules of large position holding violated, only reduceOnly order is allowed, please reduce the position.',
    ],
    ['liquidation', -2023, 'OperationFailed', 'User in liquidation mode now.'],
  ] as const;
  for (const [as, code, ccxtClass, text] of regimes) {
    await limit({ newClientOrderId: `before-${as}` });
    await venue.admin('POST', '/restrict', { as });
    await refused(code, ccxtClass, text, market());
    await refused(code, ccxtClass, text, limit());
    await refused(code, ccxtClass, text, algo());
    await refused(code, ccxtClass, text, amend({ origClientOrderId: `before-${as}` }));
    const close = market({ side: 'SELL', quantity: '0.001', reduceOnly: 'true' });
    if (as === 'liquidation') await refused(code, ccxtClass, text, close);
    else await close;
    await ccxt.fapiPrivateDeleteOrder({ ...SYMBOL, origClientOrderId: `before-${as}` });
    await venue.admin('POST', '/restrict', { as: 'none' });
    await market({ quantity: '0.001' });
  }
  await market({ side: 'SELL', quantity: '1', reduceOnly: 'true' });
});

test('what the filters say', async () => {
  await refused(-4001, 'BadRequest', 'Price less than 0.', limit({ price: '0' }));
  await refused(-4002, 'BadRequest', 'Price greater than max price.', limit({ price: '5000000' }));
  await instrument({ minPrice: '1000' });
  await refused(-4013, 'BadRequest', 'Price less than min price.', limit({ price: '900' }));
  await instrument({ minQuantity: '0.005' });
  await refused(-4004, 'BadRequest', 'Quantity less than min quantity.', limit({ quantity: '0.004' }));
  await instrument({ minQuantity: '0.001', stepSize: '0.002' });
  await refused(-4023, 'BadRequest', 'Qty not increased by step size.', limit({ quantity: '0.011' }));
  await instrument({ stepSize: '0.001' });
  const text = 'Invalid activation price';
  const trailing = { type: 'TRAILING_STOP_MARKET', callbackRate: '1', triggerPrice: '' };
  await refused(-4135, 'BadRequest', text, algo({ ...trailing, activatePrice: '0' }));
  await refused(-4060, 'BadRequest', 'Invalid position side.', limit({ positionSide: 'UP' }));
  await instrument({ multiplierUp: '0.9' });
  const far = "The counterparty's best price does not meet the PERCENT_PRICE filter limit";
  await refused(-4131, 'OperationRejected', far, market());
  await instrument({ multiplierUp: '1.05' });
});

test('changing an order', async () => {
  await limit({ newClientOrderId: 'change' });
  const own = { origClientOrderId: 'change' };
  const small = "Order's notional must be no smaller than 50";
  await refused(-5029, 'ExchangeError', small, amend({ ...own, quantity: '0.001', price: '49000' }));
  await instrument({ status: 'TRADING_HALT' });
  const halted = 'Symbol is not in trading status. Order amendment is not permitted.';
  await refused(-5024, 'OperationRejected', halted, amend(own));
  await instrument({ status: 'TRADING' });
  await venue.admin('POST', '/faults', {
    rules: [{ request: 'PUT /fapi/v1/order', nth: 1, do: 'answer', as: '-5043' }],
  });
  const pending = 'A pending modification already exists for this order.';
  await refused(-5043, 'ExchangeError', pending, amend(own));
  await venue.admin('DELETE', '/faults');
  await cancelAll();
});

test('margin, leverage and how many', async () => {
  await leverage(100);
  await refused(
    -2027,
    'OperationRejected',
    'Exceeded the maximum allowable position at current leverage.',
    limit({ quantity: '90' }),
  );
  await leverage(20);
  await market({ quantity: String(Math.floor((100_000 / price) * 1000) / 1000) });
  const smaller = 'Leverage is smaller than permitted: insufficient margin balance.';
  await refused(-2028, 'OperationRejected', smaller, leverage(1));
  await market({ side: 'SELL', quantity: '100', reduceOnly: 'true' });
});

test('a reduce-only order beside one that would then open the other side', async () => {
  const { availableBalance } = (await ccxt.fapiPrivateV3GetAccount()) as { availableBalance: string };
  await leverage(20);
  // A position, and an order to turn it round that takes nearly all margin once it is gone.
  await market({ quantity: '0.2' });
  const notional = Number(availableBalance) * 20 * 0.97 + 0.2 * price;
  const most = Math.floor((notional / (price * 1.02)) * 1000) / 1000;
  await limit({ side: 'SELL', price: at(1.02), quantity: String(most) });
  const text = 'ReduceOnly Order Failed. Please check your existing position and open orders';
  await refused(
    -4118,
    'OperationRejected',
    text,
    market({ side: 'SELL', quantity: '0.2', reduceOnly: 'true' }),
  );
  await cancelAll();
  await market({ side: 'SELL', quantity: '0.2', reduceOnly: 'true' });
});

test('hedge mode, and reduceOnly in it', async () => {
  await ccxt.fapiPrivatePostPositionSideDual({ dualSidePosition: 'true' });
  const text = 'Invalid or improper reduceOnly value.';
  await refused(-4062, 'BadRequest', text, limit({ positionSide: 'LONG', reduceOnly: 'true' }));
  await ccxt.fapiPrivatePostPositionSideDual({ dualSidePosition: 'false' });
});

test('nothing left', async () => {
  const { availableBalance } = (await ccxt.fapiPrivateV3GetAccount()) as { availableBalance: string };
  await venue.admin('POST', '/deposit', { amount: `-${availableBalance}` });
  await refused(-2018, 'InsufficientFunds', 'Balance is insufficient.', market());
  await venue.admin('POST', '/deposit', { amount: '10000' });
});

test('the most open orders', async () => {
  for (let i = 0; i < 200; i += 10) {
    await Promise.all(Array.from({ length: 10 }, () => limit({ quantity: '0.001' })));
    await venue.advance(1_000);
  }
  const text = 'Reach max open order limit.';
  await refused(-2025, 'OperationRejected', text, limit({ quantity: '0.001' }));
  await cancelAll();
});

test('every code of the list is provoked by a test, or docs/CONFORMANCE.md says why not', () => {
  const provoked = new Set<number>();
  for (const file of ['conformance-errors', 'conformance-error-states']) {
    const text = readFileSync(`tests/integration/${file}.test.ts`, 'utf8');
    for (const [found] of text.matchAll(/(?<![\w.)-])-[1245]\d{3}\b/g)) provoked.add(Number(found));
  }
  const wrong = ERROR_CODES.filter(([code, why]) => provoked.has(code) === (why !== undefined));
  assert.deepEqual(wrong, []);
  assert.ok(readFileSync('docs/CONFORMANCE.md', 'utf8').includes(errorCodesText()), errorCodesText());
});
