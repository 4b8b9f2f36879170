/**
 * One seed from beginning to end: a safety phase in which everything drawn goes wrong, then a liveness phase in which
 * nothing does and all must come right; every invariant held all the while by checkers that stand apart.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Moded } from '../../domain/position-key.ts';
import type { MarginMode } from '../../exchange/engine/engine-types.ts';
import type { VenueRequest } from '../../exchange/venue-client.ts';
import type { JournalRow } from '../../journal/journal.ts';
import type { CoreEntry } from '../../venue-server/core-types.ts';
import { killLogText } from '../kill/kill-log.ts';
import type { RemoteIdentity } from '../run/run-identity.ts';
import { AliveCheck } from './checks/alive-check.ts';
import { JournalIndex } from './checks/journal-index.ts';
import { KillCheck } from './checks/kill-check.ts';
import type { Oracle } from './checks/oracle.ts';
import { type LimitKind, OrdersCheck } from './checks/orders-check.ts';
import { isByHand } from './checks/ownership.ts';
import { ProtectionCheck } from './checks/protection-check.ts';
import { checkAlive, checkMoney, checkReplay, type Problem, unsettled } from './checks/settled-check.ts';
import { VenueEye } from './checks/venue-eye.ts';
import type { Invariant, Violation } from './checks/violation.ts';
import { BALANCE, simulatedConfig } from './config.ts';
import { Coverage } from './coverage.ts';
import { drawPlan, type FaultPlan, type FaultSet, marginModeOf } from './fault-plan.ts';
import { Injector } from './injector.ts';
import type { SimProcess } from './process.ts';
import { type Act, playScript } from './script.ts';
import type { Change, SeedReport } from './seed-report.ts';
import type { CrashPoint } from './store.ts';
import { diceOf, type Life, type Plant, SimWorld, type WorldParts } from './world.ts';

export interface SimulateOptions extends Moded {
  readonly seed: number;
  readonly hours: number;
  readonly symbols: number;
  readonly faults: readonly FaultSet[];
  readonly print?: (line: string) => void;
  readonly crashAt?: readonly CrashPoint[];
  readonly acts?: readonly Act[];
  readonly plant?: Plant;
  /** Once all faults are over, everything agrees within this; half an hour where absent. */
  readonly settleMs?: number;
  /** As the plan has it where absent. */
  readonly marginMode?: MarginMode;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LOOK_EVERY_MS = 5_000;
const SETTLE_MS = 30 * MINUTE;
/** Long enough after a start that nothing of it is under way. */
const STARTED_MS = 10_000;
/** So long afterwards a refusal for the limits may still be the fault's. */
const STORM_MS = 5 * MINUTE;
const MOST_VIOLATIONS = 5;
/** What such a fault has broken off takes this long to be begun again. */
const HINDERED_MS = 15_000;
const HINDERS = /^(process|disk|database|network|venue):/;
/** So soon a kill has closed everything, with the venue well. */
const KILLED_WITHIN_MS = 2 * MINUTE;
/** The file is looked for, and its word is in the journal. */
const HEARD_WITHIN_MS = 5_000;

export async function simulateSeed(options: SimulateOptions, parts: WorldParts): Promise<SeedReport> {
  const plan = drawPlan(diceOf(options.seed).fork('plan'), options.faults);
  const world = await SimWorld.create(
    { ...options, marginMode: options.marginMode ?? marginModeOf(plan) },
    parts,
  );
  try {
    return await new Simulation(world, options, plan).run();
  } finally {
    world.close();
  }
}

class Simulation {
  readonly #world: SimWorld;
  readonly #options: SimulateOptions;
  readonly #violations: Violation[] = [];
  readonly #oracle: Oracle;
  readonly #orders: OrdersCheck;
  readonly #protection: ProtectionCheck;
  readonly #kill: KillCheck;
  readonly #alive: AliveCheck;
  readonly #coverage: Coverage;
  readonly #injector: Injector;
  #isKilled = false;
  #appends = 0;
  readonly #busyAppends: number[] = [];
  readonly #changes: Change[] = [];
  readonly #epochs = new Map<SimProcess, number>();
  /** When the venue last refused everything, by a fault. */
  #stormAt = Number.NEGATIVE_INFINITY;
  /** When anything last went wrong on the way between journal, program and venue. */
  #hinderedAt = Number.NEGATIVE_INFINITY;

