/**
 * Kills runtime, exchange and store at random instants, and holds the venue's books against the journal: after
 * each round what can be seen from outside, at the end everything.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  checkOrders,
  checkResults,
  JournalFacts,
  type SoakLedger,
  withoutStop,
} from '../../src/app/simulation/ledger-checks.ts';
import { type Random, seededRandom } from '../../src/core/random.ts';
import { type Gap, gapsOf, percentile, whileUp } from './protection-gaps.ts';
import { briefly, SoakWorld, type Victim, type WorldOptions } from './venue-soak-world.ts';

export interface SoakPlan extends WorldOptions {
  readonly kills: number;
  /** Longest pause between two kills, real ms. */
  readonly longestMs: number;
  /** What is killed, in this order and over again; absent: drawn. */
  readonly victims?: readonly Victim[];
  /** Real time to trade before the first kill. */
  readonly firstMs?: number;
  /** The first kill waits until the venue has taken so many orders. */
  readonly firstOrders?: number;
  /** Goes on without kills until then. */
  readonly until?: () => Promise<boolean>;
  readonly onRound?: (line: string) => void;
}

export interface SoakReport {
  readonly problems: readonly string[];
  readonly kills: Readonly<Record<string, number>>;
  /** From the restart to every position protected and reconciled, real ms. */
  readonly recoveryMs: Readonly<Record<string, Quantiles>>;
  /** From a fill to its stop as the venue saw it, while all was up; real ms. */
  readonly fillToStopMs: Quantiles;
  /** All gaps, kills included; real ms. */
  readonly unprotectedMs: Quantiles & { readonly total: number; readonly longestWhileUp: number };
  readonly faults: Readonly<Record<string, number>>;
  readonly trades: number;
  readonly orders: number;
  readonly rows: number;
  readonly wallet: string;
  readonly notices: Readonly<Record<string, number>>;
  readonly breakers: Readonly<Record<string, number>>;
  readonly venueHours: number;
  readonly seconds: number;
  /** The venue's clock: first position possible, and the end. */
  readonly from: number;
  readonly to: number;
  readonly facts: JournalFacts;
  readonly downtimes: SoakWorld['downtimes'];
}

