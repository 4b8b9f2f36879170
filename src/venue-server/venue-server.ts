/**
 * The local venue as one thing: core and market behind the doors, with faults, limits and the passing of time.
 *
 * Invariants: every input, a request, a tick of the market or of the clock, is taken in whole before the next; an
 * input's journal entry is written before anything that follows from it leaves; after a failed write nothing
 * leaves any more.
 */
import type { Time, TimerHandle } from '../core/clock.ts';
import type { Json } from '../core/json.ts';
import type { Random } from '../core/random.ts';
import type { EngineInput } from '../exchange/engine/engine-types.ts';
import type { Restriction } from './account/records.ts';
import type { CoreEntry } from './core.ts';
import type { FaultScript } from './faults.ts';
import { FaultPlan, type FieldReader } from './faults-plan.ts';
import { type KeyedAccount, Keyring } from './keyring.ts';
import { fillBeforeCancel } from './late-cancel.ts';
import { type LimitRules, RateLimits } from './limits.ts';
import type { Endpoint, Push } from './protocol.ts';
import { ReadReplicas } from './read-replica.ts';
import type { CorePort, MarketPort } from './server-ports.ts';
import { TimerPool } from './timer-pool.ts';
import { type Door, type DoorParts, HttpDoor, type MakeDoor } from './transport/http-door.ts';
import { RequestPipeline } from './transport/request-pipeline.ts';
import type { Waits } from './transport/stream-connection.ts';
import { StreamHub } from './transport/stream-hub.ts';
import { VenueWeather } from './transport/venue-weather.ts';
import { speedFactor, type VenueClock } from './venue-clock.ts';

export interface VenueServerOptions {
  readonly clock: VenueClock;
  /** The machine's time: network delays and time-outs are real. */
  readonly real: Time;
  readonly random: Random;
  readonly host: string;
  readonly port: number;
  readonly accounts: readonly KeyedAccount[];
  readonly core: CorePort;
  readonly market: MarketPort;
  /** A copy of the core, for reads that lag. */
  readonly copyCore: () => CorePort;
  readonly faults: FaultScript;
  readonly limits?: Partial<LimitRules>;
  readonly legacyStreams?: boolean;
  readonly largeIds?: boolean;
  /** Called between inputs: the moment for a snapshot. */
  readonly settled?: () => void;
  readonly note?: (what: string, fields: Readonly<Record<string, Json>>) => void;
  /** Where clients come in; a listening socket where absent. */
  readonly door?: MakeDoor;
  /** The venue cannot keep its word any more. */
  readonly fail: (error: unknown) => void;
}

const SECOND_MS = 1_000;
/** However fast the clock runs, it is looked at no more often than this. */
const SHORTEST_TICK_REAL_MS = 10;

export class VenueServer {
  readonly faults: FaultPlan;
  readonly limits: RateLimits;
  readonly weather: VenueWeather;
  readonly #options: VenueServerOptions;
  readonly #keyring: Keyring;
  readonly #waits: Waits;
  readonly #timers: TimerPool;
  readonly #replicas: ReadReplicas;
  readonly #pipeline: RequestPipeline;
  readonly #hub: StreamHub;
  readonly #door: Door;
  readonly #coreRoutes: ReadonlyMap<string, Endpoint>;
  #tick: TimerHandle | undefined;
  #lastTickAt: number;
  #isOver = false;

