import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VenueOrder, VenuePosition, VenueReport } from '../../src/exchange/exchange.ts';
import { type BelievedPosition, reconcile } from '../../src/execution/reconciliation.ts';

const believed = (over: Partial<BelievedPosition> = {}): BelievedPosition => ({
  actor: 'position/BTCUSDT/BOTH/1',
  symbol: 'BTCUSDT',
  direction: 'long',
  quantity: '0.5',
  ...over,
});

const position = (over: Partial<VenuePosition> = {}): VenuePosition => ({
  symbol: 'BTCUSDT',
  positionSide: 'BOTH',
  direction: 'long',
  quantity: '0.5',
  entryPrice: '100',
  markPrice: '101',
  unrealizedPnl: '0.5',
  liquidationPrice: undefined,
  leverage: 5,
  owner: 'position/BTCUSDT/BOTH/1',
  ...over,
});

const stop = (over: Partial<VenueOrder['order']> = {}): VenueOrder => ({
  orderId: '1',
  filled: '0',
  order: {
    ref: 'stop-1',
    clientOrderId: 'bh-1',
    owner: 'position/BTCUSDT/BOTH/1',
    symbol: 'BTCUSDT',
    side: 'SELL',
    positionSide: 'BOTH',
    type: 'STOP_MARKET',
    quantity: '0.5',
    triggerPrice: '95',
    reduceOnly: true,
    ...over,
  },
});

const report = (positions: readonly VenuePosition[], openOrders: readonly VenueOrder[]): VenueReport => ({
  at: 0,
  walletBalance: '1000',
  availableBalance: '1000',
  positions,
  openOrders,
});

const kinds = (ours: readonly BelievedPosition[], theirs: VenueReport) =>
  reconcile(ours, theirs).map(({ kind }) => kind);

test('journal and venue agree, and the stop covers all', () => {
  assert.deepEqual(reconcile([believed()], report([position()], [stop()])), []);
  assert.deepEqual(
    reconcile([believed()], report([position()], [stop({ quantity: '0.2' }), stop({ quantity: '0.3' })])),
    [],
  );
  assert.deepEqual(reconcile([believed({ quantity: '0' })], report([], [])), []);
});

test('a position the venue does not report is a difference, not flat', () => {
  assert.deepEqual(kinds([believed()], report([], [])), ['quantity']);
});

test('a position the journal does not know is named, and so is that nothing protects it', () => {
  assert.deepEqual(kinds([], report([position()], [])), ['unknown-position', 'unprotected']);
});

test('another quantity, another direction', () => {
  assert.deepEqual(
    kinds([believed()], report([position({ quantity: '0.7' })], [stop({ quantity: '0.7' })])),
    ['quantity'],
  );
  const short = position({ direction: 'short' });
  assert.deepEqual(kinds([believed()], report([short], [stop({ side: 'BUY' })])), ['direction', 'quantity']);
});

test('only what cannot open counts as protection', () => {
  const ours = [believed()];
  assert.deepEqual(kinds(ours, report([position()], [stop({ quantity: '0.4' })])), ['unprotected']);
  assert.deepEqual(kinds(ours, report([position()], [stop({ reduceOnly: false })])), ['unprotected']);
  assert.deepEqual(kinds(ours, report([position()], [stop({ side: 'BUY' })])), ['unprotected']);
  assert.deepEqual(kinds(ours, report([position()], [stop({ type: 'TAKE_PROFIT_MARKET' })])), [
    'unprotected',
  ]);
  const { quantity: _, ...closing } = stop({ closePosition: true, reduceOnly: false }).order;
  assert.deepEqual(kinds(ours, report([position()], [{ orderId: '1', filled: '0', order: closing }])), []);
});

test('symbols come in order, whatever the order of the inputs', () => {
  const ours = [believed({ symbol: 'XRPUSDT' }), believed({ symbol: 'ADAUSDT' })];
  const symbols = reconcile(ours, report([], [])).map(({ symbol }) => symbol);
  assert.deepEqual(symbols, ['ADAUSDT', 'XRPUSDT']);
});
