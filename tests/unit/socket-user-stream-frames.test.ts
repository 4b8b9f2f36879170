/** Frames of the private stream, in Binance's own shapes, into RemoteEvents. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readUserFrames, userFrameIdentity } from '../../src/exchange/binance/user-stream-frames.ts';

const read = (frame: string | object) =>
  readUserFrames(Buffer.from(typeof frame === 'string' ? frame : JSON.stringify(frame)));

/** As documented, the fields of 2026 included. */
const ORDER = {
  e: 'ORDER_TRADE_UPDATE',
  E: 1_568_879_465_651,
  T: 1_568_879_465_650,
  o: {
    s: 'BTCUSDT',
    c: 'bh-0123456789abcdef',
    S: 'SELL',
    o: 'MARKET',
    f: 'GTC',
    q: '0.300',
    p: '0',
    ap: '60012.5',
    sp: '0',
    x: 'TRADE',
    X: 'PARTIALLY_FILLED',
    i: 8_886_774,
    l: '0.100',
    z: '0.200',
    L: '60010.1',
    N: 'USDT',
    n: '3.00050500',
    T: 1_568_879_465_650,
    t: 77,
    b: '0',
    a: '9.91',
    m: false,
    R: true,
    wt: 'CONTRACT_PRICE',
    ot: 'MARKET',
    ps: 'BOTH',
    cp: false,
    rp: '-1.25000000',
    pP: false,
    si: 0,
    ss: 0,
    V: 'EXPIRE_MAKER',
    pm: 'NONE',
    gtd: 0,
    er: '0',
  },
};

test('an execution: the order and its fill, field for field', () => {
  assert.deepEqual(read(ORDER), [
    {
      kind: 'event',
      event: {
        kind: 'order',
        at: 1_568_879_465_651,
        order: {
          symbol: 'BTCUSDT',
          orderId: '8886774',
          clientOrderId: 'bh-0123456789abcdef',
          side: 'SELL',
          positionSide: 'BOTH',
          type: 'MARKET',
          status: 'PARTIALLY_FILLED',
          price: '0',
          quantity: '0.300',
          filled: '0.200',
          averagePrice: '60012.5',
          reduceOnly: true,
          updatedAt: 1_568_879_465_650,
        },
        fill: {
          symbol: 'BTCUSDT',
          tradeId: '77',
          orderId: '8886774',
          clientOrderId: 'bh-0123456789abcdef',
          side: 'SELL',
          positionSide: 'BOTH',
          price: '60010.1',
          quantity: '0.100',
          maker: false,
          fee: '3.00050500',
          feeAsset: 'USDT',
          realizedPnl: '-1.25000000',
          at: 1_568_879_465_650,
        },
      },
    },
  ]);
});

const withOrder = (changes: object) => ({ ...ORDER, o: { ...ORDER.o, ...changes } });

test('only executions that traded have a fill', () => {
  const fillOf = (changes: object) => {
    const [frame] = read(withOrder(changes));
    return frame?.kind === 'event' && frame.event.kind === 'order' ? frame.event.fill : frame;
  };
  for (const x of ['NEW', 'CANCELED', 'EXPIRED', 'AMENDMENT'])
    assert.equal(fillOf({ x, X: 'NEW', l: '0', t: 0 }), undefined);
  assert.equal((fillOf({ x: 'CALCULATED', X: 'FILLED' }) as { tradeId: string }).tradeId, '77');
  assert.equal(fillOf({ x: 'CALCULATED', X: 'FILLED', t: 0 }), undefined, 'no id: the sum tells');
  assert.equal(fillOf({ x: 'CALCULATED', X: 'NEW', l: '0' }), undefined);
  const free = fillOf({ n: undefined, N: undefined, m: true }) as { fee: string; feeAsset: string };
  assert.deepEqual([free.fee, free.feeAsset], ['0', '']);
});

test('why an order expired is told, and old words for a status are understood', () => {
  const orderOf = (changes: object) => {
    const [frame] = read(withOrder(changes));
    assert.ok(frame?.kind === 'event' && frame.event.kind === 'order');
    return frame.event.order;
  };
  assert.equal(orderOf({ x: 'EXPIRED', X: 'EXPIRED', er: '5' }).expiryReason, '5');
  assert.equal(orderOf({ X: 'NEW_INSURANCE' }).status, 'NEW');
  assert.equal(orderOf({ X: 'EXPIRED_IN_MATCH' }).status, 'EXPIRED_IN_MATCH');
});

