/**
 * What every run holds while it lasts, whatever it trades on: the data folder, the store, the account's lease,
 * what recovery read, the journal's writer. Given back in reverse order.
 */
import type { Committed } from '../../supervisors/actor-runtime.ts';
import { isAbnormal } from '../../supervisors/exit.ts';
import type { WrapLogic } from '../../supervisors/machine-registry.ts';
import { type Recovered, readRecovery } from '../../supervisors/recovery.ts';
import type { TreeEvent } from '../../supervisors/tree.ts';
import { BulkheadError, errorText } from '../core/errors.ts';
import { freshId } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import type { JournalStore, Lease } from '../journal/journal.ts';
import { JournalWriter, type WriterState } from '../journal/journal-writer.ts';
import { LeaseKeeper, waitForLease } from '../journal/lease-keeper.ts';
import type { LogRing } from '../operator/log-ring.ts';
import type { LiveSystem } from './compose-live.ts';
import { type DataFolder, openDataFolder } from './data-folder.ts';
import type { CreateStore, Io, RunOptions } from './io.ts';
import type { RunScreen } from './run-screen.ts';
import type { Signals } from './signals.ts';
import type { SystemListeners } from './system.ts';

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
  readonly recovered: Recovered;
  /** Monotonic, when recovery began. */
  readonly startedAt: number;
}

/** Folder, store, lease, recovery. Undefined: the run was stopped while it waited for the account. */
export async function openSession(run: Run): Promise<Session | undefined> {
  const { options, io, create, log, held, signals, screen } = run;
  const { config } = options;
  const folder = openDataFolder(config.data.dir, io.cwd);
  held.add(() => folder.release());
  screen.openFolder(folder.path);
  const store = await create(options, io, 'apply');
  held.add(() => store.close());
  screen.progress.store = await store.open();
  const taken = await takeLease(run, store, folder.owner);
  if (!taken) {
    if (signals.failure) throw signals.failure;
    return undefined;
  }
  const { lease, acquiredAt } = taken;
  held.add(() => store.releaseLease(lease));
  const keeper = new LeaseKeeper(store, lease, acquiredAt, {
    time: io.time,
    ttlMs: config.lease.ttlMs,
    onStatus: (status) => {
      if (status === 'fenced') signals.fail(fenced());
      else if (status === 'expired') log.warn('the lease ran out; another process may take the account over');
    },
  });
  keeper.start();
  held.add(() => keeper.stop());
  screen.to('recovering');
  const startedAt = io.time.monotonic.now();
  const instance = await instanceOf(store, lease);
  const recovered = await readRecovery(store);
  return { ...run, folder, store, lease, keeper, instance, recovered, startedAt };
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

/** What a run says of its tree. */
export function treeListeners({ log, signals }: Run): SystemListeners {
  return {
    onTreeEvent: (event) => {
      if (isTrouble(event)) log.warn(`supervisor: ${event.type}`, { ...event });
    },
    onQuarantine: (actor, message, reason) =>
      log.error('event quarantined', { actor, event: message.event.type, reason }),
    onBroken: (error) => signals.fail(error),
    onRootExit: (reason) =>
      signals.fail(new BulkheadError('INTERNAL', `the root supervisor gave up: ${String(reason)}`)),
  };
}

const LOG_LEVELS = { info: 'info', warning: 'warn', critical: 'error' } as const;

/** What actors want people to know; other sinks come beside this one. */
export function logNotices({ row, intents }: Committed, log: Logger): void {
  for (const intent of intents) {
    if (intent.type !== 'notify') continue;
    log[LOG_LEVELS[intent.level]](intent.text, {
      actor: row.actor,
      n: row.n,
      marketTime: new Date(row.at).toISOString(),
    });
  }
}

async function takeLease(
  { options, io, signals, screen, log }: Run,
  store: JournalStore,
  owner: string,
): Promise<{ lease: Lease; acquiredAt: number } | undefined> {
  const { ttlMs, standby } = options.config.lease;
  if (!standby) {
    const acquiredAt = io.time.monotonic.now();
    return { lease: await store.acquireLease(owner, ttlMs), acquiredAt };
  }
  screen.to('standby');
  const abort = new AbortController();
  signals.onStop(() => abort.abort());
  return waitForLease(store, owner, {
    time: io.time,
    ttlMs,
    pollMs: Math.min(1_000, ttlMs / 4),
    onWaiting: (held) => log.info('waiting for the account', { holder: held?.owner ?? 'unknown' }),
    signal: abort.signal,
  });
}

const fenced = (): BulkheadError =>
  new BulkheadError('FENCED', 'Another process took this account over; this one stops.', {
    hint: 'Nothing is lost: the other process goes on from the same journal.',
  });

/** The installation's identity in order ids: minted once per journal. */
async function instanceOf(store: JournalStore, lease: Lease): Promise<string> {
  const known = await store.getMeta('instance');
  if (known !== undefined) return known;
  const instance = freshId('instance');
  await store.setMeta(lease, 'instance', instance);
  return instance;
}

const isTrouble = (event: TreeEvent): boolean =>
  event.type === 'exited' ? isAbnormal(event.reason) : event.type !== 'started' && event.type !== 'stopped';
