/** The checker of orders is one that can fail: size (6), the venue's limits (14), the kill's own orders (1, 15). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Oracle } from '../../src/app/simulation/checks/oracle.ts';
import { type LimitKind, OrdersCheck } from '../../src/app/simulation/checks/orders-check.ts';
import type { VenueRequest } from '../../src/exchange/venue-client.ts';

function bench(worst = 0, arrivals: readonly object[] = []) {
  const said: string[] = [];
  const oracle = {
    violate: (invariant: number, text: string) => said.push(`${invariant} ${text}`),
    venue: {
      wallet: 1_000,
      look: () => arrivals,
      worstCase: () => worst,
    },
    journal: { rejected: new Set(), intended: new Map(), calls: new Map(), spans: [] },
    killLog: () => '{"kind":"intent","call":{"order":{"clientOrderId":"bhk-1"}}}',
  } as unknown as Oracle;
  return { check: new OrdersCheck(oracle, 0.6), said };
}

const REQUEST = {
  ...{ method: 'POST', path: 'algoOrder', params: { clientAlgoId: 'bh-a' } },
} as unknown as VenueRequest;
const refusal = (code: number, status = 400) => ({ status, body: JSON.stringify({ code, msg: 'no' }) });
const answered = (answer: { status: number; body: string }, ...excused: LimitKind[]): string[] => {
  const { check, said } = bench();
  check.answered(answer, REQUEST, new Set(excused));
  return said;
};

const opening = (clientOrderId: string) => ({
  clientOrderId,
  reduces: false,
  symbol: 'BTCUSDT',
  side: 'BUY',
});

test('what is or may be open beyond the limit, once an order of ours that opens has come', () => {
  const within = bench(611, [opening('bhk-1')]);
  within.check.moved();
  assert.doesNotMatch(within.said.join(), /^6/m);
  const beyond = bench(613, [opening('bhk-1')]);
  beyond.check.moved();
  assert.equal(beyond.said.at(-1), '6 613.00 is or may be open, and 612.00 is the most');
  const byHand = bench(613, [opening('web_1')]);
  byHand.check.moved();
  assert.deepEqual(byHand.said, []);
});

test('the kill switch’s own orders: in its log before they leave, and such as only reduce', () => {
  const arriving = (clientOrderId: string, reduces: boolean): string[] => {
    const { check, said } = bench(0, [{ clientOrderId, reduces, symbol: 'BTCUSDT', side: 'SELL' }]);
    check.moved();
    return said;
  };
  assert.deepEqual(arriving('bhk-1', true), []);
  assert.deepEqual(arriving('bhk-1', false), ["15 bhk-1 is the kill switch's own, and opens on BTCUSDT"]);
  assert.deepEqual(arriving('bhk-2', true), [
    '1 bhk-2 on BTCUSDT is at the venue, and no log of the kill switch has it',
  ]);
  assert.deepEqual(arriving('web_1', false), []);
});

test('refusals for rate, for the number of orders, for their size', () => {
  for (const code of [-1015, -2025, -4045, -4005, -4164])
    assert.match(answered(refusal(code))[0] ?? '', new RegExp(`^14 .*bh-a was refused with 400, ${code}$`));
  assert.equal(answered({ status: 429, body: '<html>' }).length, 1);
});

test('not other refusals, nor those that a fault made', () => {
  assert.deepEqual(answered(refusal(-2021)), []);
  assert.deepEqual(answered({ status: 200, body: '{"code":-4045}' }), []);
  assert.deepEqual(answered({ status: 502, body: '<html>' }), []);
  assert.deepEqual(answered(refusal(-1003, 429), 'rate'), []);
  assert.deepEqual(answered(refusal(-4005), 'size'), []);
  assert.equal(answered(refusal(-4045), 'rate', 'size').length, 1);
});
