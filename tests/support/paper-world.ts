/**
 * The real runtime against the real local venue, over real sockets in this process: the journal in memory, a
 * market that is made up, and a person who trades at the venue beside it all. Time is real, and runs faster.
 */
import { createHmac } from 'node:crypto';
import type { RunOptions } from '../../src/app/cli/io.ts';
import { openVenue } from '../../src/app/compose/open-venue.ts';
import type { OpenVenue } from '../../src/app/live/venue-seams.ts';
import { run } from '../../src/app/run/run.ts';
import { readStatus, type StatusDocument } from '../../src/app/status/status-file.ts';
import { configSchema } from '../../src/config/schema.ts';
import { systemTime } from '../../src/core/clock.ts';
import type { ActorEvent } from '../../src/domain/events.ts';
import type { JournalRow } from '../../src/journal/journal.ts';
import { MemoryDatabase, MemoryJournal } from '../../src/journal/memory-journal.ts';
import { DEMO_API_KEY, DEMO_API_SECRET } from '../../src/venue-server/demo-account.ts';
import type { WrapLogic } from '../../supervisors/machine-registry.ts';
import { type FakeIo, fakeIo } from './fake-io.ts';
import { tempDir } from './temp.ts';
import { WholeVenue, type WholeVenueOptions } from './whole-venue.ts';

/** Ends a test that hangs; it is long, for machines that are slow and busy. */
const LIMIT_MS = 90_000;
const ACCOUNT = 'paper';

type Context = Parameters<typeof tempDir>[0] & Parameters<typeof WholeVenue.open>[0];

export interface PaperWorldOptions extends WholeVenueOptions {
  readonly config?: object;
  readonly run?: Partial<Pick<RunOptions, 'secrets' | 'secretSource'>>;
  /** Around the logics of the actors. */
  readonly wrap?: WrapLogic;
  /** Whose pace the run's own clocks go at; people's where absent. */
  readonly ownTime?: 'venue';
  /** Put before the gateway: what the runtime hears, and what it does not. */
  readonly venueSeam?: (real: OpenVenue) => OpenVenue;
}

export class PaperWorld {
  readonly venue: WholeVenue;
  readonly database = new MemoryDatabase();
  readonly dataDir: string;
  readonly io: FakeIo;
  readonly #options: PaperWorldOptions;
  #ended: Promise<number> | undefined;
  #failure: unknown;

  private constructor(venue: WholeVenue, dataDir: string, options: PaperWorldOptions) {
    this.venue = venue;
    this.dataDir = dataDir;
    this.#options = options;
    const time = options.ownTime === 'venue' ? venue.clientTime() : systemTime();
    this.io = fakeIo({ time, cwd: dataDir, mayListen: options.ownTime === 'venue' });
  }

  static async open(t: Context, options: PaperWorldOptions = {}): Promise<PaperWorld> {
    const venue = await WholeVenue.open(t, options);
    const world = new PaperWorld(venue, tempDir(t, 'paper'), options);
    t.after(() => world.stop());
    return world;
  }

  /** Begins a life, and waits until it may trade. */
  async begin(): Promise<void> {
    const { speed } = this.venue.clock;
    const config = configSchema.parse({
      mode: 'paper',
      data: { dir: this.dataDir },
      market: { source: 'live', symbols: this.venue.market.instruments().map(({ symbol }) => symbol) },
      log: { level: 'warn' },
      status: { intervalMs: 100 },
      ...this.#options.config,
      venue: {
        restUrl: this.venue.server.url,
        timeFactor: speed,
        callTimeoutMs: 2_000,
        ...(this.#options.config as { venue?: object } | undefined)?.venue,
      },
    });
    const seam = this.#options.venueSeam ?? ((real: OpenVenue) => real);
    const options = {
      ...{ config, secrets: {}, json: false, quiet: true },
      ...this.#options.run,
    } as unknown as RunOptions;
    const ended = run(options, this.io, {
      create: async () =>
        new MemoryJournal({ account: ACCOUNT, clock: systemTime().clock, database: this.database }),
      venue: seam(openVenue),
      ...(this.#options.wrap ? { wrap: this.#options.wrap } : {}),
    });
    this.#ended = ended;
    ended.catch((error: unknown) => {
      this.#failure = error;
    });
    await this.until('ready', () => this.status().venue?.reconcile.ready === true);
  }

  async stop(): Promise<void> {
    if (!this.#ended) return;
    const ended = this.#ended;
    this.#ended = undefined;
    process.emit('SIGTERM');
    await ended.catch(() => {});
  }

  status(): StatusDocument {
    return readStatus(this.dataDir);
  }

  rows(): readonly JournalRow[] {
    return this.database.account(ACCOUNT).rows;
  }

  /** What an actor has consumed, of one type. */
  heard(actor: string, type: string): ActorEvent[] {
    return this.rows()
      .filter((row) => row.actor.startsWith(actor))
      .map((row) => JSON.parse(row.event) as ActorEvent)
      .filter((event) => event.type === type);
  }

  async until(what: string, isSo: () => boolean): Promise<void> {
    for (const end = performance.now() + LIMIT_MS; performance.now() < end; await pause(20)) {
      if (this.#failure !== undefined) throw this.#failure;
      let so = false;
      try {
        so = isSo();
      } catch {
        // The status is not written yet.
      }
      if (so) return;
    }
    throw new Error(`never: ${what}; ${this.io.err().slice(-2_000)}`);
  }

  /** A request of a person with the account's key. */
  async byHand(
    method: string,
    path: string,
    params: Readonly<Record<string, string>>,
  ): Promise<Record<string, unknown>> {
    const timestamp = String(this.venue.clock.now());
    const text = new URLSearchParams({ ...params, timestamp }).toString();
    const signature = createHmac('sha256', DEMO_API_SECRET).update(text).digest('hex');
    const response = await fetch(`${this.venue.server.url}${path}?${text}&signature=${signature}`, {
      method,
      headers: { 'X-MBX-APIKEY': DEMO_API_KEY },
    });
    const json = (await response.json()) as Record<string, unknown>;
    if (response.status !== 200) throw new Error(`${method} ${path}: ${JSON.stringify(json)}`);
    return json;
  }

  /** A position that nobody here opened. */
  async buyByHand(symbol: string, quantity: string): Promise<void> {
    await this.byHand('POST', '/fapi/v1/order', { symbol, side: 'BUY', type: 'MARKET', quantity });
  }

  /** A part of it, taken out beside whoever holds it. */
  async sellByHand(symbol: string, quantity: string): Promise<void> {
    const order = { symbol, side: 'SELL', type: 'MARKET', quantity, reduceOnly: 'true' };
    await this.byHand('POST', '/fapi/v1/order', order);
  }

  openStops(): readonly Record<string, unknown>[] {
    const algos = (this.venue.ledger()?.algoOrders ?? []) as readonly Record<string, unknown>[];
    return algos.filter(({ algoStatus }) => algoStatus === 'NEW');
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
