/**
 * The venue's refusals, provoked over a real socket through ccxt: code, exact text, and the class that ccxt makes of
 * it, which is what a program behind ccxt decides by.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type CcxtClient, openCcxt } from '../support/conformance/ccxt-client.ts';
import { ConformanceVenue } from '../support/conformance/conformance-venue.ts';

type Params = Readonly<Record<string, unknown>>;
type Case = readonly [code: number, ccxtClass: string, text: string, ask: () => Promise<unknown>];

let venue: ConformanceVenue;
let ccxt: CcxtClient;
let price: number;

before(async () => {
  venue = await ConformanceVenue.open();
  ccxt = await openCcxt(venue);
  const ticker = (await ccxt.fapiPublicV2GetTickerPrice({ symbol: 'BTCUSDT' })) as { price: string };
  price = Number(ticker.price);
});

after(async () => {
  await ccxt?.close();
  await venue?.close();
});

const SYMBOL = { symbol: 'BTCUSDT' };
const at = (fraction: number): string => String(Math.floor(price * fraction));
const limitOf = (more: Params = {}): Params => ({
  ...SYMBOL,
  side: 'BUY',
  type: 'LIMIT',
  timeInForce: 'GTC',
  quantity: '0.01',
  price: at(0.95),
  ...more,
});
const without = (params: Params, ...names: string[]): Params =>
  Object.fromEntries(Object.entries(params).filter(([name]) => !names.includes(name)));
const order = (more: Params = {}) => ccxt.fapiPrivatePostOrder(limitOf(more));
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
const mandatory = (name: string): string =>
  `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`;

/** Must be refused just so, whichever client asks. */
async function refused([code, ccxtClass, text, ask]: Case): Promise<void> {
  const error: unknown = await ask().then(
    (answer) => assert.fail(`${code} did not come, but ${JSON.stringify(answer)}`),
    (failure: unknown) => failure,
  );
  assert.ok(error instanceof Error);
  const body = /\{.*\}/.exec(error.message)?.[0] ?? '{}';
  assert.deepEqual([JSON.parse(body), error.name], [{ code, msg: text }, ccxtClass]);
}

