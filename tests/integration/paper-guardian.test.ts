/**
 * The guardian in the whole runtime, before the real local venue: a position whose stop is cancelled by hand and
 * whose own orders are lost, as if it did nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RemoteCall } from '../../src/domain/remote.ts';
import { PaperWorld } from '../support/paper-world.ts';

const SYMBOL = 'BTCUSDT';
const SPEED = 10;
const BOUND_MS = 2_000;
/** Readings, the question to the owner, the guardian's two looks: all of it in real time, with room to spare. */
const WITHIN_MS = 18_000;

test('the owner’s orders are lost: the guardian’s stop is at the venue within the bound', async (t) => {
  let isDeaf = false;
  const lost: RemoteCall[] = [];
  const world = await PaperWorld.open(t, {
    symbols: [SYMBOL],
    speed: SPEED,
    config: { venue: { foreign: 'adopt', guardBoundMs: BOUND_MS, reconcileEveryMs: 1_000 } },
    venueSeam: (real) => ({
      ...real,
      gateway: async (request) => {
        const connection = await real.gateway(request);
        const { gateway } = connection;
        const call = gateway.call.bind(gateway);
        gateway.call = (async (asked: RemoteCall) => {
          const isOwners = asked.call === 'submit' && asked.order.owner.startsWith('position/');
          if (!isDeaf || !isOwners) return call(asked);
          lost.push(asked);
          return { outcome: 'unknown', reason: 'lost on the way' };
        }) as typeof gateway.call;
        return connection;
      },
    }),
  });
  await world.begin();
  await world.buyByHand(SYMBOL, '0.02');
  await world.until('its stop', () => world.openStops().length === 1);
  const [stop] = world.openStops();
  isDeaf = true;
  const since = performance.now();
  await world.byHand('DELETE', '/fapi/v1/algoOrder', { symbol: SYMBOL, algoId: String(stop?.algoId) });
  await world.until('the guardian’s stop', () => world.openStops().length === 1);
  const tookMs = performance.now() - since;
  const [guard] = world.openStops();
  assert.deepEqual(
    [guard?.side, guard?.orderType, guard?.reduceOnly, Number(guard?.quantity)],
    ['SELL', 'STOP_MARKET', true, 0.02],
  );
  // The venue has it before the answer is home.
  await world.until('it is the guardian’s', () => world.heard('guardian', 'ORDER_ACKNOWLEDGED').length === 1);
  assert.ok(lost.length > 0, 'the owner tried');
  assert.ok(tookMs < WITHIN_MS, `after ${Math.round(tookMs)} ms`);

  world.venue.market.shock(SYMBOL, -0.08, 600_000);
  const fills = () => world.heard('position/', 'ORDER_FILLED');
  await world.until('its fill, passed on', () => fills().some(({ ref }) => ref === 'guard-1'));
  assert.deepEqual(
    fills().map(({ quantity, cause }) => [quantity, cause]),
    [['0.02', 'guardian']],
    'told once',
  );
});
