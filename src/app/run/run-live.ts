/**
 * A run against a remote venue: paper beside `bulkhead exchange`, or Binance itself. In this order: recovery, the
 * venue and its checks, the tree, RESTARTED, a full reading, the market's past; only then entries.
 *
 * Invariants: a venue that cannot be reached is waited for; nothing leaves this process without a valid lease and
 * a journal that takes rows; a stop leaves protective orders at the venue, where they are.
 */
import { errorText } from '../../core/errors.ts';
import { type Message, VENUE } from '../../domain/events.ts';
import type { VenueGateway } from '../../exchange/venue-gateway.ts';
import { knowsOrder } from '../../execution/executor-state.ts';
import type { JournalWriter } from '../../journal/journal-writer.ts';
import { strategyByName } from '../../strategy/strategy.ts';
import { composeLive, type LiveSystem } from '../compose/compose-live.ts';
import { LiveDriver } from '../drive/live-driver.ts';
import { carryOut } from '../kill/kill-carry-out.ts';
import { rememberVenue, type VenueFacts } from '../kill/kill-target.ts';
import { KillWatch } from '../kill/kill-watch.ts';
import { EntryDoor } from '../live/entry-door.ts';
import { accountRead } from '../live/first-reading.ts';
import { firstWallet } from '../live/first-wallet.ts';
import { GatewayRunner } from '../live/gateway-runner.ts';
import { InstrumentWatch } from '../live/instrument-watch.ts';
import { LiveMetrics } from '../live/live-metrics.ts';
import { scannersSeen } from '../live/scanners-seen.ts';
import { VenueBreakers } from '../live/venue-breakers.ts';
import type { Connected } from '../live/venue-clock.ts';
import { connectVenue } from '../live/venue-connect.ts';
import { followKey } from '../live/venue-key.ts';
import type { OpenVenue, VenueRequest } from '../live/venue-seams.ts';
import { venueStatus } from '../live/venue-status.ts';
import { remoteLiquidations } from '../status/liquidations.ts';
import { doubtfulOrders } from '../store/restored-run.ts';
import { LifeLog } from './life-log.ts';
import type { VenueTarget } from './modes.ts';
import { openRemoteRun, type RemoteIdentity, readIdentity } from './run-identity.ts';
import { journalWriter, logNotices, type Session, treeListeners, unheard } from './run-session.ts';
import { type SafeMomentOptions, safeMoment } from './safe-moment.ts';
import { Seat } from './seat.ts';
import { startSystem } from './system.ts';
import { windDown } from './wind-down.ts';

/** What fills up as a run comes to life. */
interface Life {
  readonly session: Session;
  readonly metrics: LiveMetrics;
  readonly runner: GatewayRunner;
  readonly breakers: VenueBreakers;
  readonly door: EntryDoor;
  readonly kill: KillWatch;
  readonly seat: Seat;
  waitingFor: string | null;
  connected?: Connected;
  writer?: JournalWriter;
  system?: LiveSystem;
  driver?: LiveDriver;
  instruments?: InstrumentWatch;
  /** Nothing may leave any more. */
  isOver: boolean;
}

export async function runLive(session: Session, target: VenueTarget, venue: OpenVenue): Promise<'stopped'> {
  const life = begin(session, target, venue);
  const { signals, screen, store, held } = session;
  screen.showVenue(() => statusOf(life, target));
  screen.showLiquidations(() =>
    remoteLiquidations(Object.values(life.system?.executor.current()?.state.positions ?? {})),
  );
  screen.showClock(() => life.connected?.time.clock.now());
  const known = await readIdentity(store);
  screen.to('connecting');
  // Before the venue is reached: a kill that is engaged does not wait for it.
  life.kill.start();
  held.add(() => life.seat.close());
  await life.seat.serve();
  session.stages.reach('seat');
  held.add(() => life.kill.stop());
  const ways = {
    mayAct: () => mayAct(life),
    refuses: life.door.refuses,
    knows: knowing(life),
    onEvent: life.runner.hear,
  };
  const onWaiting = (reason: string | null): void => {
    life.waitingFor = reason;
  };
  const warm = await session.warm?.take(ways);
  if (warm) onWaiting(null);
  const connected =
    warm ??
    (await connectVenue({ session, target, venue, known: known?.market.symbols, ...ways, onWaiting }));
  if (connected) await trade(life, connected, venue);
  if (signals.failure) throw signals.failure;
  return 'stopped';
}

