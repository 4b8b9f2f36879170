/**
 * Every emergency path under every day of faults: the real runtime and the real local exchange, over sockets, in this
 * process. What came of it is read from the venue's own ledger.
 *
 * One symbol for each path, all at once: entered in calm weather, then the faults are armed and the emergency begins.
 * Each day has a world of its own.
 */
import { engageKill, releaseKill } from '../../src/app/kill/kill-file.ts';
import { killLogText } from '../../src/app/kill/kill-log.ts';
import { leaveRequest } from '../../src/app/requests/person-requests.ts';
import {
  checkOrders,
  checkResults,
  JournalFacts,
  type SoakLedger,
} from '../../src/app/simulation/ledger-checks.ts';
import * as D from '../../src/core/decimal.ts';
import { KILL_ORDERS } from '../../src/core/ids.ts';
import type { ActorEvent } from '../../src/domain/events.ts';
import { registerStrategy } from '../../src/strategy/strategy.ts';
import { DEMO_ACCOUNT } from '../../src/venue-server/demo-account.ts';
import { parseFaults } from '../../src/venue-server/faults-parse.ts';
import { ActorRuntime } from '../../supervisors/actor-runtime.ts';
import {
  type DayOfFaults,
  type EmergencyPath,
  faultsFor,
  type Hand,
  KILL_PATH,
  MARGIN_PATH,
  MARGINED,
  PATHS,
} from './emergency-paths.ts';
import { CONFIG, STILL } from './fault-targets.ts';
import { PaperWorld, pause } from './paper-world.ts';
import { gapsOf } from './protection-gaps.ts';

/** A day must be over before the market's first quarter of an hour closes: its bar would be too absurd to trade on. */
const SPEED = 10;
/** An order that never arrived is known as such only when it cannot arrive any more, in real time; the rest is margin. */
const LIMIT_MS = 75_000;
const RECV_WINDOW_MS = 2_500;
const CLOCKS_APART_MS = 250;
const SIGNAL_AGAIN_MS = 300;
const BALANCE = '10000';
/** Left of the wallet while margin is short, of what is open: more than its margin, and 45/58 of it are maintenance. */
const LEFT_SHARE = '0.58';
/** Maintenance of a bracket that makes the account short, and of one that a fall of two percent is too much for. */
const [SHORT_RATE, NO_RATE] = ['0.45', '0.49'];
const FOR_EVER_MS = 30 * 86_400_000;

const EMERGENCY_CONFIG = {
  ...CONFIG,
  // The rules act before the stop, and the venue does not liquidate unless a bracket makes it.
  risk: {
    ...CONFIG.risk,
    maxLeverage: 2,
    volatility: { enabled: false },
    stop: { adaptive: false, hardCapPercent: '90' },
  },
  // What is lost here is much of the little that is left while margin is short.
  breakers: { ...CONFIG.breakers, maxWeeklyLossPercent: '90' },
  venue: { ...CONFIG.venue, callTimeoutMs: 1_000, recvWindowMs: RECV_WINDOW_MS, marginMode: 'isolated' },
};

/** What came of one path under one day's faults; real ms. */
export interface Outcome {
  readonly path: string;
  readonly day: string;
  /** From its beginning to flat, by the venue's trades; null: it stays open by design. */
  readonly flatMs: number | null;
  /** Longest time without a stop for all that was open. */
  readonly bareMs: number;
  /** How the trade reads. */
  readonly reason: string | null;
}

let caught: ActorRuntime | undefined;
let isPrepared = false;

/** The tree that opens next in this process is the one to speak to, and its strategy says nothing. */
function prepare(): void {
  caught = undefined;
  if (isPrepared) return;
  isPrepared = true;
  registerStrategy(STILL, () => ({
    name: STILL,
    version: 1,
    warmUpMs: 0,
    initial: () => null,
    step: (state) => ({ state }),
  }));
  const { open } = ActorRuntime.prototype;
  ActorRuntime.prototype.open = function (this: ActorRuntime): void {
    caught = this;
    open.call(this);
  };
}

export class EmergencyWorld {
  readonly problems: string[] = [];
  readonly #world: PaperWorld;
  readonly #runtime: ActorRuntime;
  readonly #hand: Hand;
  #told = 0;