const REFUSALS: readonly Case[] = [
  [-1102, 'BadRequest', mandatory('price'), () => ccxt.fapiPrivatePostOrder(without(limitOf(), 'price'))],
  [
    -1102,
    'BadRequest',
    mandatory('quantity'),
    () => ccxt.fapiPrivatePostOrder(without(limitOf(), 'quantity')),
  ],
  [
    -1102,
    'BadRequest',
    "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!",
    () => ccxt.fapiPrivateGetOrder(SYMBOL),
  ],
  [
    -1100,
    'BadRequest',
    "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[\\.A-Z\\:/a-z0-9_-]{1,36}$'.",
    () => order({ newClientOrderId: 'a b' }),
  ],
  [-1106, 'BadRequest', "Parameter 'price' sent when not required.", () => market({ price: at(1) })],
  [
    -1111,
    'BadRequest',
    'Precision is over the maximum defined for this asset.',
    // One decimal more than exchangeInfo names.
    () => order({ quantity: '0.0101' }),
  ],
  [-1115, 'BadRequest', 'Invalid timeInForce.', () => order({ timeInForce: 'SOON' })],
  [-1116, 'BadRequest', 'Invalid orderType.', () => order({ type: 'ICEBERG' })],
  [-1117, 'BadRequest', 'Invalid side.', () => order({ side: 'HOLD' })],
  [-1120, 'BadRequest', 'Invalid interval.', () => ccxt.fapiPublicGetKlines({ ...SYMBOL, interval: '7m' })],
  [-1121, 'BadSymbol', 'Invalid symbol.', () => order({ symbol: 'NOSUCH' })],
  [-1125, 'AuthenticationError', 'This listenKey does not exist.', () => ccxt.fapiPrivatePutListenKey()],
  [
    -1130,
    'BadRequest',
    "Data sent for parameter 'limit' is not valid.",
    () => ccxt.fapiPublicGetTrades({ ...SYMBOL, limit: '0' }),
  ],
  [
    -2011,
    'OrderNotFound',
    'Unknown order sent.',
    () => ccxt.fapiPrivateDeleteOrder({ ...SYMBOL, orderId: '1' }),
  ],
  [
    -2013,
    'OrderNotFound',
    'Order does not exist.',
    () => ccxt.fapiPrivateGetOrder({ ...SYMBOL, orderId: '1' }),
  ],
  [-2013, 'OrderNotFound', 'Order does not exist.', () => ccxt.fapiPrivateGetAlgoOrder({ algoId: '1' })],
  [-2019, 'InsufficientFunds', 'Margin is insufficient.', () => order({ quantity: '100' })],
  [
    -2021,
    'OrderImmediatelyFillable',
    'Order would immediately trigger.',
    () => algo({ triggerPrice: at(1.1) }),
  ],
  [
    -2022,
    'InvalidOrder',
    'ReduceOnly Order is rejected.',
    () => market({ side: 'SELL', reduceOnly: 'true' }),
  ],
  [-4003, 'BadRequest', 'Quantity less than zero.', () => order({ quantity: '0' })],
  [-4005, 'BadRequest', 'Quantity greater than max quantity.', () => order({ quantity: '2000' })],
  [-4014, 'BadRequest', 'Price not increased by tick size.', () => order({ price: `${at(0.95)}.05` })],
  [
    -4015,
    'BadRequest',
    'Client order id length should not be more than 36 chars',
    () => order({ newClientOrderId: 'x'.repeat(37) }),
  ],
  [
    -4028,
    'BadRequest',
    'Leverage 999 is not valid',
    () => ccxt.fapiPrivatePostLeverage({ ...SYMBOL, leverage: '999' }),
  ],
  [
    -4046,
    'MarginModeAlreadySet',
    'No need to change margin type.',
    () => ccxt.fapiPrivatePostMarginType({ ...SYMBOL, marginType: 'CROSSED' }),
  ],
  [
    -4059,
    'OperationRejected',
    'No need to change position side.',
    () => ccxt.fapiPrivatePostPositionSideDual({ dualSidePosition: 'false' }),
  ],
  [
    -4061,
    'OperationRejected',
    "Order's position side does not match user's setting.",
    () => order({ positionSide: 'LONG' }),
  ],
  [
    -4082,
    'BadRequest',
    'Invalid number of batch place orders.',
    () => ccxt.fapiPrivatePostBatchOrders({ batchOrders: '[]' }),
  ],
  [
    -4120,
    'ExchangeError',
    'Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.',
    () => order({ type: 'STOP_MARKET', stopPrice: at(0.9) }),
  ],
  [
    -4137,
    'BadRequest',
    'Quantity must be zero with closePosition equals true',
    () => algo({ closePosition: 'true' }),
  ],
  [
    -4138,
    'BadRequest',
    'Reduce only must be true with closePosition equals true',
    () => algo({ closePosition: 'true', quantity: '', reduceOnly: 'true' }),
  ],
  [
    -4136,
    'InvalidOrder',
    'Target strategy invalid for orderType TRAILING_STOP_MARKET,closePosition true',
    () => algo({ type: 'TRAILING_STOP_MARKET', closePosition: 'true' }),
  ],
  [
    -1022,
    'AuthenticationError',
    'Signature for this request is not valid.',
    () => order({ signature: '00' }),
  ],
  [
    -4164,
    'InvalidOrder',
    "Order's notional must be no smaller than 50 (unless you choose reduce only)",
    () => order({ quantity: '0.001', price: '49000' }),
  ],
  [
    -5021,
    'OrderNotFillable',
    'Due to the order could not be filled immediately, the FOK order has been rejected. The order will not be recorded in the order history',
    () => order({ timeInForce: 'FOK' }),
  ],
  [
    -5022,
    'OrderNotFillable',
    'Due to the order could not be executed as maker, the Post Only order will be rejected. The order will not be recorded in the order history',
    () => order({ timeInForce: 'GTX', price: at(1.02) }),
  ],
];

