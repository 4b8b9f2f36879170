/**
 * The account side of the local venue under random requests and markets: the books close after every step, the
 * journal gives the same venue again byte for byte, from its start and from any checkpoint, and a client that
 * believes the stream alone ends up with what the pages say.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { EngineInput } from '../../src/exchange/engine/engine-types.ts';
import { VenueCore } from '../../src/venue-server/core.ts';
import { BTC, ETH } from '../support/venue.ts';
import { CoreBench, type Fields, type Params } from '../support/venue-account.ts';

const KINDS = [
  'move',
  'move',
  'move',
  'market',
  'limit',
  'limit',
  'algo',
  'algo',
  'cancel',
  'cancelAlgo',
  'amend',
  'batch',
  'settings',
  'cancelAll',
  'book',
  'trade',
  'funding',
  'rest',
  'time',
] as const;

const step = fc.record({
  kind: fc.constantFrom(...KINDS),
  symbol: fc.constantFrom('BTCUSDT', 'ETHUSDT'),
  a: fc.integer({ min: -100, max: 100 }),
  b: fc.integer({ min: 0, max: 100 }),
  quantity: fc.integer({ min: 50, max: 60_000 }),
  flags: fc.integer({ min: 0, max: 255 }),
});
type Step = ReturnType<typeof step.generate>['value'];

const session = fc.record({
  steps: fc.array(step, { minLength: 30, maxLength: 80, size: 'max' }),
  hedge: fc.boolean(),
  isolated: fc.boolean(),
  books: fc.boolean(),
  impact: fc.boolean(),
  cut: fc.double({ min: 0, max: 1, noNaN: true }),
});
type Session = ReturnType<typeof session.generate>['value'];

const SIDES = ['BUY', 'SELL'] as const;
const POSITIONS = ['LONG', 'SHORT'] as const;
const STPS = ['NONE', 'EXPIRE_TAKER', 'EXPIRE_MAKER', 'EXPIRE_BOTH'] as const;
const ALGOS = ['STOP_MARKET', 'TAKE_PROFIT_MARKET', 'STOP', 'TAKE_PROFIT', 'TRAILING_STOP_MARKET'] as const;
const round1 = (price: number): number => Math.max(1, Math.round(price * 10) / 10);
const of = <T>(list: readonly [T, ...T[]], i: number): T => list[i % list.length] ?? list[0];

/** Acts on a bench; what it does depends on nothing but the step and the bench's own past. */
class Player {
  readonly bench: CoreBench;
  readonly #hedge: boolean;
  readonly #books: boolean;
  readonly #price: Record<string, number> = { BTCUSDT: 100, ETHUSDT: 100 };
  #serial = 0;

  constructor({ hedge, isolated, books, impact }: Session) {
    this.bench = new CoreBench({
      account: {
        initialBalance: '1000',
        positionMode: hedge ? 'hedge' : 'one-way',
        marginMode: isolated ? 'isolated' : 'cross',
      },
      ...(impact ? { slippage: { halfSpreadRate: 0.0001, impactRate: 0.5, makerVolumeShare: 0.01 } } : {}),
      maxConditionalOrders: 6,
    });
    this.#hedge = hedge;
    this.#books = books;
    this.bench.quote('ETHUSDT', 100);
    this.bench.listen();
  }