interface Quantiles {
  readonly count: number;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** How long everything may take to agree once nothing goes wrong any more. */
const HEALED_LIMIT_MS = 120_000;
/** Both clocks are measured, never set: so far apart they may be, real ms. */
const CLOCKS_APART_MS = 250;
/** The longest that a position may stand without a stop while everything is up, real ms. */
const UNPROTECTED_BOUND_MS = 45_000;
const EARLY_SHARE = 0.2;
const EARLY_LONGEST_MS = 2_500;
const DOWN_LONGEST_MS = 1_500;

export async function soak(plan: SoakPlan): Promise<SoakReport | string> {
  const startedAt = performance.now();
  const world = await SoakWorld.begin(plan);
  if (typeof world === 'string') return world;
  const run = new Soak(world, plan);
  try {
    await run.kills();
    while (plan.until && !(await plan.until())) await pause(500);
    await run.heal();
    return await run.report(startedAt);
  } catch (error) {
    throw new Error(`seed ${plan.seed}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  } finally {
    await world.end();
  }
}

class Soak {
  readonly #world: SoakWorld;
  readonly #plan: SoakPlan;
  readonly #random: Random;
  readonly #facts = new JournalFacts();
  readonly #problems = new Set<string>();
  readonly #kills = new Map<Victim, number>();
  readonly #recovery = new Map<Victim, number[]>();
  #beganAt = 0;
  #told = 0;

  constructor(world: SoakWorld, plan: SoakPlan) {
    this.#world = world;
    this.#plan = plan;
    this.#random = seededRandom(plan.seed);
  }

  async kills(): Promise<void> {
    const world = this.#world;
    this.#beganAt = world.venueNow;
    await world.untilSafe(0);
    this.#plan.onRound?.(`safe for the first time after ${Math.round(performance.now())} ms`);
    await pause(this.#plan.firstMs ?? 0);
    while ((await world.ledger()).orders.length < (this.#plan.firstOrders ?? 0)) await pause(250);
    for (let round = 0; this.#count < this.#plan.kills; round++) {
      await pause(this.#random.int(this.#plan.longestMs));
      const what = this.#victim(round);
      await this.#strike(what);
      for (const problem of this.#news()) this.#plan.onRound?.(`PROBLEM ${problem}`);
      this.#plan.onRound?.(
        `${this.#count} kills, last ${what}: safe after ${Math.round(this.#recovery.get(what)?.at(-1) ?? 0)} ms, ` +
          `${this.#facts.rows} rows, ${this.#problems.size} problems`,
      );
    }
  }

  #news(): string[] {
    const news = [...this.#problems].slice(this.#told);
    this.#told = this.#problems.size;
    return news;
  }

  get #count(): number {
    return [...this.#kills.values()].reduce((sum, count) => sum + count, 0);
  }

  #victim(round: number): Victim {
    const { victims } = this.#plan;
    if (victims) return victims[round % victims.length] ?? 'runtime';
    const dice = this.#random.next();
    if (dice < 0.2 && this.#world.victims.includes('postgres')) return 'postgres';
    return dice < 0.45 ? 'exchange' : 'runtime';
  }

  async #strike(what: Victim): Promise<void> {
    const world = this.#world;
    await this.#kill(what);
    await this.#lookWhileDead(what);
    await pause(this.#random.int(DOWN_LONGEST_MS));
    const since = what === 'exchange' ? undefined : world.venueNow;
    let restartedAt = performance.now();
    await world.start(what);
    // Once more, while it starts or recovers.
    if (what === 'runtime' && this.#random.next() < EARLY_SHARE) {
      await pause(this.#random.int(EARLY_LONGEST_MS));
      await this.#kill(what);
      restartedAt = performance.now();
      await world.start(what);
    }
    await world.untilSafe(since ?? world.venueNow);
    const times = this.#recovery.get(what) ?? [];
    times.push(performance.now() - restartedAt);
    this.#recovery.set(what, times);
    world.isUp();
    for (const problem of await this.#violations()) this.#problems.add(problem);
  }

  async #kill(what: Victim): Promise<void> {
    await this.#world.kill(what);
    this.#kills.set(what, (this.#kills.get(what) ?? 0) + 1);
  }

  /** Nobody sends any more: whatever has reached the venue must stand in the journal. */
  async #lookWhileDead(what: Victim): Promise<void> {
    if (what !== 'runtime') return;
    // What was on its way may still arrive, and its row is older than that.
    const ledger = await this.#world.ledger();
    await this.#read();
    for (const problem of this.#compareOrders(ledger)) this.#problems.add(problem);
  }

  async #read(): Promise<void> {
    for await (const row of this.#world.rows(this.#facts.last)) this.#facts.take(row);
  }

  #compareOrders(ledger: SoakLedger): string[] {
    return checkOrders(ledger, this.#facts, CLOCKS_APART_MS * this.#plan.speed);
  }

  async #violations(): Promise<string[]> {
    const { violations } = await this.#world.admin<{ violations: string[] }>('GET', '/violations');
    return violations.map((violation) => `the venue contradicts itself: ${violation}`);
  }

  /** No fault any more: what the runtime shows and what the venue holds come to be the same. */
  async heal(): Promise<void> {
    const world = this.#world;
    await world.countFaults();
    await world.admin('DELETE', '/faults');
    let apart: string[] = ['nothing was compared'];
    for (const end = performance.now() + HEALED_LIMIT_MS; performance.now() < end; await pause(100)) {
      apart = await this.#apart();
      if (apart.length === 0) return this.#plan.onRound?.('healed: the books agree');
    }
    this.#problems.add(`${HEALED_LIMIT_MS} ms after the last fault: ${apart.join('; ')}`);
    this.#plan.onRound?.(JSON.stringify(briefly(world.status()), null, 1));
  }

  async #apart(): Promise<string[]> {
    const world = this.#world;
    const ledger = await world.ledger();
    // A status that was written after the ledger was read.
    const read = Date.now();
    await world.until('a newer status', ({ updatedAt }) => updatedAt > read);
    const status = world.status();
    if (!status?.venue) return ['there is no status'];
    const held = Object.fromEntries(
      ledger.positions.filter(({ quantity }) => Number(quantity) !== 0).map((p) => [p.symbol, p.quantity]),
    );
    const believed = Object.fromEntries(
      status.positions.map(({ symbol, direction, quantity }) => [
        symbol,
        direction === 'long' ? quantity : `-${quantity}`,
      ]),
    );
    const differ = (a: unknown, b: unknown): boolean =>
      JSON.stringify(sorted(a)) !== JSON.stringify(sorted(b));
    return [
      ...(differ(numbers(held), numbers(believed))
        ? [`the venue holds ${JSON.stringify(held)}, the journal ${JSON.stringify(believed)}`]
        : []),
      ...(Number(ledger.wallet) !== Number(status.account.wallet)
        ? [`the venue's wallet is ${ledger.wallet}, the journal's ${status.account.wallet}`]
        : []),
      ...status.venue.unknownOrders.map(({ owner, ref }) => `${ref} of ${owner} is UNKNOWN`),
      ...(status.venue.reconcile.ready ? [] : ['it is still reconciling']),
      ...withoutStop(ledger),
    ];
  }

