/**
 * Answers and frames against the official client's own type declarations: every field that it declares for an
 * answer is there, with the JSON type that it declares, unless listed here with the reason.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { CoreBench, type Fields } from '../support/venue-account.ts';

const DECLARATIONS = readFileSync(
  path.resolve('node_modules/@binance/derivatives-trading-usds-futures/dist/index.d.ts'),
  'utf8',
);

/** Fields of coin-margined contracts, which share the declarations, and of orders that are no longer plain. */
const ELSEWHERE = new Set(['cumBase', 'baseQty', 'pair', 'marginAsset', 'activatePrice', 'priceRate']);

function declared(name: string): Map<string, string> {
  const start = DECLARATIONS.indexOf(`\ninterface ${name} {`);
  assert.ok(start > 0, `${name} is not declared`);
  const body = DECLARATIONS.slice(start, DECLARATIONS.indexOf('\n}', start));
  const fields = new Map<string, string>();
  for (const [, field, type] of body.matchAll(/^\s+'?(\w+)'?\?: (.*);$/gm))
    if (field && type) fields.set(field, type);
  assert.ok(fields.size > 0, `${name} has no fields`);
  return fields;
}

function fits(value: unknown, type: string): boolean {
  if (value === null || type.includes('Array<')) return true;
  if (type.includes('number')) return typeof value === 'number';
  if (type === 'string') return typeof value === 'string';
  if (type === 'boolean') return typeof value === 'boolean';
  return typeof value === 'object';
}

function check(name: string, answer: unknown, except: readonly string[] = []): void {
  const given = answer as Fields;
  const problems: string[] = [];
  for (const [field, type] of declared(name)) {
    if (except.includes(field) || (ELSEWHERE.has(field) && !(field in given))) continue;
    if (!(field in given)) problems.push(`${field} is missing`);
    else if (!fits(given[field], type))
      problems.push(`${field} is ${JSON.stringify(given[field])}, not ${type}`);
  }
  assert.deepEqual(problems, [], name);
}

function busy(): CoreBench {
  const bench = new CoreBench();
  bench.listen();
  bench.market('BUY', '2', { newClientOrderId: 'one' });
  bench.limit('BUY', '1', '99', { newClientOrderId: 'rest' });
  bench.stop('SELL', '95', { clientAlgoId: 'stop' });
  return bench;
}

const SYMBOL = { symbol: 'BTCUSDT' };

test('orders', () => {
  const bench = busy();
  check('NewOrderResponse$1', bench.limit('BUY', '1', '98', { newClientOrderId: 'new' }));
  check('QueryOrderResponse$1', bench.get('/fapi/v1/order', { ...SYMBOL, origClientOrderId: 'one' }));
  check(
    'QueryCurrentOpenOrderResponse',
    bench.get('/fapi/v1/openOrder', { ...SYMBOL, origClientOrderId: 'rest' }),
  );
  check('CurrentAllOpenOrdersResponseInner', bench.list('/fapi/v1/openOrders', SYMBOL)[0]);
  check('AllOrdersResponseInner', bench.list('/fapi/v1/allOrders', SYMBOL)[0]);
  const change = { ...SYMBOL, side: 'BUY', origClientOrderId: 'new', quantity: '1', price: '97' };
  // modifyId is of coin-margined contracts.
  check('ModifyOrderResponse$1', bench.put('/fapi/v1/order', change), ['modifyId']);
  check('GetOrderModifyHistoryResponseInner', bench.list('/fapi/v1/orderAmendment', SYMBOL)[0]);
  check('CancelOrderResponse$1', bench.delete('/fapi/v1/order', { ...SYMBOL, origClientOrderId: 'new' }));
  check('CancelAllOpenOrdersResponse', bench.delete('/fapi/v1/allOpenOrders', SYMBOL));
  const countdown = bench.post('/fapi/v1/countdownCancelAll', { ...SYMBOL, countdownTime: 1000 });
  check('AutoCancelAllOpenOrdersResponse', countdown);
  const test = { ...SYMBOL, side: 'BUY', type: 'MARKET', quantity: '1' };
  check('TestOrderResponse', bench.post('/fapi/v1/order/test', test));
});

test('conditional orders', () => {
  const bench = busy();
  check('NewAlgoOrderResponse$1', bench.stop('SELL', '94', { clientAlgoId: 'new' }));
  check('QueryAlgoOrderResponse', bench.get('/fapi/v1/algoOrder', { clientAlgoId: 'stop' }));
  check('CurrentAllAlgoOpenOrdersResponseInner', bench.list('/fapi/v1/openAlgoOrders')[0]);
  check('QueryAllAlgoOrdersResponseInner', bench.list('/fapi/v1/allAlgoOrders', SYMBOL)[0]);
  check('CancelAlgoOrderResponse$1', bench.delete('/fapi/v1/algoOrder', { clientAlgoId: 'new' }));
  check('CancelAllAlgoOpenOrdersResponse', bench.delete('/fapi/v1/algoOpenOrders', SYMBOL));
});

