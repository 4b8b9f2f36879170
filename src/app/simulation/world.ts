/**
 * A simulated world: the program as `bulkhead run --mode paper` starts it, as often as it is started, over a journal
 * that outlives it and the local exchange, on one virtual clock.
 *
 * Invariants: nothing here is code that trades: each life is `run` itself with its own store, gateway, sockets and
 * market handed in; the seed and the options fix everything that happens.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { WrapLogic } from '../../../supervisors/machine-registry.ts';
import { readSecrets } from '../../config/secrets.ts';
import type { Clock } from '../../core/clock.ts';
import { errorText } from '../../core/errors.ts';
import type { Dial } from '../../core/kept-socket.ts';
import { type Random, seededRandom } from '../../core/random.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import { type Moded, moded, modeOf } from '../../domain/position-key.ts';
import type { MarginMode } from '../../exchange/engine/engine-types.ts';
import type {
  VenueClient,
  VenueClientOptions,
  VenueRequest as WireRequest,
} from '../../exchange/venue-client.ts';
import type { JournalRow, JournalStore, Lease } from '../../journal/journal.ts';
import type { CoreEntry } from '../../venue-server/core.ts';
import type { Push } from '../../venue-server/protocol.ts';
import type { Io, RunOptions } from '../cli/io.ts';
import type { LiveSystem } from '../compose/compose-live.ts';
import type { OpenVenue, VenueConnection, VenueRequest } from '../live/venue-seams.ts';
import { run } from '../run/run.ts';
import { BALANCE, simulatedConfig } from './config.ts';
import { type PastAndFuture, SimMarket } from './market.ts';
import { Network } from './network.ts';
import { type Host, SimProcess } from './process.ts';
import { Scheduler } from './scheduler.ts';
import { type CrashPoint, nameOf, type StoreHooks, soundStore, storeHooks } from './store.ts';
import { Trace } from './trace.ts';
import { openSimVenue, type SimVenue } from './venue.ts';

/** The journal's database: outlives every process. */
export interface SimDatabase {
  readonly rows: () => readonly JournalRow[];
  readonly lease: () => (Lease & { readonly expiresAt: number }) | undefined;
  readonly meta: (key: string) => string | undefined;
  /** One process's way to it. */
  readonly connect: (clock: Clock, hooks: StoreHooks) => JournalStore;
  /** The newest row of everybody who lives. */
  readonly liveRows: () => readonly JournalRow[];
  /** A bit of that row's state turns where it lies; what is returned puts it right. */
  readonly damage: (n: number) => () => void;
  /** As it was up to that row: what a disk that lied about it would leave. */
  readonly truncate: (n: number) => void;
}

/** What the composition root names. */
export interface WorldParts {
  readonly database: (instance: string) => SimDatabase;
  readonly source: (seed: number, symbols: number, from: number, hours: number) => Promise<PastAndFuture>;
  readonly startAt: number;
  readonly gateway: (
    request: VenueRequest,
    random: Random,
    connect: (options: VenueClientOptions) => Promise<VenueClient>,
    dial: Dial,
  ) => VenueConnection;
}

/** A defect put in on purpose, by laying something around a part of the program. */
export interface Plant {
  readonly name: string;
  readonly wrap?: WrapLogic;
  readonly store?: (store: JournalStore, world: SimWorld, process: SimProcess) => JournalStore;
  readonly request?: (request: VenueRequest) => VenueRequest;
  readonly gateway?: (gateway: VenueConnection['gateway'], world: SimWorld) => VenueConnection['gateway'];
  readonly crashed?: (world: SimWorld) => void;
  /** Before anybody else sees it. */
  readonly system?: (system: LiveSystem) => void;
}

export interface WorldOptions extends Moded {
  readonly seed: number;
  readonly symbols: number;
  readonly hours: number;
  readonly marginMode?: MarginMode;
  /** Every line of the trace, for people. */
  readonly print?: (line: string) => void;
  /** Where the first life, the second … is to die. */
  readonly crashAt?: readonly CrashPoint[];
  readonly plant?: Plant;
}

/** One start of the program. */
export interface Life {
  readonly process: SimProcess;
  readonly dataDir: string;
  readonly standby: boolean;
  system?: LiveSystem;
  /** How it ended, in words. */
  ended?: string;
}

/** What the venue said, whether it was heard or not. */
export interface Answered {
  readonly status: number;
  readonly body: string;
}

/** What looks on: the checkers, the coverage. */
export interface Onlooker {
  rows?(rows: readonly JournalRow[], process: SimProcess): void;
  entry?(entry: CoreEntry): void;
  push?(push: Push): void;
  sent?(process: SimProcess, request: WireRequest): void;
  answered?(answer: Answered, request: WireRequest): void;
  fault?(what: string): void;
  life?(life: Life, what: 'started' | 'ended'): void;
  /** After every event of the world. */
  step?(): void;
}

