/**
 * Does to a world what its plan says, and heals it: the safety phase has faults of every drawn kind, the liveness
 * phase none.
 *
 * Invariant: every fault that lasts ends by itself or with `heal`; after it everything that is needed works, and
 * one process trades.
 */

import { logUniform, type Random } from '../../core/random.ts';
import { VENUE } from '../../domain/events.ts';
import type { JournalRow } from '../../journal/journal.ts';
import { presetFaults } from '../../venue-server/faults-presets.ts';
import type { FaultPlan, Strike } from './fault-plan.ts';
import { soundData } from './market.ts';
import type { Host, SimProcess } from './process.ts';
import { soundStore } from './store.ts';
import { VenueHands } from './venue-hands.ts';
import { fairWeather } from './weather.ts';
import type { Life, SimWorld } from './world.ts';

const SECOND = 1_000;
const MINUTE = 60_000;

const newHost = (name: string): Host => ({ name, wallOffsetMs: 0, lateMs: 0 });

export class Injector {
  readonly hosts: readonly Host[] = [newHost('a'), newHost('b')];
  readonly #world: SimWorld;
  readonly #plan: FaultPlan;
  readonly #random: Random;
  readonly #acts: Readonly<Record<string, () => boolean>>;
  #healed = false;
  /** Puts the damaged row right. */
  #repair: (() => void) | undefined;
  readonly #hands: VenueHands;
  #told = 0;
  #atCall: ((life: Life) => void) | undefined;