for (const [i, one] of REFUSALS.entries())
  test(`${one[0]}: ${one[2].slice(0, 60)} (${i})`, () => refused(one));

test('prices beyond the filter, with the bound in the text', async () => {
  for (const [code, pattern, fraction] of [
    [-4016, /^Limit price can't be higher than \d+(\.\d+)?\.$/, 1.5],
    [-4024, /^Limit price can't be lower than \d+(\.\d+)?\.$/, 0.5],
  ] as const) {
    const side = code === -4016 ? 'BUY' : 'SELL';
    await assert.rejects(order({ side, price: at(fraction) }), (error: Error) => {
      const said = JSON.parse(/\{.*\}/.exec(error.message)?.[0] ?? '{}') as { code: number; msg: string };
      assert.equal(said.code, code);
      assert.match(said.msg, pattern);
      return true;
    });
  }
});

test('what depends on what is open', async () => {
  await order({ newClientOrderId: 'open' });
  await refused([
    -4116,
    'InvalidOrder',
    'ClientOrderId is duplicated.',
    () => order({ newClientOrderId: 'open' }),
  ]);
  const isolate = () => ccxt.fapiPrivatePostMarginType({ ...SYMBOL, marginType: 'ISOLATED' });
  const hedge = () => ccxt.fapiPrivatePostPositionSideDual({ dualSidePosition: 'true' });
  await refused([
    -4047,
    'OperationRejected',
    'Margin type cannot be changed if there exists open orders.',
    isolate,
  ]);
  await refused([
    -4067,
    'OperationRejected',
    'Position side cannot be changed if there exists open orders.',
    hedge,
  ]);
  const same = { ...SYMBOL, side: 'BUY', origClientOrderId: 'open', quantity: '0.01', price: at(0.95) };
  await refused([
    -5027,
    'OperationRejected',
    'No need to modify the order.',
    () => ccxt.fapiPrivatePutOrder(same),
  ]);
  await ccxt.fapiPrivateDeleteOrder({ ...SYMBOL, origClientOrderId: 'open' });
  // A client id is unique among open orders only.
  await order({ newClientOrderId: 'open' });
  await ccxt.fapiPrivateDeleteAllOpenOrders(SYMBOL);
  await market();
  await refused([
    -4048,
    'OperationRejected',
    'Margin type cannot be changed if there exists position.',
    isolate,
  ]);
  await refused([
    -4068,
    'OperationRejected',
    'Position side cannot be changed if there exists position.',
    hedge,
  ]);
  await market({ side: 'SELL' });
  await isolate();
  await ccxt.fapiPrivatePostLeverage({ ...SYMBOL, leverage: '5' });
  await market();
  const text = 'Leverage reduction is not supported in Isolated Margin Mode with open positions';
  const lower = () => ccxt.fapiPrivatePostLeverage({ ...SYMBOL, leverage: '2' });
  await refused([-4161, 'ExchangeError', text, lower]);
  await market({ side: 'SELL' });
});

test('the most conditional orders', async () => {
  for (let i = 0; i < 200; i += 10) {
    await Promise.all(Array.from({ length: 10 }, () => algo()));
    await venue.advance(1_000);
  }
  await refused([-4045, 'OperationRejected', 'Reach max stop order limit.', () => algo()]);
  await ccxt.fapiPrivateDeleteAlgoOpenOrders(SYMBOL);
});

test('a venue in trouble: each answer, and what ccxt makes of it', async () => {
  const unknown = 'Unknown error, please check your request or try again later.';
  const bus = 'An unexpected response was received from the message bus. Execution status unknown.';
  const backend =
    'Timeout waiting for response from backend server. Send status unknown; execution status unknown.';
  const answers: readonly [as: string, ccxtClass: string, said: RegExp, executed: boolean][] = [
    ['unknown-503', 'OperationFailed', new RegExp(`-1000.*${unknown}`), true],
    ['unknown-503-plain', 'ExchangeNotAvailable', new RegExp(unknown), true],
    ['unavailable-503', 'ExchangeNotAvailable', /Service Unavailable\./, false],
    ['overload-503', 'OperationFailed', /-1008/, false],
    ['-1001', 'OperationFailed', /-1001/, true],
    ['-1006', 'OperationFailed', new RegExp(bus), true],
    ['-1007', 'RequestTimeout', new RegExp(backend), true],
    ['-5028', 'BadRequest', /outside of the ME recvWindow/, false],
    ['html-502', 'ExchangeNotAvailable', /502/, false],
    ['html-504', 'RequestTimeout', /504/, false],
    ['html-403', 'ExchangeNotAvailable', /403/, false],
  ];
  for (const [as, ccxtClass, said, executed] of answers) {
    await venue.admin('POST', '/faults', {
      rules: [{ request: 'POST /fapi/v1/order', nth: 1, do: 'answer', as }],
    });
    const newClientOrderId = `trouble-${as}`;
    await assert.rejects(order({ newClientOrderId }), { name: ccxtClass, message: said }, as);
    const found = await ccxt.fapiPrivateGetOrder({ ...SYMBOL, origClientOrderId: newClientOrderId }).then(
      () => true,
      () => false,
    );
    assert.equal(found, executed, `${as}: executed`);
    await venue.admin('DELETE', '/faults');
  }
  await ccxt.fapiPrivateDeleteAllOpenOrders(SYMBOL);
});

test('keys, signatures and clocks', async () => {
  const read = () => ccxt.fapiPrivateV3GetAccount();
  const { secret, apiKey } = ccxt;
  ccxt.secret = 'wrong';
  await refused([-1022, 'AuthenticationError', 'Signature for this request is not valid.', read]);
  ccxt.secret = secret;
  ccxt.apiKey = 'nobody';
  await refused([-2015, 'AuthenticationError', 'Invalid API-key, IP, or permissions for action.', read]);
  ccxt.apiKey = apiKey;
  const now = venue.at;
  venue.at = now - 10_001;
  await refused([-1021, 'InvalidNonce', 'Timestamp for this request is outside of the recvWindow.', read]);
  venue.at = now + 1_000;
  await refused([
    -1021,
    'InvalidNonce',
    "Timestamp for this request was 1000ms ahead of the server's time.",
    read,
  ]);
  venue.at = now;
  await read();
});

test('too many orders, too much weight, and the ban for who goes on', async () => {
  await venue.advance(60_000);
  const many = await Promise.allSettled(Array.from({ length: 301 }, () => ccxt.fapiPrivatePostOrder({})));
  const last = many.map((one) => (one.status === 'rejected' ? (one.reason as Error) : undefined));
  const over = last.filter((error) =>
    /"code":-1015,"msg":"Too many new orders; current limit is 300 orders per 10 SECONDS\./.test(
      error?.message ?? '',
    ),
  );
  assert.deepEqual([over.length, over[0]?.name], [1, 'DDoSProtection']);
  await venue.advance(60_000);
  const heavy = () => ccxt.fapiPublicGetTicker24hr();
  for (let used = 0; used < 2_400; used += 40) await heavy();
  await assert.rejects(heavy(), {
    name: 'DDoSProtection',
    message: /"code":-1003,"msg":"Too many requests; current limit of IP\(.*\) is 2400 requests per minute\./,
  });
  let error: Error | undefined;
  for (let i = 0; i < 20 && !/banned until/.test(error?.message ?? ''); i++)
    error = await heavy().then(
      () => undefined,
      (failure: Error) => failure,
    );
  assert.equal(error?.name, 'DDoSProtection');
  const until = Number(/banned until (\d+)\. Please use the websocket/.exec(error?.message ?? '')?.[1]);
  assert.equal(until - venue.at, 120_000);
  await venue.advance(120_000);
  await heavy();
});