/** So far into the world its first process starts, between two bars. */
const START_OFFSET_MS = 7 * 60_000;

export const diceOf = (seed: number): Random => seededRandom(`world/${seed}`);

export class SimWorld {
  readonly options: WorldOptions;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly trace: Trace;
  symbols: readonly SymbolName[] = [];
  readonly startedAt: number;
  readonly storeFaults = soundStore();
  readonly lives: Life[] = [];
  readonly onlookers: Onlooker[] = [];
  /** What a person left in the folder of this installation: there at each start. */
  readonly files = new Map<string, string>();
  readonly network: Network;
  readonly database: SimDatabase;
  readonly #parts: WorldParts;
  venue!: SimVenue;
  market!: SimMarket;
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'bulkhead-sim-'));
  readonly #storeRandom: Random;
  /** What broke the world itself, and no fault of anybody in it. */
  failure: unknown;

  private constructor(options: WorldOptions, parts: WorldParts) {
    this.options = options;
    this.#parts = parts;
    this.startedAt = parts.startAt;
    this.database = parts.database(`sim-${options.seed}`);
    this.scheduler = new Scheduler(this.startedAt);
    this.random = diceOf(options.seed);
    this.trace = new Trace(() => this.scheduler.now(), options.print);
    this.#storeRandom = this.random.fork('store');
    this.network = new Network({
      scheduler: this.scheduler,
      random: this.random.fork('network'),
      door: () => this.venue.door,
      onSent: (process, request) => this.#sent(process, request),
      dies: (process, request, when) => {
        const point = this.options.crashAt?.[process.life - 1];
        const isHere = point && 'request' in point && point.request === request && point.when === when;
        if (isHere) this.#crash(process, point);
        return isHere === true;
      },
      onAnswered: (answer, request) => {
        for (const onlooker of this.onlookers) onlooker.answered?.(answer, request);
      },
      onFault: (what) => this.faulted(what),
    });
  }

  static async create(options: WorldOptions, parts: WorldParts): Promise<SimWorld> {
    const world = new SimWorld(options, parts);
    const source = await parts.source(options.seed, options.symbols, world.startedAt, options.hours);
    world.symbols = source.instruments.map(({ symbol }) => symbol);
    world.venue = await openSimVenue({
      scheduler: world.scheduler,
      random: world.random.fork('venue'),
      source,
      balance: BALANCE,
      positionMode: modeOf(options),
      onEntry: (entry) => world.#entry(entry),
      onPush: (push) => world.#push(push),
      onFault: (what) => world.faulted(what),
      fail: (error) => {
        world.failure ??= error;
      },
    });
    world.market = new SimMarket({
      scheduler: world.scheduler,
      random: world.random.fork('data'),
      source,
      prices: (symbol) => world.venue.market.prices(symbol),
      funding: (symbol) => world.venue.market.funding(symbol),
      onFault: (what) => world.faulted(what),
    });
    world.market.start();
    world.trace.say('world', `seed ${options.seed}, ${options.symbols} symbols, ${options.hours} h`);
    await world.run(START_OFFSET_MS);
    return world;
  }

  get now(): number {
    return this.scheduler.now();
  }

  get rows(): readonly JournalRow[] {
    return this.database.rows();
  }

  get lease() {
    return this.database.lease();
  }

  /** The process that is not dead, newest first. */
  get living(): Life[] {
    return this.lives.filter(({ process }) => !process.isDead).reverse();
  }

  /** Who trades: composed, whoever else waits. */
  get trader(): Life | undefined {
    return this.living.find(({ system, process }) => system && !process.isPaused);
  }

  /** Lets time go by; ends early once `isOver` says so. */
  async run(forMs: number, isOver: () => boolean = () => false): Promise<void> {
    const until = this.scheduler.now() + forMs;
    while (!isOver() && this.scheduler.fire(until)) {
      await this.scheduler.settled();
      for (const onlooker of this.onlookers) onlooker.step?.();
      if (this.failure) throw this.failure;
    }
  }

  faulted(what: string): void {
    this.trace.say('fault', what);
    for (const onlooker of this.onlookers) onlooker.fault?.(what);
  }

  /** Starts the program on that host. */
  start(host: Host, standby = false): Life {
    const number = this.lives.length + 1;
    const late = this.random.fork(`late/${number}`);
    const process = new SimProcess(this.scheduler, host, number, () => late.next());
    const dataDir = path.join(this.#folder, `${number}`);
    mkdirSync(dataDir, { recursive: true });
    // The folder's own name, as it stands there from the first start on.
    writeFileSync(path.join(dataDir, 'owner'), `${host.name}\n`);
    for (const [name, text] of this.files) writeFileSync(path.join(dataDir, name), text);
    const life: Life = { process, dataDir, standby };
    this.lives.push(life);
    this.trace.say('process', `${host.name} starts life ${number}${standby ? ' as standby' : ''}`);
    for (const onlooker of this.onlookers) onlooker.life?.(life, 'started');
    const { marginMode } = this.options;
    const margin = marginMode === undefined ? {} : { marginMode };
    const options: RunOptions = {
      config: simulatedConfig(this.symbols, dataDir, { standby, ...moded(modeOf(this.options)), ...margin }),
      secrets: readSecrets({}),
      configFile: undefined,
      json: false,
      quiet: true,
    };
    run(options, this.#io(process, dataDir), {
      create: async () => this.#store(process),
      venue: this.#venueOf(process),
      signals: process.signals,
      onSystem: (system) => {
        life.system = system;
        this.options.plant?.system?.(system);
      },
      ...(this.options.plant?.wrap ? { wrap: this.options.plant.wrap } : {}),
    }).then(
      (code) => this.end(life, `exit ${code}`),
      (error) => this.end(life, errorText(error)),
    );
    return life;
  }

  /** SIGKILL, or its own end. */
  end(life: Life, how: string): void {
    if (life.process.isDead) return;
    life.ended = how;
    life.process.die();
    this.trace.say('process', `${life.process.host.name} life ${life.process.life} is over: ${how}`);
    this.options.plant?.crashed?.(this);
    for (const onlooker of this.onlookers) onlooker.life?.(life, 'ended');
  }

  close(): void {
    for (const life of this.living) life.process.die();
    this.market.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #io(process: SimProcess, cwd: string): Io {
    const log = {
      write: (text: string) => {
        if (!process.isDead) this.trace.note('log', text.trimEnd());
      },
    };
    return {
      ...{ stdout: { write: () => {} }, stderr: log, env: {}, cwd },
      ...{ isTty: false, stderrIsTty: false, columns: 80, rows: 25 },
      ...{ time: process.time, pid: process.life },
    };
  }

  #store(process: SimProcess): JournalStore {
    const crashAt = this.options.crashAt?.[process.life - 1];
    const hooks = storeHooks({
      process,
      faults: this.storeFaults,
      random: this.#storeRandom,
      crashAt,
      onRows: (rows) => this.#rows(rows, process),
      onCrash: (_, point) => this.#crash(process, point),
      onFault: (what) => this.faulted(what),
    });
    const store = this.database.connect(this.scheduler, hooks);
    return this.options.plant?.store?.(store, this, process) ?? store;
  }

  #crash(process: SimProcess, point: CrashPoint): void {
    const life = this.lives[process.life - 1];
    if (life) this.end(life, nameOf(point));
  }

  #venueOf(process: SimProcess): OpenVenue {
    const { plant } = this.options;
    return {
      clock: async () => undefined,
      gateway: async (given) => {
        const request = plant?.request?.(given) ?? given;
        const random = this.random.fork(`gateway/${process.life}`);
        const connect = async (options: VenueClientOptions) => this.network.client(process, options);
        const opened = this.#parts.gateway(request, random, connect, this.network.dial(process));
        return { ...opened, gateway: plant?.gateway?.(opened.gateway, this) ?? opened.gateway };
      },
      market: async () => this.market.open(process),
    };
  }

  #rows(rows: readonly JournalRow[], process: SimProcess): void {
    for (const { n, actor, seq, epoch, kind, hash } of rows)
      this.trace.say('row', `${n} ${actor}#${seq} e${epoch} ${kind} ${hash.slice(0, 16)}`);
    for (const onlooker of this.onlookers) onlooker.rows?.(rows, process);
  }

  #sent(process: SimProcess, request: WireRequest): void {
    const { method, path: where, params } = request;
    const id = params.newClientOrderId ?? params.clientAlgoId ?? params.origClientOrderId ?? '';
    this.trace.say('sent', `life ${process.life} ${method} ${where} ${params.symbol ?? ''} ${id}`);
    for (const onlooker of this.onlookers) onlooker.sent?.(process, request);
  }

  #entry(entry: CoreEntry): void {
    if (entry.type === 'request') {
      const { method, path: where, params } = entry;
      const id = params.newclientorderid ?? params.clientalgoid ?? params.origclientorderid ?? '';
      this.trace.say('venue', `${method} ${where} ${params.symbol ?? ''} ${params.side ?? ''} ${id}`);
    }
    for (const onlooker of this.onlookers) onlooker.entry?.(entry);
  }

  #push(push: Push): void {
    if (push.socket !== 'private') return;
    this.trace.say('stream', JSON.stringify(push.data));
    for (const onlooker of this.onlookers) onlooker.push?.(push);
  }
}