  play(one: Step): void {
    const { bench } = this;
    const { symbol, a, b, flags } = one;
    const last = this.#price[symbol] ?? 100;
    const at = ++bench.at;
    switch (one.kind) {
      case 'move':
        this.#move(one, last);
        break;
      case 'market':
        bench.market(of(SIDES, flags), this.#quantity(one), { symbol, ...this.#terms(one) });
        break;
      case 'limit':
        bench.limit(of(SIDES, flags), this.#quantity(one), this.#near(last, a), {
          symbol,
          ...this.#terms(one),
          ...(flags % 16 === 0 ? { timeInForce: of(['IOC', 'FOK', 'GTX'], b) } : {}),
          ...(flags % 16 === 8 ? { timeInForce: 'GTD', goodTillDate: at + 700_000 } : {}),
        });
        break;
      case 'algo':
        bench.stop(of(SIDES, flags), this.#near(last, a), { symbol, ...this.#algo(one, last) });
        break;
      case 'cancel':
        bench.delete('/fapi/v1/order', { symbol, origClientOrderId: this.#known(b) });
        break;
      case 'cancelAlgo':
        bench.delete('/fapi/v1/algoOrder', { clientAlgoId: this.#known(b) });
        break;
      case 'amend':
        this.#amend(one, last);
        break;
      case 'batch':
        this.#batch(one, last);
        break;
      case 'settings':
        this.#settings(one);
        break;
      case 'cancelAll':
        if (flags < 60) bench.delete('/fapi/v1/allOpenOrders', { symbol });
        else if (flags < 120) bench.delete('/fapi/v1/algoOpenOrders', { symbol });
        else bench.post('/fapi/v1/countdownCancelAll', { symbol, countdownTime: b * 1000 });
        break;
      case 'book':
        if (this.#books) this.#book(one, last);
        break;
      case 'trade': {
        const price = String(round1(last * (1 + a / 20_000)));
        const quantity = this.#quantity(one);
        bench.feed({ type: 'TRADE', at, symbol, price, quantity, buyerMaker: flags % 2 === 0 });
        break;
      }
      case 'funding':
        bench.feed({ type: 'FUNDING', at, symbol, rate: a / 1e5, mark: last });
        break;
      case 'rest':
        this.#rest(one, at, last);
        break;
      case 'time':
        bench.at += b * 30_000;
        bench.core.tick(bench.at);
        bench.put('/fapi/v1/listenKey');
        break;
    }
    // The client's duty: without it the stream would go mute.
    bench.listen();
  }

  #quantity = ({ quantity }: Step): string => String(quantity / 1000);
  #near = (last: number, a: number): string => String(round1(last * (1 + a / 2000)));
  #id = (): string => `c${this.#serial++}`;
  #known = (b: number): string => `c${b % Math.max(this.#serial, 1)}`;

  #terms({ flags, b }: Step): Params {
    const side = this.#hedge ? { positionSide: of(POSITIONS, flags >> 1) } : {};
    const reduceOnly = !this.#hedge && flags % 8 > 5 ? { reduceOnly: true } : {};
    return { ...side, ...reduceOnly, newClientOrderId: this.#id(), selfTradePreventionMode: of(STPS, b) };
  }

  #algo(one: Step, last: number): Params {
    const { newClientOrderId, ...terms } = this.#terms(one);
    const type = of(ALGOS, one.b);
    const limited = type === 'STOP' || type === 'TAKE_PROFIT';
    const { reduceOnly: _, ...bare } = terms;
    const closes = !limited && type !== 'TRAILING_STOP_MARKET' && one.flags % 32 === 3;
    const trailing = {
      callbackRate: '0.5',
      triggerPrice: '',
      ...(one.flags & 64 ? { activatePrice: this.#near(last, one.a) } : {}),
    };
    return {
      ...(closes ? bare : terms),
      clientAlgoId: newClientOrderId ?? '',
      type,
      workingType: one.flags & 128 ? 'MARK_PRICE' : 'CONTRACT_PRICE',
      ...(closes ? { closePosition: true } : { quantity: this.#quantity(one) }),
      ...(limited ? { price: this.#near(last, one.a + 5) } : {}),
      ...(type === 'TRAILING_STOP_MARKET' ? trailing : {}),
    };
  }

  #move({ symbol, a, b, flags }: Step, last: number): void {
    const close = round1(last * (1 + a / 1500));
    const mark = flags & 1 ? round1(close * (1 + b / 50_000)) : close;
    this.#price[symbol] = close;
    this.bench.quote(symbol, close, {
      mark,
      volume: 500,
      bid: round1(close - 0.1),
      ask: round1(close + 0.1),
    });
    if (flags & 2) {
      this.bench.feed({ type: 'PRICE', at: this.bench.at, symbol, last: close, mark });
      return;
    }
    const high = round1(Math.max(last, close) * (1 + b / 5000));
    const low = round1(Math.min(last, close) * (1 - b / 5000));
    const range = { open: last, high, low, close, volume: 100 };
    const bar = { symbol, timeframe: '1m' as const, openTime: 0, ...range };
    this.bench.feed({ type: 'BAR', at: this.bench.at, bar });
  }

  #amend(one: Step, last: number): void {
    this.bench.put('/fapi/v1/order', {
      symbol: one.symbol,
      side: of(SIDES, one.flags),
      origClientOrderId: this.#known(one.b),
      quantity: this.#quantity(one),
      price: this.#near(last, one.a),
    });
  }

  #batch(one: Step, last: number): void {
    const element = (side: string, price: string): Params => ({
      symbol: one.symbol,
      side,
      type: 'LIMIT',
      timeInForce: 'GTC',
      quantity: this.#quantity(one),
      price,
      ...this.#terms(one),
    });
    const batchOrders = [element('BUY', this.#near(last, one.a)), element('SELL', this.#near(last, one.b))];
    this.bench.post('/fapi/v1/batchOrders', { batchOrders: JSON.stringify(batchOrders) });
  }

  #settings({ symbol, b, flags }: Step): void {
    const { bench } = this;
    if (flags < 60) bench.post('/fapi/v1/leverage', { symbol, leverage: b });
    else if (flags < 140)
      bench.post('/fapi/v1/marginType', { symbol, marginType: flags & 1 ? 'ISOLATED' : 'CROSSED' });
    else {
      const positionSide = this.#hedge ? of(POSITIONS, flags) : 'BOTH';
      bench.post('/fapi/v1/positionMargin', { symbol, positionSide, amount: b / 10, type: 1 + (flags % 2) });
    }
  }

  #book({ symbol, b }: Step, last: number): void {
    const level = (i: number): [string, string] => [String(round1(last + i / 10)), String(1 + b / 10)];
    const bids = [-1, -2, -5, -20].map(level);
    const asks = [1, 2, 5, 20].map(level);
    this.bench.feed({ type: 'BOOK', at: this.bench.at, symbol, bids, asks });
  }

  #rest({ symbol, a, b, flags }: Step, at: number, mark: number): void {
    const base = symbol === 'BTCUSDT' ? BTC : ETH;
    const status = flags < 110 ? 'TRADING_HALT' : flags < 114 ? 'SETTLING' : 'TRADING';
    const input: EngineInput =
      flags < 60
        ? { type: 'DEPOSIT', at, amount: String(a) }
        : flags < 100
          ? { type: 'ADL', at, symbol, quantity: String(b / 1000), mark }
          : flags > 250
            ? { type: 'PRICE', at, symbol, last: round1(mark * (1 + a / 2000)), marginFirst: true }
            : flags > 230
              ? {
                  type: 'DEPTH',
                  at,
                  symbol,
                  ...(flags > 240 ? { depth: { levels: b % 4, quantity: '0.1' } } : {}),
                }
              : { type: 'INSTRUMENT', at, instrument: { ...base, status }, mark };
    this.bench.feed(input);
  }
}

/** What somebody believes who hears the stream and nothing else. */
class Listener {
  wallet = '1000';
  readonly positions = new Map<string, string>();
  readonly orders = new Map<number, { status: string; filled: number; told: string }>();
  readonly algos = new Map<number, string>();

  hear(frame: Fields): void {
    if (frame.e === 'ACCOUNT_UPDATE') this.#account(frame.a as Fields);
    if (frame.e === 'ORDER_TRADE_UPDATE') this.#order(frame.o as Fields);
    if (frame.e === 'ALGO_UPDATE') {
      const algo = frame.o as Fields;
      this.algos.set(Number(algo.aid), String(algo.X));
    }
  }

  #account({ B, P }: Fields): void {
    for (const balance of B as unknown as Fields[]) this.wallet = String(balance.wb);
    for (const position of P as unknown as Fields[])
      this.positions.set(`${position.s}/${position.ps}`, String(position.pa));
  }

  #order(order: Fields): void {
    const id = Number(order.i);
    const known = this.orders.get(id);
    if (order.x === 'NEW') assert.equal(known, undefined, 'NEW comes first and once');
    else assert.ok(known, `order ${id} begins with ${String(order.x)}`);
    assert.ok(
      !known || known.status === 'NEW' || known.status === 'PARTIALLY_FILLED',
      'nothing comes after the end',
    );
    const filled = Math.round(((known?.filled ?? 0) + Number(order.l)) * 1000) / 1000;
    this.orders.set(id, { status: String(order.X), filled, told: String(order.z) });
  }
}

function agree(core: VenueCore, heard: Listener): void {
  const ledger = core.ledger('main');
  assert.ok(ledger);
  assert.equal(Number(heard.wallet), Number(ledger.wallet));
  const held = new Map([...heard.positions].filter(([, amount]) => Number(amount) !== 0));
  assert.equal(held.size, ledger.positions.length);
  for (const { symbol, positionSide, quantity } of ledger.positions)
    assert.equal(held.get(`${symbol}/${positionSide}`), quantity);
  assert.equal(heard.orders.size, ledger.orders.length);
  for (const row of ledger.orders as readonly Fields[]) {
    const order = heard.orders.get(Number(row.orderId));
    assert.equal(order?.status, row.status);
    assert.equal(order?.filled, Number(row.executedQty));
    assert.equal(order?.told, row.executedQty);
  }
  for (const row of ledger.algoOrders as readonly Fields[])
    assert.equal(heard.algos.get(Number(row.algoId)), row.algoStatus);
}

test('books close, the journal replays, and the stream tells everything', () => {
  fc.assert(
    fc.property(session, (one) => {
      const player = new Player(one);
      const { bench } = player;
      const heard = new Listener();
      const cut = Math.floor(one.cut * one.steps.length);
      let middle = { checkpoint: bench.core.checkpoint(), entries: bench.entries.length };
      one.steps.forEach((each, i) => {
        player.play(each);
        assert.deepEqual(bench.core.violations(), [], `after step ${i}: ${JSON.stringify(each)}`);
        for (const frame of bench.frames()) heard.hear(frame);
        if (i === cut)
          middle = { checkpoint: structuredClone(bench.core.checkpoint()), entries: bench.entries.length };
      });
      agree(bench.core, heard);
      const end = JSON.stringify(bench.core.checkpoint());
      const quiet = {
        ...bench.options,
        push: () => assert.fail('a replay pushes nothing'),
        journal: { append: () => assert.fail('a replay journals nothing') },
      };
      const again = new VenueCore(quiet);
      for (const entry of bench.entries) again.replay(JSON.parse(JSON.stringify(entry)));
      assert.equal(JSON.stringify(again.checkpoint()), end);
      const rest = VenueCore.restore(JSON.parse(JSON.stringify(middle.checkpoint)), quiet);
      for (const entry of bench.entries.slice(middle.entries)) rest.replay(JSON.parse(JSON.stringify(entry)));
      assert.equal(JSON.stringify(rest.checkpoint()), end);
    }),
    { numRuns: 150 },
  );
});

/** Guards the property against a session in which nothing ever happens. */
test('the random sessions reach fills, triggers, liquidations and refusals', () => {
  const seen = new Set<string>();
  for (const one of fc.sample(session, { numRuns: 60, seed: 7 })) {
    const player = new Player(one);
    for (const each of one.steps) player.play(each);
    for (const frame of player.bench.frames()) {
      const order = (frame.o ?? {}) as Fields;
      if (frame.e === 'ORDER_TRADE_UPDATE') seen.add(`${String(order.x)} ${String(order.X)}`);
      if (frame.e === 'ALGO_UPDATE') seen.add(`ALGO ${String(order.X)}`);
      if (frame.e === 'ACCOUNT_UPDATE') seen.add(`ACCOUNT ${String((frame.a as Fields).m)}`);
    }
  }
  const wanted = [
    'TRADE FILLED',
    'TRADE PARTIALLY_FILLED',
    'CALCULATED FILLED',
    'AMENDMENT NEW',
    'CANCELED CANCELED',
    'EXPIRED EXPIRED',
    'EXPIRED EXPIRED_IN_MATCH',
    'ALGO FINISHED',
    'ALGO REJECTED',
    'ALGO CANCELED',
    'ACCOUNT FUNDING_FEE',
    'ACCOUNT MARGIN_TRANSFER',
    'ACCOUNT DEPOSIT',
  ];
  assert.deepEqual(
    wanted.filter((kind) => !seen.has(kind)),
    [],
  );
});