  constructor(world: SimWorld, plan: FaultPlan) {
    this.#world = world;
    this.#plan = plan;
    this.#random = world.random.fork('faults');
    const hands = new VenueHands(world, this.#random);
    this.#hands = hands;
    this.#acts = {
      'process:crash': () => this.#crash(),
      'process:crash-in-recovery': () => this.#crashInRecovery(),
      'process:pause': () => this.#pause(1, 10 * MINUTE),
      'process:pause-before-send': () => this.#atNextCall((life) => this.#pauseBeforeSend(life)),
      'process:crash-before-send': () =>
        this.#atNextCall((life) => this.#world.end(life, 'killed before it sent')),
      'process:two-owners': () => this.#standby(),
      'process:sigterm': () => this.#sigterm(),
      'disk:full': () =>
        this.#window(MINUTE, (on) => {
          world.storeFaults.full = on;
        }),
      'disk:fsync-error': () => this.#fsyncError(),
      'disk:bit-flip': () => this.#bitFlip(),
      'database:down': () =>
        this.#window(2 * MINUTE, (on) => {
          world.storeFaults.down = on;
        }),
      'network:rest-silent': () => this.#weather('rest', 'silent'),
      'network:rest-refused': () => this.#weather('rest', 'refused'),
      'network:stream-silent': () => this.#weather('stream', 'silent'),
      'network:sockets-break': () => this.#do(() => world.network.breakSockets()),
      'network:dns': () => this.#cannotConnect('ENOTFOUND'),
      'network:tls': () => this.#cannotConnect('CERT_HAS_EXPIRED'),
      'network:partition': () => this.#partition(),
      'venue:foreign-trade': () => hands.trade('MARKET'),
      'venue:foreign-order': () => hands.trade('LIMIT'),
      'venue:adl': () => hands.adl(),
      'venue:filters': () => hands.filters(),
      'venue:transfer': () => hands.transfer(),
      'venue:shock': () => hands.shock(),
      'venue:thin-book': () => {
        hands.thin();
        world.scheduler.set(this.#duration(10 * SECOND, 15 * MINUTE), () => hands.deepen());
        return true;
      },
      'venue:liquidation': () => hands.gap(),
      'data:silence': () =>
        this.#window(2 * MINUTE, (on) => {
          world.market.faults.silent = on;
        }),
      'time:jump': () => this.#jump(),
      'time:late-timers': () => this.#lateTimers(),
      'actor:poison': () => this.#poison(),
      'actor:flood': () => this.#flood(),
      // What it works at takes long, and everything else in its process waits.
      'actor:slow': () => this.#pause(50, 4 * SECOND),
    };
  }

  begin(): void {
    const { rates, strikes } = this.#plan;
    const { storeFaults, network, market } = this.#world;
    Object.assign(storeFaults, {
      commitUnknown: rates.commitUnknown,
      lostBefore: rates.lostBefore,
      serialization: rates.serialization,
      slow: rates.slowStore,
    });
    Object.assign(network.weather, {
      loseRequest: rates.loseRequest,
      loseAnswer: rates.loseAnswer,
      slow: rates.slowNetwork,
    });
    const { nan, zero, absurd, crossed, lostBar, doubleBar, history } = rates;
    Object.assign(market.faults, { nan, zero, absurd, crossed, lostBar, doubleBar, history });
    this.#scriptVenue();
    for (const strike of strikes) this.#again(strike);
    const [first] = this.hosts;
    if (first) this.#world.start(first);
  }

  /** A service manager: a process that ended is started again. */
  ended(life: Life): void {
    const delayMs =
      this.#random.next() < 0.7 ? this.#random.next() * 5 * SECOND : this.#random.next() * 2 * MINUTE;
    this.#world.scheduler.set(delayMs, () => {
      if (this.#world.living.length === 0) this.#world.start(life.process.host, life.standby);
    });
  }

  /** For as long as any outage of it lasts. */
  loseStore(): void {
    this.#acts['database:down']?.();
  }

  /** From here on nothing is wrong. */
  heal(): void {
    this.#healed = true;
    const { world } = { world: this.#world };
    world.trace.say('world', 'all faults are over');
    this.#repair?.();
    Object.assign(world.storeFaults, soundStore());
    Object.assign(world.network.weather, fairWeather());
    Object.assign(world.market.faults, soundData());
    world.venue.server.clearFaults();
    this.#hands.deepen();
    for (const instrument of world.venue.market.instruments())
      if (instrument.status === 'TRADING_HALT')
        world.venue.market.changeInstrument({ ...instrument, status: 'TRADING' });
    for (const host of this.hosts) Object.assign(host, { wallOffsetMs: 0, lateMs: 0 });
    for (const life of world.living) life.process.resume();
    const [first] = this.hosts;
    if (world.living.length === 0 && first) world.start(first);
  }

  #again(strike: Strike, dice = this.#world.random.fork(`strikes/${strike.kind}`)): void {
    const waitMs = -Math.log(1 - dice.next()) * strike.everyMs;
    this.#world.scheduler.set(waitMs, () => {
      if (this.#healed) return;
      if (this.#acts[strike.kind]?.()) this.#world.faulted(strike.kind);
      this.#again(strike, dice);
    });
  }

  #scriptVenue(): void {
    const { venuePreset, venueShare } = this.#plan;
    const script = presetFaults(venuePreset);
    if (!script) return;
    const rules = script.rules.filter(() => this.#random.next() < venueShare);
    this.#world.venue.server.addFaults({ ...script, rules });
  }

  get #leader(): Life | undefined {
    return this.#world.living.find(({ process, system }) => system && !process.isPaused);
  }

  #do(act: () => void): boolean {
    act();
    return true;
  }

  #duration(leastMs: number, mostMs: number): number {
    return logUniform(this.#random, leastMs, mostMs);
  }

  #window(mostMs: number, set: (on: boolean) => void): boolean {
    set(true);
    this.#world.scheduler.set(this.#duration(SECOND, mostMs), () => set(false));
    return true;
  }

  #weather<K extends 'rest' | 'stream'>(line: K, as: 'silent' | 'refused'): boolean {
    const { weather } = this.#world.network;
    return this.#window(90 * SECOND, (on) => {
      Object.assign(weather, { [line]: on ? as : 'up' });
    });
  }

  #partition(): boolean {
    this.#weather('rest', 'silent');
    return this.#weather('stream', 'silent');
  }

  #crash(): boolean {
    const [life] = this.#world.living;
    if (life) this.#world.end(life, 'killed');
    return life !== undefined;
  }

  /** The next life dies while it is young. */
  #crashInRecovery(): boolean {
    const [life] = this.#world.living;
    if (!life) return false;
    this.#world.end(life, 'killed');
    for (const afterMs of [2, 3, 4].map((seconds) => seconds * SECOND + this.#random.next() * 3 * SECOND))
      this.#world.scheduler.set(afterMs, () => {
        const young = this.#world.living.find(({ process }) => process.time.monotonic.now() < 2 * SECOND);
        if (young && !this.#healed) this.#world.end(young, 'killed while young');
      });
    return true;
  }

  #pause(leastMs: number, mostMs: number): boolean {
    const life = this.#leader;
    if (!life) return false;
    life.process.pause();
    this.#world.scheduler.set(this.#duration(leastMs, mostMs), () => life.process.resume());
    return true;
  }

  /** When the next row is durable that has the venue called, and its process does not know it yet. */
  #atNextCall(act: (life: Life) => void): boolean {
    this.#atCall = act;
    return true;
  }

  rows(rows: readonly JournalRow[], process: SimProcess): void {
    const act = this.#atCall;
    const calls = rows.some(
      ({ actor, intents }) => actor === VENUE && /"call":"(submit|cancel)"/.test(intents),
    );
    const life = this.#world.lives[process.life - 1];
    if (!act || !calls || !life || this.#healed) return;
    this.#atCall = undefined;
    act(life);
  }

  /** As long as an order may wait, or until another machine has the account. */
  #pauseBeforeSend(life: Life): void {
    const other = this.hosts.find((host) => !this.#world.living.some(({ process }) => process.host === host));
    const isLong = this.#random.next() < 0.5 && other !== undefined;
    if (isLong) this.#world.start(other, true);
    life.process.pause();
    const ms = isLong ? this.#duration(20 * SECOND, 2 * MINUTE) : this.#duration(SECOND, 14 * SECOND);
    this.#world.scheduler.set(ms, () => life.process.resume());
  }

  /** A second machine wants the account; the first stops for longer than its lease, and goes on. */
  #standby(): boolean {
    const life = this.#leader;
    const other = this.hosts.find((host) => !this.#world.living.some(({ process }) => process.host === host));
    if (!life || !other) return false;
    this.#world.start(other, true);
    life.process.pause();
    this.#world.scheduler.set(this.#duration(10 * SECOND, 2 * MINUTE), () => life.process.resume());
    return true;
  }

  #sigterm(): boolean {
    this.#leader?.process.signal('SIGTERM');
    return this.#leader !== undefined;
  }

  /** The engine cannot flush: its process ends, and comes back. */
  #fsyncError(): boolean {
    const [life] = this.#world.living;
    if (life && this.#random.next() < 0.5) this.#world.end(life, 'killed with its store');
    return this.#window(20 * SECOND, (on) => {
      this.#world.storeFaults.down = on;
    });
  }

  /** The newest state of an actor that lives, while nobody has it in memory; until somebody puts back what was there. */
  #bitFlip(): boolean {
    const { database, storeFaults, lives } = this.#world;
    const rows = database.liveRows().filter(({ snapshot }) => snapshot !== null);
    const row = rows[this.#random.int(Math.max(1, rows.length))];
    if (!row || storeFaults.damagedAfter !== undefined) return false;
    this.#crash();
    const repair = database.damage(row.n);
    storeFaults.damagedAfter = lives.length;
    this.#repair = () => {
      repair();
      storeFaults.damagedAfter = undefined;
      this.#repair = undefined;
    };
    this.#world.scheduler.set(this.#duration(5 * SECOND, 2 * MINUTE), () => this.#repair?.());
    return true;
  }

  #cannotConnect(why: 'ENOTFOUND' | 'CERT_HAS_EXPIRED'): boolean {
    const { weather } = this.#world.network;
    return this.#window(MINUTE, (on) => {
      weather.connecting = on ? why : 'up';
    });
  }

  #jump(): boolean {
    const host = this.#leader?.process.host;
    if (!host) return false;
    host.wallOffsetMs += (this.#random.next() < 0.5 ? -1 : 1) * this.#duration(100, 2 * MINUTE);
    return true;
  }

  #lateTimers(): boolean {
    const [host] = this.hosts;
    return this.#window(5 * MINUTE, (on) => {
      if (host) host.lateMs = on ? this.#duration(5, 2 * SECOND) : 0;
    });
  }

  #poison(): boolean {
    const runtime = this.#leader?.system?.runtime;
    const [to, event] = POISON[this.#random.int(POISON.length)] ?? [];
    const actor = runtime?.actorIds().find((id) => to !== undefined && id.startsWith(to));
    if (!runtime || !event || actor === undefined) return false;
    runtime.tell({ to: actor, event, cause: { kind: 'external', id: `poison:${++this.#told}` } });
    return true;
  }

  #flood(): boolean {
    const runtime = this.#leader?.system?.runtime;
    const actors = runtime?.actorIds() ?? [];
    const to = actors[this.#random.int(Math.max(1, actors.length))];
    if (!runtime || to === undefined) return false;
    for (let i = 0; i < 300; i++)
      runtime.tell({
        to,
        event: { type: 'FLOOD', i },
        cause: { kind: 'external', id: `flood:${++this.#told}` },
      });
    return true;
  }
}

/** What no machine can take: its guards and actions throw. */
const POISON = [
  ['scanner/', { type: 'CANDLES', closed: null }],
  ['portfolio', { type: 'MARK', prices: null }],
  ['entry/', { type: 'SIGNAL' }],
  ['position/', { type: 'ORDER_FILLED' }],
  ['breaker/', { type: 'EQUITY', equity: {} }],
  ['venue', { type: 'order.submit' }],
] as const;
