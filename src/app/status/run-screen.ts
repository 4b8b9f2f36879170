/**
 * What a run shows: the dashboard on a terminal, plain lines elsewhere, JSON lines for scripts; and the status
 * file. It looks at committed state only, at most once an interval, and can never hold the run up.
 */
import { resolve } from 'node:path';
import type { Trade } from '../../../machines/messages.ts';
import type { Committed } from '../../../supervisors/actor-runtime.ts';
import { tree } from '../../../supervisors/introspection.ts';
import type { Recovered } from '../../../supervisors/recovery.ts';
import type { TimerHandle } from '../../core/clock.ts';
import type { Decimal } from '../../core/decimal.ts';
import { type BulkheadError, errorText, isBulkheadError } from '../../core/errors.ts';
import { PORTFOLIO } from '../../domain/events.ts';
import type { StandbyWord } from '../../journal/journal.ts';
import type { JournalWriter, WriterState } from '../../journal/journal-writer.ts';
import type { MarketRange } from '../../market/market-data.ts';
import type { Io, Output, RunOptions } from '../cli/io.ts';
import { Screen } from '../cli/screen.ts';
import type { MarketIdentity } from '../compose/open-market.ts';
import type { Version } from '../config/config-history.ts';
import type { VenueStatus } from '../live/venue-status.ts';
import type { TradingSystem } from '../run/system.ts';
import type { Liquidations } from './liquidations.ts';
import { ReadModel } from './read-model.ts';
import { renderStatus, statusLine, tradeLine } from './render-status.ts';
import { initialProgress, type RunFacts, type RunProgress, statusDocument, tickOf } from './run-status.ts';
import { type RunState, type StatusDocument, StatusPublisher } from './status-file.ts';
import { asToldBefore, toldBefore, venueToldBefore } from './told-before.ts';

const LINE_EVERY_MS = 10_000;
/** Of each group in the live tree; `bulkhead status` shows more. */
const TREE_CHILDREN = 3;

export class RunScreen {
  readonly model = new ReadModel();
  readonly progress: RunProgress;
  readonly #options: RunOptions;
  readonly #io: Io;
  #facts: RunFacts;
  readonly #screen: Screen | undefined;
  /** What the folder's run before this one told last. */
  #before: StatusDocument | undefined;
  #publisher: StatusPublisher | undefined;
  #dataDir = '';
  #system: TradingSystem | undefined;
  #venue: (() => VenueStatus) | undefined;
  #liquidations: (() => Liquidations) | undefined;
  #clock: () => number | undefined = () => undefined;
  #beating: TimerHandle | undefined;
  #writer: JournalWriter | undefined;
  #startedAt: number;
  #startN = 0;
  #stepsUntil: (at: number) => number = () => 0;
  #bars = 0;
  #lastRate = { at: 0, n: 0 };
  #lastLineAt = Number.NEGATIVE_INFINITY;
  #failed = false;
  #isUnwritable = false;

