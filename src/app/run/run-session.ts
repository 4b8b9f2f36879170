/**
 * What every run holds while it lasts, whatever it trades on: the data folder, the store, the account's lease,
 * what recovery read, the journal's writer. Given back in reverse order.
 */
import type { Committed } from '../../../supervisors/actor-runtime.ts';
import { isAbnormal } from '../../../supervisors/exit.ts';
import type { WrapLogic } from '../../../supervisors/machine-registry.ts';
import type { Recovered } from '../../../supervisors/recovery.ts';
import type { TreeEvent } from '../../../supervisors/tree.ts';
import { BulkheadError, errorText } from '../../core/errors.ts';
import { actorType } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { Message } from '../../domain/events.ts';
import type { JournalStore, Lease } from '../../journal/journal.ts';
import { JournalWriter, type WriterState } from '../../journal/journal-writer.ts';
import type { LeaseKeeper } from '../../journal/lease-keeper.ts';
import type { LogRing } from '../../operator/log-ring.ts';
import type { CreateStore, Io, RunOptions } from '../cli/io.ts';
import type { LiveSystem } from '../compose/compose-live.ts';
import type { RunningConfig } from '../config/running-config.ts';
import type { WarmVenue } from '../live/warm-venue.ts';
import type { RunScreen } from '../status/run-screen.ts';
import type { DataFolder } from './data-folder.ts';
import type { SecretWatch } from './secret-watch.ts';
import type { Signals } from './signals.ts';
import type { StartStages } from './start-stages.ts';
import type { StartedHow } from './started-how.ts';
import type { SystemListeners, TradingSystem } from './system.ts';

/** What was taken and must be given back, newest first. */
export class Held {
  readonly #undo: (() => Promise<void> | void)[] = [];

  add(undo: () => Promise<void> | void): void {
    this.#undo.push(undo);
  }

  async release(log: Logger): Promise<void> {
    for (const undo of this.#undo.reverse()) {
      try {
        await undo();
      } catch (error) {
        log.warn('could not be closed cleanly', { reason: errorText(error) });
      }
    }
  }
}

export interface Run {
  readonly options: RunOptions;
  readonly io: Io;
  readonly create: CreateStore;
  readonly log: Logger;
  /** The newest lines of that log. */
  readonly logs: LogRing;
  readonly held: Held;
  readonly signals: Signals;
  /** Its view of them is what `options` holds. */
  readonly secrets: SecretWatch;
  readonly screen: RunScreen;
  /** What a simulation looks through, and what it lays around the actors' logics. */
  readonly onSystem?: (system: LiveSystem) => void;
  readonly wrap?: WrapLogic;
}

/** A run that has the account. */
export interface Session extends Run {
  readonly folder: DataFolder;
  readonly store: JournalStore;
  readonly lease: Lease;
  readonly keeper: LeaseKeeper;
  readonly instance: string;
  /** How whoever traded before this process ended. */
  readonly startedHow: StartedHow;
  readonly recovered: Recovered;
  /** The configuration in force; `options` has it, too. */
  readonly running: RunningConfig;
  /** Monotonic, when the account was ours. */
  readonly startedAt: number;
  /** What the start took since then. */
  readonly stages: StartStages;
  /** What stood by with us, not taken yet. */
  readonly warm?: WarmVenue;
}

export function journalWriter(
  { io, log, screen, signals, store, lease, recovered }: Session,
  onState?: (state: WriterState, error: BulkheadError | undefined) => void,
): JournalWriter {
  return new JournalWriter(store, lease, recovered.head, {
    time: io.time,
    initialSettledN: recovered.settledN,
    onState: (state, error) => {
      if (state === 'ok') log.info('the journal takes rows again');
      else if (state !== 'closed') log.error(`journal ${state}`, { reason: errorText(error) });
      if ((state === 'fenced' || state === 'failed') && error) signals.fail(error);
      screen.journal(state, error);
      onState?.(state, error);
    },
    onError: (error) => signals.fail(error),
  });
}

/** What a run says of its tree; `hear` counts. */
export function treeListeners({ log, signals }: Run, hear: (event: TreeEvent) => void): SystemListeners {
  return {
    onTreeEvent: (event) => {
      hear(event);
      if (isTrouble(event)) log.warn(`supervisor: ${event.type}`, { ...event });
    },
    onQuarantine: (actor, message, reason) =>
      log.error('event quarantined', { actor, event: message.event.type, reason }),
    onBroken: (error) => signals.fail(error),
    onRootExit: (reason) =>
      signals.fail(new BulkheadError('INTERNAL', `the root supervisor gave up: ${String(reason)}`)),
  };
}

/** What of the configuration the actors, as the journal left them, do not go by yet. */
export function unheard({ running, lease }: Session, system: TradingSystem): readonly Message[] {
  const { version, config } = running.version;
  return system.unheardAtStart({ version, config, telling: `start:${lease.epoch}` });
}

const LOG_LEVELS = { info: 'info', warning: 'warn', critical: 'error' } as const;

/** What actors want people to know; other sinks come beside this one. */
export function logNotices({ row, intents }: Committed, log: Logger): void {
  for (const intent of intents) {
    if (intent.type !== 'notify') continue;
    log[LOG_LEVELS[intent.level]](intent.text, {
      actor: row.actor,
      n: row.n,
      ...(actorType(row.actor) === 'position' ? { position: row.actor } : {}),
      marketTime: new Date(row.at).toISOString(),
    });
  }
}

const isTrouble = (event: TreeEvent): boolean =>
  event.type === 'exited' ? isAbnormal(event.reason) : event.type !== 'started' && event.type !== 'stopped';
