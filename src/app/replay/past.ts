/**
 * What `bulkhead replay` does with a journal's past beyond rebuilding it: steps, differences, the venue, repair plans,
 * what-if. Undefined from `replayPast`: none of these was asked for.
 */
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { placeNamed, positionOf } from '../../../machines/messages.ts';
import type { MachineRegistry } from '../../../supervisors/machine-registry.ts';
import { Moments } from '../../../supervisors/moments.ts';
import { BulkheadError, isBulkheadError } from '../../core/errors.ts';
import { type ActorId, actorType } from '../../core/ids.ts';
import type { Command } from '../../domain/command.ts';
import type { JournalStore } from '../../journal/journal.ts';
import { beforeAnchor } from '../../journal/journal-beginning.ts';
import type { Io, ReplayMoment, ReplayOptions } from '../cli/io.ts';
import { columns } from '../cli/render-text.ts';
import { machineRegistry } from '../compose/compose.ts';
import { remoteRegistry } from '../compose/compose-live.ts';
import type { OpenVenue } from '../live/venue-seams.ts';
import type { RemoteIdentity, RunIdentity } from '../run/run-identity.ts';
import { isAlive } from '../status/status.ts';
import { readStatus } from '../status/status-file.ts';
import { againstEngine, againstRemote, type VenueDifference } from './against-venue.ts';
import { differenceLines, momentDifferences, stepLines } from './moment-text.ts';
import { leaveApproved, readPlan, repairSteps, writePlan } from './repair-plan.ts';
import { stepsOf, walk } from './stepper.ts';
import { whatIf, whatIfText } from './what-if.ts';

export interface Past {
  readonly store: JournalStore;
  readonly identity: RunIdentity;
  readonly options: ReplayOptions;
  readonly io: Io;
  readonly venue: OpenVenue;
}

const isRemote = (identity: RunIdentity): identity is RemoteIdentity => identity.venue !== undefined;

/** The machines as the journal was begun with them, whichever venue it trades on. */
export function registryOf(identity: RunIdentity): MachineRegistry {
  return isRemote(identity)
    ? remoteRegistry(identity).registry
    : machineRegistry(identity, identity.instruments).registry;
}

export async function replayPast(past: Past): Promise<number | undefined> {
  const { options } = past;
  if (options.whatIf.length > 0) return imagine(past);
  if (options.step || options.from !== undefined) return step(past);
  if (options.diff !== undefined) return diff(past, options.diff);
  if (options.againstVenue) return compareWithVenue(past);
  return undefined;
}

/** The row that a moment means; NOT_FOUND where there is none. */
export async function rowOf({ store, options }: Pick<Past, 'store' | 'options'>, moment: ReplayMoment) {
  const { n: last } = await store.head();
  const anchor = await store.anchor();
  const there = (n: number, what: string): number => {
    if (n > anchor.n || anchor.n === 0) return n;
    throw beforeAnchor(what, anchor);
  };
  if ('n' in moment) return there(Math.min(moment.n, last), `Row ${moment.n}`);
  if ('at' in moment)
    return there(await new Moments(store).rowAt(moment.at), new Date(moment.at).toISOString());
  const [row] = await store.rowsAt(last, await actorNamed(store, moment.position));
  if (row) return row.n;
  throw new BulkheadError('NOT_FOUND', `The journal knows no position ${moment.position}.`, {
    hint: `"bulkhead export trades --data-dir ${options.config.data.dir}" lists those that were.`,
  });
}

/** "BTCUSDT/3" and "BTCUSDT" are short for a position's whole name; another name is an actor's. */
async function actorNamed(store: JournalStore, named: string): Promise<ActorId> {
  const isShort = /^[A-Z0-9]{2,30}(\/LONG|\/SHORT)?(\/\d+)?$/.test(named);
  if (actorType(named) === 'position' || !isShort) return named;
  const { place, life } = placeNamed(named);
  if (life !== undefined) return positionOf(place, life);
  const all = await store.rowsAt((await store.head()).n);
  const own = all.filter(({ actor }) => actor.startsWith(`position/${place}/`));
  return own.at(-1)?.actor ?? positionOf(place, 0);
}

