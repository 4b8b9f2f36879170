/**
 * Brings positions into a wanted state on purpose, strikes them there with one class of fault, and looks at what
 * follows: the real runtime and the real local venue in this process, over real sockets. One symbol for each
 * pair, as many at once as there are symbols.
 *
 * A fault counts for a state when the position's newest committed row had it at the instant of the strike.
 */
import type { PositionContext } from '../../machines/position/context.ts';
import {
  checkOrders,
  checkResults,
  JournalFacts,
  type SoakLedger,
} from '../../src/app/simulation/ledger-checks.ts';
import * as D from '../../src/core/decimal.ts';
import { actorType } from '../../src/core/ids.ts';
import type { ActorEvent } from '../../src/domain/events.ts';
import { registerStrategy } from '../../src/strategy/strategy.ts';
import { parseFaults } from '../../src/venue-server/faults-parse.ts';
import type { FieldReader } from '../../src/venue-server/faults-plan.ts';
import { ActorRuntime, type Committed } from '../../supervisors/actor-runtime.ts';
import type { FaultClass } from './fault-classes.ts';
import { HOLD, recipe } from './fault-recipes.ts';
import { eventOf, type State, stateOf, TABLE_SYMBOLS } from './fault-table.ts';
import {
  ANSWER_MS,
  batchesOf,
  CONFIG,
  cellOf,
  type Directed,
  type Life,
  SPEED,
  STILL,
  type Target,
  type Wanted,
} from './fault-targets.ts';
import { PaperWorld, pause } from './paper-world.ts';

const HIT_MS = 6_000;
const HELD_MS = 4_000;
const HEALED_MS = 45_000;
const OPENED_MS = 30_000;
const SIGNAL_AGAIN_MS = 500;
const CLOCKS_APART_MS = 250;
const TRIES = 3;
/** Where the stop stands behind the price, how far it trails, and what price makes it move; as shares. */
const [STOP, TRAIL, RISE] = [0.06, 0.04, 0.025];

const ORDER_FIELDS = ['newClientOrderId', 'clientAlgoId', 'origClientOrderId', 'o.caid', 'o.c'];
const IS_FLAT: readonly State[] = ['entering', 'open, exposed'];

let caught: ActorRuntime | undefined;

/** The tree that opens next in this process is the one to speak to. */
function catchRuntime(): void {
  const open = ActorRuntime.prototype.open;
  ActorRuntime.prototype.open = function (this: ActorRuntime): void {
    caught = this;
    open.call(this);
  };
}

async function untilOr(ms: number, isSo: () => boolean): Promise<boolean> {
  for (const end = performance.now() + ms; performance.now() < end; await pause(10)) if (isSo()) return true;
  return isSo();
}

export class DirectedWorld {
  readonly problems: string[] = [];
  readonly #world: PaperWorld;
  readonly #runtime: ActorRuntime;
  readonly #lives = new Map<string, Life>();
  #targets: Target[] = [];
  readonly #marks = new Map<string, number>();
  #told = 0;

