/** What the tests of reconciliation begin with. */
import type { VenueEvent } from '../../src/domain/order.ts';
import { World } from './executor-world.ts';

export const OPENED = ['ORDER_ACKNOWLEDGED', 'ORDER_FILLED'];
export const DROP_ALL = Array.from({ length: 40 }, () => 'drop' as const);

/** A position of 2, while nobody listens from now on. */
export function holding(quantity = '2', options = {}): World {
  const world = new World(options).begin();
  world.submit({ quantity });
  world.run(1_000);
  return world;
}

export function unheard(world: World, what: Parameters<World['happen']>[0]): void {
  world.streamFates = [...DROP_ALL];
  world.happen(what);
  world.streamFates = [];
}

export const fillsOf = (world: World) =>
  world
    .eventsOf()
    .filter((event): event is Extract<VenueEvent, { type: 'ORDER_FILLED' }> => event.type === 'ORDER_FILLED');

export const settle = (world: World): void => {
  world.heal();
  world.checkStories();
  world.checkSettled();
};
