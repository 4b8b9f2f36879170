/** The local venue, whole and in this process: accounts, a made-up market, doors on loopback, faults. */
import { scaledTime, systemTime, type Time } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import { SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
import { type CoreEntry, VenueCore } from '../../src/venue-server/core.ts';
import { DEMO_ACCOUNT, DEMO_API_KEY, DEMO_API_SECRET } from '../../src/venue-server/demo-account.ts';
import { parseFaults } from '../../src/venue-server/faults-parse.ts';
import type { KeyedAccount } from '../../src/venue-server/keyring.ts';
import { MarketSide } from '../../src/venue-server/market/market-side.ts';
import type { Push } from '../../src/venue-server/protocol.ts';
import { runningClock, type VenueClock } from '../../src/venue-server/venue-clock.ts';
import { VenueServer } from '../../src/venue-server/venue-server.ts';

export interface WholeVenueOptions {
  readonly symbols?: readonly string[];
  readonly speed?: number;
  readonly faults?: unknown;
  readonly balance?: string;
  /** Besides the demo's. */
  readonly accounts?: readonly (KeyedAccount & { readonly enableWithdrawals?: boolean })[];
}

/** Noon of the made-up market's second day. */
const STARTS_AT = Date.UTC(2025, 0, 2, 12);

export class WholeVenue {
  readonly server: VenueServer;
  readonly core: VenueCore;
  readonly market: MarketSide;
  readonly clock: VenueClock;
  readonly errors: unknown[] = [];

  constructor({
    symbols = ['BTCUSDT', 'ETHUSDT'],
    speed = 10,
    faults = [],
    balance = '10000',
    accounts = [],
  }: WholeVenueOptions) {
    const real = systemTime();
    this.clock = runningClock({ venueAt: STARTS_AT, realAt: real.clock.now(), speed }, real);
    const push = (one: Push): void => this.server.push(one);
    this.market = new MarketSide({
      source: { kind: 'bars', market: new SyntheticMarketData({ seed: 7, symbols }) },
      clock: this.clock,
      push,
      onInput: (input) => this.server.feed(input),
      random: seededRandom('market'),
    });
    const coreWith = (journal: (entry: CoreEntry) => void, sink: (one: Push) => void): VenueCore =>
      new VenueCore({
        instruments: this.market.instruments(),
        market: this.market,
        push: sink,
        forced: (order) => {
          if (sink === push) this.market.forced(order);
        },
        journal: { append: journal },
        accounts: [
          { id: DEMO_ACCOUNT, apiKey: DEMO_API_KEY, initialBalance: balance },
          ...accounts.map(({ id, apiKey, enableWithdrawals = false }) => ({
            ...{ id, apiKey, initialBalance: balance, permissions: { enableWithdrawals } },
          })),
        ],
      });
    this.core = coreWith((entry) => this.server.journaled(entry), push);
    this.server = new VenueServer({
      clock: this.clock,
      real,
      random: seededRandom('server'),
      host: '127.0.0.1',
      port: 0,
      accounts: [{ id: DEMO_ACCOUNT, apiKey: DEMO_API_KEY, apiSecret: DEMO_API_SECRET }, ...accounts],
      core: this.core,
      market: this.market,
      copyCore: () =>
        coreWith(
          () => {},
          () => {},
        ),
      faults: parseFaults(faults),
      fail: (error) => this.errors.push(error),
    });
  }

  static async open(
    t: { after(fn: () => Promise<void>): void },
    options: WholeVenueOptions = {},
  ): Promise<WholeVenue> {
    const venue = new WholeVenue(options);
    await venue.market.start();
    await venue.server.open();
    t.after(async () => {
      await venue.market.stop();
      await venue.server.close();
    });
    return venue;
  }

  /** A client's time that runs as the venue's does. */
  clientTime(): Time {
    const speed = this.clock.speed === 'manual' ? 1 : this.clock.speed;
    return scaledTime(systemTime(), this.clock.now(), speed);
  }

  ledger() {
    return this.core.ledger(DEMO_ACCOUNT);
  }
}