  private constructor(world: PaperWorld, runtime: ActorRuntime) {
    this.#world = world;
    this.#runtime = runtime;
    runtime.observe((committed) => this.#row(committed));
    const { faults } = world.venue.server;
    const strike = faults.strike.bind(faults);
    faults.strike = (place, what, at, field) => {
      const strikes = strike(place, what, at, field);
      for (const { rule } of strikes) this.#struck(rule, at, field);
      return strikes;
    };
  }

  static async open(t: Parameters<typeof PaperWorld.open>[0]): Promise<DirectedWorld> {
    registerStrategy(STILL, () => ({
      name: STILL,
      version: 1,
      warmUpMs: 0,
      initial: () => null,
      step: (state) => ({ state }),
    }));
    catchRuntime();
    const world = await PaperWorld.open(t, { symbols: TABLE_SYMBOLS, speed: SPEED, config: CONFIG });
    await world.begin();
    if (!caught) throw new Error('no runtime has opened');
    return new DirectedWorld(world, caught);
  }

  /**
   * Strikes classes in their states, one symbol for each pair: what is scoped to a symbol as many at once as there
   * are symbols, what strikes the whole account alone. What was not met after some tries is left out.
   */
  async strikeAll(
    wanted: readonly Wanted[],
    onEnd: (batch: readonly Wanted[], found: readonly Directed[]) => void,
  ): Promise<void> {
    for (const batch of batchesOf(wanted)) {
      let symbols = [...TABLE_SYMBOLS];
      const found = await Promise.all(
        batch.map(({ fault, states }) => {
          const own = symbols.slice(0, states.length);
          symbols = symbols.slice(states.length);
          return this.#strike(fault, states, own);
        }),
      );
      this.#world.venue.server.clearFaults();
      onEnd(batch, found.flat());
    }
  }

  async #strike(
    fault: FaultClass,
    states: readonly State[],
    symbols: readonly string[],
  ): Promise<Directed[]> {
    const found: Directed[] = [];
    let left = states;
    for (let attempt = 0; attempt < TRIES && left.length > 0; attempt++) {
      for (const { state, strike } of await this.#round(fault, left, symbols))
        if (strike) found.push({ fault: fault.name, state, cell: cellOf(strike, state) });
      left = states.filter((state) => !found.some((one) => one.state === state));
    }
    return found;
  }

  /** What the venue booked against what was intended and believed. */
  async end(): Promise<readonly string[]> {
    await this.#world.stop();
    const facts = new JournalFacts();
    for (const row of this.#world.rows()) facts.take(row);
    const ledger = this.#world.venue.ledger() as unknown as SoakLedger;
    return [
      ...this.problems,
      ...facts.problems,
      ...checkOrders(ledger, facts, CLOCKS_APART_MS * SPEED),
      ...checkResults(ledger, facts),
      ...this.#world.venue.server.violations(),
    ];
  }

  async #round(
    fault: FaultClass,
    states: readonly State[],
    symbols: readonly string[],
  ): Promise<readonly Target[]> {
    const targets = states.map(
      (state, i): Target => ({
        symbol: symbols[i] ?? '',
        state,
        fault,
        triggered: false,
        armed: false,
        held: false,
      }),
    );
    const ready = await Promise.all(
      targets.map(({ symbol, state }) => (IS_FLAT.includes(state) ? true : this.#enter(symbol))),
    );
    const own = targets.filter((_, i) => ready[i]);
    this.#targets.push(...own);
    await this.#look();
    for (const target of own) this.#trigger(target);
    const account = own.flatMap(({ state, symbol }) => recipe(fault, state, symbol).onAllHeld);
    if (account.length > 0) {
      await untilOr(HELD_MS, () => own.every(({ held }) => held));
      this.#arm(account.filter(({ name }, i) => name !== '*' || i === 0));
    }
    await untilOr(HIT_MS, () => own.every(({ strike }) => strike !== undefined));
    await pause(ANSWER_MS / 2);
    await Promise.all(own.map(({ symbol }) => this.#heal(fault, symbol)));
    await Promise.all(own.map(({ symbol }) => this.#close(fault, symbol)));
    this.#targets = this.#targets.filter((target) => !own.includes(target));
    return own;
  }

  #trigger(target: Target): void {
    const { symbol, state } = target;
    target.triggered = true;
    const life = this.#lives.get(symbol);
    if (IS_FLAT.includes(state)) void this.#enter(symbol);
    else if (life && (state === 'closing' || state === 'settling'))
      this.#tell(life.actor, { type: 'OPERATOR_CLOSE', by: 'test' });
    else if (life && state === 'emergencyClosing') this.#tell(life.actor, { type: 'KILL', reason: 'test' });
    else if (life) {
      const price = this.#price(symbol) * (1 + RISE);
      this.#tell(life.actor, { type: 'PRICE', mark: price, last: price });
    }
  }

  /** A position with its stop, by a signal to the desk: again and again until the desk takes it. */
  async #enter(symbol: string): Promise<boolean> {
    const before = this.#lives.get(symbol);
    const isThere = (): boolean => this.#lives.get(symbol) !== before;
    for (const end = performance.now() + OPENED_MS; performance.now() < end && !isThere(); ) {
      await this.#look();
      const price = this.#price(symbol);
      const signal = {
        kind: 'enter',
        direction: 'long',
        symbol,
        price,
        stopPrice: price * (1 - STOP),
        trailDistance: price * TRAIL,
        atrPercent: 0.5,
        reason: 'directed',
      };
      this.#tell(`entry/${symbol}`, { type: 'SIGNAL', signal });
      await untilOr(SIGNAL_AGAIN_MS, isThere);
    }
    const isCovered = await untilOr(OPENED_MS, () => this.#stateOf(symbol) === 'open, covered');
    return isCovered && isThere();
  }

  #price(symbol: string): number {
    return this.#marks.get(symbol) ?? 0;
  }

  /** The prices of now; in bad weather those of a while ago do. */
  async #look(): Promise<void> {
    const answer = await fetch(`${this.#world.venue.server.url}/fapi/v1/premiumIndex`).catch(() => undefined);
    if (answer?.status !== 200) return;
    for (const { symbol, markPrice } of (await answer.json()) as { symbol: string; markPrice: string }[])
      this.#marks.set(symbol, Number(markPrice));
  }

  #tell(to: string, event: object): void {
    this.#told += 1;
    const cause = { kind: 'external', id: `directed:${this.#told}` } as const;
    this.#runtime.tell({ to: to as never, event: event as ActorEvent, cause });
  }

  /** Flat, or protected in its whole quantity at the venue, with nothing unknown. */
  async #heal(fault: FaultClass, symbol: string): Promise<void> {
    const isWell = (): boolean => {
      if (this.#unknown(symbol)) return false;
      const held = this.#heldAtVenue(symbol);
      const life = this.#lives.get(symbol);
      if (!life || life.isOver) return D.isZero(held);
      return (
        this.#stateOf(symbol) === 'open, covered' &&
        D.eq(held, D.decimal(life.quantity)) &&
        D.lte(held, this.#protectedAtVenue(symbol))
      );
    };
    if (await untilOr(HEALED_MS, isWell)) return;
    const life = this.#lives.get(symbol);
    this.problems.push(
      `${fault.name}: ${symbol} neither flat nor protected: ${this.#stateOf(symbol)}, journal ${life?.quantity}, venue ${this.#heldAtVenue(symbol)}, stops ${this.#protectedAtVenue(symbol)}`,
    );
  }

  async #close(fault: FaultClass, symbol: string): Promise<void> {
    const life = this.#lives.get(symbol);
    if (life) life.own = life.steps.length;
    if (life && !life.isOver) this.#tell(life.actor, { type: 'OPERATOR_CLOSE', by: 'test' });
    const isFlat = (): boolean =>
      (!life || life.isOver) && D.isZero(this.#heldAtVenue(symbol)) && !this.#unknown(symbol);
    if (!(await untilOr(HEALED_MS, isFlat)))
      this.problems.push(`${fault.name}: ${symbol} did not close: ${this.#stateOf(symbol)}`);
    if (!D.isZero(this.#protectedAtVenue(symbol)))
      this.problems.push(`${fault.name}: a stop of ${symbol} was left at the venue`);
  }

  #unknown(symbol: string): boolean {
    const orders = (this.#world.status().venue?.unknownOrders ?? []) as readonly unknown[];
    return orders.some((order) => JSON.stringify(order).includes(symbol));
  }

  #heldAtVenue(symbol: string): D.Decimal {
    const positions = (this.#world.venue.ledger()?.positions ?? []) as unknown as SoakLedger['positions'];
    return D.decimal(positions.find((position) => position.symbol === symbol)?.quantity ?? '0');
  }

  #protectedAtVenue(symbol: string): D.Decimal {
    const stops = this.#world.openStops().filter((stop) => stop.symbol === symbol);
    return D.sum(stops.map(({ quantity }) => D.decimal(String(quantity))));
  }

  #stateOf(symbol: string): State | undefined {
    const life = this.#lives.get(symbol);
    return life?.isOver ? undefined : life?.steps.at(-1)?.state;
  }

  #row({ row, intents }: Committed): void {
    if (actorType(row.actor) !== 'position') return;
    const symbol = row.actor.split('/')[1] ?? '';
    let life = this.#lives.get(symbol);
    if (life?.actor !== row.actor) {
      life = { actor: row.actor, steps: [], refs: new Map(), isOver: false, quantity: '0' };
      this.#lives.set(symbol, life);
    }
    const before = life.steps.at(-1)?.state;
    const state = stateOf(row);
    life.steps.push({ at: row.at, state, event: eventOf(row) });
    if (row.snapshot !== null) {
      const { value, context } = JSON.parse(row.snapshot) as { value: unknown; context: PositionContext };
      life.quantity = context.quantity;
      life.isOver = value === 'closed' || value === 'abandoned' || value === 'failed';
    }
    for (const intent of intents)
      if (intent.type === 'order.submit') life.refs.set(intent.order.clientOrderId, intent.order.ref);
    if (state !== before) this.#entered(symbol, state);
  }

  /** Before what the row sends has left: that needs another turn. */
  #entered(symbol: string, state: State | undefined): void {
    const target = this.#targets.find((one) => one.symbol === symbol && one.state === state);
    if (!target?.triggered || target.armed) return;
    target.armed = true;
    this.#arm(recipe(target.fault, target.state, symbol).onEntry);
  }

  #arm(rules: readonly object[]): void {
    if (rules.length > 0) this.#world.venue.server.addFaults(parseFaults(rules));
  }

  #struck(rule: string, at: number, field?: FieldReader): void {
    const asked = field?.('symbol') ?? field?.('o.s');
    for (const target of this.#targets) {
      if (rule === HOLD && target.symbol === asked) target.held = true;
      if (rule !== '*' && rule !== target.symbol) continue;
      const life = this.#lives.get(target.symbol);
      if (target.strike || !life || this.#stateOf(target.symbol) !== target.state) continue;
      const order = ORDER_FIELDS.map((name) => field?.(name)).find((name) => name !== undefined);
      target.strike = { at, symbol: target.symbol, life, index: life.steps.length - 1, order };
    }
  }
}