  constructor(options: RunOptions, io: Io) {
    this.#options = options;
    this.#io = io;
    const { config } = options;
    this.progress = initialProgress(config.paper.initialBalance);
    this.#facts = {
      pid: io.pid,
      mode: config.mode,
      accountName: config.account,
      startedAt: io.time.clock.now(),
      lastTrades: config.status.lastTrades,
      intervalMs: config.status.intervalMs,
    };
    this.#startedAt = io.time.monotonic.now();
    this.#screen = io.isTty && !options.json && !options.quiet ? new Screen(io.stdout, io.rows) : undefined;
  }

  /** Where the log goes: beside the dashboard when both are on one terminal, else to standard error. */
  get logOutput(): Output {
    const screen = this.#io.stderrIsTty ? this.#screen : undefined;
    return screen ? { write: (text) => screen.print(text) } : this.#io.stderr;
  }

  /** From here on the status file is ours to write. */
  openFolder(dataDir: string): void {
    this.#dataDir = dataDir;
    this.#before = toldBefore(dataDir, this.#facts);
    this.#publisher = new StatusPublisher(
      dataDir,
      this.#io.time.monotonic,
      this.#options.config.status.intervalMs,
    );
    this.#show(this.#publisher.flush(() => this.document()));
    this.#beat();
  }

  /** What of the configuration it goes by, and which version of it runs. */
  configure({ version, at, by, channel, why, config }: Version): void {
    const { lastTrades, intervalMs } = config.status;
    this.#facts = { ...this.#facts, lastTrades, intervalMs };
    this.progress.configuration = { version, at, by, channel, why };
    this.#publisher?.publishEvery(intervalMs);
  }

  to(state: RunState): void {
    this.progress.state = state;
    if (this.#system && state === 'running')
      this.#say({ event: 'running', ...this.#where(), recovery: this.progress.recovery });
    this.#refresh(true);
  }

  /** What the journal tells of the actors, before any of them runs. */
  recover({ live }: Pick<Recovered, 'live'>): void {
    for (const { row } of live.values()) this.model.seed(row);
  }

  /** `range` where the market has an end; `balance` what the account began with, where that is not the configured one. */
  watch(
    system: TradingSystem,
    writer: JournalWriter,
    identity: MarketIdentity,
    range?: MarketRange,
    balance?: Decimal,
  ): void {
    this.#system = system;
    this.#writer = writer;
    this.#startN = writer.durableN;
    this.#lastRate = { at: this.#io.time.monotonic.now(), n: writer.durableN };
    this.progress.market = identity;
    if (balance !== undefined) this.progress.initialBalance = balance;
    const { from, to, steps } = range ?? { from: 0, to: 1, steps: undefined };
    this.progress.totalSteps = steps ?? null;
    this.#stepsUntil = (at) => (steps === undefined ? 0 : Math.round(((at - from) / (to - from)) * steps));
    system.runtime.observe((committed) => {
      this.model.observe(committed);
      this.#tradeClosed(committed);
    });
  }

  /** One line for scripts. */
  announce(line: object): void {
    this.#say(line);
  }

  /** What this process says of itself while it stands by; null: it does not. */
  standby(word: StandbyWord | null): void {
    this.progress.standby = word;
  }

  /** Where the status takes what it says of the venue. */
  showVenue(look: () => VenueStatus): void {
    this.#venue = look;
  }

  /** Where it takes what it says of liquidation prices; asked once a document. */
  showLiquidations(look: () => Liquidations): void {
    this.#liquidations = look;
  }

  /** What time it is where time passes by itself; undefined: it goes from step to step. */
  showClock(look: () => number | undefined): void {
    this.#clock = look;
  }

  /** Also while nothing happens: a health check goes by the age of what was written last. */
  #beat(): void {
    const dueInMs = Math.ceil(this.#publisher?.dueInMs ?? 0);
    this.#beating = this.#io.time.timers.set(Math.max(1, dueInMs), () => {
      this.progress.virtualTime = this.#clock() ?? this.progress.virtualTime;
      this.#refresh(false);
      this.#beat();
    });
  }

  /** A step of market time is over. */
  step(at: number, bars: number): void {
    if (this.#bars === 0) this.#startedAt = this.#io.time.monotonic.now();
    this.progress.virtualTime = at;
    this.progress.steps = this.#stepsUntil(at);
    this.#bars += bars;
    this.#refresh(false);
  }

  journal(state: WriterState, error?: BulkheadError): void {
    this.progress.error =
      state === 'ok' || state === 'closed' ? null : `journal ${state}: ${errorText(error)}`;
    this.#refresh(true);
  }

  finish(reason: 'end' | 'stopped'): void {
    this.#beating?.cancel();
    this.progress.state = 'stopped';
    const document = this.#refresh(true);
    if (!document) return;
    const seconds = (this.#io.time.monotonic.now() - this.#startedAt) / 1000;
    const { account, trades, positions } = document;
    const summary = {
      event: 'summary',
      reason,
      ...this.#where(),
      wallet: account.wallet,
      equity: account.equity,
      realised: account.realised,
      fees: account.fees,
      funding: account.funding,
      trades: trades.count,
      wins: trades.wins,
      losses: trades.losses,
      openPositions: positions.length,
      rows: this.progress.durableN,
      rowsThisRun: this.progress.durableN - this.#startN,
      candles: this.#bars,
      seconds: Math.round(seconds * 1000) / 1000,
      candlesPerSecond: Math.round(this.#bars / Math.max(seconds, 1e-9)),
    };
    if (this.#options.json) this.#say(summary);
    else if (!this.#options.quiet && !this.#screen)
      this.#io.stdout.write(renderStatus(document, { colour: false, width: 200, now: document.updatedAt }));
  }

  fail(error: unknown): void {
    this.#beating?.cancel();
    if (this.#publisher === undefined) return;
    this.#failed = true;
    this.progress.state = 'failed';
    this.progress.error = errorText(error);
    this.#refresh(true);
  }

  close(): void {
    this.#screen?.end();
    if (!this.#options.quiet && !this.#options.json && this.#dataDir !== '' && !this.#failed) {
      this.#io.stdout.write(
        `Everything is committed in ${this.#dataDir}; the same command goes on from here.\n`,
      );
    }
  }

  #where(): { dataDir: string; market: MarketIdentity | undefined; virtualTime: string | null } {
    const at = this.progress.virtualTime;
    return {
      dataDir: resolve(this.#dataDir),
      market: this.progress.market,
      virtualTime: at === null ? null : new Date(at).toISOString(),
    };
  }

  #refresh(force: boolean): StatusDocument | undefined {
    if (!this.#publisher) return undefined;
    const build = (): StatusDocument => this.document();
    const document = this.#written(this.#publisher, force, build);
    if (document) this.#show(document);
    return document;
  }

  /** A full disk must not end a run that waits for it to have room again: the file is only a view. */
  #written(
    publisher: StatusPublisher,
    force: boolean,
    build: () => StatusDocument,
  ): StatusDocument | undefined {
    try {
      const document = force ? publisher.flush(build) : publisher.publish(build);
      if (document) this.#isUnwritable = false;
      return document;
    } catch (error) {
      if (!isBulkheadError(error, 'CANNOT_WRITE')) throw error;
      if (!this.#isUnwritable) this.#io.stderr.write(`${error.message}\n`);
      this.#isUnwritable = true;
      return force ? build() : undefined;
    }
  }

  /** The run as it stands, put together anew. */
  document(): StatusDocument {
    const now = this.#io.time.monotonic.now();
    const { progress } = this;
    if (this.#writer) {
      progress.durableN = this.#writer.durableN;
      progress.n = progress.durableN + this.#writer.pendingRows;
      const elapsedMs = now - this.#lastRate.at;
      if (elapsedMs > 200) {
        progress.rowsPerSecond = Math.round(((progress.durableN - this.#lastRate.n) * 1000) / elapsedMs);
        this.#lastRate = { at: now, n: progress.durableN };
      }
    }
    if (this.#system) {
      progress.prices = this.#system.audience.prices();
      progress.tree = tree(this.#system.root);
    }
    progress.venue = this.#venue?.();
    if (this.#liquidations) progress.liquidations = this.#liquidations();
    const document = statusDocument(this.#facts, progress, this.model, this.#io.time.clock.now());
    // Who stands by knows that the account is another's by now.
    if (!this.#before || progress.standby !== null) return document;
    const isRead = this.model.portfolio() !== undefined;
    return isRead ? venueToldBefore(document, this.#before) : asToldBefore(document, this.#before);
  }

  #show(document: StatusDocument): void {
    const { json, quiet } = this.#options;
    if (json || quiet) return;
    if (this.#screen) {
      const colour = this.#io.env.NO_COLOR === undefined;
      const where = `Data in ${this.#dataDir}. Ctrl-C stops; the same command goes on from there.\n\n`;
      const options = {
        colour,
        width: this.#io.columns,
        now: document.updatedAt,
        maxChildren: TREE_CHILDREN,
      };
      this.#screen.draw(where + renderStatus(document, options));
      return;
    }
    const now = this.#io.time.monotonic.now();
    if (now - this.#lastLineAt < LINE_EVERY_MS || document.state !== 'running') return;
    this.#lastLineAt = now;
    this.#io.stdout.write(`${statusLine(document)}\n`);
  }

  #tradeClosed({ row, event }: Committed): void {
    if (row.actor !== PORTFOLIO || event.type !== 'POSITION_CLOSED' || !event.trade) return;
    if (this.#options.json) {
      this.#say({ event: 'trade', at: new Date(row.at).toISOString(), n: row.n, ...(event.trade as object) });
      return;
    }
    if (this.#screen || this.#options.quiet) return;
    const trade = event.trade as unknown as Trade;
    const shown = { ...trade, net: trade.netPnl, ...tickOf(this.model, trade.symbol) };
    this.#io.stdout.write(`${tradeLine(shown, row.at)}\n`);
  }

  #say(line: object): void {
    if (this.#options.json) this.#io.stdout.write(`${JSON.stringify(line)}\n`);
  }
}
