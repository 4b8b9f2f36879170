/**
 * `bulkhead run`: takes the data folder and the account, recovers, trades, and leaves everything committed.
 *
 * Invariants: startup is recovery; nothing is sent before the journal says so; whatever ends the run, the
 * folder, the lease and the store are given back in reverse order, within the shutdown deadline.
 */
import type { WrapLogic } from '../../../supervisors/machine-registry.ts';
import { createLogger, type LogLevel, type RootLogger } from '../../core/logger.ts';
import type { VenueKey } from '../../exchange/venue-client.ts';
import { LogRing } from '../../operator/log-ring.ts';
import type { CreateStore, Io, RunOptions } from '../cli/io.ts';
import type { LiveSystem } from '../compose/compose-live.ts';
import { createStore, followPassword } from '../compose/open-store.ts';
import { openVenue } from '../compose/open-venue.ts';
import type { DriveEnd } from '../drive/market-driver.ts';
import { takeKeys } from '../live/venue-key.ts';
import type { OpenVenue } from '../live/venue-seams.ts';
import { WarmVenue } from '../live/warm-venue.ts';
import { RunScreen } from '../status/run-screen.ts';
import { BackupDesk } from '../store/backup-desk.ts';
import { venueTarget } from './modes.ts';
import { runDemo } from './run-demo.ts';
import { runLive } from './run-live.ts';
import { Held, type Run, type Session } from './run-session.ts';
import { SecretWatch } from './secret-watch.ts';
import { type SignalSource, Signals } from './signals.ts';
import { minFreeBytes, StoreWatch } from './store-watch.ts';
import { openSession } from './take-account.ts';

/** Stores and venues of their own, for benches and tests. */
export interface RunSeams {
  readonly create?: CreateStore;
  readonly venue?: OpenVenue;
  /** Whose signals end the run; this process's where absent. */
  readonly signals?: SignalSource;
  /** Hears of the system once it is composed. */
  readonly onSystem?: (system: LiveSystem) => void;
  /** Around the logics of the actors. */
  readonly wrap?: WrapLogic;
}

function watchStore({ store, io, log, screen, running }: Session): StoreWatch {
  const watch = new StoreWatch({
    ...{ store, time: io.time, log, progress: screen.progress },
    minFreeBytes: () => minFreeBytes(running.now),
  });
  void watch.look();
  return watch;
}

export async function run(given: RunOptions, io: Io, seams: RunSeams = {}): Promise<number> {
  const { config } = given;
  const unspeakable = new Set<string | undefined>(Object.values(given.secrets));
  const secrets = new SecretWatch({
    initial: given.secrets,
    source: given.secretSource,
    checkEveryMs: config.secrets.checkEveryMs,
    time: io.time,
    log: () => log,
    unspeakable,
  });
  const options: RunOptions = { ...given, secrets: secrets.secrets };
  const target = venueTarget(options);
  const screen = new RunScreen(options, io);
  const logs = new LogRing();
  const log = createLogger({
    level: logLevel(options),
    output: screen.logOutput,
    pretty: io.stderrIsTty,
    secrets: unspeakable.add(target?.apiKey).add(target?.apiSecret),
    now: () => io.time.clock.now(),
    tap: logs.write,
  });
  const held = new Held();
  const signals = new Signals(config.shutdown.deadlineMs, io.time, log, target !== undefined, seams.signals);
  held.add(() => signals.release());
  if (given.secretSource) watchSecrets(secrets, screen, signals, held);
  signals.keepThroughHangUps(io.isTerminalGone ?? (() => false));
  const create = seams.create ?? createStore;
  const { onSystem, wrap } = seams;
  const run: Run = {
    ...{ options, io, create, log, logs, held, signals, screen, secrets },
    ...(onSystem ? { onSystem } : {}),
    ...(wrap ? { wrap } : {}),
  };
  followPassword(run);
  try {
    const venue = seams.venue ?? openVenue;
    const warm =
      target && config.lease.standby ? new WarmVenue({ run: options, io, log, target, venue }) : undefined;
    if (target && warm && given.secretSource) {
      const change = (key: VenueKey): Promise<void> => warm.changeKey(key);
      takeKeys(secrets, { ...target }, change, () => warm.lookNow());
    }
    const session = await openSession(run, warm);
    const trade = async (): Promise<DriveEnd> => {
      if (!session) return 'stopped';
      const backups = new BackupDesk(session);
      held.add(() => backups.stop());
      void backups.start();
      const watch = watchStore(session);
      held.add(() => watch.stop());
      follow(session, log);
      return target ? runLive(session, target, venue) : runDemo(session);
    };
    screen.finish(await trade());
    return signals.exitCode ?? 0;
  } catch (error) {
    screen.fail(error);
    throw error;
  } finally {
    await held.release(log);
    screen.close();
  }
}

/** A hang-up has them looked at, too. */
function watchSecrets(watch: SecretWatch, screen: RunScreen, signals: Signals, held: Held): void {
  screen.progress.secrets = () => watch.status();
  watch.needRestart('the URL of Redis', 'redisUrl');
  signals.hearHangUps(() => void watch.look());
  watch.start();
  held.add(() => watch.stop());
}

/** Quiet is silence while nothing is wrong; who sets a finer level wants to hear it all the same. */
const logLevel = ({ quiet, config }: Pick<RunOptions, 'quiet' | 'config'>): LogLevel =>
  quiet && config.log.level === 'info' ? 'warn' : config.log.level;

/** What of the configuration belongs to the process itself. */
function follow({ running, options: { quiet }, signals, screen }: Session, log: RootLogger): void {
  running.follow((config) => {
    log.setLevel(logLevel({ quiet, config }));
    signals.setDeadline(config.shutdown.deadlineMs);
    screen.configure(running.version);
  });
}