async function step(past: Past): Promise<number> {
  const { store, identity, options, io } = past;
  const moments = new Moments(store, registryOf(identity));
  const actor = options.actor === undefined ? undefined : await actorNamed(store, options.actor);
  const to = options.to === undefined ? (await store.head()).n : await rowOf(past, options.to);
  const isByHand = io.isTty && io.keys !== undefined && !options.json && options.from === undefined;
  if (isByHand) {
    if (!(await walk(moments, { from: to, to, actor }, io))) throw noRows(options, to, to);
    return 0;
  }
  const first = options.from === undefined ? undefined : await rowOf(past, options.from);
  const from = first ?? (actor === undefined ? to : (await store.anchor()).n + 1);
  if (from > to)
    throw new BulkheadError('USAGE', `--from means row ${from}, which comes after row ${to} of --to.`, {
      hint: 'Rows are told from the older to the newer one.',
    });
  let isAny = false;
  for await (const view of stepsOf(moments, { from, to, actor })) {
    io.stdout.write(options.json ? `${JSON.stringify(view)}\n` : `${stepLines(view).join('\n')}\n`);
    isAny = true;
  }
  if (!isAny) throw noRows(options, from, to);
  return 0;
}

const noRows = ({ actor, config }: ReplayOptions, from: number, to: number): BulkheadError =>
  new BulkheadError(
    'NOT_FOUND',
    `Rows ${from} to ${to} hold none${actor === undefined ? '' : ` of ${actor}`}.`,
    {
      hint: `"bulkhead replay --data-dir ${config.data.dir}" lists the actors that live, "bulkhead export trades" the positions that were.`,
    },
  );

async function diff(past: Past, other: ReplayMoment): Promise<number> {
  const { store, identity, options, io } = past;
  const moments = new Moments(store, registryOf(identity));
  const to = options.to === undefined ? (await store.head()).n : await rowOf(past, options.to);
  const from = await rowOf(past, other);
  const [low, high] = from <= to ? [from, to] : [to, from];
  const whole = async (n: number) => {
    const all = await moments.actors(n);
    return Promise.all(
      all.map(async (each) => (each.value === null && (await moments.actor(each.actor, n))) || each),
    );
  };
  const differences = momentDifferences(await whole(low), await whole(high));
  if (options.json) io.stdout.write(`${JSON.stringify({ from: low, to: high, actors: differences })}\n`);
  else {
    for (const difference of differences) io.stdout.write(`${differenceLines(difference).join('\n')}\n`);
    io.stdout.write(`\n${differences.length} actors differ between row ${low} and row ${high}.\n`);
  }
  return 0;
}

async function compareWithVenue(past: Past): Promise<number> {
  const { store, options, io } = past;
  const head = await store.head();
  const n = options.to === undefined ? head.n : await rowOf(past, options.to);
  const differences = await differencesAt(past, n, head.n);
  const plan = options.plan === undefined ? undefined : await planned(past, n, differences, options.plan);
  if (options.json) io.stdout.write(`${JSON.stringify({ n, differences, plan: plan ?? null })}\n`);
  else {
    const rows = differences.map(({ symbol, kind, detail }) => [symbol, kind, detail]);
    if (rows.length > 0)
      io.stdout.write(`${columns(['symbol', 'what', 'detail'], rows, new Set()).join('\n')}\n\n`);
    io.stdout.write(
      differences.length === 0
        ? `At row ${n} journal and venue agree.\n`
        : `At row ${n} journal and venue differ in ${points(differences.length)}.\n`,
    );
    if (plan) io.stdout.write(`${options.plan} has the plan: ${whatToDo(plan.steps)}.\n`);
  }
  return differences.length === 0 ? 0 : 1;
}

const points = (count: number): string => (count === 1 ? 'one point' : `${count} points`);

/** A run needs no word for what it does by itself. */
function whatToDo(steps: readonly { readonly do: string }[]): string {
  const asks = steps.filter((each) => each.do !== 'run').length;
  return asks === 0
    ? 'nothing to approve, a run sets it right by itself'
    : `${asks} of ${steps.length} ${steps.length === 1 ? 'step wants' : 'steps want'} approval; set "approved" to true where you agree, then --apply it`;
}