  async report(startedAt: number): Promise<SoakReport> {
    const world = this.#world;
    const code = await world.stopRuntime();
    if (code !== 143 && code !== 0) this.#problems.add(`the runtime ended with ${code}`);
    const until = world.venueNow;
    const ledger = await world.ledger();
    await this.#read();
    const facts = this.#facts;
    for (const problem of [...facts.problems, ...this.#compareOrders(ledger), ...checkResults(ledger, facts)])
      this.#problems.add(problem);
    for (const problem of await this.#violations()) this.#problems.add(problem);
    const replayed = await world.replay();
    if (replayed.code !== 0) this.#problems.add(`replay: ${replayed.stderr.slice(-500)}`);
    const { speed } = this.#plan;
    const gaps = gapsOf(ledger, until);
    const up = gaps.map((gap) => whileUp(gap, world.downtimes) / speed);
    for (const [i, gap] of gaps.entries()) this.#judge(gap, up[i] ?? 0, speed);
    const whole = gaps.map(({ from, to }) => (to - from) / speed);
    const undisturbed = gaps.filter((gap, i) => Math.abs((up[i] ?? 0) * speed - (gap.to - gap.from)) < 1);
    return {
      problems: [...this.#problems],
      kills: Object.fromEntries(this.#kills),
      recoveryMs: Object.fromEntries([...this.#recovery].map(([what, times]) => [what, quantiles(times)])),
      fillToStopMs: quantiles(undisturbed.map(({ from, to }) => (to - from) / speed)),
      unprotectedMs: {
        ...quantiles(whole),
        total: Math.round(whole.reduce((sum, ms) => sum + ms, 0)),
        longestWhileUp: Math.round(Math.max(0, ...up)),
      },
      faults: Object.fromEntries([...world.faultHits].sort()),
      trades: facts.closed.filter(({ trade }) => trade !== null).length,
      orders: ledger.orders.length + ledger.algoOrders.length,
      rows: facts.rows,
      wallet: ledger.wallet,
      notices: Object.fromEntries([...facts.notices].sort((a, b) => b[1] - a[1])),
      breakers: countsOf(facts.halts.map(({ what }) => what)),
      venueHours: Math.round((until - this.#beganAt) / 360_000) / 10,
      seconds: Math.round((performance.now() - startedAt) / 1_000),
      from: this.#beganAt,
      to: until,
      facts,
      downtimes: world.downtimes,
    };
  }

  #judge(gap: Gap, upMs: number, speed: number): void {
    if (upMs <= UNPROTECTED_BOUND_MS) return;
    const text = `${gap.symbol} stood without its stop from ${new Date(gap.from).toISOString()}`;
    this.#problems.add(
      `${text} for ${Math.round((gap.to - gap.from) / speed)} real ms, ${Math.round(upMs)} of it up`,
    );
  }
}

const sorted = (value: unknown): unknown =>
  Object.entries(value as object).sort(([a], [b]) => (a < b ? -1 : 1));

const numbers = (amounts: Readonly<Record<string, string>>): Record<string, number> =>
  Object.fromEntries(Object.entries(amounts).map(([symbol, amount]) => [symbol, Number(amount)]));

function countsOf(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function quantiles(values: readonly number[]): Quantiles {
  const round = (value: number | null): number | null => (value === null ? null : Math.round(value));
  return {
    count: values.length,
    p50: round(percentile(values, 0.5)),
    p99: round(percentile(values, 0.99)),
    max: values.length > 0 ? Math.round(Math.max(...values)) : null,
  };
}
