/**
 * The operator's seat of one run: what people see and touch hangs here, whatever the run trades on. It exists
 * before there is a tree, so that the kill switch can be reached while nothing else can.
 *
 * Invariant: it hears committed rows, and nothing that trades ever waits for it.
 */
import { scannerOf } from '../../../machines/messages.ts';
import type { ScannerContext } from '../../../machines/scanner.ts';
import type { ExecutorFactory } from '../../../supervisors/executor-logic.ts';
import type { TreeEvent } from '../../../supervisors/tree.ts';
import type { Alerts } from '../../alerts/alerts.ts';
import { configForShow } from '../../config/show.ts';
import type { TimerHandle } from '../../core/clock.ts';
import { BulkheadError, errorText, isBulkheadError } from '../../core/errors.ts';
import { freshId } from '../../core/ids.ts';
import type { Command } from '../../domain/command.ts';
import { PORTFOLIO } from '../../domain/events.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { Distances } from '../../domain/signal.ts';
import { Metrics } from '../../http/metrics-registry.ts';
import type { JournalWriter } from '../../journal/journal-writer.ts';
import { Feed } from '../../operator/feed.ts';
import { JournaledOperator, type OperatorHost } from '../../operator/journaled-operator.ts';
import type { Operator } from '../../operator/operator.ts';
import type { AlertsStatus, StatusDocument } from '../../operator/status-document.ts';
import type { Views } from '../../operator/views.ts';
import { strategyByName } from '../../strategy/strategy.ts';
import { upNotice } from '../../telegram/notices.ts';
import type { Telegram } from '../../telegram/start.ts';
import { openAlerts } from '../compose/open-alerts.ts';
import { openHttp, type Served } from '../compose/open-http.ts';
import { openTelegram } from '../compose/open-telegram.ts';
import { ConfigCopies } from '../config/config-copies.ts';
import { ConfigDesk } from '../config/config-desk.ts';
import { engageKill, readKill } from '../kill/kill-file.ts';
import { liftKill, notEngaged } from '../kill/release.ts';
import { setGauges } from '../metrics/gauges.ts';
import { RowMetrics } from '../metrics/row-metrics.ts';
import { sloLines } from '../metrics/slo.ts';
import { Uptime } from '../metrics/uptime.ts';
import { RequestDesk } from '../requests/person-requests.ts';
import { checkSchedule } from '../store/backup-desk.ts';
import { VERSION } from '../version.ts';
import { ConfigViews } from '../views/config-views.ts';
import { healthOf, isUp } from '../views/health.ts';
import { RunViews } from '../views/run-views.ts';
import { TradeHistory } from '../views/trade-history.ts';
import { LoopDelay } from './loop-delay.ts';
import type { Session } from './run-session.ts';
import { minFreeBytes } from './store-watch.ts';
import { definitionsOf, type TradingSystem } from './system.ts';

const STATUS_EVERY_MS = 1_000;
/** The portfolio values the account with every mark; so many may be late before it counts as gone. */
const QUIET_MARKS = 3;
const QUIET_SLACK_MS = 15_000;
/** Several who look at once share one document. */
const DOCUMENT_KEPT_MS = 200;

/** The executor of a remote venue, where there is one. */
type SeatedSystem = TradingSystem & { readonly executor?: Pick<ExecutorFactory, 'current'> };

export class Seat {
  readonly operator: Operator;
  readonly views: Views;
  readonly feed = new Feed();
  readonly #metrics = new Metrics();
  readonly #rows: RowMetrics;
  readonly #uptime = new Uptime();
  readonly #session: Session;
  readonly #journaled: JournaledOperator;
  readonly #desk: RequestDesk;
  readonly #config: ConfigDesk;
  readonly #history = new TradeHistory();
  readonly #loop: LoopDelay;
  #writer: JournalWriter | undefined;
  #ticking: TimerHandle | undefined;
  #served: Served | undefined;
  #telegram: Telegram | undefined;
  #alerts: Alerts | undefined;
  #document: { readonly at: number; readonly document: StatusDocument } | undefined;
  #system: SeatedSystem | undefined;

