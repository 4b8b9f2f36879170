/**
 * Hedge mode before the real local venue, over real sockets: a long and a short of one symbol, the stops of both, a
 * life that ends and the next, somebody else's hand on one side, and a guard that acts on one side alone.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { leaveRequest } from '../../src/app/requests/person-requests.ts';
import { systemTime } from '../../src/core/clock.ts';
import type { RemoteCall } from '../../src/domain/remote.ts';
import { PaperWorld, type PaperWorldOptions } from '../support/paper-world.ts';

const SYMBOL = 'BTCUSDT';

/** Enough for a half of it to be a whole number of lots. */
const SIZE = { risk: { baseNotional: '1500' } };

async function hedged(
  t: Parameters<typeof PaperWorld.open>[0],
  options: PaperWorldOptions = {},
): Promise<PaperWorld> {
  const venue = { positionMode: 'hedge', ...(options.config as { venue?: object } | undefined)?.venue };
  const world = await PaperWorld.open(t, {
    symbols: [SYMBOL],
    speed: 10,
    ...options,
    config: { venue, ...SIZE },
  });
  await world.begin();
  return world;
}

type Side = 'LONG' | 'SHORT';

const enter = (world: PaperWorld, direction: 'long' | 'short'): void => {
  const price = world.venue.market.quote(SYMBOL)?.mark ?? 0;
  const stopPrice = (direction === 'long' ? price * 0.95 : price * 1.05).toFixed(1);
  leaveRequest(world.dataDir, {
    command: { kind: 'force-entry', symbol: SYMBOL, direction, stopPrice },
    by: 'test',
    at: systemTime().clock.now(),
  });
};

const byHand = (world: PaperWorld, side: 'BUY' | 'SELL', positionSide: Side, quantity: string) =>
  world.byHand('POST', '/fapi/v1/order', { symbol: SYMBOL, side, positionSide, type: 'MARKET', quantity });

/** What the venue holds on a side, signed. */
const held = (world: PaperWorld, side: Side): number =>
  Number(
    ((world.venue.ledger()?.positions ?? []) as readonly { positionSide: Side; quantity: string }[]).find(
      ({ positionSide }) => positionSide === side,
    )?.quantity ?? 0,
  );
const stopsOf = (world: PaperWorld, side: Side) =>
  world.openStops().filter(({ positionSide }) => positionSide === side);
const believed = (world: PaperWorld) =>
  world.status().positions.map(({ actor, quantity }) => [actor, Number(quantity)]);

/** Long and short at once, and both protected. */
async function bothSides(world: PaperWorld): Promise<void> {
  for (const [direction, side] of [
    ['long', 'LONG'],
    ['short', 'SHORT'],
  ] as const) {
    await world.until(
      `a price for the ${direction}`,
      () => (world.venue.market.quote(SYMBOL)?.mark ?? 0) > 0,
    );
    enter(world, direction);
    await world.until(`the ${direction}`, () => held(world, side) !== 0 && stopsOf(world, side).length === 1);
  }
  await world.until('both are known', () => world.status().positions.length === 2);
}

