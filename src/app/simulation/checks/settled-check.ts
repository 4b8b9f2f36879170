/**
 * What must hold once all faults are over and everything has had its time: nothing is unknown (3), the books are the
 * venue's (4), what lives is what the journal says, with its deadlines (12), and replayed it is the same (9).
 */

import type { PositionContext } from '../../../../machines/position.ts';
import type { WrapLogic } from '../../../../supervisors/machine-registry.ts';
import { Replay } from '../../../../supervisors/replay.ts';
import * as D from '../../../core/decimal.ts';
import type { ActorId } from '../../../core/ids.ts';
import { keyOfActor, keysIn, type PositionKey } from '../../../domain/position-key.ts';
import type { JournalRow } from '../../../journal/journal.ts';
import type { AccountLedger } from '../../../venue-server/core-types.ts';
import { type LiveSystem, remoteRegistry } from '../../compose/compose-live.ts';
import type { RemoteIdentity } from '../../run/run-identity.ts';
import { checkResults, JournalFacts, type SoakLedger } from '../ledger-checks.ts';
import { type JournalIndex, timersOf } from './journal-index.ts';
import type { VenueEye } from './venue-eye.ts';
import type { Invariant } from './violation.ts';

export interface Problem {
  readonly invariant: Invariant;
  readonly text: string;
}

/** What keeps it from being settled; empty: it is. Cheap enough to ask now and then. */
export function unsettled(system: LiveSystem | undefined, venue: VenueEye): Problem[] {
  const { held } = venue;
  const state = system?.executor.current()?.state;
  if (!system || !state) return [{ invariant: 13, text: 'no process trades' }];
  const problems: Problem[] = [];
  const say = (invariant: Invariant, text: string): void => void problems.push({ invariant, text });
  if (!state.ready) say(3, 'no full reading since the stream came up');
  for (const [id, { status, order }] of Object.entries(state.orders))
    if (status !== 'live') say(3, `${id} of ${order.owner} is ${status}`);
  for (const [id, { cancel }] of Object.entries(state.orders))
    if (cancel !== null) say(13, `${id} is to be cancelled, and is still there`);
  if (state.limbo.length > 0) say(3, `${state.limbo.length} fills are nobody's`);
  for (const place of Object.keys(state.drifts)) say(4, `${place} differs from the venue's books`);
  const believed = new Map<PositionKey, number>();
  for (const { place, amount } of positionsOf(system))
    believed.set(place, (believed.get(place) ?? 0) + amount);
  for (const place of new Set([...believed.keys(), ...keysIn(state.foreign), ...held.keys()])) {
    const [ours, theirs] = [believed.get(place) ?? 0, Number(state.foreign[place]?.amount ?? 0)];
    const there = venue.owners.ours(place);
    if (differ(ours, there)) say(4, `${place}: ${ours} in the journal, ${there} at the venue is ours`);
    if (differ(theirs, venue.owners.theirs(place)))
      say(4, `${place}: ${theirs} is called foreign, ${venue.owners.theirs(place)} at the venue is`);
    if (venue.isBare(place)) say(7, `${place}: ${venue.ours(place)} stands without its stop`);
  }
  for (const { id } of venue.open())
    if (/^bh-/.test(id) && !state.orders[id]) say(4, `${id} is open at the venue, and nobody's here`);
  return problems;
}

const differ = (a: number, b: number): boolean => Math.abs(a - b) > 1e-9;

function positionsOf(system: LiveSystem): { place: PositionKey; amount: number }[] {
  return system.runtime.actorIds().flatMap((actor) => {
    if (!actor.startsWith('position/')) return [];
    const text = system.runtime.actor(actor)?.snapshotText;
    if (text === undefined) return [];
    const { direction, quantity } = (JSON.parse(text) as { context: PositionContext }).context;
    return [{ place: keyOfActor(actor), amount: Number(quantity) * (direction === 'long' ? 1 : -1) }];
  });
}

/** The running actors and their timers are those of the journal. Only between two events, when nothing is in flight. */
export function checkAlive({ runtime }: LiveSystem, journal: JournalIndex): Problem[] {
  const problems: Problem[] = [];
  const running = new Set<ActorId>(runtime.actorIds());
  let timers = 0;
  for (const [actor, row] of journal.live) {
    const { seq } = row;
    if (actor === 'dead-letters') continue;
    timers += timersOf(row).length;
    const own = runtime.actor(actor);
    if (!running.delete(actor) || !own)
      problems.push({ invariant: 12, text: `${actor} lives in the journal and in no process` });
    else if (own.seq !== seq)
      problems.push({ invariant: 12, text: `${actor} stands at ${own.seq}, its newest row is ${seq}` });
  }
  for (const actor of running)
    problems.push({ invariant: 12, text: `${actor} runs, and the journal has it not` });
  if (runtime.timers.size !== timers)
    problems.push({
      invariant: 12,
      text: `${runtime.timers.size} timers are armed, the journal has ${timers}`,
    });
  return problems;
}

/** Every row again, from events alone. */
export function checkReplay(
  rows: readonly JournalRow[],
  identity: RemoteIdentity,
  instance: string,
  wrap: WrapLogic | undefined,
): Problem[] {
  const replay = new Replay(remoteRegistry(identity, wrap).registry, () => instance);
  const problems: Problem[] = [];
  for (const row of rows) {
    for (const { n, actor, what, detail } of replay.take(row))
      problems.push({ invariant: 9, text: `row ${n} of ${actor}, ${what}: ${detail}` });
    if (problems.length > 3) break;
  }
  return problems;
}

/** Money, to the last digit: the venue's ledger against what the journal was told. */
export function checkMoney(
  rows: readonly JournalRow[],
  ledger: AccountLedger,
  isExcused: (text: string) => boolean,
): Problem[] {
  const facts = new JournalFacts();
  for (const row of rows) facts.take(row);
  const soak = ledger as unknown as SoakLedger;
  const problems = [...facts.problems, ...checkResults(soak, facts)].filter((text) => !isExcused(text));
  if (facts.wallet !== undefined && !D.eq(facts.wallet, ledger.wallet))
    problems.push(`the portfolio's wallet is ${facts.wallet}, the venue's ${ledger.wallet}`);
  return problems.map((text) => ({ invariant: 4, text }));
}
