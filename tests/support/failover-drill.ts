/**
 * Takes the account from one process to the other, again and again: by SIGKILL, by freezing and waking the leader, by
 * handover. After each round what can be seen from outside is held against the journal.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { checkOrders, JournalFacts, withoutStop } from '../../src/app/simulation/ledger-checks.ts';
import { type Random, seededRandom } from '../../src/core/random.ts';
import { jsonLines } from './cli-process.ts';
import { byPhase, type Phases, phasesOf, phasesText } from './failover-phases.ts';
import {
  EpochBounds,
  type FailoverOptions,
  FailoverWorld,
  type Member,
  writersOverlap,
} from './failover-world.ts';
import { percentile } from './protection-gaps.ts';

export type Round = 'kill' | 'freeze' | 'handover';

export interface DrillPlan extends FailoverOptions {
  /** What each round does, in this order. */
  readonly rounds: readonly Round[];
  /** Real time that a leader trades at most before it is struck. */
  readonly longestMs: number;
  /** No round begins later than this after the start; absent: all of them. */
  readonly limitMs?: number;
  readonly onRound?: (line: string) => void;
}

interface Quantiles {
  readonly count: number;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

export interface DrillReport {
  readonly problems: readonly string[];
  readonly rounds: Readonly<Record<string, number>>;
  /** From the signal to the standby's word that everything is protected and reconciled; real ms. */
  readonly killToSafeMs: Quantiles;
  readonly freezeToSafeMs: Quantiles;
  /** Of that, from the account being the standby's to its being safe. */
  readonly takenToSafeMs: Quantiles;
  /** What kills were made of: the rest of the lease, the stages of the start, the way of the word. */
  readonly phasesMs: Readonly<Record<string, Quantiles>>;
  /** From the leader's last entry being possible to the standby's first one. */
  readonly handoverPauseMs: Quantiles;
  /** Positions open at the venue when the leader was struck. */
  readonly openWhenStruck: Quantiles;
  readonly epochs: number;
  readonly orders: number;
  readonly rows: number;
  readonly seconds: number;
}

/** Clocks of this process and the venue are measured, never set; real ms. */
const CLOCKS_APART_MS = 250;
const LONGEST_FREEZE_MS = 1_500;
const AGREE_LIMIT_MS = 60_000;
const OPEN_LIMIT_MS = 60_000;
/** Exit code of a process that was fenced. */
const FENCED = 75;

export async function drill(plan: DrillPlan): Promise<DrillReport | string> {
  const world = await FailoverWorld.begin(plan);
  if (typeof world === 'string') return world;
  try {
    return await new Drill(world, plan).run();
  } finally {
    await world.end();
  }
}

class Drill {
  readonly #world: FailoverWorld;
  readonly #plan: DrillPlan;
  readonly #random: Random;
  readonly #facts = new JournalFacts();
  readonly #epochs = new EpochBounds();
  readonly #problems = new Set<string>();
  readonly #times = { kill: [] as number[], freeze: [] as number[], handover: [] as number[] };
  readonly #taken: number[] = [];
  readonly #phases: Phases[] = [];
  readonly #open: number[] = [];

  constructor(world: FailoverWorld, plan: DrillPlan) {
    this.#world = world;
    this.#plan = plan;
    this.#random = seededRandom(plan.seed);
  }