  private constructor(world: PaperWorld, runtime: ActorRuntime) {
    this.#world = world;
    this.#runtime = runtime;
    const { server, market } = world.venue;
    const now = (): number => world.venue.clock.now();
    this.#hand = {
      opinion: (symbol, confidence) =>
        this.#tell(`entry/${symbol}`, {
          type: 'OPINION',
          opinion: { direction: 'long', confidence, reason: 'a test' },
        }),
      move: (symbol, share) => market.shock(symbol, share, FOR_EVER_MS),
      deleverage: (symbol) => {
        const step = market.instrument(symbol)?.stepSize ?? '1';
        const quantity = D.floorTo(D.div(this.#held(symbol), '2', 12), step);
        server.feed({ type: 'ADL', at: now(), symbol, quantity }, DEMO_ACCOUNT);
      },
      withoutMargin: (symbol) => {
        this.#maintain(symbol, NO_RATE);
        market.shock(symbol, -0.04, FOR_EVER_MS);
      },
      operatorClose: (symbol) => void this.#ask({ kind: 'close', symbol }),
    };
  }

  static async open(t: Parameters<typeof PaperWorld.open>[0]): Promise<EmergencyWorld> {
    prepare();
    const symbols = [...PATHS.map(({ symbol }) => symbol), ...MARGINED];
    const world = await PaperWorld.open(t, {
      symbols,
      speed: SPEED,
      balance: BALANCE,
      config: EMERGENCY_CONFIG,
    });
    await world.begin();
    if (!caught) throw new Error('no runtime has opened');
    return new EmergencyWorld(world, caught);
  }

  async day(day: DayOfFaults): Promise<Outcome[]> {
    const calm = PATHS.filter(({ begin }) => begin !== undefined);
    for (const { own, symbol } of PATHS) this.#arm(own?.(symbol) ?? []);
    await Promise.all([
      ...calm.map(({ symbol, stop }) => this.#enter(symbol, stop)),
      ...MARGINED.map((symbol) => this.#enter(symbol, 0.06)),
    ]);
    const single = await this.#singles(day);
    const margin = await this.#margin(day);
    const kill = await this.#kill(day);
    return [...single, margin, kill];
  }

  /** What the venue booked, against what was intended and believed. */
  async end(): Promise<readonly string[]> {
    await this.#world.stop();
    const facts = this.#facts();
    const ledger = this.#ledger();
    // Where the journal's way took too long the kill switch had orders of its own, each in its log before it left.
    const ofKill = killLogText(this.#world.dataDir);
    const orders = ledger.orders.filter(
      ({ clientOrderId: id }) => !(id.startsWith(KILL_ORDERS) && ofKill.includes(id)),
    );
    return [
      ...this.problems,
      ...facts.problems,
      ...checkOrders({ ...ledger, orders }, facts, CLOCKS_APART_MS * SPEED),
      ...checkResults(ledger, facts),
      ...ledger.positions.map(({ symbol, quantity }) => `${quantity} ${symbol} is left`),
      ...this.#world.venue.server.violations(),
    ];
  }

  async #singles(day: DayOfFaults): Promise<Outcome[]> {
    for (const { symbol, struck } of PATHS) this.#arm(faultsFor(day, symbol, struck));
    await this.#storm(day);
    const from = this.#now();
    for (const { begin, symbol } of PATHS) begin?.(this.#hand, symbol);
    const outcomes = await Promise.all(PATHS.map((path) => this.#single(day, path, from)));
    for (const { symbol } of PATHS) this.#maintain(symbol, null);
    return outcomes;
  }

  async #single(day: DayOfFaults, path: EmergencyPath, from: number): Promise<Outcome> {
    const { name, symbol, reason, begin } = path;
    const what = `${name}, ${day.name}`;
    // Entered under the faults: its own, and the day's. It begins once something is open.
    if (!begin) await this.#signal(symbol, path.stop, () => this.#tradesSince(symbol, from).length > 0);
    const begun = begin ? from : (this.#tradesSince(symbol, from)[0]?.time ?? from);
    if (reason !== null) return this.#ended(day, name, symbol, begun, reason);
    await this.#until(what, () => this.#tradesSince(symbol, from).length > 0);
    await this.#until(what, () => D.eq(this.#protected(symbol), this.#held(symbol)) && this.#isCalm(symbol));
    return { path: name, day: day.name, flatMs: null, bareMs: this.#bareMs(symbol, from), reason: null };
  }

  /** The account is short: one of the two is closed, and the other stays. */
  async #margin(day: DayOfFaults): Promise<Outcome> {
    const { server } = this.#world.venue;
    const { wallet } = this.#ledger();
    const worth = this.#open().map((symbol) =>
      D.mul(this.#held(symbol), D.fromNumber(this.#world.venue.market.quote(symbol)?.mark ?? 0)),
    );
    const out = D.round(D.sub(wallet, D.mul(D.sum(worth), LEFT_SHARE)), 2);
    const from = this.#now();
    for (const symbol of MARGINED) this.#arm(faultsFor(day, symbol, undefined));
    await this.#storm(day);
    for (const symbol of this.#open()) this.#maintain(symbol, SHORT_RATE);
    server.feed({ type: 'DEPOSIT', at: from, amount: D.neg(out) }, DEMO_ACCOUNT);
    const isOut = (symbol: string): boolean => this.#tradesSince(symbol, from).length > 0;
    await this.#until(
      `${MARGIN_PATH}, ${day.name}`,
      () => this.#open().length > 0 && this.#symbols().some(isOut),
    );
    const [closed = ''] = this.#symbols().filter(isOut);
    const outcome = await this.#ended(day, MARGIN_PATH, closed, from, /margin/);
    server.feed({ type: 'DEPOSIT', at: this.#now(), amount: out }, DEMO_ACCOUNT);
    for (const symbol of this.#symbols()) this.#maintain(symbol, null);
    return outcome;
  }

  /** Whatever is still open goes at once. */
  async #kill(day: DayOfFaults): Promise<Outcome> {
    const { dataDir } = this.#world;
    const open = this.#open();
    for (const symbol of open) this.#arm(faultsFor(day, symbol, undefined));
    await this.#storm(day);
    const from = this.#now();
    engageKill(dataDir, { by: 'test', reason: day.name, accountWide: false, at: Date.now() });
    const outcomes = await Promise.all(
      open.map((symbol) => this.#ended(day, KILL_PATH, symbol, from, /^kill/)),
    );
    if (open.length === 0) this.problems.push(`${day.name}: nothing was left to kill`);
    releaseKill(dataDir, 'test', 'over', Date.now());
    await this.#until('trading again', () => this.#world.status().tradingState === 'active');
    const slowest = (of: (one: Outcome) => number): number => Math.max(0, ...outcomes.map(of));
    return {
      path: KILL_PATH,
      day: day.name,
      flatMs: slowest(({ flatMs }) => flatMs ?? 0),
      bareMs: slowest(({ bareMs }) => bareMs),
      reason: outcomes[0]?.reason ?? null,
    };
  }

  async #ended(
    day: DayOfFaults,
    path: string,
    symbol: string,
    from: number,
    wanted: RegExp,
  ): Promise<Outcome> {
    const what = `${path}, ${day.name}: ${symbol}`;
    await this.#until(`${what} flat at the venue`, () => D.isZero(this.#held(symbol)));
    await this.#until(`${what} over`, () => this.#closedSince(symbol, from) !== undefined);
    await this.#until(`${what} leaves no order`, () => this.#isBare(symbol));
    const reason = this.#closedSince(symbol, from)?.reason ?? '';
    if (!wanted.test(reason)) this.problems.push(`${what} reads "${reason}"`);
    const last = this.#tradesSince(symbol, from).at(-1)?.time ?? from;
    const flatMs = Math.round((last - from) / SPEED);
    return { path, day: day.name, flatMs, bareMs: this.#bareMs(symbol, from), reason };
  }

  /** A position with its stop, by a signal to the desk: again and again until the desk takes it. */
  async #enter(symbol: string, stop: number): Promise<void> {
    const isIn = (): boolean => !D.isZero(this.#held(symbol));
    await this.#signal(symbol, stop, isIn);
    await this.#until(`${symbol} covered`, () => D.eq(this.#protected(symbol), this.#held(symbol)));
    await this.#until(`${symbol} calm`, () => this.#isCalm(symbol));
  }

  async #signal(symbol: string, stop: number, isIn: () => boolean): Promise<void> {
    let next = 0;
    await this.#until(`${symbol} entered`, () => {
      if (isIn()) return true;
      if (performance.now() < next) return false;
      next = performance.now() + SIGNAL_AGAIN_MS;
      const price = this.#world.venue.market.quote(symbol)?.mark ?? 0;
      const prices = { price, stopPrice: price * (1 - stop), trailDistance: price * 0.04 };
      const signal = { kind: 'enter', direction: 'long', symbol, ...prices, atrPercent: 0.5, reason: 'test' };
      this.#tell(`entry/${symbol}`, { type: 'SIGNAL', signal });
      return false;
    });
  }

  /** Weather comes with the venue's next second. */
  async #storm({ weather, name }: DayOfFaults): Promise<void> {
    if (!weather) return;
    const { server } = this.#world.venue;
    const before = server.faults.report().length;
    this.#arm([weather]);
    await this.#until(`${name} strikes`, () => (server.faults.report()[before]?.hits ?? 0) > 0);
  }

  #maintain(symbol: string, rate: string | null): void {
    const { market } = this.#world.venue;
    const now = market.instrument(symbol);
    const first = this.#brackets.get(symbol) ?? now?.brackets ?? [];
    this.#brackets.set(symbol, first);
    if (!now) return;
    const brackets =
      rate === null ? first : first.map((one) => ({ ...one, maintMarginRate: rate, cum: '0' }));
    if (JSON.stringify(brackets) !== JSON.stringify(now.brackets))
      market.changeInstrument({ ...now, brackets });
  }
  readonly #brackets = new Map<
    string,
    NonNullable<ReturnType<PaperWorld['venue']['market']['instrument']>>['brackets']
  >();

  #arm(rules: readonly object[]): void {
    if (rules.length > 0) this.#world.venue.server.addFaults(parseFaults(rules));
  }

  #ask(command: Parameters<typeof leaveRequest>[1]['command']): void {
    leaveRequest(this.#world.dataDir, { command, by: 'test', at: Date.now() });
  }

  #tell(to: string, event: object): void {
    this.#told += 1;
    const cause = { kind: 'external', id: `emergency:${this.#told}` } as const;
    this.#runtime.tell({ to: to as never, event: event as ActorEvent, cause });
  }

  async #until(what: string, isSo: () => boolean): Promise<void> {
    for (const end = performance.now() + LIMIT_MS; performance.now() < end; await pause(20))
      if (isSo()) return;
    throw new Error(`never: ${what}; ${this.#world.io.err().slice(-3_000)}`);
  }

  #now = (): number => this.#world.venue.clock.now();
  #ledger = (): SoakLedger => this.#world.venue.ledger() as unknown as SoakLedger;
  #symbols = (): string[] => [...PATHS.map(({ symbol }) => symbol), ...MARGINED];
  #open = (): string[] => this.#symbols().filter((symbol) => !D.isZero(this.#held(symbol)));

  #held(symbol: string): D.Decimal {
    return D.decimal(this.#ledger().positions.find((one) => one.symbol === symbol)?.quantity ?? '0');
  }

  #protected(symbol: string): D.Decimal {
    const stops = this.#world.openStops().filter((stop) => stop.symbol === symbol);
    return D.sum(stops.map(({ quantity }) => D.decimal(String(quantity))));
  }

  /** Nothing of it is at the venue any more. */
  #isBare(symbol: string): boolean {
    const resting = this.#ledger().orders.some(
      (one) => one.symbol === symbol && /^(NEW|PARTIALLY)/.test(one.status),
    );
    return !resting && D.isZero(this.#protected(symbol));
  }

  #tradesSince(symbol: string, from: number): SoakLedger['trades'] {
    return this.#ledger().trades.filter((trade) => trade.symbol === symbol && trade.time >= from);
  }

  /** `from` is the venue's time, and the row's is the runtime's. */
  #closedSince(symbol: string, from: number): { readonly reason: string } | undefined {
    const since = from - CLOCKS_APART_MS * SPEED;
    return (
      this.#facts().closed.findLast(
        ({ actor, at, trade }) => actor.split('/')[1] === symbol && at >= since && trade !== null,
      )?.trade ?? undefined
    );
  }

  /** The runtime, too, knows all of it: nothing unknown, the newest row of its position says so. */
  #isCalm(symbol: string): boolean {
    const actor = this.#runtime.actorIds().find((id) => id.startsWith(`position/${symbol}/`));
    const text = actor === undefined ? undefined : this.#runtime.actor(actor)?.snapshotText;
    return text?.includes('"protected"') === true && !text.includes('"unknown"');
  }

  #bareMs(symbol: string, from: number): number {
    const gaps = gapsOf(this.#ledger(), this.#now()).filter((gap) => gap.symbol === symbol && gap.to >= from);
    return Math.round(Math.max(0, ...gaps.map((gap) => gap.to - gap.from)) / SPEED);
  }

  /** Read on from where it was. */
  readonly #read = new JournalFacts();
  #facts(): JournalFacts {
    for (const row of this.#world.rows().slice(this.#read.last)) this.#read.take(row);
    return this.#read;
  }
}
