/**
 * The root's child list IS the system, in start order; it stops in reverse. Each group is a bulkhead: what
 * crashes in one is restarted there, and reaches its neighbours only when restarting does not help.
 */
import type { ActorId } from '../src/core/ids.ts';
import type { Cause } from '../src/domain/events.ts';
import type { ActorHost } from './actor-host.ts';
import type { RestartLimits, SupervisorSpec } from './child-spec.ts';
import { DynamicSupervisor, dynamicSupervisorChild } from './dynamic-supervisor.ts';
import { supervisorChild } from './supervisor.ts';
import type { Tree } from './tree.ts';

export interface ActorSeed {
  readonly id: ActorId;
  /** Used only at the actor's very first start. */
  readonly input: unknown;
}

/** Who is there from the start; positions come and go. */
export interface SystemSpec {
  readonly venue: readonly ActorSeed[];
  readonly risk: readonly ActorSeed[];
  readonly feeds: readonly ActorSeed[];
  readonly desks: readonly ActorSeed[];
  readonly scanners: readonly ActorSeed[];
}

export const POSITION_SUPERVISOR = 'position-supervisor';
const POSITION = 'position';

const BOOT: Cause = { kind: 'external', id: 'boot' };

/** A poisonous event costs two restarts before it is quarantined; more than a few in a row is a defect. */
const GROUP_LIMITS: RestartLimits = { intensity: 12, periodMs: 5_000 };

export function rootSpec(host: ActorHost, system: SystemSpec): SupervisorSpec {
  const group = (id: string, actors: readonly ActorSeed[]) =>
    supervisorChild({
      id,
      strategy: 'one_for_one',
      ...GROUP_LIMITS,
      children: actors.map(({ id: actor, input }) => host.child(actor, input, BOOT, 'permanent')),
    });
  return {
    id: 'root',
    strategy: 'one_for_one',
    intensity: 3,
    periodMs: 60_000,
    children: [
      group('venue-supervisor', system.venue),
      group('risk-supervisor', system.risk),
      group('market-supervisor', system.feeds),
      positions(host),
      group('entry-supervisor', system.desks),
      group('scanner-supervisor', system.scanners),
    ],
  };
}

function positions(host: ActorHost) {
  const initial = () => host.known(POSITION).map((id) => host.child(id, undefined, BOOT));
  return dynamicSupervisorChild(
    { id: POSITION_SUPERVISOR, ...GROUP_LIMITS, initial },
    { name: POSITION_SUPERVISOR },
  );
}

/**
 * Starts the actor that an `actor.start` intent asks for. While the position supervisor is between two
 * incarnations, or ending one, the actor starts without it: the supervisor's own start takes up every position
 * that the runtime knows.
 */
export function startPosition(
  tree: Tree,
  host: ActorHost,
  actor: ActorId,
  input: unknown,
  cause: Cause,
): void {
  const isThere = tree.registry.whereis(POSITION_SUPERVISOR) !== undefined;
  const supervisor = isThere ? tree.registry.get(POSITION_SUPERVISOR, DynamicSupervisor) : undefined;
  if (supervisor?.isRunning) supervisor.startChild(host.child(actor, input, cause));
  else host.startUnsupervised(actor, input, cause);
}
