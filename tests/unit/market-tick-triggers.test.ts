import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Tick } from '../../src/market/frame-decoder.ts';
import { GuardBandIndex } from '../../src/market/guard-band-index.ts';
import { TickTriggers } from '../../src/market/tick-triggers.ts';

const symbol = 'BTCUSDT';
const TICKS: Readonly<Record<string, Tick>> = {
  mark: { kind: 'mark', symbol, at: 1, price: 89, fundingRate: 0, nextFundingAt: 0 },
  trade: { kind: 'trade', symbol, at: 1, price: 89, quantity: 1, buyerIsMaker: true },
  book: { kind: 'book', symbol, at: 1, updateId: 1, bid: 89, bidQuantity: 1, ask: 95, askQuantity: 1 },
  depth: { kind: 'depth', symbol, at: 1, firstId: 1, lastId: 2, previousId: 0, bids: [['1', '1']], asks: [] },
};

test('a mark price wakes the triggers on mark only; trades and books wake those on last', () => {
  const onMark = new GuardBandIndex();
  const onLast = new GuardBandIndex();
  onMark.set(symbol, 'position/mark', 90, 110);
  onLast.set(symbol, 'position/last', 90, 110);
  const woken: string[] = [];
  const triggers = new TickTriggers(onMark, onLast, (owner, tick) => woken.push(`${tick.kind} ${owner}`));
  for (const tick of Object.values(TICKS)) triggers.offer(tick);
  assert.deepEqual(woken, ['mark position/mark', 'trade position/last', 'book position/last']);
});

test('an owner that moves its trigger when woken is not woken by the next tick', () => {
  const onLast = new GuardBandIndex();
  onLast.set(symbol, 'position/1', 90, 110);
  let wakes = 0;
  const triggers = new TickTriggers(new GuardBandIndex(), onLast, (owner) => {
    wakes++;
    onLast.set(symbol, owner, 80, 110);
  });
  for (let i = 0; i < 3; i++) triggers.offer(TICKS.trade as Tick);
  assert.equal(wakes, 1);
});
