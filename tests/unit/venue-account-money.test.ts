/** Balances, positions, settings, funding, liquidation: the account's pages and what the stream says of money. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineInput } from '../../src/exchange/engine/engine-types.ts';
import { VenueCore } from '../../src/venue-server/core.ts';
import { BTC } from '../support/venue.ts';
import { CoreBench, type Fields, short } from '../support/venue-account.ts';

const accountFrame = (frames: Fields[]): Fields => {
  const found = frames.find((frame) => frame.e === 'ACCOUNT_UPDATE');
  return (found?.a ?? {}) as Fields;
};

test('balances and margins by hand: 2 at 100, 20 times, mark 101', () => {
  const bench = new CoreBench();
  bench.market('BUY', '2');
  bench.quote('BTCUSDT', 101);
  const account = bench.get('/fapi/v3/account');
  assert.equal(account.totalWalletBalance, '9999.90000000');
  assert.equal(account.totalUnrealizedProfit, '2.00000000');
  assert.equal(account.totalMarginBalance, '10001.90000000');
  assert.equal(account.totalPositionInitialMargin, '10.10000000');
  assert.equal(account.totalMaintMargin, '0.80800000');
  assert.equal(account.availableBalance, '9991.80000000');
  const [position] = account.positions as unknown as Fields[];
  assert.deepEqual([position?.symbol, position?.positionAmt, position?.notional], ['BTCUSDT', '2', '202']);
  const [risk] = bench.list('/fapi/v3/positionRisk');
  assert.deepEqual(
    [risk?.entryPrice, risk?.markPrice, risk?.breakEvenPrice],
    ['100', '101.00000000', '100.05'],
  );
  assert.equal(bench.list('/fapi/v2/positionRisk').length, 2);
  assert.equal(bench.list('/fapi/v2/positionRisk', { symbol: 'BTCUSDT' })[0]?.leverage, '20');
  assert.equal(bench.list('/fapi/v3/balance')[0]?.balance, '9999.90000000');
  const old = bench.get('/fapi/v2/account');
  assert.equal((old.positions as unknown as Fields[]).length, 2);
  assert.equal(old.canWithdraw, false);
});

test('a balance says when it last changed, a fresh one too', () => {
  const bench = new CoreBench();
  const updated = (): unknown => (bench.get('/fapi/v3/account').assets as unknown as Fields[])[0]?.updateTime;
  assert.equal(updated(), 1);
  bench.feed({ type: 'DEPOSIT', at: ++bench.at, amount: '1' });
  assert.equal(updated(), bench.at - 1);
});

test('an account’s time never runs back: a beat of the market that comes late befalls it now', () => {
  const bench = new CoreBench();
  bench.market('BUY', '2');
  bench.stop('SELL', '90', { closePosition: true });
  const settledAt = bench.at + 500;
  bench.feed({ type: 'FUNDING', at: settledAt, symbol: 'BTCUSDT', rate: 0.0001, mark: 100 });
  bench.feed({ type: 'PRICE', at: settledAt - 400, symbol: 'BTCUSDT', last: 89, mark: 89 });
  bench.at = settledAt + 10;
  const times = bench.list('/fapi/v1/income').map(({ incomeType, time }) => `${incomeType} ${time}`);
  assert.deepEqual(times.slice(1), [
    `FUNDING_FEE ${settledAt}`,
    `REALIZED_PNL ${settledAt}`,
    `COMMISSION ${settledAt}`,
  ]);
  const fills = bench.list('/fapi/v1/userTrades', { symbol: 'BTCUSDT' });
  assert.equal(fills.at(-1)?.time, settledAt);
});

test('open orders tie up margin, and a page lists their symbol without a position', () => {
  const bench = new CoreBench();
  bench.limit('BUY', '2', '99');
  const account = bench.get('/fapi/v3/account');
  assert.equal(account.totalOpenOrderInitialMargin, '9.90000000');
  assert.equal(account.availableBalance, '9990.10000000');
  const [risk] = bench.list('/fapi/v3/positionRisk');
  assert.deepEqual([risk?.positionAmt, risk?.openOrderInitialMargin, risk?.bidNotional], ['0', '9.9', '198']);
});

test('a position that is closed vanishes from the page, and the stream says zero', () => {
  const bench = new CoreBench();
  bench.listen();
  bench.market('BUY', '1');
  bench.frames();
  bench.quote('BTCUSDT', 110);
  bench.market('SELL', '1');
  const update = accountFrame(bench.frames());
  assert.deepEqual(update.B, [{ a: 'USDT', wb: '10009.89500000', cw: '10009.89500000', bc: '0' }]);
  const [position] = update.P as unknown as Fields[];
  assert.deepEqual([position?.pa, position?.ep, position?.cr, position?.ps], ['0', '0', '10', 'BOTH']);
  assert.deepEqual(bench.list('/fapi/v3/positionRisk'), []);
  const types = bench.list('/fapi/v1/income').map((row) => row.incomeType);
  assert.deepEqual(types, ['COMMISSION', 'REALIZED_PNL', 'COMMISSION']);
  assert.equal(bench.list('/fapi/v1/income', { incomeType: 'REALIZED_PNL' })[0]?.income, '10.00000000');
});

test('leverage: told, bounded by the table, and kept from falling under what is held', () => {
  const bench = new CoreBench();
  bench.listen();
  const path = '/fapi/v1/leverage';
  assert.deepEqual(bench.post(path, { symbol: 'BTCUSDT', leverage: 50 }), {
    leverage: 50,
    maxNotionalValue: '10000000',
    symbol: 'BTCUSDT',
  });
  assert.deepEqual(bench.frames().at(-1)?.ac, { s: 'BTCUSDT', l: 50 });
  assert.equal(bench.post(path, { symbol: 'BTCUSDT', leverage: 126 }).code, -4028);
  assert.equal(bench.post(path, { symbol: 'BTCUSDT' }).code, -1102);
  bench.limit('BUY', '900', '100');
  assert.equal(bench.post(path, { symbol: 'BTCUSDT', leverage: 125 }).code, -2027);
  assert.equal(bench.post(path, { symbol: 'BTCUSDT', leverage: 1 }).code, -2028);
  assert.equal(bench.list('/fapi/v1/symbolConfig', { symbol: 'BTCUSDT' })[0]?.leverage, 50);
});

test('margin type is a symbol’s own; isolated positions keep their margin apart', () => {
  const bench = new CoreBench();
  bench.listen();
  const path = '/fapi/v1/marginType';
  assert.equal(bench.post(path, { symbol: 'BTCUSDT', marginType: 'CROSSED' }).code, -4046);
  assert.deepEqual(bench.post(path, { symbol: 'BTCUSDT', marginType: 'ISOLATED' }), {
    code: 200,
    msg: 'success',
  });
  assert.equal(bench.post(path, { symbol: 'BTCUSDT', marginType: 'BOTH' }).code, -1130);
  bench.limit('BUY', '1', '99');
  assert.equal(bench.post(path, { symbol: 'BTCUSDT', marginType: 'CROSSED' }).code, -4047);
  bench.delete('/fapi/v1/allOpenOrders', { symbol: 'BTCUSDT' });
  bench.market('BUY', '1');
  assert.equal(bench.post(path, { symbol: 'BTCUSDT', marginType: 'CROSSED' }).code, -4048);
  bench.market('BUY', '10', { symbol: 'ETHUSDT' });
  const config = bench.list('/fapi/v1/symbolConfig');
  assert.deepEqual(
    config.map((row) => row.marginType),
    ['ISOLATED', 'CROSSED'],
  );
  const account = bench.get('/fapi/v3/account');
  assert.equal(account.totalWalletBalance, '9999.90000000');
  assert.equal(account.totalCrossWalletBalance, '9994.90000000');
  assert.equal(bench.post('/fapi/v1/leverage', { symbol: 'BTCUSDT', leverage: 10 }).code, -4161);
});

test('isolated margin in and out, with its history and its event', () => {
  const bench = new CoreBench();
  bench.listen();
  const path = '/fapi/v1/positionMargin';
  assert.equal(bench.post(path, { symbol: 'BTCUSDT', amount: '5', type: 1 }).code, -4054);
  bench.post('/fapi/v1/marginType', { symbol: 'BTCUSDT', marginType: 'ISOLATED' });
  bench.market('BUY', '1');
  bench.frames();
  assert.equal(bench.post(path, { symbol: 'BTCUSDT', amount: '5', type: 1 }).code, 200);
  const update = accountFrame(bench.frames());
  assert.equal(update.m, 'MARGIN_TRANSFER');
  assert.equal((update.P as unknown as Fields[])[0]?.iw, '10');
  assert.equal(bench.list('/fapi/v3/positionRisk')[0]?.isolatedWallet, '10');
  assert.equal(bench.post(path, { symbol: 'BTCUSDT', amount: '6', type: 2 }).code, -4051);
  assert.equal(bench.post(path, { symbol: 'BTCUSDT', amount: '5', type: 2 }).code, 200);
  assert.equal(bench.post(path, { symbol: 'BTCUSDT', amount: '0', type: 1 }).code, -4055);
  assert.equal(bench.post(path, { symbol: 'BTCUSDT', amount: '99999', type: 1 }).code, -4050);
  const history = bench.list('/fapi/v1/positionMargin/history', { symbol: 'BTCUSDT' });
  assert.deepEqual(
    history.map((row) => [row.type, row.amount]),
    [
      [1, '5'],
      [2, '5'],
    ],
  );
  assert.deepEqual(bench.core.violations(), []);
});

test('hedge mode: two positions on one symbol, each with its own side', () => {
  const bench = new CoreBench();
  const path = '/fapi/v1/positionSide/dual';
  assert.deepEqual(bench.get(path), { dualSidePosition: false });
  assert.equal(bench.post(path, { dualSidePosition: false }).code, -4059);
  bench.limit('BUY', '1', '99');
  assert.equal(bench.post(path, { dualSidePosition: true }).code, -4067);
  bench.delete('/fapi/v1/allOpenOrders', { symbol: 'BTCUSDT' });
  assert.equal(bench.post(path, { dualSidePosition: true }).code, 200);
  assert.equal(bench.market('BUY', '1').code, -4061);
  bench.market('BUY', '2', { positionSide: 'LONG' });
  bench.market('SELL', '1', { positionSide: 'SHORT' });
  assert.equal(bench.market('SELL', '1', { positionSide: 'LONG', reduceOnly: true }).code, -4062);
  bench.market('SELL', '1', { positionSide: 'LONG' });
  const rows = bench.list('/fapi/v3/positionRisk').map((row) => [row.positionSide, row.positionAmt]);
  assert.deepEqual(rows, [
    ['LONG', '1'],
    ['SHORT', '-1'],
  ]);
  assert.equal(bench.post(path, { dualSidePosition: false }).code, -4068);
  assert.deepEqual(bench.core.violations(), []);
});

test('hedge mode: what closes a side never takes more than the side, however often it comes', () => {
  const bench = new CoreBench();
  bench.post('/fapi/v1/positionSide/dual', { dualSidePosition: true });
  bench.market('BUY', '2', { positionSide: 'LONG' });
  bench.market('SELL', '1', { positionSide: 'SHORT' });
  assert.equal(bench.market('SELL', '3', { positionSide: 'LONG' }).code, -2022, 'more than there is');
  assert.equal(bench.market('SELL', '2', { positionSide: 'LONG' }).status, 'FILLED');
  assert.equal(bench.market('SELL', '2', { positionSide: 'LONG' }).code, -2022, 'the same once more');
  const rows = bench.list('/fapi/v3/positionRisk').map((row) => [row.positionSide, row.positionAmt]);
  assert.deepEqual(rows, [['SHORT', '-1']]);
  assert.deepEqual(bench.core.violations(), []);
});

test('funding: in cross the balance alone, isolated with its position', () => {
  for (const isolated of [false, true]) {
    const bench = new CoreBench();
    bench.listen();
    if (isolated) bench.post('/fapi/v1/marginType', { symbol: 'BTCUSDT', marginType: 'ISOLATED' });
    bench.market('BUY', '1');
    bench.frames();
    bench.feed({ type: 'FUNDING', at: ++bench.at, symbol: 'BTCUSDT', rate: 0.001, mark: 100 });
    const update = accountFrame(bench.frames());
    assert.equal(update.m, 'FUNDING_FEE');
    assert.equal((update.B as unknown as Fields[])[0]?.bc, '-0.1');
    assert.equal((update.P as unknown as Fields[]).length, isolated ? 1 : 0);
    const [row] = bench.list('/fapi/v1/income', { incomeType: 'FUNDING_FEE' });
    assert.deepEqual([row?.income, row?.symbol], ['-0.10000000', 'BTCUSDT']);
    assert.deepEqual(bench.core.violations(), []);
  }
});

test('liquidation: the warning, the orders, the forced order, the money, in this order', () => {
  const public_: unknown[] = [];
  const bench = new CoreBench({
    account: { initialBalance: '100' },
    forced: (order) => public_.push([order, bench.entries.at(-1)?.type]),
  });
  bench.listen();
  bench.market('BUY', '15');
  bench.limit('BUY', '1', '50');
  bench.stop('SELL', '90', { closePosition: true, workingType: 'MARK_PRICE' });
  bench.frames();
  bench.price(100, 93.8);
  const frames = bench.frames().map(short);
  assert.deepEqual(frames, ['MARGIN_CALL']);
  bench.price(95, 93.5);
  const after = bench.frames();
  assert.deepEqual(after.map(short), [
    'ORDER EXPIRED EXPIRED',
    'ALGO EXPIRED',
    'ORDER NEW NEW',
    'ACCOUNT ORDER',
    'ORDER CALCULATED FILLED',
  ]);
  assert.equal((after[0]?.o as Fields | undefined)?.er, '5');
  const forced = after[4]?.o as Fields;
  assert.match(String(forced.c), /^autoclose-/);
  assert.equal(forced.o, 'LIQUIDATION');
  const told = { symbol: 'BTCUSDT', side: 'SELL', quantity: '15', price: '95', averagePrice: '95' };
  assert.deepEqual(public_, [[told, 'feed']], 'the public hears of it, after the journal');
  const again = VenueCore.restore(new VenueCore(bench.options).checkpoint(), bench.options);
  for (const entry of bench.entries) again.replay(entry);
  assert.equal(public_.length, 1, 'a replay tells nobody');
  assert.equal(bench.list('/fapi/v1/forceOrders').length, 1);
  assert.equal(bench.list('/fapi/v1/forceOrders', { autoCloseType: 'ADL' }).length, 0);
  assert.deepEqual(bench.core.violations(), []);
});

test('bankrupt: the insurance fund pays, and the ledger shows it', () => {
  const bench = new CoreBench({ account: { initialBalance: '100' } });
  bench.listen();
  bench.market('BUY', '15');
  bench.frames();
  bench.price(80);
  const reasons = bench
    .frames()
    .flatMap((frame) => (frame.e === 'ACCOUNT_UPDATE' ? [(frame.a as Fields).m] : []));
  assert.deepEqual(reasons, ['ORDER', 'INSURANCE_CLEAR']);
  assert.equal(bench.wallet(), '0');
  assert.equal(bench.list('/fapi/v1/income', { incomeType: 'INSURANCE_CLEAR' }).length, 1);
  assert.deepEqual(bench.core.violations(), []);
});

test('an isolated liquidation leaves the cross side alone', () => {
  const bench = new CoreBench();
  bench.post('/fapi/v1/marginType', { symbol: 'BTCUSDT', marginType: 'ISOLATED' });
  bench.market('BUY', '10');
  bench.market('BUY', '10', { symbol: 'ETHUSDT' });
  bench.limit('BUY', '1', '9.9', { symbol: 'ETHUSDT' });
  bench.price(94);
  assert.equal(bench.position(), undefined);
  assert.equal(bench.position('ETHUSDT')?.quantity, '10');
  assert.equal(bench.list('/fapi/v1/openOrders', { symbol: 'ETHUSDT' }).length, 1);
  assert.deepEqual(bench.core.violations(), []);
});

test('deleveraging and delisting have their own client ids', () => {
  const bench = new CoreBench();
  bench.listen();
  bench.market('BUY', '2');
  bench.frames();
  bench.feed({ type: 'ADL', at: ++bench.at, symbol: 'BTCUSDT', quantity: '1' });
  const adl = bench.frames().at(-1)?.o as Fields;
  assert.match(String(adl.c), /^adl_autoclose/);
  const instrument = { ...BTC, status: 'SETTLING' } as const;
  bench.feed({ type: 'INSTRUMENT', at: ++bench.at, instrument });
  const settled = bench.frames().at(-1)?.o as Fields;
  assert.match(String(settled.c), /^settlement_autoclose-/);
  assert.equal(bench.position(), undefined);
  assert.equal(bench.market('BUY', '1').code, -4140);
  assert.deepEqual(bench.core.violations(), []);
});

test('deposits and withdrawals are told and booked; too much is not given', () => {
  const bench = new CoreBench();
  bench.listen();
  bench.frames();
  const deposit = (amount: string): EngineInput => ({ type: 'DEPOSIT', at: ++bench.at, amount });
  bench.feed(deposit('50'));
  const update = accountFrame(bench.frames());
  assert.deepEqual([update.m, (update.B as unknown as Fields[])[0]?.bc], ['DEPOSIT', '50']);
  bench.feed(deposit('-20'));
  bench.feed(deposit('-20000'));
  assert.equal(bench.wallet(), '10030');
  assert.deepEqual(
    bench.list('/fapi/v1/income', { incomeType: 'TRANSFER' }).map((row) => row.income),
    ['50.00000000', '-20.00000000'],
  );
  assert.deepEqual(bench.core.violations(), []);
});

test('the smaller pages', () => {
  const bench = new CoreBench({ account: { permissions: { enableWithdrawals: true } } });
  bench.market('BUY', '1');
  assert.equal(bench.get('/sapi/v1/account/apiRestrictions').enableWithdrawals, true);
  assert.equal(bench.get('/fapi/v1/accountConfig').dualSidePosition, false);
  assert.equal(bench.get('/fapi/v1/commissionRate', { symbol: 'BTCUSDT' }).takerCommissionRate, '0.0005');
  const [brackets] = bench.list('/fapi/v1/leverageBracket', { symbol: 'BTCUSDT' });
  assert.deepEqual((brackets?.brackets as unknown as Fields[] | undefined)?.[1], {
    bracket: 2,
    initialLeverage: 100,
    notionalCap: 500_000,
    notionalFloor: 50_000,
    maintMarginRatio: 0.005,
    cum: 50,
  });
  assert.equal(bench.list('/fapi/v1/rateLimit/order').length, 2);
  assert.deepEqual(bench.list('/fapi/v1/adlQuantile'), [{ symbol: 'BTCUSDT', adlQuantile: { BOTH: 0 } }]);
  assert.deepEqual(bench.get('/fapi/v1/multiAssetsMargin'), { multiAssetsMargin: false });
  assert.deepEqual(bench.get('/fapi/v1/feeBurn'), { feeBurn: false });
  assert.equal(bench.get('/fapi/v1/leverageBracket', { symbol: 'NOPE' }).code, -1121);
});

test('a key without the permission for futures reads and may not trade', () => {
  const bench = new CoreBench({ account: { permissions: { enableFutures: false } } });
  assert.equal(bench.market('BUY', '1').code, -2015);
  assert.equal(bench.get('/fapi/v3/account').totalWalletBalance, '10000.00000000');
  assert.equal(bench.entries.length, 0);
});