test('the account', () => {
  const bench = busy();
  const v3 = bench.get('/fapi/v3/account');
  check('AccountInformationV3Response', v3);
  check('AccountInformationV3ResponseAssetsInner', (v3.assets as unknown as Fields[])[0]);
  check('AccountInformationV3ResponsePositionsInner', (v3.positions as unknown as Fields[])[0]);
  const v2 = bench.get('/fapi/v2/account');
  check('AccountInformationV2Response$1', v2);
  check('AccountInformationV2ResponseAssetsInner', (v2.assets as unknown as Fields[])[0]);
  check('AccountInformationV2ResponsePositionsInner', (v2.positions as unknown as Fields[])[0]);
  check('PositionInformationV3ResponseInner', bench.list('/fapi/v3/positionRisk')[0]);
  check('PositionInformationV2ResponseInner', bench.list('/fapi/v2/positionRisk')[0]);
  check('FuturesAccountBalanceV2ResponseInner', bench.list('/fapi/v3/balance')[0]);
  check('FuturesAccountConfigurationResponse', bench.get('/fapi/v1/accountConfig'));
  check('SymbolConfigurationResponseInner', bench.list('/fapi/v1/symbolConfig')[0]);
  check('UserCommissionRateResponse', bench.get('/fapi/v1/commissionRate', SYMBOL));
  check('AccountTradeListResponseInner', bench.list('/fapi/v1/userTrades', SYMBOL)[0]);
  check('GetIncomeHistoryResponseInner', bench.list('/fapi/v1/income')[0]);
  check('NotionalAndLeverageBracketsResponse1Inner', bench.list('/fapi/v1/leverageBracket')[0]);
  check('QueryUserRateLimitResponseInner', bench.list('/fapi/v1/rateLimit/order')[0]);
  check('GetCurrentPositionModeResponse', bench.get('/fapi/v1/positionSide/dual'));
  check('ChangeInitialLeverageResponse', bench.post('/fapi/v1/leverage', { ...SYMBOL, leverage: 10 }));
});

test('forced orders and moved margin', () => {
  const bench = busy();
  bench.delete('/fapi/v1/allOpenOrders', { symbol: 'ETHUSDT' });
  check(
    'ChangeMarginTypeResponse',
    bench.post('/fapi/v1/marginType', { symbol: 'ETHUSDT', marginType: 'ISOLATED' }),
  );
  bench.market('BUY', '10', { symbol: 'ETHUSDT' });
  const move = { symbol: 'ETHUSDT', amount: '1', type: 1 };
  check('ModifyIsolatedPositionMarginResponse', bench.post('/fapi/v1/positionMargin', move));
  const [moved] = bench.list('/fapi/v1/positionMargin/history', { symbol: 'ETHUSDT' });
  check('GetPositionMarginChangeHistoryResponseInner', moved);
  bench.price(5, 5, 'ETHUSDT');
  check('UsersForceOrdersResponseInner', bench.list('/fapi/v1/forceOrders')[0]);
});

test('the user stream', () => {
  const bench = busy();
  bench.stop('SELL', '97', { type: 'TRAILING_STOP_MARKET', callbackRate: '1', triggerPrice: '' });
  bench.post('/fapi/v1/leverage', { ...SYMBOL, leverage: 10 });
  bench.price(94);
  const seen = new Set<string>();
  for (const frame of bench.frames()) {
    const kind = String(frame.e);
    seen.add(kind);
    const body = (frame.o ?? frame.a ?? {}) as Fields;
    // AP and cr come with trailing stops only; M stands in the declarations and in no document.
    if (kind === 'ORDER_TRADE_UPDATE') check('OrderTradeUpdateO', body, ['AP', 'cr', 'M']);
    // Of an order that came of it, and of a reason, only once there is one.
    if (kind === 'ALGO_UPDATE') check('AlgoUpdateO', body, ['ap', 'aq', 'act', 'rm']);
    if (kind === 'TRADE_LITE') check('TradeLite', frame);
    if (kind === 'ACCOUNT_CONFIG_UPDATE') check('AccountConfigUpdateAc', frame.ac);
    if (kind !== 'ACCOUNT_UPDATE') continue;
    // S is of events that no order makes.
    check('AccountUpdateA', body, ['S']);
    check('AccountUpdateABInner', (body.B as unknown as Fields[])[0]);
    for (const position of body.P as unknown as Fields[]) check('AccountUpdateAPInner', position);
  }
  assert.deepEqual([...seen].sort(), [
    'ACCOUNT_CONFIG_UPDATE',
    'ACCOUNT_UPDATE',
    'ALGO_UPDATE',
    'ORDER_TRADE_UPDATE',
    'TRADE_LITE',
  ]);
});
