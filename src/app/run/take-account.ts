/**
 * The beginning of every run: folder, store, lease, recovery; at once, or after standing by. What was taken is given
 * back in reverse order.
 */
import { readRecovery } from '../../../supervisors/recovery.ts';
import { BulkheadError } from '../../core/errors.ts';
import { freshId } from '../../core/ids.ts';
import type { JournalStore, Lease } from '../../journal/journal.ts';
import { LeaseKeeper } from '../../journal/lease-keeper.ts';
import { configAtStart } from '../config/config-start.ts';
import { RunningConfig } from '../config/running-config.ts';
import type { WarmVenue } from '../live/warm-venue.ts';
import { HandoverWatch } from '../standby/handover-watch.ts';
import { standBy, type TakenOver } from '../standby/standby.ts';
import { openDataFolder } from './data-folder.ts';
import type { Run, Session } from './run-session.ts';
import { StartStages } from './start-stages.ts';
import { startedHow } from './started-how.ts';

/** Folder, store, lease, recovery. Undefined: the run was stopped while it waited for the account. */
export async function openSession(run: Run, warm?: WarmVenue): Promise<Session | undefined> {
  const { options, io, create, log, held, signals, screen } = run;
  const { config } = options;
  const folder = openDataFolder(config.data.dir, io.cwd);
  held.add(() => folder.release());
  const before = startedHow(folder.path);
  screen.openFolder(folder.path);
  const store = await create(options, io, 'apply');
  held.add(() => store.close());
  screen.progress.store = await store.open();
  if (warm) held.add(() => warm.close());
  const taken = config.lease.standby
    ? await standBy(run, store, folder.owner, warm)
    : await takeLease(run, store, folder.owner);
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
  const startedAt = io.time.monotonic.now();
  const stages = new StartStages(io.time);
  screen.standby(null);
  if (config.lease.standby)
    screen.announce({ event: 'leading', at: io.time.clock.now(), epoch: lease.epoch });
  screen.to('recovering');
  if (config.store.engine === 'postgres') watchHandover({ ...run, store, folder });
  const [instance, recovered] = await Promise.all([instanceOf(store, lease), taken.recovered()]);
  screen.recover(recovered);
  stages.reach('journal');
  const how = taken.tookOver ? 'takeover' : before;
  const version = await configAtStart({
    ...{ store, lease, log, secrets: options.secrets },
    loaded: config,
    n: recovered.head.n,
    at: io.time.clock.now(),
    isTakeover: taken.tookOver,
  });
  stages.reach('configuration');
  const running = new RunningConfig(version);
  return {
    ...{
      ...run,
      folder,
      store,
      lease,
      keeper,
      instance,
      recovered,
      startedAt,
      stages,
      running,
      startedHow: how,
    },
    options: running.options(options),
    ...(warm ? { warm } : {}),
  };
}

function watchHandover({
  io,
  log,
  held,
  signals,
  screen,
  store,
  folder,
}: Run & Pick<Session, 'store' | 'folder'>): void {
  const watch = new HandoverWatch({
    dataDir: folder.path,
    store,
    time: io.time,
    log,
    onStandbys: (standbys) => {
      screen.progress.standbys = standbys;
    },
    onHandover: ({ standby }) => {
      screen.announce({ event: 'handing-over', at: io.time.clock.now(), to: standby?.owner ?? null });
      signals.finish();
    },
  });
  watch.start();
  held.add(() => watch.stop());
}

async function takeLease({ options, io }: Run, store: JournalStore, owner: string): Promise<TakenOver> {
  const acquiredAt = io.time.monotonic.now();
  const lease = await store.acquireLease(owner, options.config.lease.ttlMs);
  return { lease, acquiredAt, tookOver: false, recovered: () => readRecovery(store) };
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