function begin(session: Session, target: VenueTarget, venue: OpenVenue): Life {
  const { io, lease, options, folder, log } = session;
  const { config } = options;
  const metrics = new LiveMetrics(io.time.monotonic, config.venue.timeFactor);
  const breakers = new VenueBreakers({
    epoch: lease.epoch,
    now: () => io.time.monotonic.now(),
    timeFactor: config.venue.timeFactor,
    get maxLatencyMs() {
      return options.config.breakers.maxLatencyMs;
    },
    get maxClockSkewMs() {
      return options.config.breakers.maxClockSkewMs;
    },
    knows: (actor) => life.system?.runtime.knows(actor) === true,
    tell: (message) => life.system?.runtime.tell(message),
  });
  const kill: KillWatch = new KillWatch({
    dataDir: folder.path,
    realTime: io.time,
    log,
    runtime: () => life.system?.runtime,
    isJournalOk: () => life.writer?.state === 'ok',
    carryOut: (order) =>
      carryOut({
        ...{ dataDir: folder.path, order, target, config, venue, io, log },
        say: (text) => log.warn(`kill: ${text}`, { kill: order.id }),
        isStopped: () => kill.isStopped,
      }),
  });
  const door = new EntryDoor(() => kill.isEngaged);
  const runner = new GatewayRunner({
    epoch: lease.epoch,
    refuses: door.refuses,
    onEvent: (event) => {
      metrics.hear(event, life.connected?.time.clock.now() ?? null);
      breakers.hear(event);
    },
  });
  const life: Life = {
    session,
    metrics,
    runner,
    breakers,
    door,
    kill,
    seat: new Seat(session),
    waitingFor: 'its first answer',
    isOver: false,
  };
  return life;
}

/** Without a lease or a journal another process may be the account's owner, or nobody would know what was done. */
function mayAct({ session, writer, isOver }: Life): boolean {
  return !isOver && session.keeper.valid && (writer === undefined || writer.state === 'ok');
}

/** From the first reading on, which a takeover waits for: what the journal tells need not be asked. */
const knowing =
  (life: Life): NonNullable<VenueRequest['knows']> =>
  (order) => {
    const state = life.system?.executor.current()?.state;
    return state !== undefined && knowsOrder(state, order);
  };

async function trade(life: Life, connected: Connected, venue: OpenVenue): Promise<void> {
  const { session, runner, seat } = life;
  const { held, log, signals, screen, recovered, io } = session;
  life.connected = connected;
  session.stages.reach('venue');
  await followKey(session, connected);
  life.metrics.beginAt(connected.time.clock.now());
  const { gateway, time, checks } = connected;
  held.add(() => gateway.close());
  for (const { check, ok, detail } of checks) log[ok ? 'info' : 'warn'](`venue: ${check}`, { detail });
  runner.use(gateway);
  const identity = await identityOf(life, gateway);
  if (!identity) return;
  let halted = '';
  const writer = journalWriter(session, (state, error) => {
    if (error) halted = errorText(error);
    life.breakers.journal(state, halted);
  });
  held.add(() => writer.close());
  life.writer = writer;
  const system = compose(life, identity, writer);
  life.system = system;
  const market = connected.market ?? (await venue.market(connected.request));
  const driver = driverOf(life, system, market, identity);
  life.driver = driver;
  rememberVenue(session.folder.path, factsOf(session, connected));
  session.stages.reach('tree');
  const doubtful = await doubtfulOrders(session.store, recovered);
  system.runtime.observe(safeMoment(safety(life, system)));
  const first = [
    restarted(session.lease.epoch, doubtful, runner.takeStreamUp()),
    ...unheard(session, system),
  ];
  await startSystem(system, recovered, first);
  session.stages.reach('actors');
  runner.attach(tellOf(system));
  driver.startTimers();
  const watch = new InstrumentWatch({
    gateway,
    runtime: system.runtime,
    instruments: identity.instruments,
    realTime: io.time,
    positionMode: session.options.config.venue.positionMode,
    get everyMs() {
      return session.options.config.venue.instrumentsEveryMs;
    },
    epoch: session.lease.epoch,
    log,
  });
  life.instruments = watch;
  // What a standby has read lately can wait: nothing may be in the way of the account's reading.
  const free = connected.market ? accountRead(session) : Promise.resolve();
  void free.then(() => watch.start());
  screen.progress.recovery = {
    ...screen.progress.recovery,
    ms: Math.round(io.time.monotonic.now() - session.startedAt),
    actors: recovered.live.size,
  };
  seat.open();
  screen.to('running');
  driver.start(free).then(
    () => log.info('the market\u2019s past is read; strategies are up to date'),
    (error: unknown) => signals.fail(error),
  );
  await signals.stopped();
  screen.to('stopping');
  seat.hush();
  watch.stop();
  await driver.stopMarket();
  if (mayAct(life)) await windDown(system.runtime, runner, { ...windDownOptions(session) });
  life.isOver = true;
  runner.stop();
  driver.stopTimers();
  held.add(() => system.root.stop());
  screen.progress.virtualTime = time.clock.now();
}