  constructor(world: SimWorld, options: SimulateOptions, plan: FaultPlan) {
    this.#world = world;
    this.#options = options;
    const violate = (invariant: Invariant, text: string): void => {
      if (this.#violations.length >= MOST_VIOLATIONS) return;
      world.trace.say('violation', `${invariant}: ${text}`);
      this.#violations.push({ invariant, at: Math.floor(world.now), text });
    };
    const { core, account } = world.venue;
    this.#oracle = {
      now: () => world.now,
      journal: new JournalIndex(`sim-${options.seed}`, violate, (id, n) => this.#orders.rejected(id, n)),
      venue: new VenueEye(
        () => core.records(account),
        Number(BALANCE),
        (symbol) => world.venue.market.instrument(symbol),
      ),
      lease: () => world.lease,
      epochOf: (process) => this.#epochs.get(process),
      killLog: () => world.lives.map(({ dataDir }) => killLogText(dataDir)).join(''),
      violate,
    };
    const { maxTotalExposure } = simulatedConfig(world.symbols, '.', { standby: false }).risk;
    const { journal, venue } = this.#oracle;
    journal.onAdopted = (place, signed) => venue.owners.adopted(place, signed);
    this.#orders = new OrdersCheck(this.#oracle, Number(maxTotalExposure));
    this.#protection = new ProtectionCheck(this.#oracle, () => this.#isHealthy());
    this.#kill = new KillCheck(this.#oracle);
    this.#alive = new AliveCheck(this.#oracle, () =>
      this.#isHealthy() ? world.living[0]?.system : undefined,
    );
    this.#coverage = new Coverage(() => world.living);
    this.#injector = new Injector(world, plan);
    this.#lookOn();
  }

  async run(): Promise<SeedReport> {
    const { hours } = this.#options;
    const isOver = (): boolean => this.#violations.length > 0;
    this.#injector.begin();
    playScript(this.#world, this.#options.acts ?? [], () => this.#engageKill('person:kill'));
    const killAfter = this.#killAfter();
    await this.#world.run(killAfter * hours * HOUR, isOver);
    if (killAfter < 1 && !isOver()) this.#killInTrouble();
    await this.#world.run((1 - killAfter) * hours * HOUR, isOver);
    let settledMs: number | null = null;
    if (!isOver()) settledMs = await this.#liveness(isOver);
    if (!isOver()) await this.#ending(isOver);
    return this.#report(settledMs);
  }

  #lookOn(): void {
    const { onlookers, lives } = this.#world;
    onlookers.push(this.#coverage, {
      rows: (rows, process) => {
        this.#oracle.journal.take(rows);
        if (process.life === 1) this.#count(rows);
        for (const { epoch } of rows) this.#epochs.set(process, epoch);
        if (process.life > (this.#world.storeFaults.damagedAfter ?? Number.POSITIVE_INFINITY))
          this.#oracle.violate(9, `life ${process.life} builds on a row that is not as it was written`);
        this.#injector.rows(rows, process);
      },
      // At once: the records must be seen as this very request left them.
      entry: (entry) => this.#moved(entry),
      sent: (process, request) => {
        if (process.life === 1 && request.method !== 'GET')
          this.#changes.push({ afterMs: process.time.monotonic.now(), what: changeOf(request) });
        this.#orders.sending(process, request);
        this.#kill.sending(request);
        const { method, path, params } = request;
        if (method === 'DELETE' && path === 'algoOrder')
          this.#protection.cancelling(String(params.symbol), String(params.clientAlgoId));
      },
      answered: (answer, request) => {
        const excused = new Set<LimitKind>();
        if (this.#world.now - this.#stormAt < STORM_MS) excused.add('rate');
        if (this.#coverage.faults.has('venue:filters')) excused.add('size');
        this.#orders.answered(answer, request, excused);
      },
      fault: (what) => {
        if (what === 'venue:storm' || what === 'venue:ban') this.#stormAt = this.#world.now;
        if (HINDERS.test(what)) this.#hinderedAt = this.#world.now;
      },
      life: (life, what) => {
        if (what === 'started') this.#alive.started();
        if (what === 'ended') this.#injector.ended(life);
        else if (lives.length > 400) this.#oracle.violate(13, 'it starts again and again');
      },
      step: () => this.#step(),
    });
  }

  #count(rows: readonly JournalRow[]): void {
    this.#appends += 1;
    if (rows.some(({ event, intents }) => ORDERS.test(event) || ORDERS.test(intents)))
      this.#busyAppends.push(this.#appends);
  }

  #step(): void {
    this.#protection.step();
    this.#alive.step();
  }

  #moved(entry: CoreEntry): void {
    this.#orders.moved();
    const isCancel =
      entry.type === 'request' && entry.method === 'DELETE' && entry.path.endsWith('algoOrder');
    const { symbol = '', clientalgoid: id = '' } = isCancel ? entry.params : {};
    this.#protection.moved(/^bh-/.test(id) ? { symbol, id } : undefined);
  }

