/** A run on a generated or recorded market and the simulated venue: virtual time, as fast as wanted. */
import { VirtualTime } from '../../core/clock.ts';
import type { RunOptions } from '../cli/io.ts';
import { composeSystem, reconcileSystem, startSystem } from '../compose/compose.ts';
import { type DriveEnd, MarketDriver } from '../drive/market-driver.ts';
import { KillWatch } from '../kill/kill-watch.ts';
import { simulatedLiquidations } from '../status/liquidations.ts';
import { LifeLog } from './life-log.ts';
import { openRun } from './run-identity.ts';
import { journalWriter, logNotices, type Session, treeListeners, unheard } from './run-session.ts';
import { Seat } from './seat.ts';

/** Before the venue's first word. */
const NOTHING_HELD = { positions: [] };

export async function runDemo(session: Session): Promise<DriveEnd> {
  const { options, io, log, held, signals, screen, recovered, instance, store, lease, folder } = session;
  const { config } = options;
  const { market, identity, notes, instruments } = await openRun(config, io.cwd, store, lease);
  held.add(() => market.close());
  for (const note of notes) log.warn('recording', { note });
  const time = new VirtualTime(recovered.headAt ?? market.range().from);
  screen.progress.virtualTime = recovered.headAt ?? null;
  const writer = journalWriter(session);
  const seat = new Seat(session);
  const system = composeSystem({
    config,
    configNow: () => options.config,
    instance,
    instruments,
    timeframe: market.timeframe,
    recovered,
    writer,
    time,
    ...treeListeners(session, seat.hearTree),
  });
  system.runtime.observe((committed) => logNotices(committed, log));
  system.runtime.observe(new LifeLog(log, 'debug').observe);
  seat.use(system, writer);
  held.add(() => seat.close());
  await seat.serve();
  screen.watch(system, writer, identity, market.range());
  screen.showLiquidations(() =>
    simulatedLiquidations(system.venue.current()?.report(time.now()) ?? NOTHING_HELD),
  );
  held.add(() => writer.close());
  const driver = new MarketDriver({
    market,
    runtime: system.runtime,
    audience: system.audience,
    time,
    realTime: io.time,
    speed: (at) => (at < market.range().from + warmUpMs(options) ? 'max' : options.config.market.speed),
    onStep: (step) => screen.step(step.at, step.bars.length),
  });
  if (recovered.cursor) await driver.rewind(recovered.cursor);
  await startSystem(system, recovered, unheard(session, system));
  for (const { symbol, kind, detail } of await reconcileSystem(system))
    log.error('reconciliation', { symbol, kind, detail });
  held.add(async () => {
    await system.root.stop();
  });
  const kill = new KillWatch({
    dataDir: folder.path,
    realTime: io.time,
    log,
    runtime: () => system.runtime,
    isJournalOk: () => writer.state === 'ok',
  });
  kill.start();
  held.add(() => kill.stop());
  screen.progress.recovery = {
    ms: Math.round(io.time.monotonic.now() - session.startedAt),
    actors: recovered.live.size,
  };
  seat.open();
  screen.to('running');
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
