/**
 * In which state of a position each class of fault struck, and what the runtime then did: from the exchange's own
 * journal of faults and the runtime's journal of rows.
 *
 * A fault of a request or event that names an order struck the position that owns it; any other struck every
 * position there was. The state is the newest row's at that instant, of a submitted order its own row's.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { checkOrders, checkResults, JournalFacts } from '../../src/app/simulation/ledger-checks.ts';
import { actorType } from '../../src/core/ids.ts';
import type { ActorEvent, Cause, Intent } from '../../src/domain/events.ts';
import type { JournalRow } from '../../src/journal/journal.ts';
import { FAULT_CLASSES, type FaultClass } from './fault-classes.ts';
import { gapsOf } from './protection-gaps.ts';
import { SoakWorld, type WorldOptions } from './venue-soak-world.ts';

export const STATES = [
  'entering',
  'open, exposed',
  'open, covered',
  'replacing',
  'closing',
  'emergencyClosing',
  'settling',
] as const;
export type State = (typeof STATES)[number];

export interface Cell {
  hits: number;
  /** What followed, and how often. */
  readonly after: Map<string, number>;
}

export interface FaultRow {
  readonly fault: FaultClass;
  readonly cells: Readonly<Record<State, Cell>>;
  /** Longest time without a stop while it struck, real ms. */
  readonly longestBareMs: number;
}

export interface FaultTable {
  readonly rows: readonly FaultRow[];
  readonly problems: readonly string[];
  readonly trades: number;
  readonly orders: number;
}

export interface TablePlan extends WorldOptions {
  readonly classes?: readonly FaultClass[];
  /** Real time for which each class strikes. */
  readonly eachMs: number;
  readonly onClass?: (line: string) => void;
}

interface Phase {
  readonly fault: FaultClass;
  readonly from: number;
  readonly to: number;
}

interface Struck {
  readonly at: number;
  readonly order?: string;
  readonly symbol?: string;
}

/** One moment of a position's life. */
export interface Step {
  readonly at: number;
  readonly state: State | undefined;
  readonly event: ActorEvent;
}

const CALM_MS = 1_500;
const HEALED_LIMIT_MS = 90_000;
/** For how long after a fault what a position did counts as its answer, real ms. */
const ANSWER_MS = 4_000;
const CLOCKS_APART_MS = 250;

