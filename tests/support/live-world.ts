/**
 * A live run in this process on virtual time: the real `run` over a memory journal, a little venue and a market
 * made of bars. A life can be killed as a process would be, and another begun over the same journal and venue.
 */
import type { RunOptions } from '../../src/app/cli/io.ts';
import type { OpenVenue } from '../../src/app/live/venue-seams.ts';
import { run } from '../../src/app/run/run.ts';
import { readStatus, type StatusDocument } from '../../src/app/status/status-file.ts';
import { configSchema } from '../../src/config/schema.ts';
import { VirtualTime } from '../../src/core/clock.ts';
import { fromNumber } from '../../src/core/decimal.ts';
import { type Candle, closeTime, TIMEFRAME_MS } from '../../src/domain/candle.ts';
import type { Instrument } from '../../src/domain/instrument.ts';
import type { JournalRow } from '../../src/journal/journal.ts';
import { MemoryDatabase, MemoryJournal } from '../../src/journal/memory-journal.ts';
import { SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
import { FakeGateway, movePrice, type VenueLines } from './fake-gateway.ts';
import { type FakeIo, fakeIo } from './fake-io.ts';
import { FakeLiveMarket } from './fake-live-market.ts';
import { ModelVenue } from './model-venue.ts';
import { BUSY_CONFIG } from './system-harness.ts';
import { makeTempDir, removeTempDir } from './temp.ts';

const FOLDERS: string[] = [];
process.once('exit', () => {
  for (const folder of FOLDERS) removeTempDir(folder);
});

const ACCOUNT = 'main';
const LEASE_MS = 60_000;
/** Of virtual time between two looks. */
const STEP_MS = 15_000;

export interface WorldOptions {
  readonly seed?: number;
  readonly symbols?: readonly string[];
  readonly days?: number;
  readonly config?: object;
}

export interface Life {
  readonly time: VirtualTime;
  readonly io: FakeIo;
  readonly gateway: () => FakeGateway | undefined;
  readonly market: FakeLiveMarket;
  readonly dataDir: string;
  readonly ended: Promise<number>;
  readonly status: () => StatusDocument;
  /** Like SIGKILL: nothing of this life happens any more. */
  readonly kill: () => void;
}

export class LiveWorld {
  readonly database = new MemoryDatabase();
  readonly lines: VenueLines;
  readonly symbols: readonly string[];
  readonly bars = new Map<string, Candle[]>();
  readonly #options: WorldOptions;
  now: number;
  #life: Life | undefined;

  private constructor(options: WorldOptions, instruments: readonly Instrument[], startAt: number) {
    this.#options = options;
    this.symbols = instruments.map(({ symbol }) => symbol);
    this.now = startAt;
    this.lines = {
      venue: new ModelVenue(),
      instruments,
      calls: [],
      isReachable: true,
      mishap: () => undefined,
      listeners: new Set(),
    };
  }

  /** The market runs from its first day; the world's clock stands where ETHUSDT breaks out five minutes later. */
  static async create(options: WorldOptions = {}): Promise<LiveWorld> {
    const { seed = 7, symbols = ['ETHUSDT', 'SOLUSDT'], days = 13 } = options;
    const market = new SyntheticMarketData({ seed, symbols, days });
    const warmUpMs = 12 * 86_400_000 + 220 * 60_000;
    const world = new LiveWorld(options, market.instruments(), market.range().from + warmUpMs);
    for (const symbol of symbols) world.bars.set(symbol, []);
    for await (const steps of market.steps(undefined))
      for (const step of steps) for (const bar of step.bars) world.bars.get(bar.symbol)?.push(bar);
    world.#priceAll();
    return world;
  }

  get life(): Life {
    if (!this.#life) throw new Error('nobody lives');
    return this.#life;
  }

  rows(): readonly JournalRow[] {
    return this.database.account(ACCOUNT).rows;
  }

  begin(more: object = {}): Life {
    const time = new VirtualTime(this.now);
    const dataDir = makeTempDir('live');
    FOLDERS.push(dataDir);
    const io = fakeIo({ time, cwd: dataDir });
    const market = new FakeLiveMarket(this.bars, () => this.now);
    let gateway: FakeGateway | undefined;
    let isDead = false;
    const config = configSchema.parse({
      ...BUSY_CONFIG,
      mode: 'paper',
      data: { dir: dataDir },
      lease: { ttlMs: LEASE_MS },
      market: { source: 'live', symbols: this.symbols },
      log: { level: 'warn' },
      ...this.#options.config,
      ...more,
    });
    const venue: OpenVenue = {
      clock: async () => undefined,
      gateway: async ({ mayAct }) => {
        gateway = new FakeGateway(this.lines, mayAct);
        return { gateway };
      },
      market: async () => market,
    };
    const forEver = (): Promise<void> | undefined => (isDead ? new Promise(() => {}) : undefined);
    const options = {
      config,
      secrets: {},
      configFile: undefined,
      json: false,
      quiet: true,
    } as unknown as RunOptions;
    const ended = run(options, io, {
      create: async () =>
        new MemoryJournal({
          account: ACCOUNT,
          clock: time,
          database: this.database,
          faults: { before: forEver, after: forEver },
        }),
      venue,
    });
    ended.catch(() => {});
    this.#life = {
      time,
      io,
      gateway: () => gateway,
      market,
      dataDir,
      ended,
      status: () => readStatus(dataDir),
      kill: () => {
        isDead = true;
        if (gateway) gateway.isDead = true;
        void market.stop();
        this.#life = undefined;
      },
    };
    return this.#life;
  }

  /** Time goes by: prices move, bars close, timers fire. */
  async advance(ms: number): Promise<void> {
    for (const until = this.now + ms; this.now < until; ) {
      this.now = Math.min(until, this.now + STEP_MS - (this.now % STEP_MS));
      this.#priceAll();
      this.#life?.time.advanceTo(this.now);
      this.#closeBars();
      await settle();
    }
  }

  /** Advances until it is so; fails after `limitMs` of virtual time. */
  async until(what: string, isSo: () => boolean, limitMs = 2 * 86_400_000): Promise<void> {
    for (const end = this.now + limitMs; !isSo(); ) {
      if (this.now >= end) throw new Error(`it never came to pass: ${what}`);
      await this.advance(STEP_MS);
    }
  }

  /** Ends the life as a person would, and waits for it. */
  async stop(): Promise<number> {
    const { ended } = this.life;
    let isOver = false;
    const watched = ended.finally(() => {
      isOver = true;
    });
    process.emit('SIGTERM');
    while (!isOver) {
      this.now += 50;
      this.lines.venue.now = this.now;
      this.life.time.advanceTo(this.now);
      await settle();
    }
    this.#life = undefined;
    return watched;
  }

  /** Dead for a while; long enough for the lease to run out. */
  async sleepDead(ms = LEASE_MS + 1_000): Promise<void> {
    await this.advance(ms);
  }

  /** Fifteen seconds each: open, one extreme, the other, close. */
  #priceAll(): void {
    const minute = this.now - (this.now % TIMEFRAME_MS['1m']);
    const { venue } = this.lines;
    venue.now = this.now;
    for (const [symbol, bars] of this.bars) {
      const bar = bars[Math.round((minute - (bars[0]?.openTime ?? 0)) / TIMEFRAME_MS['1m'])];
      if (!bar) continue;
      const path = bar.close >= bar.open ? [bar.open, bar.low, bar.high] : [bar.open, bar.high, bar.low];
      const price = path[Math.floor((this.now - minute) / STEP_MS)] ?? bar.close;
      movePrice(this.lines, symbol, fromNumber(price));
      this.#life?.market.say({ type: 'mark', symbol, at: this.now, mark: price });
    }
  }

  #closeBars(): void {
    if (!this.#life || this.now % TIMEFRAME_MS['15m'] !== 0) return;
    for (const symbol of this.symbols) {
      const bar = this.#life.market.of(symbol, '15m').find((each) => closeTime(each) === this.now);
      if (bar) this.#life.market.say({ type: 'bar', bar });
    }
  }
}

/** Lets everything that waits for nothing happen. */
export async function settle(turns = 8): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
}