/** Since when everything is protected again: a start's, and a takeover's, own measure. */
function safety({ session, metrics, connected }: Life, { executor }: LiveSystem): SafeMomentOptions {
  const { io, screen, log, stages, lease, recovered } = session;
  return {
    isReady: () => {
      const isReady = executor.current()?.state.ready === true;
      if (isReady) stages.reach('account');
      return isReady;
    },
    unprotected: () => metrics.unprotected(connected?.time.clock.now() ?? 0).openNow,
    onSafe: () => {
      stages.reach('safe');
      const { safe: safeMs = 0 } = stages.reached;
      const { recovery } = screen.progress;
      screen.progress.recovery = { ms: safeMs, actors: recovered.live.size, ...recovery, safeMs };
      screen.announce({
        event: 'safe',
        at: io.time.clock.now(),
        epoch: lease.epoch,
        safeMs,
        stages: stages.reached,
      });
      log.info('everything open is protected and agrees with the venue', { ...stages.reached });
    },
  };
}

function factsOf({ options }: Session, { request: { target, symbols } }: Connected): VenueFacts {
  const { mode, restUrl, streamUrl } = target;
  return { mode, restUrl, streamUrl, symbols, timeFactor: options.config.venue.timeFactor };
}

const windDownOptions = ({ options, io, log }: Session) => ({
  deadlineMs: options.config.shutdown.deadlineMs,
  time: io.time,
  log,
});

const tellOf =
  ({ runtime }: LiveSystem) =>
  (message: Message): void =>
    runtime.tell(message);

/** What every start says first: whatever was under way may or may not have been sent. */
const restarted = (epoch: number, doubtful: readonly string[], isStreamUp: boolean): Message => ({
  to: VENUE,
  event: {
    ...{ type: 'RESTARTED', epoch },
    ...(doubtful.length > 0 ? { doubtful } : {}),
    ...(isStreamUp ? { stream: 'up' } : {}),
  },
  cause: { kind: 'external', id: `restarted:${epoch}` },
});

function compose(life: Life, identity: RemoteIdentity, writer: JournalWriter): LiveSystem {
  const { session, runner, metrics, breakers, door, seat, connected } = life;
  const { options, instance, recovered, log, screen, io } = session;
  const system = composeLive({
    config: options.config,
    configNow: () => options.config,
    identity,
    instance,
    recovered,
    writer,
    time: connected?.time ?? io.time,
    ...(session.wrap ? { wrap: session.wrap } : {}),
    ...treeListeners(session, seat.hearTree),
  });
  session.onSystem?.(system);
  system.runtime.observe((committed) => logNotices(committed, log));
  system.runtime.observe(new LifeLog(log, 'info').observe);
  system.runtime.observe(runner.observe);
  system.runtime.observe(metrics.observe);
  system.runtime.observe(breakers.observe);
  system.runtime.observe(door.observe);
  seat.use(system, writer);
  screen.watch(system, writer, identity.market, undefined, identity.venue.wallet);
  for (const { row } of recovered.live.values()) {
    metrics.seed(row.actor, row.snapshot);
    breakers.observe({ row });
    door.observe({ row });
  }
  return system;
}

function driverOf(
  life: Life,
  system: LiveSystem,
  market: ConstructorParameters<typeof LiveDriver>[0]['market'],
  identity: RemoteIdentity,
): LiveDriver {
  const { session, connected, writer } = life;
  const { options, io, log, recovered } = session;
  return new LiveDriver({
    market,
    runtime: system.runtime,
    audience: system.audience,
    time: connected?.time ?? io.time,
    realTime: io.time,
    symbols: identity.market.symbols,
    get markEveryMs() {
      return options.config.venue.markEveryMs;
    },
    warmUpMs: strategyByName(identity.strategy.name, identity.strategy.options).warmUpMs,
    seen: scannersSeen(recovered, identity.market.symbols),
    awaySince: recovered.headAt,
    isWell: () => writer?.state === 'ok',
    onContract: (symbol) => life.instruments?.changed(symbol),
    log,
  });
}

/** Undefined: the run was stopped meanwhile. */
async function identityOf(life: Life, gateway: VenueGateway): Promise<RemoteIdentity | undefined> {
  const { options, store, lease, signals } = life.session;
  const symbols = life.connected?.request.symbols ?? [];
  const run = openRemoteRun(options.config, store, lease, {
    instruments: () => gateway.instruments(symbols),
    wallet: () => firstWallet(life.session, gateway),
  });
  return Promise.race([run, signals.stopped().then(() => undefined)]);
}

function statusOf(life: Life, target: VenueTarget) {
  const { session, connected, driver, runner, metrics, system } = life;
  return venueStatus({
    name: connected?.gateway.name ?? new URL(target.restUrl).host,
    waitingFor: life.waitingFor,
    checks: connected?.checks ?? [],
    metrics,
    inFlight: runner.inFlight,
    rate: connected?.rateUse?.(),
    executor: system?.executor.current()?.state,
    driver,
    strayRejections: session.signals.strays,
    now: connected?.time.clock.now() ?? session.io.time.clock.now(),
  });
}
