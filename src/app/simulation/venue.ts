/** The venue of a simulated world: the local exchange itself, with its faults, limits and books, behind a door of ours. */

import type { Time } from '../../core/clock.ts';
import type { Decimal } from '../../core/decimal.ts';
import type { Random } from '../../core/random.ts';
import type { PositionMode } from '../../domain/position-key.ts';
import { type CoreEntry, type CoreOptions, VenueCore } from '../../venue-server/core.ts';
import { DEMO_ACCOUNT, DEMO_API_KEY, DEMO_API_SECRET } from '../../venue-server/demo-account.ts';
import { NO_FAULTS } from '../../venue-server/faults.ts';
import { MarketSide } from '../../venue-server/market/market-side.ts';
import type { Push } from '../../venue-server/protocol.ts';
import type { VenueClock } from '../../venue-server/venue-clock.ts';
import { VenueServer } from '../../venue-server/venue-server.ts';
import { type PastAndFuture, StepsMarket } from './market.ts';
import { SimDoor } from './network.ts';
import type { Scheduler } from './scheduler.ts';

export interface SimVenueOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly source: PastAndFuture;
  readonly balance: Decimal;
  readonly positionMode: PositionMode;
  /** What changed the books, after it did and before anybody hears of it. */
  readonly onEntry: (entry: CoreEntry) => void;
  readonly onPush: (push: Push) => void;
  readonly onFault: (what: string) => void;
  readonly fail: (error: unknown) => void;
}

export interface SimVenue {
  readonly server: VenueServer;
  readonly core: VenueCore;
  readonly market: MarketSide;
  readonly door: SimDoor;
  readonly account: string;
  readonly apiKey: string;
}

export async function openSimVenue(options: SimVenueOptions): Promise<SimVenue> {
  const { scheduler, random, source, onEntry, onPush, onFault, fail } = options;
  const clock: VenueClock = { now: () => Math.floor(scheduler.now()), timers: scheduler, speed: 1 };
  const real: Time = { clock: { now: clock.now }, monotonic: scheduler, timers: scheduler };
  // Built one after the other, and each knows the next.
  let server: VenueServer | undefined;
  const push = (one: Push): void => {
    onPush(one);
    server?.push(one);
  };
  const market = new MarketSide({
    source: { kind: 'bars', market: new StepsMarket(source) },
    clock,
    push,
    onInput: (input) => server?.feed(input),
    random: random.fork('market'),
  });
  const coreOptions: CoreOptions = {
    instruments: market.instruments(),
    market,
    push,
    journal: {
      append: (entry) => {
        onEntry(entry);
        server?.journaled(entry);
      },
    },
    accounts: [
      {
        id: DEMO_ACCOUNT,
        apiKey: DEMO_API_KEY,
        initialBalance: options.balance,
        positionMode: options.positionMode,
      },
    ],
  };
  const core = new VenueCore(coreOptions);
  let door: SimDoor | undefined;
  server = new VenueServer({
    clock,
    real,
    random: random.fork('server'),
    host: '127.0.0.1',
    port: 1,
    accounts: [{ id: DEMO_ACCOUNT, apiKey: DEMO_API_KEY, apiSecret: DEMO_API_SECRET }],
    core,
    market,
    copyCore: () =>
      VenueCore.restore(core.checkpoint(), {
        ...coreOptions,
        push: () => {},
        journal: { append: () => {} },
      }),
    faults: NO_FAULTS,
    note: (what, fields) => {
      if (what === 'fault') onFault(`venue:${String(fields.fault)}`);
    },
    door: (parts) => {
      door = new SimDoor(parts);
      return door;
    },
    fail,
  });
  await market.start();
  await server.open();
  if (!door) throw new Error('the venue made no door');
  return { server, core, market, door, account: DEMO_ACCOUNT, apiKey: DEMO_API_KEY };
}
