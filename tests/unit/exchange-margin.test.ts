/**
 * Margin and liquidation against worked examples: Binance's formula evaluated by hand for each case,
 * LP = (WB + cum − S·Q·EP) ÷ (Q·(MMR − S)) with S = +1 long, −1 short, the tier being that of Q × LP.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VenueEngine } from '../../src/exchange/engine/engine.ts';
import { maintenanceMargin } from '../../src/exchange/engine/margin.ts';
import { BTC, briefs, VenueBench, venueOptions } from '../support/venue.ts';

const free = { ...BTC, takerFeeRate: '0', makerFeeRate: '0' };
const freeEth = { ...free, symbol: 'ETHUSDT' };

interface Example {
  readonly name: string;
  readonly balance: string;
  readonly quantity: string;
  readonly entry: number;
  readonly side?: 'SELL';
  readonly isolated?: boolean;
  readonly leverage: number;
  readonly expected: number;
}

const examples: readonly Example[] = [
  // (100 + 0 − 4000) ÷ (40 × (0.004 − 1))
  {
    name: 'cross long, first tier',
    balance: '100',
    quantity: '40',
    entry: 100,
    leverage: 50,
    expected: 97.8916,
  },
  // (100 + 0 + 4000) ÷ (40 × (0.004 + 1))
  {
    name: 'cross short, first tier',
    balance: '100',
    quantity: '40',
    entry: 100,
    side: 'SELL',
    leverage: 50,
    expected: 102.0916,
  },
  // (2000 + 50 − 100000) ÷ (1 × (0.005 − 1))
  {
    name: 'cross long, second tier',
    balance: '2000',
    quantity: '1',
    entry: 100_000,
    leverage: 100,
    expected: 98_442.2111,
  },
  // Entered in tier 2 (50,200), liquidated in tier 1 (49,397): (1000 + 0 − 50200) ÷ (0.502 × (0.004 − 1))
  {
    name: 'cross long, tier falls on the way',
    balance: '1000',
    quantity: '0.502',
    entry: 100_000,
    leverage: 100,
    expected: 98_401.5744,
  },
  // Entered in tier 1 (49,900), liquidated in tier 2: (1000 + 50 + 49900) ÷ (0.499 × (0.005 + 1))
  {
    name: 'cross short, tier rises on the way',
    balance: '1000',
    quantity: '0.499',
    entry: 100_000,
    side: 'SELL',
    leverage: 100,
    expected: 101_596.2273,
  },
  // Isolated margin 100000 ÷ 50 = 2000: (2000 + 50 − 100000) ÷ (1 × (0.005 − 1))
  {
    name: 'isolated long',
    balance: '50000',
    quantity: '1',
    entry: 100_000,
    isolated: true,
    leverage: 50,
    expected: 98_442.2111,
  },
  // (2000 + 50 + 100000) ÷ (1 × (0.005 + 1))
  {
    name: 'isolated short',
    balance: '50000',
    quantity: '1',
    entry: 100_000,
    side: 'SELL',
    isolated: true,
    leverage: 50,
    expected: 101_542.2886,
  },
];

for (const example of examples)
  test(`liquidation price: ${example.name}`, () => {
    const venue = new VenueBench({
      instruments: [free],
      initialBalance: example.balance,
      defaultLeverage: example.leverage,
      marginMode: example.isolated ? 'isolated' : 'cross',
    });
    venue.submit({ quantity: example.quantity, side: example.side ?? 'BUY' }, example.entry);
    const price = Number(venue.position()?.liquidationPrice);
    assert.ok(Math.abs(price - example.expected) < 0.01, `${price} is not ${example.expected}`);
    // The venue acts where it says it does: not a tick before, and at the price itself.
    const away = example.side === 'SELL' ? -1 : 1;
    venue.price(example.entry, price + away * 0.1);
    assert.equal(venue.engine.hasPosition('BTCUSDT'), true);
    venue.price(example.entry, price - away * 0.01);
    assert.equal(venue.engine.hasPosition('BTCUSDT'), false);
  });

test('a cross long that its wallet covers down to zero has no liquidation price', () => {
  const venue = new VenueBench({ instruments: [free], initialBalance: '200' });
  venue.submit({ quantity: '1' }, 100);
  assert.equal(venue.position()?.liquidationPrice, undefined);
  assert.equal(venue.engine.wakeBand('BTCUSDT').markLow, 0);
});

test('maintenance margin is continuous over the tiers', () => {
  for (const [notional, expected] of [
    ['50000', '200'],
    ['50000.01', '200.00005'],
    ['500000', '2450'],
    ['10000000', '97450'],
    ['100000000', '2347450'],
  ] as const)
    assert.equal(maintenanceMargin(BTC, notional), expected);
});

test('cross margin: two symbols share one balance, and no pair of moves inside both bands can spend it', () => {
  const venue = new VenueBench({ instruments: [free, freeEth], initialBalance: '1000', defaultLeverage: 50 });
  venue.submit({ quantity: '100' }, 100);
  venue.submit({ ref: 'e', symbol: 'ETHUSDT', side: 'SELL', quantity: '120' }, 100);
  const bands = ['BTCUSDT', 'ETHUSDT'].map((symbol) => venue.engine.wakeBand(symbol));
  const btc = (bands[0]?.markLow ?? 0) * (1 + 1e-8);
  const eth = (bands[1]?.markHigh ?? 0) * (1 - 1e-8);
  assert.deepEqual([...venue.price(btc), ...venue.price(eth, eth, 'ETHUSDT')], []);
  venue.engine.setQuote('BTCUSDT', btc, btc);
  venue.engine.setQuote('ETHUSDT', eth, eth);
  const balance = 1000 + 100 * (btc - 100) + 120 * (100 - eth);
  const maintenance = 0.004 * (100 * btc + 120 * eth);
  // The bands keep clear of the margin call (80 %) and come close to it: nothing is given away.
  assert.ok(maintenance / balance < 0.8 && maintenance / balance > 0.79, `${maintenance} of ${balance}`);
});

test('isolated margin: a liquidation costs the margin set aside and nothing more', () => {
  const venue = new VenueBench({ instruments: [free, freeEth], marginMode: 'isolated', defaultLeverage: 50 });
  venue.submit({ quantity: '10' }, 100);
  venue.submit({ ref: 'e', symbol: 'ETHUSDT', quantity: '10' }, 100);
  venue.submit({ ref: 's', side: 'SELL', type: 'STOP_MARKET', triggerPrice: '1', reduceOnly: true }, 100);
  const texts = briefs(venue.price(50)).map((text) => text.replace(/autoclose-\d+/, 'auto'));
  assert.deepEqual(texts, ['MARGIN_CALLED', 'CLOSED s expired', 'FILLED auto SELL 10@50']);
  assert.equal(venue.engine.report(0).walletBalance, '9980');
  assert.equal(venue.engine.hasPosition('ETHUSDT'), true);
  assert.deepEqual(venue.engine.checkInvariants(), []);
});

test('in a gap past stop and liquidation price the venue takes the position over; the stop goes with it', () => {
  const venue = new VenueBench({ instruments: [free, freeEth], marginMode: 'isolated', defaultLeverage: 50 });
  venue.submit({ quantity: '10' }, 100);
  const stop = { ref: 's', side: 'SELL', type: 'STOP_MARKET', triggerPrice: '99', reduceOnly: true } as const;
  venue.submit({ ...stop, quantity: '10' }, 100);
  const gap = { type: 'PRICE', at: 9, symbol: 'BTCUSDT', last: 97, mark: 97 } as const;
  const other = new VenueBench({ instruments: [free, freeEth], marginMode: 'isolated', defaultLeverage: 50 });
  other.engine = VenueEngine.restore(venue.engine.checkpoint(), venueOptions({ marginMode: 'isolated' }));
  assert.deepEqual(briefs(other.apply(gap)), ['TRIGGERED s', 'FILLED s SELL 10@97']);
  const texts = briefs(venue.apply({ ...gap, marginFirst: true }));
  assert.deepEqual(
    texts.map((text) => text.replace(/autoclose-\d+/, 'auto')),
    ['MARGIN_CALLED', 'CLOSED s expired', 'FILLED auto SELL 10@97'],
  );
  // 20 were set aside, 30 are lost: the insurance fund pays what is missing.
  assert.equal(venue.engine.report(0).walletBalance, '9980');
  assert.deepEqual(venue.engine.checkInvariants(), []);
});

test('cross margin: a bankrupt account is insured back to zero and everything of it is closed', () => {
  const venue = new VenueBench({ instruments: [free, freeEth], initialBalance: '100', defaultLeverage: 50 });
  venue.submit({ quantity: '20' }, 100);
  venue.submit({ ref: 'e', symbol: 'ETHUSDT', quantity: '20' }, 100);
  venue.submit(
    { ref: 's', symbol: 'ETHUSDT', side: 'SELL', type: 'STOP_MARKET', triggerPrice: '1', reduceOnly: true },
    100,
  );
  const events = venue.price(50);
  assert.equal(venue.engine.report(0).positions.length, 0);
  assert.equal(venue.engine.report(0).walletBalance, '0');
  assert.ok(events.some((event) => event.type === 'WALLET_CHANGED' && event.reason === 'INSURANCE_CLEAR'));
  assert.deepEqual(venue.engine.checkInvariants(), []);
});

test('a liquidation is warned of first; its fee takes what is left and no more', () => {
  const venue = new VenueBench({ instruments: [free], initialBalance: '100', defaultLeverage: 50 });
  venue.submit({ quantity: '40' }, 100);
  assert.deepEqual(venue.price(98), []);
  const [call] = venue.price(97.98);
  // 0.004 × 3919.2 ÷ (100 − 80.8)
  assert.equal(call?.type === 'MARGIN_CALLED' && call.marginRatio, '0.8165');
  const [fill] = venue.price(97.89);
  assert.ok(fill?.type === 'ORDER_FILLED' && fill.cause === 'liquidation');
  // 1.25 % of 3912 would be 48.9, but only 100 − 88 is left.
  assert.deepEqual([fill.price, fill.realizedPnl, fill.fee], ['97.8', '-88', '12']);
  assert.equal(venue.engine.report(0).walletBalance, '0');
});

test('the margin call comes once, at its ratio, and again only after the position or balance changed', () => {
  const venue = new VenueBench({ instruments: [free], initialBalance: '100', defaultLeverage: 50 });
  venue.submit({ quantity: '40' }, 100);
  const calls = () => briefs(venue.price(97.98)).length;
  assert.equal(calls(), 1);
  assert.equal(calls(), 0);
  venue.apply({ type: 'DEPOSIT', at: 9, amount: '0.1' });
  assert.equal(calls(), 1);
});

test('available balance: wallet, open profit, initial margin at mark, and margin of opening orders', () => {
  const venue = new VenueBench({ instruments: [free], initialBalance: '1000', defaultLeverage: 10 });
  const available = () => venue.engine.report(0).availableBalance;
  venue.submit({ quantity: '10' }, 100);
  assert.equal(available(), '900');
  venue.submit({ ref: 'b', quantity: '5', type: 'LIMIT', price: '98', timeInForce: 'GTC' }, 100);
  assert.equal(available(), '851');
  // A sell up to twice the position frees margin on the way and then needs no more than the buys do.
  venue.submit(
    { ref: 's', side: 'SELL', quantity: '20', type: 'LIMIT', price: '104', timeInForce: 'GTC' },
    100,
  );
  assert.equal(available(), '851');
  venue.submit(
    {
      ref: 'x',
      side: 'SELL',
      quantity: '5',
      type: 'LIMIT',
      price: '102',
      timeInForce: 'GTC',
      reduceOnly: true,
    },
    100,
  );
  assert.equal(available(), '851');
  venue.engine.setQuote('BTCUSDT', 90, 90);
  assert.equal(available(), '761');
});

test('isolated: margin is set aside at entry, freed in proportion, and funding is paid from it', () => {
  const venue = new VenueBench({ instruments: [free], marginMode: 'isolated', defaultLeverage: 10 });
  venue.submit({ quantity: '10' }, 100);
  assert.equal(venue.engine.report(0).availableBalance, '9900');
  venue.apply({ type: 'FUNDING', at: 5, symbol: 'BTCUSDT', rate: 0.01, mark: 100 });
  assert.equal(venue.engine.report(0).walletBalance, '9990');
  assert.equal(venue.engine.report(0).availableBalance, '9900');
  venue.submit({ ref: 'r', side: 'SELL', quantity: '5', reduceOnly: true }, 100);
  assert.equal(venue.engine.report(0).availableBalance, '9945');
});

test('a withdrawal beyond what is available changes nothing', () => {
  const venue = new VenueBench({ instruments: [free], initialBalance: '100', defaultLeverage: 10 });
  venue.submit({ quantity: '5' }, 100);
  assert.deepEqual(briefs(venue.apply({ type: 'DEPOSIT', at: 5, amount: '-50.01' })), []);
  assert.equal(venue.engine.report(0).walletBalance, '100');
  venue.apply({ type: 'DEPOSIT', at: 6, amount: '-50' });
  assert.equal(venue.engine.report(0).walletBalance, '50');
  assert.deepEqual(venue.engine.checkInvariants(), []);
});

test('a conditional order needs no margin until it triggers, and is refused there when it has none', () => {
  const venue = new VenueBench({ instruments: [free], initialBalance: '10', defaultLeverage: 10 });
  const stop = { ref: 's', type: 'STOP_MARKET', triggerPrice: '101', quantity: '50' } as const;
  assert.deepEqual(briefs(venue.submit(stop, 100)), ['ACK s 1']);
  assert.deepEqual(briefs(venue.price(101)), ['TRIGGERED s', 'CLOSED s rejected-at-trigger']);
});

test('realised profit sums to the money made to the last digit, however it is cut', () => {
  const venue = new VenueBench({ instruments: [{ ...free, tickSize: '0.00001', stepSize: '0.001' }] });
  for (const [i, price] of [100.00001, 100.00007, 99.99993].entries())
    venue.submit({ ref: `b${i}`, quantity: '0.333' }, price);
  for (const [i, quantity] of ['0.001', '0.7', '0.29', '0.008'].entries())
    venue.submit({ ref: `s${i}`, side: 'SELL', quantity, reduceOnly: true }, 101.00003);
  assert.equal(venue.engine.hasPosition('BTCUSDT'), false);
  // 0.999 × 101.00003 − 0.333 × (100.00001 + 100.00007 + 99.99993)
  assert.equal(venue.engine.report(0).walletBalance, '10000.99902664');
  assert.deepEqual(venue.engine.checkInvariants(), []);
});