  constructor(options: VenueServerOptions) {
    this.#options = options;
    const { clock, real, core, market } = options;
    this.#keyring = new Keyring(options.accounts);
    this.#timers = new TimerPool(clock.speed === 'manual' ? clock.timers : real.timers);
    const network = clock.speed === 'manual' ? clock : real.monotonic;
    this.#waits = { now: () => network.now(), timers: this.#timers };
    this.#lastTickAt = clock.now();
    this.faults = new FaultPlan(options.random.fork('faults'), ({ rule, action }, what, field) =>
      this.#note('fault', { rule, fault: action.do, on: what, ...subjectOf(field) }),
    );
    this.limits = new RateLimits(options.limits);
    this.#replicas = new ReadReplicas({ now: () => this.#waits.now(), copy: options.copyCore });
    this.#coreRoutes = byName(core.endpoints());
    this.#hub = this.#makeHub();
    this.#pipeline = this.#makePipeline([...core.endpoints(), ...market.endpoints()]);
    const { door = (parts: DoorParts) => new HttpDoor(parts) } = options;
    this.#door = door({
      host: options.host,
      port: options.port,
      waits: this.#waits,
      real: real.timers,
      handle: (incoming, reply) => this.#pipeline.handle(incoming, reply),
      upgrade: (request, socket, head) => this.#hub.upgrade(request, socket, head),
      attach: (url, accept) => this.#hub.attach(url, accept),
    });
    this.weather = this.#makeWeather();
    this.addFaults(options.faults);
  }

  get port(): number {
    return this.#door.port;
  }

  get url(): string {
    return `http://${this.#door.host}:${this.#door.port}`;
  }

  async open(): Promise<void> {
    await this.#door.open();
    this.#armTick();
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.#tick?.cancel();
    this.#timers.cancelAll();
    this.#hub.stop();
    await this.#door.close();
  }

  /** What core and market give out. After a failed write nothing leaves. */
  push(push: Push): void {
    if (!this.#isOver) this.#hub.push(push);
  }

  /** Every entry of the core, as it is journaled. */
  journaled(entry: CoreEntry): void {
    this.#replicas.heard(entry);
  }

  /** A market input for the core, or one of the admin's for an account. */
  feed(input: EngineInput, account?: string): void {
    if (this.#isOver) return;
    this.#guarded(() => this.#options.core.feed(input, account));
  }

  /** Lets an account open nothing any more, or (without `as`) lifts that. */
  restrict(account: string, as: Restriction | undefined): void {
    if (this.#isOver) return;
    const { core, clock } = this.#options;
    this.#guarded(() => core.restrict(account, clock.now(), as));
  }

  /** Another key for an account that there is. */
  addKey(key: KeyedAccount): void {
    this.#keyring.add(key);
  }

  /** Refused from now on, and the private stream that may have been opened with it ends. */
  revokeKey(apiKey: string): void {
    const account = this.#keyring.revoke(apiKey);
    const { core, clock } = this.#options;
    this.#guarded(() => core.expireListenKey(account, clock.now(), true));
  }

  addFaults(script: FaultScript): void {
    for (const { action } of script.rules) if (action.do === 'stale') this.#replicas.want(action.ms);
    this.faults.add(script);
  }

  clearFaults(): void {
    this.faults.clear();
    this.weather.clear();
    this.#replicas.clear();
  }

  state(): Readonly<Record<string, Json>> {
    const { clock, market } = this.#options;
    return {
      at: clock.now(),
      speed: clock.speed,
      requests: this.#pipeline.requests,
      ...this.#hub.counts(),
      maintenance: this.weather.isInMaintenance,
      skewMs: this.weather.skewMs,
      market: market.describe?.() ?? {},
    };
  }

  /** What contradicts itself: in the books, or in the handlers. Empty, or the venue has a defect. */
  violations(): string[] {
    return [...this.#options.core.violations(), ...this.#pipeline.defects];
  }

  #makeHub(): StreamHub {
    const { clock, real, core, market } = this.#options;
    const pace = clock.speed === 'manual' ? real.monotonic : clock;
    return new StreamHub({
      clock,
      waits: this.#waits,
      faults: this.faults,
      demand: market,
      listenKeyAccount: (key) => core.listenKeyAccount(key),
      weather: () => this.weather,
      note: (what, fields) => this.#note(what, fields),
      pace: () => Math.floor(pace.now() / SECOND_MS),
      grace: clock.speed === 'manual' ? real.timers : undefined,
      legacyStreams: this.#options.legacyStreams ?? false,
      largeIds: this.#options.largeIds ?? false,
    });
  }

  #makePipeline(endpoints: readonly Endpoint[]): RequestPipeline {
    const { clock, core, market } = this.#options;
    return new RequestPipeline({
      clock,
      waits: this.#waits,
      endpoints,
      keys: this.#keyring,
      accountOf: (apiKey) => core.accountOf(this.#keyring.firstOf(apiKey)),
      limits: this.limits,
      largeIds: this.#options.largeIds ?? false,
      faults: this.faults,
      weather: () => this.weather,
      lagged: (ms, method, path) => this.#replicas.endpoint(ms, method, path),
      fillFirst: (request, share) =>
        fillBeforeCancel(request, share, {
          endpoint: (name) => this.#coreRoutes.get(name),
          instrument: (symbol) => market.instrument(symbol),
          feed: (input) => core.feed(input),
        }),
      rejectAtTrigger: ({ at, apiKey = '' }, answer, code, reason) => {
        const { clientAlgoId } = (answer ?? {}) as { readonly clientAlgoId?: Json };
        if (typeof clientAlgoId !== 'string') return;
        core.feed(
          { type: 'REFUSE_TRIGGER', at, code, reason, clientOrderId: clientAlgoId },
          core.accountOf(apiKey),
        );
      },
      settled: () => this.#options.settled?.(),
      note: (what, fields) => this.#note(what, fields),
      fail: (error) => this.#fail(error),
    });
  }

  #makeWeather(): VenueWeather {
    const { clock, core, market, accounts } = this.#options;
    const setStatus = (symbol: string, status: 'TRADING' | 'TRADING_HALT'): void => {
      const instrument = market.instrument(symbol);
      if (instrument) this.#guarded(() => market.changeInstrument({ ...instrument, status }));
    };
    return new VenueWeather({
      clock,
      waits: this.#waits,
      limits: this.limits,
      address: this.#door.host,
      closeSockets: (kinds, code) => this.#hub.close(kinds, code),
      muteSockets: (kinds, forMs) => this.#hub.mute(kinds, forMs),
      refuse: (forMs) => this.#door.refuse(forMs),
      expireKeys: (announce) => {
        for (const { id } of accounts) this.#guarded(() => core.expireListenKey(id, clock.now(), announce));
      },
      halt: (named) => {
        const trading = market.instruments().filter(({ status }) => status === 'TRADING');
        const symbol = named ?? this.faults.pick(trading)?.symbol;
        if (!trading.some((instrument) => instrument.symbol === symbol)) return undefined;
        if (symbol !== undefined) setStatus(symbol, 'TRADING_HALT');
        return symbol;
      },
      resume: (symbol) => setStatus(symbol, 'TRADING'),
      refuseTrigger: (symbol, code, reason) =>
        this.#guarded(() =>
          core.feed({
            type: 'REFUSE_TRIGGER',
            at: clock.now(),
            code,
            reason,
            ...(symbol === undefined ? {} : { symbol }),
          }),
        ),
    });
  }

  #armTick(): void {
    const { clock } = this.#options;
    const everyMs = Math.max(SECOND_MS, SHORTEST_TICK_REAL_MS * speedFactor(clock));
    this.#tick = clock.timers.set(everyMs, () => {
      this.#armTick();
      this.#guarded(() => this.#passTime());
    });
  }

  #passTime(): void {
    const { clock, core } = this.#options;
    const now = clock.now();
    const due = core.nextDeadline();
    if (due !== undefined && due <= now) core.tick(now);
    for (; this.#lastTickAt + SECOND_MS <= now; this.#lastTickAt += SECOND_MS) {
      if (!this.faults.watches('time')) continue;
      for (const { action } of this.faults.strike('time', '', this.#lastTickAt + SECOND_MS))
        this.weather.apply(action);
    }
  }

  /** One whole input; a failure of it is the venue's end. */
  #guarded(input: () => void): void {
    try {
      input();
      this.#options.settled?.();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#hub.close('*', 1006);
    this.#options.fail(error);
  }

  #note(what: string, fields: Readonly<Record<string, Json>>): void {
    this.#options.note?.(what, fields);
  }
}

/** Whose order a request or an event is about, where it says so: what a fault struck. */
const ORDER_FIELDS = ['newClientOrderId', 'clientAlgoId', 'origClientOrderId', 'o.caid', 'o.c', 'c'];
const SYMBOL_FIELDS = ['symbol', 'o.s', 's'];

function subjectOf(field: FieldReader): { order?: string; symbol?: string } {
  const first = (names: readonly string[]): string | undefined =>
    names.map(field).find((value) => value !== undefined && value !== '');
  const [order, symbol] = [first(ORDER_FIELDS), first(SYMBOL_FIELDS)];
  return { ...(order === undefined ? {} : { order }), ...(symbol === undefined ? {} : { symbol }) };
}

const byName = (endpoints: readonly Endpoint[]): ReadonlyMap<string, Endpoint> =>
  new Map(endpoints.map((endpoint) => [`${endpoint.method} ${endpoint.path}`, endpoint]));