  /** Everything that a stop needs is in order, and has been for a moment; what the program says of itself is not asked. */
  #isHealthy(): boolean {
    const { living, network, storeFaults, venue, now } = this.#world;
    if (now - this.#hinderedAt < HINDERED_MS || now - this.#stormAt < STORM_MS) return false;
    const [life] = living;
    if (!life?.system || life.process.isPaused || life.process.time.monotonic.now() < STARTED_MS)
      return false;
    const { rest, stream } = network.weather;
    if (network.weather.connecting !== 'up' || storeFaults.damagedAfter !== undefined) return false;
    if (rest !== 'up' || stream !== 'up' || storeFaults.down || storeFaults.full) return false;
    return venue.door.isOpen && !venue.server.weather.isInMaintenance;
  }

  async #liveness(isOver: () => boolean): Promise<number | null> {
    const world = this.#world;
    this.#injector.heal();
    const from = world.now;
    const { settleMs = SETTLE_MS } = this.#options;
    let problems: Problem[] = [];
    while (world.now < from + settleMs && !isOver()) {
      await world.run(LOOK_EVERY_MS, isOver);
      problems = unsettled(world.trader?.system, this.#oracle.venue);
      if (problems.length === 0 && world.now - from > 2 * MINUTE) return world.now - from;
    }
    for (const { invariant, text } of problems)
      this.#oracle.violate(invariant, `${settleMs / MINUTE} minutes after all faults were over: ${text}`);
    return null;
  }

  /** Stops it as a person would, and looks at what is left. */
  async #ending(isOver: () => boolean): Promise<void> {
    const world = this.#world;
    const life = world.trader;
    if (!life?.system) return;
    this.#take(checkAlive(life.system, this.#oracle.journal));
    if (this.#isKilled) this.#kill.mustHold(life.system, 'once all faults are over');
    else if (world.random.fork('kill').next() < 0.5) await this.#killed(life, isOver);
    const last = world.trader ?? life;
    last.process.signal('SIGTERM');
    await world.run(2 * MINUTE, () => isOver() || last.process.isDead);
    if (last.ended !== 'exit 143')
      this.#oracle.violate(13, `it was asked to stop, and ended so: ${last.ended}`);
    const identity = JSON.parse(world.database.meta('run') ?? '{}') as RemoteIdentity;
    this.#take(checkReplay(world.rows, identity, `sim-${this.#options.seed}`, this.#options.plant?.wrap));
    const ledger = world.venue.core.ledger(world.venue.account);
    if (ledger) this.#take(checkMoney(world.rows, ledger, this.#excuses()));
    for (const text of world.venue.server.violations())
      if (!(this.#coverage.faults.has('venue:filters') && text.endsWith('is off the step')))
        this.#oracle.violate(4, `the venue itself: ${text}`);
  }

  /** After so much of the hours a person kills it, while everything else goes wrong; 1: in this world nobody does. */
  #killAfter(): number {
    const dice = this.#world.random.fork('kill-in-trouble');
    const [isIn, after] = [dice.next() < 0.25, 0.4 + dice.next() * 0.4];
    return isIn && this.#options.faults.includes('database') ? after : 1;
  }

  /** On every machine, with the journal out of reach; whoever starts later on finds it said. */
  #killInTrouble(): void {
    this.#injector.loseStore();
    this.#engageKill('person:kill-in-trouble');
  }