test('ids beyond 2^53 keep every digit, wherever they stand', () => {
  const text = JSON.stringify(withOrder({ t: 1, i: 2 }))
    .replace('"t":1', '"t":9999999999999999123')
    // The last field before a brace is where a textual trick would miss it.
    .replace('"er":"0"', '"er":"0","i":9007199254740993');
  const [frame] = read(text);
  assert.ok(frame?.kind === 'event' && frame.event.kind === 'order');
  assert.equal(frame.event.fill?.tradeId, '9999999999999999123');
  assert.equal(frame.event.order.orderId, '9007199254740993');
  // A client's id that looks like one stays as it is.
  const [own] = read(withOrder({ c: 'x:9999999999999999123,"y' }));
  assert.ok(own?.kind === 'event' && own.event.kind === 'order');
  assert.equal(own.event.order.clientOrderId, 'x:9999999999999999123,"y');
});

const ALGO = {
  e: 'ALGO_UPDATE',
  T: 1_750_515_742_297,
  E: 1_750_515_742_303,
  o: {
    caid: 'bh-stop-1',
    aid: 2_148_719,
    at: 'CONDITIONAL',
    o: 'STOP_MARKET',
    s: 'BNBUSDT',
    S: 'SELL',
    ps: 'BOTH',
    f: 'GTC',
    q: '0.01',
    X: 'NEW',
    ai: '',
    ap: '0.00000',
    aq: '0.00000',
    act: '0',
    tp: '750',
    p: '0',
    V: 'EXPIRE_MAKER',
    wt: 'MARK_PRICE',
    pm: 'NONE',
    cp: false,
    pP: false,
    R: true,
    tt: 0,
    gtd: 0,
    rm: '',
    ia: false,
  },
};

test('a conditional order, and the order it became', () => {
  const algoOf = (changes: object) => {
    const [frame] = read({ ...ALGO, o: { ...ALGO.o, ...changes } });
    assert.ok(frame?.kind === 'event' && frame.event.kind === 'algo');
    return frame.event.algo;
  };
  assert.deepEqual(algoOf({}), {
    symbol: 'BNBUSDT',
    algoId: '2148719',
    clientOrderId: 'bh-stop-1',
    side: 'SELL',
    positionSide: 'BOTH',
    type: 'STOP_MARKET',
    status: 'NEW',
    quantity: '0.01',
    triggerPrice: '750',
    reduceOnly: true,
    closePosition: false,
    updatedAt: 1_750_515_742_297,
  });
  const triggered = algoOf({ X: 'TRIGGERED', ai: '8886775', ia: true });
  assert.deepEqual([triggered.status, triggered.actualOrderId], ['TRIGGERED', '8886775']);
  assert.equal(algoOf({ X: 'REJECTED', rm: 'Margin is insufficient.' }).reason, 'Margin is insufficient.');
  assert.equal(algoOf({ q: undefined, cp: true }).quantity, '0');
});

test('the account: cross funding has balances only, isolated funding its position too', () => {
  const funding = {
    e: 'ACCOUNT_UPDATE',
    E: 1_564_745_798_939,
    T: 1_564_745_798_938,
    a: { m: 'FUNDING_FEE', S: 'BTCUSDT', B: [{ a: 'USDT', wb: '122624.12', cw: '100.12', bc: '-0.52' }] },
  };
  assert.deepEqual(read(funding), [
    {
      kind: 'event',
      event: {
        kind: 'account',
        at: 1_564_745_798_939,
        reason: 'FUNDING_FEE',
        balances: [{ asset: 'USDT', wallet: '122624.12', change: '-0.52' }],
        positions: [],
      },
    },
  ]);
  const p = {
    s: 'BTCUSDT',
    pa: '-20',
    ep: '6563.6',
    bep: '0',
    cr: '-45.0',
    up: '2.1',
    mt: 'isolated',
    iw: '3',
    ps: 'BOTH',
  };
  const [frame] = read({ ...funding, a: { ...funding.a, P: [p] } });
  assert.ok(frame?.kind === 'event' && frame.event.kind === 'account');
  assert.deepEqual(frame.event.positions, [
    {
      symbol: 'BTCUSDT',
      positionSide: 'BOTH',
      amount: '-20',
      entryPrice: '6563.6',
      unrealizedPnl: '2.1',
      isolated: true,
    },
  ]);
});

