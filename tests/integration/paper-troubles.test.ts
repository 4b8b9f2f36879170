/** What goes wrong around a position, end to end: the runtime, its gateway and the local venue are the real ones. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEMO_ACCOUNT } from '../../src/venue-server/demo-account.ts';
import { parseFaults } from '../../src/venue-server/faults-parse.ts';
import { PaperWorld, type PaperWorldOptions } from '../support/paper-world.ts';

const SYMBOL = 'BTCUSDT';
const ADOPTING = { config: { venue: { foreign: 'adopt' } } };

/** A position of the runtime's, with its stop at the venue. */
async function holding(
  t: Parameters<typeof PaperWorld.open>[0],
  options: PaperWorldOptions = {},
): Promise<PaperWorld> {
  const world = await PaperWorld.open(t, { symbols: [SYMBOL], speed: 10, ...ADOPTING, ...options });
  await world.begin();
  await world.buyByHand(SYMBOL, '0.02');
  await world.until('a stop', () => world.openStops().length === 1);
  await world.until('a position', () => world.status().positions.length === 1);
  return world;
}

const fills = (world: PaperWorld) =>
  world.heard('position/', 'ORDER_FILLED').map(({ cause, quantity }) => ({ cause, quantity }));

describe('a position at a venue in trouble', () => {
  test('its stop is refused at the trigger: it is closed at once', async (t) => {
    const world = await holding(t);
    world.venue.server.addFaults(parseFaults([{ time: true, times: 1, do: 'reject-at-trigger' }]));
    await world.until('the fault', () => world.venue.server.faults.report()[0]?.hits === 1);
    world.venue.market.shock(SYMBOL, -0.08, 600_000);
    await world.until('flat', () => world.venue.ledger()?.positions.length === 0);
    await world.until('told', () => world.status().positions.length === 0);
    const [closed] = world.heard('position/', 'ORDER_CLOSED');
    assert.equal(closed?.outcome, 'rejected-at-trigger');
    assert.match(String(closed?.reason), /-4131/);
    assert.deepEqual(fills(world), [{ cause: undefined, quantity: '0.02' }], 'by an order of its own');
    assert.deepEqual(world.venue.core.violations(), []);
  });

  test('deleveraged while the runtime was down: it is told as that', async (t) => {
    const world = await holding(t);
    await world.stop();
    world.venue.server.feed({ type: 'ADL', at: world.venue.clock.now(), symbol: SYMBOL }, DEMO_ACCOUNT);
    assert.equal(world.venue.ledger()?.positions.length, 0);
    await world.begin();
    await world.until('told', () => fills(world).length > 0 && world.status().positions.length === 0);
    assert.deepEqual(
      fills(world).map(({ cause }) => cause),
      ['adl'],
    );
  });
});
