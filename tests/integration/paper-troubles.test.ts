/** What goes wrong around a position, end to end: the runtime, its gateway and the local venue are the real ones. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { leaveRequest } from '../../src/app/requests/person-requests.ts';
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

  const QUICK = { config: { venue: { foreign: 'adopt', instrumentsEveryMs: 200 } } };
  const happenings = (world: PaperWorld) =>
    world.rows().flatMap(({ actor, snapshot }) => {
      if (!actor.startsWith('position/')) return [];
      const { context } = JSON.parse(snapshot ?? '{"context":{}}') as {
        context: { happenings?: readonly { readonly kind: string; readonly detail: string }[] };
      };
      return context.happenings ?? [];
    });
  const told = (world: PaperWorld, kind: string) => happenings(world).find((one) => one.kind === kind);
  const change = (world: PaperWorld, more: object): void => {
    const instrument = world.venue.market.instrument(SYMBOL);
    assert.ok(instrument);
    world.venue.market.changeInstrument({ ...instrument, ...more });
  };

  test('its symbol is halted, and trades again: told both times, held and protected throughout', async (t) => {
    const world = await holding(t, QUICK);
    change(world, { status: 'TRADING_HALT' });
    await world.until('the halt', () => told(world, 'halted') !== undefined);
    change(world, { status: 'TRADING' });
    await world.until('the end of it', () => told(world, 'resumed') !== undefined);
    await world.until('a stop', () => world.openStops().length === 1);
    assert.equal(world.status().positions.length, 1);
    assert.deepEqual(fills(world), []);
  });

  test('the stream tells of a halt long before the next reading of all instruments', async (t) => {
    const world = await holding(t, {
      config: { venue: { foreign: 'adopt', instrumentsEveryMs: 3_600_000 } },
    });
    change(world, { status: 'TRADING_HALT' });
    await world.until('the halt', () => told(world, 'halted') !== undefined);
    change(world, { status: 'TRADING' });
    await world.until('the end of it', () => told(world, 'resumed') !== undefined);
  });

  test('its tick and its margin table change: the stop moves to the new tick, the bracket is told', async (t) => {
    const world = await holding(t, QUICK);
    const brackets = world.venue.market.instrument(SYMBOL)?.brackets ?? [];
    change(world, {
      tickSize: '10',
      brackets: brackets.map((one) => ({ ...one, maintMarginRate: '0.05', initialLeverage: 10 })),
    });
    await world.until(
      'both',
      () => told(world, 'filters') !== undefined && told(world, 'brackets') !== undefined,
    );
    assert.match(told(world, 'filters')?.detail ?? '', /tickSize .* → 10/);
    assert.match(told(world, 'brackets')?.detail ?? '', /→ 0.05, leverage up to/);
    await world.until('one stop, on the tick', () => {
      const stops = world.openStops();
      return stops.length === 1 && Number(stops[0]?.triggerPrice) % 10 === 0;
    });
  });

  test('its lots grow beyond it: its stop closes whatever there is, and a person can still close it', async (t) => {
    const world = await holding(t, QUICK);
    change(world, { stepSize: '0.05', minQuantity: '0.05' });
    await world.until('one stop, of the whole', () => {
      const stops = world.openStops();
      return stops.length === 1 && stops[0]?.closePosition === true;
    });
    leaveRequest(world.dataDir, { command: { kind: 'close', symbol: SYMBOL }, by: 'test', at: Date.now() });
    await world.until('flat', () => world.venue.ledger()?.positions.length === 0);
    await world.until('told', () => world.status().positions.length === 0);
    await world.until('nothing left', () => world.openStops().length === 0);
    assert.deepEqual(world.venue.core.violations(), []);
  });

  test('its delisting is announced: it leaves while there is a market', async (t) => {
    const world = await holding(t, QUICK);
    change(world, { deliversAt: world.venue.clock.now() + 3 * 86_400_000 });
    await world.until('flat', () => world.venue.ledger()?.positions.length === 0);
    await world.until('told', () => world.status().trades.last.length === 1);
    assert.match(world.status().trades.last[0]?.reason ?? '', /^delisting: at /);
    assert.deepEqual(world.venue.core.violations(), []);
  });

  test('the venue settles it before anybody could leave: told as that', async (t) => {
    const world = await holding(t, QUICK);
    change(world, { status: 'SETTLING' });
    await world.until(
      'told',
      () => told(world, 'settlement') !== undefined && world.status().positions.length === 0,
    );
    assert.deepEqual(
      fills(world).map(({ cause }) => cause),
      ['settlement'],
    );
  });

  test('a person at the venue takes a part: told, and the stop shrinks with it', async (t) => {
    const world = await holding(t, QUICK);
    await world.sellByHand(SYMBOL, '0.005');
    await world.until('told', () => told(world, 'manual') !== undefined);
    await world.until('a smaller stop', () => {
      const stops = world.openStops();
      return stops.length === 1 && stops[0]?.quantity === '0.015';
    });
  });
});