test('margin calls and leverage; multi-assets mode is not ours', () => {
  const [call] = read({
    e: 'MARGIN_CALL',
    E: 5,
    cw: '3.16',
    p: [
      { s: 'ETHUSDT', ps: 'LONG', pa: '1.327', mt: 'CROSSED', iw: '0', mp: '187.1', up: '-1.1', mm: '1.6' },
    ],
  });
  assert.ok(call?.kind === 'event' && call.event.kind === 'margin-call');
  assert.deepEqual(call.event.positions[0], {
    symbol: 'ETHUSDT',
    positionSide: 'LONG',
    amount: '1.327',
    entryPrice: '0',
    markPrice: '187.1',
    unrealizedPnl: '-1.1',
    isolated: false,
  });
  assert.deepEqual(read({ e: 'ACCOUNT_CONFIG_UPDATE', E: 6, T: 6, ac: { s: 'BTCUSDT', l: 25 } }), [
    { kind: 'event', event: { kind: 'leverage', at: 6, symbol: 'BTCUSDT', leverage: 25 } },
  ]);
  assert.equal(read({ e: 'ACCOUNT_CONFIG_UPDATE', E: 6, T: 6, ai: { j: true } })[0]?.kind, 'ignored');
});

test('wrapped frames and arrays; what is ignored, unknown and unreadable', () => {
  assert.deepEqual(read({ stream: 'secret-key', data: ORDER }), read(ORDER));
  assert.deepEqual(
    read([ORDER, ALGO]).map((frame) => frame.kind === 'event' && frame.event.kind),
    ['order', 'algo'],
  );
  assert.deepEqual(read({ e: 'listenKeyExpired', E: 1, listenKey: 'k' }), [
    { kind: 'key-expired', listenKey: 'k' },
  ]);
  for (const type of ['TRADE_LITE', 'GRID_UPDATE'])
    assert.deepEqual(read({ e: type, E: 1 }), [{ kind: 'ignored', type }]);
  assert.equal(read({ result: null, id: 3 })[0]?.kind, 'ignored');
  assert.deepEqual(read({ e: 'SOMETHING_NEW', E: 1 }), [{ kind: 'unknown', type: 'SOMETHING_NEW' }]);
  assert.deepEqual(read({ e: 'constructor' }), [{ kind: 'unknown', type: 'constructor' }]);
  for (const changes of [{ i: 'x' }, { z: '1e5' }, { X: 'ODD' }, { S: 'HOLD' }, { T: '5' }, { s: '' }])
    assert.equal(read(withOrder(changes))[0]?.kind, 'unreadable', JSON.stringify(changes));
  assert.equal(read('{"e":"ORDER_TRADE_UPDATE"')[0]?.kind, 'unreadable');
});

test('no junk throws, and no junk is taken for an event', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      for (const frame of read(text)) assert.notEqual(frame.kind, 'event');
    }),
  );
  const mutations = fc.record({ key: fc.constantFrom(...Object.keys(ORDER.o)), value: fc.jsonValue() });
  fc.assert(
    fc.property(mutations, ({ key, value }) => {
      const frames = read(withOrder({ [key]: value }));
      assert.equal(frames.length, 1);
      userFrameIdentity(Buffer.from(JSON.stringify(withOrder({ [key]: value }))));
    }),
  );
});

test('two connections may stamp one event each with its own E, and only with that', () => {
  const identity = (frame: object) => userFrameIdentity(Buffer.from(JSON.stringify(frame)));
  assert.equal(identity({ ...ORDER, E: 1 }), identity({ stream: 'k', data: { ...ORDER, E: 2 } }));
  assert.notEqual(identity(ORDER), identity(withOrder({ t: 78 })));
  const big = (id: string) => JSON.stringify(withOrder({ t: 1 })).replace('"t":1', `"t":${id}`);
  assert.notEqual(
    userFrameIdentity(Buffer.from(big('9007199254740993'))),
    userFrameIdentity(Buffer.from(big('9007199254740992'))),
  );
});