async function differencesAt(
  { store, identity, options, io, venue }: Past,
  n: number,
  headN: number,
): Promise<readonly VenueDifference[]> {
  if (!isRemote(identity)) {
    const machines = machineRegistry(identity, identity.instruments);
    return againstEngine(new Moments(store, machines.registry), machines.venue, n);
  }
  if (n !== headN)
    throw new BulkheadError('USAGE', 'A remote venue shows how things are now, and not how they were.', {
      hint: 'Leave --to out.',
    });
  const remote = remoteRegistry(identity);
  return againstRemote(new Moments(store, remote.registry), remote, n, options, io, venue);
}

async function planned(
  { store, identity, options, io }: Past,
  n: number,
  differences: readonly VenueDifference[],
  file: string,
) {
  const moments = new Moments(store, registryOf(identity));
  const steps = repairSteps(differences, await moments.actors(n, 'alive'));
  const hash = (await moments.row(n))?.hash ?? '';
  const { account } = options.config;
  const plan = { format: 'bulkhead-repair', version: 1, account, n, hash, steps } as const;
  writePlan(resolve(io.cwd, file), plan);
  return plan;
}

/** Beside a run that has the store open its status is what the plan is held against here, and its journal there. */
export async function applyPlan(
  open: () => Promise<JournalStore>,
  options: ReplayOptions,
  io: Io,
  file: string,
): Promise<number> {
  const plan = readPlan(resolve(io.cwd, file));
  const { config, json } = options;
  const dataDir = resolve(io.cwd, config.data.dir);
  let isOurs = plan.account === config.account;
  try {
    const row = await new Moments(await open()).row(plan.n);
    isOurs &&= row?.hash === plan.hash;
  } catch (error) {
    if (!isBulkheadError(error, 'STORE_LOCKED')) throw error;
    const { account, journal } = readStatus(dataDir);
    isOurs &&= account !== null && journal.durableN >= plan.n;
  }
  if (!isOurs)
    throw new BulkheadError('DATA_INVALID', `${file} is a plan for another journal.`, {
      hint: 'Make a new one with "bulkhead replay --against venue --plan FILE".',
    });
  const said = { by: userInfo().username, at: io.time.clock.now() };
  const { asked, before } = leaveApproved(plan, dataDir, said);
  const wantsRun = plan.steps.some((each) => each.do === 'run');
  const isRunning = runsHere(dataDir);
  if (json) io.stdout.write(`${JSON.stringify({ asked, before, isRunning })}\n`);
  else {
    const when = isRunning
      ? 'The run takes it up now.'
      : `Start the run: it reads the venue first, and takes ${wantsRun && asked.length === 0 ? 'care of the rest' : 'it up'}.`;
    const isOver = asked.length === 0 && before.length > 0 && before.every(({ answer }) => answer !== null);
    const lines = before.map(
      ({ command, answer }) =>
        `This plan asked for it before: ${wordsOf(command)} (${answer?.text ?? 'no run has taken it up yet'}).`,
    );
    if (asked.length > 0) lines.push(`Asked for: ${asked.map(wordsOf).join(', ')}. ${when}`);
    else if (before.length === 0) lines.push(`Nothing was approved that has to be said. ${when}`);
    else lines.push(isOver ? 'Nothing is left to be done.' : when);
    io.stdout.write(`${lines.join('\n')}\n`);
  }
  return 0;
}

const wordsOf = (command: Command): string =>
  'symbol' in command
    ? `${command.kind} ${command.symbol}`
    : `${command.kind} ${'breaker' in command ? command.breaker : ''}`;

function runsHere(dataDir: string): boolean {
  try {
    return isAlive(readStatus(dataDir).pid);
  } catch {
    // No run has begun here, or another version's.
    return false;
  }
}

async function imagine(past: Past): Promise<number> {
  const { store, identity, options, io } = past;
  const n = options.to === undefined ? (await store.head()).n : await rowOf(past, options.to);
  const outcome = await whatIf(store, identity, n, { config: options.config, changes: options.whatIf, io });
  io.stdout.write(options.json ? `${JSON.stringify(outcome)}\n` : whatIfText(outcome));
  return 0;
}