describe('a run in hedge mode', () => {
  test('holds both sides, each with its stop, through a restart, and closes the one that is named', async (t) => {
    const world = await hedged(t);
    const check = world.status().venue?.checks.find((each) => each.check === 'position-mode');
    assert.match(
      check?.detail ?? '',
      /Switched from one-way mode to hedge mode/,
      'the account was in the other',
    );
    await bothSides(world);
    assert.ok(held(world, 'LONG') > 0 && held(world, 'SHORT') < 0);
    for (const side of ['LONG', 'SHORT'] as const) {
      const [stop] = stopsOf(world, side);
      assert.deepEqual([stop?.side, stop?.closePosition], [side === 'LONG' ? 'SELL' : 'BUY', true]);
    }
    const before = believed(world);
    await world.stop();
    assert.equal(world.openStops().length, 2, 'they rest there while nobody is here');
    await world.begin();
    await world.until('the same positions', () => world.status().positions.length === 2);
    assert.deepEqual(believed(world), before);
    leaveRequest(world.dataDir, {
      command: { kind: 'close', symbol: SYMBOL, direction: 'short' },
      by: 'test',
      at: systemTime().clock.now(),
    });
    await world.until(
      'the short is closed',
      () => held(world, 'SHORT') === 0 && stopsOf(world, 'SHORT').length === 0,
    );
    await world.until('told', () => world.status().positions.length === 1);
    assert.ok(held(world, 'LONG') > 0);
    assert.equal(stopsOf(world, 'LONG').length, 1);
    assert.deepEqual(world.venue.core.violations(), []);
  });

  test('what somebody else does on one side is that side\u2019s alone', async (t) => {
    const world = await hedged(t, { config: { venue: { reconcileEveryMs: 1_000 } } });
    enter(world, 'long');
    await world.until('the long', () => held(world, 'LONG') !== 0 && stopsOf(world, 'LONG').length === 1);
    await world.until('it is known', () => world.status().positions.length === 1);
    const long = held(world, 'LONG');
    await byHand(world, 'SELL', 'SHORT', '0.02');
    await world.until('it is foreign', () => world.status().venue?.foreign.length === 1);
    const [foreign] = world.status().venue?.foreign ?? [];
    assert.deepEqual(
      [foreign?.symbol, foreign?.positionSide, Number(foreign?.amount)],
      [SYMBOL, 'SHORT', -0.02],
    );
    const blocked = () =>
      world
        .rows()
        .filter(({ event }) => event.includes('"type":"BLOCK"'))
        .map(({ actor }) => actor);
    await world.until('its desk is blocked', () => blocked().length > 0);
    assert.deepEqual([...new Set(blocked())], [`entry/${SYMBOL}/SHORT`]);
    // A part of ours, by hand: the stop is for the whole side, and needs no other one.
    await byHand(world, 'SELL', 'LONG', (long / 2).toFixed(3));
    await world.until(
      'the long knows',
      () => world.heard(`position/${SYMBOL}/LONG`, 'ORDER_FILLED').length === 2,
    );
    assert.equal(world.heard(`position/${SYMBOL}/LONG`, 'ORDER_FILLED')[1]?.cause, 'manual');
    assert.equal(stopsOf(world, 'LONG').length, 1);
    assert.equal(held(world, 'SHORT'), -0.02, 'nobody here touched it');
  });

  test('a stop that is lost on one side is the guardian\u2019s business there, and not on the other', async (t) => {
    let isDeaf = false;
    const world = await hedged(t, {
      config: { venue: { guardBoundMs: 2_000, reconcileEveryMs: 1_000 } },
      venueSeam: (real) => ({
        ...real,
        gateway: async (request) => {
          const connection = await real.gateway(request);
          const { gateway } = connection;
          const call = gateway.call.bind(gateway);
          gateway.call = (async (asked: RemoteCall) =>
            isDeaf && asked.call === 'submit' && asked.order.owner.startsWith('position/')
              ? { outcome: 'unknown', reason: 'lost on the way' }
              : call(asked)) as typeof gateway.call;
          return connection;
        },
      }),
    });
    await bothSides(world);
    const [kept] = stopsOf(world, 'LONG');
    const [lost] = stopsOf(world, 'SHORT');
    isDeaf = true;
    await world.byHand('DELETE', '/fapi/v1/algoOrder', { symbol: SYMBOL, algoId: String(lost?.algoId) });
    await world.until('the guardian\u2019s stop', () => stopsOf(world, 'SHORT').length === 1);
    const [guard] = stopsOf(world, 'SHORT');
    assert.deepEqual([guard?.side, Number(guard?.quantity)], ['BUY', -held(world, 'SHORT')]);
    assert.deepEqual(
      stopsOf(world, 'LONG').map(({ algoId }) => algoId),
      [kept?.algoId],
    );
    await world.until(
      'it is the guardian\u2019s',
      () => world.heard('guardian', 'ORDER_ACKNOWLEDGED').length === 1,
    );
    isDeaf = false;
  });
});
