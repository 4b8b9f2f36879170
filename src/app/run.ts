/**
 * `bulkhead run`: takes the data folder and the account, recovers, trades, and leaves everything committed.
 *
 * Invariants: startup is recovery; nothing is sent before the journal says so; whatever ends the run, the
 * folder, the lease and the store are given back in reverse order, within the shutdown deadline.
 */

import type { Committed } from '../../supervisors/actor-runtime.ts';
import { isAbnormal } from '../../supervisors/exit.ts';
import { type Recovered, readRecovery } from '../../supervisors/recovery.ts';
import type { TreeEvent } from '../../supervisors/tree.ts';
import { VirtualTime } from '../core/clock.ts';
import { BulkheadError, errorText } from '../core/errors.ts';
import { freshId } from '../core/ids.ts';
import { createLogger, type Logger } from '../core/logger.ts';
import type { JournalStore, Lease } from '../journal/journal.ts';
import { JournalWriter } from '../journal/journal-writer.ts';
import { LeaseKeeper, waitForLease } from '../journal/lease-keeper.ts';
import { composeSystem, reconcileSystem, startSystem } from './compose.ts';
import { openDataFolder } from './data-folder.ts';
import type { CreateStore, Io, RunOptions } from './io.ts';
import { type DriveEnd, MarketDriver } from './market-driver.ts';
import { checkMode } from './modes.ts';
import { createStore } from './open-store.ts';
import { openRun } from './run-identity.ts';
import { RunScreen } from './run-screen.ts';
import { Signals } from './signals.ts';

/** What was taken and must be given back, newest first. */
class Held {
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

/** `create` is for benches, which bring a store of their own. */
export async function run(options: RunOptions, io: Io, create: CreateStore = createStore): Promise<number> {
  const { config, secrets } = options;
  checkMode(options);
  const screen = new RunScreen(options, io);
  const log = createLogger({
    level: config.log.level,
    output: screen.logOutput,
    pretty: io.stderrIsTty,
    secrets: Object.values(secrets),
    now: () => io.time.clock.now(),
  });
  const held = new Held();
  const signals = new Signals(config.shutdown.deadlineMs, io.time, log);
  held.add(() => signals.release());
  try {
    const end = await trade({ options, io, create, log, held, signals, screen });
    screen.finish(end);
    return signals.exitCode ?? 0;
  } catch (error) {
    screen.fail(error);
    throw error;
  } finally {
    await held.release(log);
    screen.close();
  }
}

interface Run {
  readonly options: RunOptions;
  readonly io: Io;
  readonly create: CreateStore;
  readonly log: Logger;
  readonly held: Held;
  readonly signals: Signals;
  readonly screen: RunScreen;
}

async function trade(run: Run): Promise<DriveEnd> {
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
    return 'stopped';
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
  const { market, identity, notes, instruments } = await openRun(config, io.cwd, store, lease);
  held.add(() => market.close());
  for (const note of notes) log.warn('recording', { note });
  const recovered = await readRecovery(store);
  const time = new VirtualTime(recovered.headAt ?? market.range().from);
  screen.progress.virtualTime = recovered.headAt ?? null;
  const writer = journalWriter(run, store, lease, recovered);
  const system = composeSystem({
    config,
    instance,
    instruments,
    timeframe: market.timeframe,
    recovered,
    writer,
    time,
    onTreeEvent: (event) => {
      if (isTrouble(event)) log.warn(`supervisor: ${event.type}`, { ...event });
    },
    onQuarantine: (actor, message, reason) =>
      log.error('event quarantined', { actor, event: message.event.type, reason }),
    onRootExit: (reason) =>
      signals.fail(new BulkheadError('INTERNAL', `the root supervisor gave up: ${String(reason)}`)),
  });
  system.runtime.observe((committed) => logNotices(committed, log));
  screen.watch(system, writer, market, identity);
  for (const { row } of recovered.live.values()) screen.model.seed(row);
  held.add(() => writer.close());
  const driver = new MarketDriver({
    market,
    runtime: system.runtime,
    audience: system.audience,
    time,
    realTime: io.time,
    speed: (at) => (at < market.range().from + warmUpMs(options) ? 'max' : config.market.speed),
    onStep: (step) => screen.step(step.at, step.bars.length),
  });
  if (recovered.cursor) await driver.rewind(recovered.cursor);
  await startSystem(system, recovered);
  for (const { symbol, kind, detail } of await reconcileSystem(system))
    log.error('reconciliation', { symbol, kind, detail });
  held.add(async () => {
    await system.root.stop();
  });
  screen.progress.recovery = {
    ms: Math.round(io.time.monotonic.now() - startedAt),
    actors: recovered.live.size,
  };
  screen.to('running');
  return drive(run, driver, recovered);
}

async function drive(
  { options, log, signals }: Run,
  driver: MarketDriver,
  recovered: Recovered,
): Promise<DriveEnd> {
  signals.onStop(() => driver.stop());
  const end = await driver.run(recovered.cursor);
  if (end === 'end' && !options.config.market.untilEnd) {
    log.info('the recording is over; its last state stays up until this run is stopped');
    await signals.stopped();
  }
  if (signals.failure) throw signals.failure;
  return end;
}

/** A generated market begins with some days at full speed, so that there is something to see at once. */
function warmUpMs({ config }: RunOptions): number {
  return config.market.source === 'synthetic' ? config.market.warmUpDays * 86_400_000 : 0;
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

function journalWriter(
  { io, log, screen, signals }: Run,
  store: JournalStore,
  lease: Lease,
  recovered: Recovered,
): JournalWriter {
  return new JournalWriter(store, lease, recovered.head, {
    time: io.time,
    initialSettledN: recovered.settledN,
    // Market time stands still while the journal is away, so entries halt by themselves and nothing goes stale.
    onState: (state, error) => {
      if (state === 'ok') log.info('the journal takes rows again');
      else if (state !== 'closed') log.error(`journal ${state}`, { reason: errorText(error) });
      if ((state === 'fenced' || state === 'failed') && error) signals.fail(error);
      screen.journal(state, error);
    },
    onError: (error) => signals.fail(error),
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

const LOG_LEVELS = { info: 'info', warning: 'warn', critical: 'error' } as const;

/** What actors want people to know; other sinks come beside this one. */
function logNotices({ row, intents }: Committed, log: Logger): void {
  for (const intent of intents) {
    if (intent.type !== 'notify') continue;
    log[LOG_LEVELS[intent.level]](intent.text, {
      actor: row.actor,
      marketTime: new Date(row.at).toISOString(),
    });
  }
}