/** Many positions at once, so that each fault meets them in many states. */
export const TABLE_SYMBOLS = [
  ...['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'XRPUSDT', 'BNBUSDT', 'LINKUSDT'],
  ...['DOGEUSDT', 'ADAUSDT', 'AVAXUSDT', 'DOTUSDT', 'LTCUSDT', 'SUIUSDT'],
];

/** Many exits, closes so impatient that some of them become emergencies, stops that are not moved at each tick. */
export const HASTY = {
  strategy: { name: 'restless', options: { exitsOneIn: 2 } },
  position: {
    closeDeadlineMs: 120,
    trailing: { rule: 'strategy', armProfitPercent: '0.1', stepPercent: '0.15' },
  },
};

export async function faultTable(plan: TablePlan): Promise<FaultTable | string> {
  const journalFile = path.join(plan.dir, 'venue.jsonl');
  const world = await SoakWorld.begin({ ...plan, faults: 'none', journalFile });
  if (typeof world === 'string') return world;
  try {
    await world.untilSafe(0);
    const phases: Phase[] = [];
    for (const fault of plan.classes ?? FAULT_CLASSES) {
      phases.push(await strike(world, fault, plan.eachMs));
      plan.onClass?.(`${fault.name}: ${phases.length}`);
    }
    await settled(world);
    await world.stopRuntime();
    const ledger = await world.ledger();
    const { steps, owners, facts } = await readJournal(world);
    const problems = [
      ...facts.problems,
      ...checkOrders(ledger, facts, CLOCKS_APART_MS * plan.speed),
      ...checkResults(ledger, facts),
    ];
    const struck = readStruck(journalFile);
    const gaps = gapsOf(ledger, world.venueNow);
    const rows = phases.map(({ fault, from, to }) => {
      const cells = emptyCells();
      for (const one of struck.filter(({ at }) => at >= from && at < to))
        for (const actor of victimsOf(one, steps, owners)) note(cells, one, actor, steps, owners, plan.speed);
      const bare = gaps.filter((gap) => gap.from >= from && gap.from < to).map((gap) => gap.to - gap.from);
      return { fault, cells, longestBareMs: Math.round(Math.max(0, ...bare) / plan.speed) };
    });
    const trades = facts.closed.filter(({ trade }) => trade !== null).length;
    return { rows, problems, trades, orders: ledger.orders.length + ledger.algoOrders.length };
  } finally {
    await world.end();
  }
}

async function strike(world: SoakWorld, fault: FaultClass, eachMs: number): Promise<Phase> {
  const from = world.venueNow;
  await world.admin('POST', '/faults', { rules: fault.rules, seed: world.options.seed });
  await pause(eachMs);
  await world.admin('DELETE', '/faults');
  const to = world.venueNow;
  await pause(CALM_MS);
  return { fault, from, to };
}

async function settled(world: SoakWorld): Promise<void> {
  const since = world.venueNow;
  await world.until(
    'nothing unknown, everything protected',
    ({ venue }) =>
      venue?.reconcile.ready === true &&
      (venue.reconcile.at ?? 0) > since &&
      venue.unknownOrders.length === 0 &&
      venue.protection.unprotectedNow === 0,
    HEALED_LIMIT_MS,
  );
}

async function readJournal(world: SoakWorld) {
  const facts = new JournalFacts();
  const steps = new Map<string, Step[]>();
  const owners = new Map<string, { readonly owner: string; readonly ref: string; readonly step: number }>();
  for await (const row of world.rows()) {
    facts.take(row);
    if (actorType(row.actor) !== 'position') continue;
    const own = steps.get(row.actor) ?? [];
    steps.set(row.actor, own);
    own.push({ at: row.at, state: stateOf(row), event: eventOf(row) });
    for (const intent of JSON.parse(row.intents) as Intent[])
      if (intent.type === 'order.submit')
        owners.set(intent.order.clientOrderId, {
          owner: row.actor,
          ref: intent.order.ref,
          step: own.length - 1,
        });
  }
  return { facts, steps, owners };
}

type Steps = ReadonlyMap<string, readonly Step[]>;
type Owners = Awaited<ReturnType<typeof readJournal>>['owners'];

export function eventOf(row: JournalRow): ActorEvent {
  const cause = JSON.parse(row.cause) as Cause;
  const event = JSON.parse(row.event) as ActorEvent;
  return cause.kind === 'postponed' ? { type: 'postponed' } : event;
}

export function stateOf(row: JournalRow): State | undefined {
  if (row.snapshot === null) return undefined;
  const { value } = JSON.parse(row.snapshot) as { value: string | Record<string, unknown> };
  const [top, inner] = typeof value === 'string' ? [value, {}] : (Object.entries(value)[0] ?? ['', {}]);
  if (top !== 'open') return STATES.find((state) => state === top);
  const { protection } = inner as { protection: Record<string, string> };
  if ('exposed' in protection) return 'open, exposed';
  return protection.covered === 'protected' ? 'open, covered' : 'replacing';
}

function readStruck(file: string): Struck[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"what":"fault"'))
    .map((line) => {
      const { at, order, symbol } = JSON.parse(line) as { at: string; order?: string; symbol?: string };
      return {
        at: Date.parse(at),
        ...(order === undefined ? {} : { order }),
        ...(symbol === undefined ? {} : { symbol }),
      };
    });
}

function victimsOf({ at, order, symbol }: Struck, steps: Steps, owners: Owners): string[] {
  const owner = order === undefined ? undefined : owners.get(order)?.owner;
  if (owner !== undefined) return [owner];
  return [...steps]
    .filter(([actor]) => symbol === undefined || actor.split('/')[1] === symbol)
    .filter(([, own]) => (own[0]?.at ?? 0) <= at && (own.at(-1)?.at ?? 0) >= at)
    .map(([actor]) => actor);
}

function emptyCells(): Record<State, Cell> {
  return Object.fromEntries(
    STATES.map((state) => [state, { hits: 0, after: new Map() }]),
  ) as unknown as Record<State, Cell>;
}

function note(
  cells: Record<State, Cell>,
  { at, order }: Struck,
  actor: string,
  steps: Steps,
  owners: Owners,
  speed: number,
): void {
  const own = steps.get(actor) ?? [];
  const about = order === undefined ? undefined : owners.get(order);
  const submitted = about && own[about.step];
  // A cancel or an event comes long after the row that submitted its order.
  const isSubmit = submitted !== undefined && Math.abs(at - submitted.at) < CLOCKS_APART_MS * speed;
  const index = isSubmit ? about?.step : own.findLastIndex((step) => step.at <= at);
  const state = index === undefined ? undefined : own[index]?.state;
  if (index === undefined || state === undefined) return;
  const cell = cells[state];
  cell.hits += 1;
  const what = answerOf(own.slice(index + 1), own[index]?.state, at + ANSWER_MS * speed, about?.ref);
  cell.after.set(what, (cell.after.get(what) ?? 0) + 1);
}

const WORDS: Readonly<Record<string, string>> = {
  ORDER_UNKNOWN: 'unknown',
  ORDER_ACKNOWLEDGED: 'acknowledged',
  ORDER_REJECTED: 'refused',
  ORDER_FILLED: 'filled',
  ORDER_CLOSED: 'closed',
  ORDER_TRIGGERED: 'triggered',
  CANCEL_REJECTED: 'cancel refused',
};

/** What the position heard of that order, or which states it went through when no order was named. */
export function answerOf(
  after: readonly Step[],
  from: State | undefined,
  until: number,
  ref: string | undefined,
): string {
  const words: string[] = [];
  const add = (word: string): void => {
    if (words.at(-1) !== word) words.push(word);
  };
  if (ref !== undefined) {
    for (const { event } of after) if (event.ref === ref && WORDS[event.type]) add(WORDS[event.type] ?? '');
    return words.length > 0 ? words.slice(0, 4).join(', ') : 'nothing more';
  }
  let last = from;
  for (const { at, state } of after) {
    if (at > until) break;
    if (state === last || state === undefined) continue;
    add(state);
    last = state;
  }
  return words.length > 0 ? words.slice(0, 3).join(', ') : 'stayed';
}

/** The table as a page's part: hits, and the most frequent answers. */
export function written({ rows }: FaultTable): string {
  const head = ['fault', ...STATES, 'longest without stop, ms'];
  const lines = rows.map(({ fault, cells, longestBareMs }) =>
    [
      `**${fault.name}**: ${fault.what}`,
      ...STATES.map((state) => cellText(cells[state])),
      String(longestBareMs),
    ].join(' | '),
  );
  return [
    `| ${head.join(' | ')} |`,
    `|${head.map(() => '---').join('|')}|`,
    ...lines.map((line) => `| ${line} |`),
  ].join('\n');
}

const ANSWERS_SHOWN = 2;

export function cellText({ hits, after }: Cell): string {
  if (hits === 0) return '–';
  const top = [...after].sort((a, b) => b[1] - a[1]).slice(0, ANSWERS_SHOWN);
  return `${hits}: ${top.map(([what, count]) => `${what} (${count})`).join('; ')}`;
}