  constructor(session: Session) {
    const { io, options, folder, log, logs } = session;
    this.#session = session;
    this.#loop = new LoopDelay(io.time.monotonic);
    this.#config = this.#configDesk(session);
    this.#journaled = new JournaledOperator({
      config: this.#config,
      host: () => this.#host(),
      kill: {
        engage: (by, reason, accountWide) => {
          const at = io.time.clock.now();
          const { order, isNew } = engageKill(folder.path, { by, reason, accountWide, at });
          return `kill switch ${isNew ? 'engaged' : 'was engaged already'} (${order.id})`;
        },
        release: (by, reason) => liftKill(folder.path, by, reason, io.time.clock.now()),
        nothingToLift: () => (readKill(folder.path) ? undefined : notEngaged(folder.path)),
      },
      isShared: options.config.mode !== 'demo',
      now: () => io.time.clock.now(),
      timers: io.time.timers,
    });
    this.operator = this.#journaled;
    const { mode, venue } = options.config;
    const timeFactor = mode === 'demo' ? 1 : venue.timeFactor;
    this.#rows = new RowMetrics(this.#metrics, io.time.monotonic, timeFactor);
    this.views = this.#viewsOf(session);
    this.#desk = new RequestDesk({
      ...{ dataDir: folder.path, time: io.time, log, operator: this.operator },
      hashOf: async (n) => (await session.store.rowsAfter(n - 1, 1)).find((row) => row.n === n)?.hash,
    });
    for (const level of ['error', 'warn', 'info'])
      this.#metrics.countFrom('bulkhead_log_lines_total', { level });
    this.#hearHangUps();
    logs.onLine((line) => {
      this.#metrics.count('bulkhead_log_lines_total', { level: line.level });
      this.feed.publish('log', line);
    });
    this.#tick();
  }

  /** The tree is composed: what it commits is heard from now on. */
  use(system: SeatedSystem, writer: JournalWriter): void {
    const { store, recovered, io, log } = this.#session;
    this.#system = system;
    this.#writer = writer;
    system.runtime.observe((committed) => {
      this.#config.observe(committed);
      this.#journaled.observe(committed);
      this.#history.observe(committed);
      this.#rows.observe(committed);
      this.feed.observe(committed);
      this.#telegram?.observe(committed);
    });
    this.#history.load(store, recovered.head.n, io.time.timers).catch((error: unknown) => {
      log.warn('the trades of the past cannot be read', { reason: errorText(error) });
    });
    this.#readUptime();
  }

  /** A child may end with its restarts; what was counted stays. */
  readonly hearTree = (event: TreeEvent): void => {
    if (event.type === 'restarting')
      this.#metrics.count('bulkhead_supervisor_restarts_total', { supervisor: event.supervisor });
  };

  /** The tree runs: people may speak. */
  open(): void {
    this.#config.retell();
    this.#desk.start();
    this.#telegram?.notify(upNotice(this.views.status()));
  }

  /** The run is ending: nothing new is taken up. */
  hush(): void {
    this.#desk.stop();
  }

  /** Telegram, and the page, where this process may listen. What is wrong with it never keeps a run from trading. */
  async serve(): Promise<void> {
    this.#telegram = await openTelegram(this.#session, this);
    const { io, options, screen, log, running } = this.#session;
    running.follow(({ telegram }) => this.#telegram?.configure(telegram));
    const refresh = (): void => this.#refresh();
    this.#alerts = await openAlerts(this.#session, { views: this.views, metrics: this.#metrics, refresh });
    const alerts = this.#alerts;
    if (alerts) screen.progress.alerts = () => alertsStatus(alerts);
    if (io.mayListen !== true || !options.config.http.enabled) return;
    try {
      this.#served = await openHttp(this.#session, this);
      const served = this.#served;
      const { url, token, server } = served;
      running.follow(({ http }) => server.configure(http));
      screen.progress.http = {
        url,
        get token() {
          return served.token;
        },
      };
      log.info(`the page is at ${url}`, { controls: `their token: ${token}` });
    } catch (error) {
      if (isBulkheadError(error, 'CONFIG_INVALID')) throw error;
      log.warn('the page is not served; set http.port or http.host', { reason: errorText(error) });
    }
  }

  /** Prometheus' text. */
  async metrics(): Promise<{ readonly type: string; readonly text: string }> {
    this.#refresh();
    return this.#metrics.text();
  }

  #refresh(): void {
    const { io, startedHow, startedAt } = this.#session;
    setGauges(this.#metrics, {
      views: this.views,
      pendingRows: this.#writer?.pendingRows ?? 0,
      deadLetters: this.#system?.runtime.deadLetterCount ?? 0,
      eventLoopDelayMs: this.#loop.look(),
      streams: this.#served?.server.streams ?? { clients: 0, dropped: 0 },
      start: { how: startedHow, agoMs: io.time.monotonic.now() - startedAt },
    });
  }

  async close(): Promise<void> {
    this.hush();
    await Promise.all([this.#telegram?.stop(), this.#alerts?.stop()]);
    this.#history.stop();
    this.#uptime.stop();
    this.#ticking?.cancel();
    this.#loop.stop();
    await this.#served?.server.close();
  }

  #configDesk({ running, store, lease, options, io, log, recovered, folder }: Session): ConfigDesk {
    const { secrets, reload } = options;
    const copies = new ConfigCopies(folder.path, options.config.account);
    void copies.complete(store).catch((error: unknown) => {
      log.warn('the versions of the configuration cannot be copied', { reason: errorText(error) });
    });
    return new ConfigDesk({
      ...{ running, store, lease, secrets, log },
      load: () => {
        if (reload) return reload();
        throw new BulkheadError('NOT_FOUND', 'This run has no file to read again.');
      },
      check: (config) => checkSchedule({ config, secrets }, io.cwd),
      n: () => this.#writer?.durableN ?? recovered.head.n,
      now: () => io.time.clock.now(),
      timers: io.time.timers,
      messages: ({ version, config }, telling) => this.#system?.unheard({ version, config, telling }) ?? [],
      tell: (message) => this.#system?.runtime.tell(message),
      onVersion: (version) => {
        try {
          copies.add(version);
        } catch (error) {
          log.warn('a version of the configuration cannot be copied', { reason: errorText(error) });
        }
      },
    });
  }

  /** A hang-up has the file read again. */
  #hearHangUps(): void {
    const { signals, io, log } = this.#session;
    signals.hearHangUps(() => {
      const at = io.time.clock.now();
      const who = { name: 'SIGHUP', role: 'admin', channel: 'signal' } as const;
      const command = { kind: 'config-reload', reason: 'SIGHUP' } as const;
      const request = { id: freshId('hang-up'), command, who, issuedAt: at, confirmed: true };
      this.operator.execute(request).then(
        ({ outcome, text }) => log[outcome === 'refused' ? 'error' : 'info'](`SIGHUP: ${text}`),
        (error: unknown) => log.error('SIGHUP', { reason: errorText(error) }),
      );
    });
  }

  #tick(): void {
    if (this.#system) this.#uptime.look(this.#session.io.time.clock.now(), this.#isUp());
    // The tree is asked for where it is shown: with a thousand positions it is most of the document.
    if (this.feed.listeners > 0) this.feed.publish('status', { ...this.#status(), tree: null });
    this.#ticking = this.#session.io.time.timers.set(STATUS_EVERY_MS, () => this.#tick());
  }

  /** Once a second, so without a status document. */
  #isUp(): boolean {
    const { screen, keeper } = this.#session;
    return isUp({
      state: screen.progress.state,
      journal: this.#writer?.state ?? null,
      isLeaseValid: keeper.valid,
    });
  }

  /** Rows of a demo, and of a venue whose time runs faster, carry another time than people's. */
  #readUptime(): void {
    const { store, recovered, io, log, options } = this.#session;
    const { mode, venue } = options.config;
    const newest = recovered.live.get(PORTFOLIO)?.row;
    if (mode === 'demo' || venue.timeFactor !== 1 || !newest) return;
    const past = {
      store,
      seq: newest.seq,
      headAt: newest.at,
      timers: io.time.timers,
      now: io.time.clock.now(),
    };
    const longestQuietMs = QUIET_MARKS * venue.markEveryMs + QUIET_SLACK_MS;
    this.#uptime.load({ ...past, longestQuietMs }).catch((error: unknown) => {
      log.warn('how long the account was looked after cannot be read', { reason: errorText(error) });
    });
  }

  #status(): StatusDocument {
    const { io, screen } = this.#session;
    const now = io.time.monotonic.now();
    const kept = this.#document;
    // Who looks for the last time sees how it ended, and not what was so a moment ago.
    if (kept && now - kept.at <= DOCUMENT_KEPT_MS && kept.document.state === screen.progress.state)
      return kept.document;
    const document = screen.document();
    this.#document = { at: now, document };
    return document;
  }

  #viewsOf({ options, screen, store, logs, folder, instance, keeper, running }: Session): Views {
    const { config } = options;
    return new RunViews({
      document: () => this.#status(),
      model: screen.model,
      store,
      head: () => this.#writer?.durableN ?? this.#session.recovered.head.n,
      history: this.#history,
      logs,
      strategy: config.strategy.name,
      config: () => configForShow(running.now),
      versionsOfConfig: new ConfigViews(store, () => running.version.version),
      kill: () => readKill(folder.path) ?? null,
      health: () =>
        healthOf({
          status: this.#status(),
          journal: this.#writer?.state ?? null,
          isLeaseValid: keeper.valid,
          pendingRows: this.#writer?.pendingRows ?? 0,
          deadLetters: this.#system?.runtime.deadLetterCount ?? 0,
          deadLetterAgoMs: this.#rows.deadLetterAgoMs,
          eventLoopDelayMs: this.#loop.look(),
          minFreeBytes: minFreeBytes(running.now),
        }),
      slo: () => sloLines(this.#status(), this.#rows, this.#uptime),
      definitions: definitionsOf(config),
      versions: () => ({
        ...{ bulkhead: VERSION, node: process.version, instance },
        configuration: `version ${running.version.version}, by ${running.version.by}: ${running.version.why}`,
      }),
    });
  }

  #host(): OperatorHost | undefined {
    const system = this.#system;
    if (!system) return undefined;
    const { runtime, audience } = system;
    return {
      tell: (message) => runtime.tell(message),
      actorIds: () => runtime.actorIds(),
      snapshot: (actor) => runtime.actor(actor)?.snapshotText,
      price: (symbol) => audience.prices()[symbol],
      tickSize: (symbol) => this.#session.screen.model.tickSize(symbol),
      distances: (symbol) => this.#distances(system, symbol),
      eventTypes: (type) =>
        this.views.machines().some((known) => known.type === type)
          ? this.views.machine(type).events
          : undefined,
      tooEarly: (command) => tooEarly(system, command),
    };
  }

  #distances({ runtime }: TradingSystem, symbol: SymbolName): Distances | undefined {
    const text = runtime.actor(scannerOf(symbol))?.snapshotText;
    if (text === undefined) return undefined;
    const { name, options } = this.#session.options.config.strategy;
    const { context } = JSON.parse(text) as { context: ScannerContext };
    return strategyByName(name, options).distances?.(context.strategy.state);
  }
}

function alertsStatus(alerts: Alerts): AlertsStatus {
  const open = alerts.open.map(({ key, severity, openedAt }) => ({ key, severity, since: openedAt }));
  return { open, sinks: alerts.status };
}

/** What nobody here opened is known only once the venue has been read: a word about it would fall on deaf ears. */
function tooEarly({ executor }: SeatedSystem, command: Command): string | undefined {
  if (command.kind !== 'adopt' && command.kind !== 'ignore') return undefined;
  const state = executor?.current()?.state;
  if (!state || command.symbol in state.foreign) return undefined;
  const isRead = state.ready && !(command.symbol in state.drifts);
  return isRead ? undefined : `${command.symbol} at the venue is still being read`;
}
