/** The checker of the kill switch is one that can fail: each thing that must not be, and is said. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveSystem } from '../../src/app/compose/compose-live.ts';
import { KillCheck } from '../../src/app/simulation/checks/kill-check.ts';
import type { Oracle } from '../../src/app/simulation/checks/oracle.ts';
import type { VenueRequest } from '../../src/exchange/venue-client.ts';

function bench(held: Record<string, number> = {}) {
  const said: string[] = [];
  let now = 0;
  const oracle = {
    now: () => now,
    violate: (invariant: number, text: string) => said.push(`${invariant} ${text}`),
    venue: {
      held: new Map(Object.entries(held).map(([symbol, amount]) => [symbol, { amount }])),
      ours: (symbol: string) => held[symbol] ?? 0,
      isOpen: (symbol: string) => symbol !== 'HANDUSDT' && held[symbol] !== 0,
    },
  } as unknown as Oracle;
  const check = new KillCheck(oracle);
  const send = (params: object): void =>
    check.sending({ method: 'POST', path: 'order', params } as unknown as VenueRequest);
  return { check, said, send, at: (ms: number) => (now = ms) };
}

const systemWith = (value: unknown): LiveSystem =>
  ({ runtime: { actor: () => ({ snapshotText: JSON.stringify({ value }) }) } }) as unknown as LiveSystem;

test('what opens after it was engaged; not what reduces, what was on its way, or what a person sends', () => {
  const { check, said, send, at } = bench();
  send({ newClientOrderId: 'bh-a' });
  check.engaged();
  at(500);
  send({ newClientOrderId: 'bh-b' });
  at(5_000);
  send({ newClientOrderId: 'bh-c', reduceOnly: 'true' });
  send({ newClientOrderId: 'web_d' });
  assert.deepEqual(said, []);
  send({ newClientOrderId: 'bh-e', symbol: 'XUSDT' });
  assert.deepEqual(said, ['15 bh-e opens on XUSDT, and the kill switch is engaged']);
});

test('what is still open when the time is over; not what a person holds', () => {
  const { check, said } = bench({ AUSDT: 0, BUSDT: -2, HANDUSDT: 5 });
  assert.deepEqual(check.open, ['BUSDT']);
  check.mustBeFlat(120_000);
  assert.deepEqual(said, ['15 120 s after the kill switch was engaged there still is -2 BUSDT']);
});

test('a run that came after and does not hold it, or no run at all', () => {
  const { check, said } = bench();
  check.mustHold(systemWith({ open: 'halted' }), 'after a restart');
  assert.deepEqual(said, []);
  check.mustHold(systemWith('closed'), 'after a restart');
  check.mustHold(undefined, 'after a restart');
  assert.equal(said.length, 2);
});
