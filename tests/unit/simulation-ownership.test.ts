/** Whose what is at the venue is, as the checkers see it: by the venue's books, whatever the program says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveSystem } from '../../src/app/compose/compose-live.ts';
import { KillCheck } from '../../src/app/simulation/checks/kill-check.ts';
import type { Oracle } from '../../src/app/simulation/checks/oracle.ts';
import { unsettled } from '../../src/app/simulation/checks/settled-check.ts';
import { VenueEye } from '../../src/app/simulation/checks/venue-eye.ts';
import { keyOf } from '../../src/domain/position-key.ts';
import type { Books } from '../../src/venue-server/account/records.ts';

const BTC = keyOf({ symbol: 'BTCUSDT' });

/** A venue at which these traded, one after the other. */
function eyeOn(...trades: readonly (readonly [id: string, amount: number, cause?: string])[]): VenueEye {
  const side = (amount: number) => (amount > 0 ? 'BUY' : 'SELL');
  const books = {
    orders: trades.map(([clientOrderId, amount, cause = ''], i) => ({
      ...{ orderId: i + 1, clientOrderId, cause, symbol: 'BTCUSDT', side: side(amount), status: 'FILLED' },
      ...{ positionSide: 'BOTH', quantity: String(Math.abs(amount)), executed: '0', price: '0' },
    })),
    algos: [],
    income: [],
    trades: trades.map(([, amount], i) => ({
      ...{ id: i + 1, orderId: i + 1, symbol: 'BTCUSDT', side: side(amount), positionSide: 'BOTH' },
      ...{ quantity: String(Math.abs(amount)), price: '100' },
    })),
  };
  const eye = new VenueEye(
    () => books as unknown as Books,
    1_000,
    () => ({ stepSize: '0.001', status: 'TRADING' }),
  );
  eye.look();
  return eye;
}

const told = (eye: VenueEye) => [eye.amount(BTC), eye.owners.ours(BTC), eye.owners.theirs(BTC)];

test('our own orders make what is ours, whichever of our ids they carry', () => {
  assert.deepEqual(told(eyeOn(['bh-a', 3], ['bhk-b', -1])), [2, 2, 0]);
});

test('a person’s trade is his where we hold nothing, and he closes his own first', () => {
  assert.deepEqual(told(eyeOn(['web_1', 2])), [2, 0, 2]);
  assert.deepEqual(told(eyeOn(['web_1', 2], ['bh-a', 3], ['web_2', -3])), [2, 2, 0]);
});

test('what nets with ours, or is added to it, is ours to see to', () => {
  assert.deepEqual(told(eyeOn(['bh-a', 3], ['web_1', 1])), [4, 4, 0]);
  assert.deepEqual(told(eyeOn(['bh-a', 3], ['web_1', -5])), [-2, 0, -2]);
});

test('the venue takes from us before it takes from anybody else', () => {
  assert.deepEqual(told(eyeOn(['web_1', 2], ['bh-a', 3], ['adl_autoclose', -4, 'adl'])), [1, 0, 1]);
});

test('bare is what is ours and has no stop, not what a person holds', () => {
  assert.equal(eyeOn(['web_1', 2]).isBare(BTC), false);
  assert.equal(eyeOn(['bh-a', 2]).isBare(BTC), true);
});

/** A program that knows of no position, and calls all that there is foreign. */
const disowning = (amount: string): LiveSystem =>
  ({
    executor: {
      current: () => ({
        state: { ready: true, orders: {}, limbo: [], drifts: {}, foreign: { [BTC]: { amount } } },
      }),
    },
    runtime: { actorIds: () => [], actor: () => undefined },
  }) as unknown as LiveSystem;

test('a program that calls its own position foreign is not believed', () => {
  const invariants = unsettled(disowning('2'), eyeOn(['bh-a', 2])).map(({ invariant }) => invariant);
  assert.ok(invariants.includes(4) && invariants.includes(7), invariants.join());
  assert.deepEqual(unsettled(disowning('2'), eyeOn(['web_1', 2])), []);
  const kill = new KillCheck({ venue: eyeOn(['bh-a', 2]) } as unknown as Oracle);
  assert.deepEqual(kill.open, [BTC]);
});

test('less than a lot cannot be closed, and is not called open', () => {
  assert.deepEqual(
    [0.001, 0.0009, 0].map((amount) => eyeOn(['bh-a', amount]).isOpen(BTC)),
    [true, false, false],
  );
});