  #engageKill(how: string): void {
    const world = this.#world;
    this.#isKilled = true;
    world.files.set('KILL', this.#killText());
    for (const { dataDir } of world.living) writeFileSync(join(dataDir, 'KILL'), this.#killText());
    world.faulted(how);
    this.#kill.engaged();
  }

  #killText(): string {
    return JSON.stringify({
      ...{ id: 'kill-by-a-person', by: 'a person', reason: 'enough', accountWide: false },
      at: Math.floor(this.#world.now),
    });
  }

  /** A person kills it; then it dies, and whoever comes after it must leave it killed, there or on another machine. */
  async #killed(life: Life, isOver: () => boolean): Promise<void> {
    const world = this.#world;
    const text = this.#killText();
    writeFileSync(join(life.dataDir, 'KILL'), text);
    world.faulted('person:kill');
    this.#kill.engaged();
    // A process that dies before it has looked has heard of nothing.
    await world.run(HEARD_WITHIN_MS, isOver);
    await world.run(KILLED_WITHIN_MS - HEARD_WITHIN_MS, () => isOver() || this.#kill.open.length === 0);
    this.#kill.mustBeFlat(KILLED_WITHIN_MS);
    if (isOver()) return;
    if (world.random.fork('kill-folder').next() < 0.5) world.files.set('KILL', text);
    world.end(life, 'killed after the kill switch');
    await world.run(4 * MINUTE, isOver);
    if (!isOver()) this.#kill.mustHold(world.trader?.system, 'after a restart');
  }

  /**
   * What was put in on purpose is no defect: the dead letters of poison and floods, and the results of positions in
   * which a person at the venue traded as well, since one side of one symbol is one position there.
   */
  #excuses(): (text: string) => boolean {
    const { rows, venue } = this.#world;
    const letters = rows.filter(
      ({ kind, cause }) => kind === 'dead-letter' && /"(poison|flood):/.test(cause),
    );
    const numbers = new Set(letters.map(({ n }) => String(n)));
    const { orders } = venue.core.records(venue.account);
    const byHand = orders.filter(
      ({ clientOrderId, executed }) => isByHand(clientOrderId) && Number(executed) > 0,
    );
    const symbols = [...new Set(byHand.map(({ symbol }) => symbol))];
    return (text) =>
      numbers.has(/^dead letter (\d+):/.exec(text)?.[1] ?? '') ||
      (RESULT.test(text) && symbols.some((symbol) => text.includes(symbol)));
  }

  #take(problems: readonly Problem[]): void {
    for (const { invariant, text } of problems) this.#oracle.violate(invariant, text);
  }

  #report(settledMs: number | null): SeedReport {
    const world = this.#world;
    const books = world.venue.core.records(world.venue.account);
    const { gaps } = this.#protection;
    return {
      seed: this.#options.seed,
      traceHash: world.trace.digest(),
      simulatedHours: (world.now - world.startedAt) / HOUR,
      events: world.scheduler.steps,
      rows: world.rows.length,
      orders: books.orders.length + books.algos.length,
      trades: books.trades.length,
      cutShort: this.#oracle.venue.cutShort(),
      liquidated: this.#oracle.journal.liquidated.size,
      lives: world.lives.length,
      appends: this.#appends,
      busyAppends: this.#busyAppends,
      changes: this.#changes,
      crashes: world.lives.map(({ ended }) => ended ?? 'lives'),
      bare: {
        count: gaps.length,
        worstMs: Math.max(0, ...gaps.map(({ ms }) => ms)),
        worstHealthyMs: Math.max(0, ...gaps.map(({ healthyMs }) => healthyMs)),
      },
      settledMs,
      faults: Object.fromEntries([...this.#coverage.faults].sort(([a], [b]) => (a < b ? -1 : 1))),
      coverage: this.#coverage.table,
      violations: this.#violations,
      tail: this.#violations.length > 0 ? world.trace.tail : [],
    };
  }
}

function changeOf({ method, path, params }: VenueRequest): string {
  const { type, side, positionSide, reduceOnly, closePosition } = params;
  const flags = [reduceOnly === 'true' && 'reduceOnly', closePosition === 'true' && 'closePosition'];
  return [method, path, type, side, positionSide, ...flags].filter(Boolean).join(' ');
}

const ORDERS = /ORDER_|order\.(submit|cancel)|"call":"(submit|cancel)"/;
const RESULT =
  /is nobody's$|was liquidated, and says|gross .* fees|nothing was filled|the venue knows nothing|was inferred/;
