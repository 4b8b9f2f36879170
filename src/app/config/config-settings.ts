/**
 * What of the configuration the actors go by, and the words that bring it to them. An actor keeps its settings in its
 * own rows; it is told what is other than what it holds, and nothing else.
 *
 * Invariant: after a start, and after each change, every actor holds what the newest version says. What an actor did
 * not hear of because the process died is found and told at the next start, before anything else.
 */
import type { BreakerContext } from '../../../machines/breaker.ts';
import type { EntryContext } from '../../../machines/entry.ts';
import type { GuardianContext } from '../../../machines/guardian.ts';
import type { PortfolioContext } from '../../../machines/portfolio.ts';
import type { ScannerContext } from '../../../machines/scanner.ts';
import type { MachineRegistry } from '../../../supervisors/machine-registry.ts';
import type { Recovered } from '../../../supervisors/recovery.ts';
import { positionPlan } from '../../config/plan.ts';
import { riskLimits } from '../../config/risk-schema.ts';
import type { Config } from '../../config/schema.ts';
import { isBulkheadError } from '../../core/errors.ts';
import { type ActorId, actorType } from '../../core/ids.ts';
import { GUARDIAN, type Message, PORTFOLIO, VENUE } from '../../domain/events.ts';
import type { ExecutorSettings } from '../../execution/executor-types.ts';

/** How much faster than real time the runtime's clock runs; undefined: the venue is in this process. */
export type RemoteFactor = number | undefined;

const stretched = (ms: number, factor: RemoteFactor): number => Math.ceil(ms * (factor ?? 1));

export const deskSettings = (config: Config, factor: RemoteFactor) => ({
  plan: positionPlan(config, factor ?? 1),
  coolDownMs: config.entry.coolDownMs,
  assessTimeoutMs: stretched(config.entry.assessTimeoutMs, factor),
});

export const signalAgeMs = (config: Config, factor: number): number =>
  stretched(config.venue.maxSignalAgeMs, factor);

export const guardBoundMs = (config: Config, factor: number): number =>
  stretched(config.venue.guardBoundMs, factor);

export const executorSettings = (
  { foreign, reconcileEveryMs }: Pick<Config['venue'], 'foreign' | 'reconcileEveryMs'>,
  factor: number,
): Required<ExecutorSettings> => ({ foreign, reconcileEveryMs: reconcileEveryMs * factor });

type Settings = Readonly<Record<string, unknown>>;

/** What an actor's context holds, and what it should; undefined: it goes by nothing of the configuration. */
function heldAndWanted(
  actor: ActorId,
  context: unknown,
  config: Config,
  factor: RemoteFactor,
): readonly [held: Settings, wanted: Settings] | undefined {
  switch (actorType(actor)) {
    case PORTFOLIO:
      return [{ ...(context as PortfolioContext).limits }, { ...riskLimits(config) }];
    case 'breaker':
      return [{ ...(context as BreakerContext).settings }, config.breakers];
    case 'entry': {
      const { plan, coolDownMs, assessTimeoutMs } = context as EntryContext;
      return [{ plan, coolDownMs, assessTimeoutMs }, deskSettings(config, factor)];
    }
    case 'scanner': {
      if (factor === undefined) return undefined;
      const { maxSignalAgeMs } = context as ScannerContext;
      return [{ maxSignalAgeMs }, { maxSignalAgeMs: signalAgeMs(config, factor) }];
    }
    case GUARDIAN: {
      if (factor === undefined) return undefined;
      const { boundMs } = context as GuardianContext;
      return [{ boundMs }, { boundMs: guardBoundMs(config, factor) }];
    }
    case VENUE:
      return factor === undefined
        ? undefined
        : [context as Settings, { ...executorSettings(config.venue, factor) }];
    default:
      return undefined;
  }
}

/** The order of an object's keys is no difference. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`)
    .join()}}`;
}

/** The keys of `wanted` that are other in `held`; of a plan, its parts. */
function otherIn(held: Settings, wanted: Settings): Settings {
  const other = Object.entries(wanted).filter(([key, value]) => canonical(held[key]) !== canonical(value));
  return Object.fromEntries(
    other.map(([key, value]) =>
      key === 'plan' ? [key, otherIn(held.plan as Settings, value as Settings)] : [key, value],
    ),
  );
}

export interface Configuring {
  readonly config: Config;
  readonly version: number;
  /** Unique for this telling. */
  readonly telling: string;
  readonly factor: RemoteFactor;
  readonly actors: readonly ActorId[];
  /** An actor's context; of a remote venue, the settings that its executor goes by. Undefined: it is not there. */
  readonly context: (actor: ActorId) => unknown;
}

/** The portfolio first: it is the one that judges the next entry. */
export function configMessages(configuring: Configuring): readonly Message[] {
  const { config, version, telling, factor, actors, context } = configuring;
  const first = (actor: ActorId): number => (actor === PORTFOLIO ? 0 : 1);
  return [...actors]
    .sort((a, b) => first(a) - first(b))
    .flatMap((actor) => {
      const known = context(actor);
      const both = known === undefined ? undefined : heldAndWanted(actor, known, config, factor);
      if (!both) return [];
      const settings = otherIn(...both);
      if (Object.keys(settings).length === 0) return [];
      const event = { type: 'CONFIG', version, settings };
      return [{ to: actor, event, cause: { kind: 'external', id: `config:${version}:${telling}` } } as const];
    });
}

/** Contexts as the journal left them, for the words of a start. */
export function recoveredContext(
  { live }: Recovered,
  registry: MachineRegistry,
  executor?: ExecutorSettings,
): (actor: ActorId) => unknown {
  return (actor) => {
    const found = live.get(actor);
    if (actor === VENUE) {
      if (!executor) return undefined;
      const since = (found?.eventsSince ?? []).filter(({ type }) => type === 'CONFIG');
      const kept = found && (JSON.parse(found.checkpoint) as { changed?: ExecutorSettings }).changed;
      return Object.assign({}, executor, kept, ...since.map(({ settings }) => settings));
    }
    if (!found) return undefined;
    try {
      const { snapshot } = registry.migrate(found.row.machine, found.checkpoint);
      return (JSON.parse(snapshot) as { context: unknown }).context;
    } catch (error) {
      // It cannot be restored: the start says so.
      if (isBulkheadError(error, 'ACTOR_UNRESTORABLE')) return undefined;
      throw error;
    }
  };
}