  async run(): Promise<DrillReport> {
    const begun = performance.now();
    const { rounds, onRound } = this.#plan;
    let leader = this.#world.start('a', false);
    await leader.until('safe', () => leader.said('safe') !== undefined);
    let standby = this.#world.start('b', true);
    for (const [index, round] of rounds.entries()) {
      await standby.untilReady();
      await pause(this.#random.int(this.#plan.longestMs));
      const name = leader.dataDir.endsWith('a') ? 'a' : 'b';
      await this.#round(round, leader, standby);
      await this.#check();
      onRound?.(
        `${index + 1}/${rounds.length} ${round}: ${Math.round(this.#times[round].at(-1) ?? -1)} ms, ` +
          `${this.#open.at(-1)} open, ${this.#facts.rows} rows, ${this.#problems.size} problems` +
          (round === 'kill' ? ` (${phasesText(this.#phases.at(-1) ?? {})})` : ''),
      );
      leader = standby;
      const isLate = performance.now() - begun > (this.#plan.limitMs ?? Number.POSITIVE_INFINITY);
      if (isLate || index + 1 === rounds.length) break;
      standby = this.#world.start(name, true);
    }
    await this.#agree(leader);
    leader.process.kill('SIGTERM');
    const { code } = await leader.process.ended;
    if (code !== 143) this.#problems.add(`the last leader ended with ${code}\n${leader.process.tail()}`);
    await this.#check();
    const { problems } = this.#facts;
    return {
      problems: [...this.#problems, ...problems],
      rounds: countsOf(rounds.slice(0, this.#open.length)),
      killToSafeMs: quantiles(this.#times.kill),
      freezeToSafeMs: quantiles(this.#times.freeze),
      takenToSafeMs: quantiles(this.#taken),
      phasesMs: Object.fromEntries(
        Object.entries(byPhase(this.#phases)).map(([phase, times]) => [phase, quantiles(times)]),
      ),
      handoverPauseMs: quantiles(this.#times.handover),
      openWhenStruck: quantiles(this.#open),
      epochs: this.#epochs.epochs.length,
      orders: this.#facts.intended.size,
      rows: this.#facts.rows,
      seconds: Math.round((performance.now() - begun) / 1_000),
    };
  }

  async #round(round: Round, leader: Member, standby: Member): Promise<void> {
    this.#open.push(await this.#untilOpen());
    if (round === 'handover') await this.#handover(leader, standby);
    else if (round === 'freeze') await this.#freeze(leader, standby);
    else await this.#kill(leader, standby);
    this.#taken.push(standby.said('safe')?.safeMs ?? 0);
  }

  /** How many positions are open at the venue: a strike with none would prove nothing. */
  async #untilOpen(): Promise<number> {
    let open = 0;
    for (const end = performance.now() + OPEN_LIMIT_MS; performance.now() < end; await pause(50)) {
      const { positions } = await this.#world.ledger();
      open = positions.filter(({ quantity }) => Number(quantity) !== 0).length;
      if (open > 0) return open;
    }
    this.#problems.add(`round ${this.#open.length + 1}: nothing was open in ${OPEN_LIMIT_MS} ms`);
    return open;
  }

  async #kill(leader: Member, standby: Member): Promise<void> {
    const struckAt = performance.now();
    const clocksApart = Date.now() - struckAt;
    leader.process.kill('SIGKILL');
    await leader.process.ended;
    this.#times.kill.push(await this.#untilSafe(standby, struckAt));
    this.#phases.push(
      phasesOf({
        struckAt: clocksApart + struckAt,
        leadingAt: standby.said('leading')?.at ?? Number.NaN,
        safeHeardAt: clocksApart + (standby.safeHeardAt ?? Number.NaN),
        stages: standby.said('safe')?.stages ?? {},
      }),
    );
  }

  /** The old leader wakes while the new one trades, and must not be able to do anything. */
  async #freeze(leader: Member, standby: Member): Promise<void> {
    const struckAt = performance.now();
    leader.process.kill('SIGSTOP');
    this.#times.freeze.push(await this.#untilSafe(standby, struckAt));
    await pause(this.#random.int(LONGEST_FREEZE_MS));
    leader.process.kill('SIGCONT');
    const { code } = await leader.process.ended;
    if (code !== FENCED) this.#problems.add(`the woken leader ended with ${code}\n${leader.process.tail()}`);
  }

  async #handover(leader: Member, standby: Member): Promise<void> {
    // What an earlier round left without an answer is not this one's doing.
    const doubtful = unknownOf(leader);
    const answer = await this.#world.command(['handover', '--json'], leader.dataDir);
    if (answer.code !== 0 || jsonLines(answer)[0]?.handedOver !== true)
      this.#problems.add(`handover ended with ${answer.code}: ${answer.stdout}${answer.stderr}`);
    const { code } = await leader.process.ended;
    if (code !== 0)
      this.#problems.add(`the leader ended its handover with ${code}\n${leader.process.tail()}`);
    await this.#untilSafe(standby, performance.now());
    const from = leader.said('handing-over')?.at ?? Number.NaN;
    this.#times.handover.push((standby.said('safe')?.at ?? Number.NaN) - from);
    for (const order of unknownOf(standby))
      if (!doubtful.includes(order)) this.#problems.add(`after a handover ${order} is unknown`);
  }

  async #untilSafe(standby: Member, since: number): Promise<number> {
    await standby.until('safe', () => standby.safeHeardAt !== undefined);
    return (standby.safeHeardAt ?? Number.NaN) - since;
  }

  /** Each order came of one durable intent, of whoever led then; nobody's order came after his time. */
  async #check(): Promise<void> {
    const [requests, ledger] = [this.#world.requests(), await this.#world.ledger()];
    await this.#world.read(this.#facts, this.#epochs);
    const apartMs = CLOCKS_APART_MS * this.#plan.speed;
    const found = [
      ...checkOrders(ledger, this.#facts, apartMs),
      ...writersOverlap(requests, this.#facts, this.#epochs),
      ...this.#epochs.problems,
    ];
    for (const problem of found) this.#problems.add(problem);
  }

  /** In the end venue and journal hold the same, and all of it is protected. */
  async #agree(leader: Member): Promise<void> {
    let apart: string[] = [];
    for (const end = performance.now() + AGREE_LIMIT_MS; performance.now() < end; await pause(200)) {
      const ledger = await this.#world.ledger();
      const status = leader.status();
      const held = ledger.positions.filter(({ quantity }) => Number(quantity) !== 0);
      apart = [
        ...withoutStop(ledger),
        ...(held.length === status?.positions.length ? [] : ['positions differ']),
        ...(Number(ledger.wallet) === Number(status?.account.wallet) ? [] : ['wallets differ']),
      ];
      if (apart.length === 0) return;
    }
    for (const problem of apart) this.#problems.add(`in the end: ${problem}`);
  }
}

const unknownOf = (member: Member): readonly string[] =>
  (member.status()?.venue?.unknownOrders ?? []).map(({ owner, ref }) => `${ref} of ${owner}`);

function countsOf(rounds: readonly Round[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const round of rounds) counts[round] = (counts[round] ?? 0) + 1;
  return counts;
}

function quantiles(values: readonly number[]): Quantiles {
  const whole = values.map(Math.round);
  return {
    count: whole.length,
    p50: percentile(whole, 0.5),
    p99: percentile(whole, 0.99),
    max: whole.length > 0 ? Math.max(...whole) : null,
  };
}
