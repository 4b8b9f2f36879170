/** The views of the run in this process: from the newest durable rows, and from the journal where the past is asked. */

import type { MachineDefinition } from '../../../machines/definition.ts';
import type { EntryContext } from '../../../machines/entry.ts';
import { OPERATOR } from '../../../machines/messages.ts';
import type { PositionContext } from '../../../machines/position/context.ts';
import { add } from '../../core/decimal.ts';
import { BulkheadError } from '../../core/errors.ts';
import type { ActorId } from '../../core/ids.ts';
import type { Json } from '../../core/json.ts';
import type { ActorEvent, Cause } from '../../domain/events.ts';
import { movedIn } from '../../domain/wallet.ts';
import type { JournalRow, JournalStore } from '../../journal/journal.ts';
import { rowsOfLife } from '../../journal/journal-beginning.ts';
import { type ChartNode, drawingOf, eventsOf } from '../../operator/chart-drawing.ts';
import { type CommandLine, commandLine } from '../../operator/feed.ts';
import type { LogRing } from '../../operator/log-ring.ts';
import type { StatusDocument } from '../../operator/status-document.ts';
import type {
  BreakersView,
  HealthView,
  JournalQuery,
  MachineChart,
  PositionView,
  ProfitGroup,
  SloLine,
  TradesQuery,
  Views,
} from '../../operator/views.ts';
import { storyOf } from '../results/story.ts';
import type { ReadModel } from '../status/read-model.ts';
import type { ConfigViews } from './config-views.ts';
import {
  actorAt,
  candlesOf,
  momentOf,
  noticesOf,
  positionNamed,
  rowsOfActor,
  searchJournal,
} from './journal-search.ts';
import { actorLines, decisionsOf, desksOf, ordersOf, riskOf } from './live-lines.ts';
import { equityCurve, profitBy, resultsOf } from './profit.ts';
import type { TradeHistory } from './trade-history.ts';

export interface ViewSources {
  readonly document: () => StatusDocument;
  readonly model: ReadModel;
  readonly store: JournalStore;
  /** The newest durable row. */
  readonly head: () => number;
  readonly history: TradeHistory;
  readonly logs: LogRing;
  readonly strategy: string;
  /** Secrets starred out. */
  readonly config: () => Json;
  readonly versionsOfConfig: ConfigViews;
  readonly kill: () => BreakersView['kill'];
  readonly health: () => HealthView;
  readonly slo: () => readonly SloLine[];
  readonly definitions: readonly MachineDefinition[];
  readonly versions: () => Readonly<Record<string, string>>;
}

const AUDIT = 50;

export class RunViews implements Views {
  readonly #sources: ViewSources;

  constructor(sources: ViewSources) {
    this.#sources = sources;
  }

  status = () => this.#sources.document();
  positions = () => this.status().positions;
  balance = () => this.status().account;
  tree = () => this.status().tree;
  orders = (symbol?: string) => ordersOf(this.#sources.model, symbol);
  entries = () => desksOf(this.#sources.model);
  decisions = () => decisionsOf(this.#sources.model);
  actors = () => actorLines(this.#sources.model);
  logs = (query?: { limit?: number; level?: string; after?: number }) => this.#sources.logs.read(query);
  config = () => this.#sources.config();
  configVersions = (limit?: number) => this.#sources.versionsOfConfig.list(limit);
  configVersion = (version: number) => this.#sources.versionsOfConfig.read(version);
  configDiff = (to: number, from?: number) => this.#sources.versionsOfConfig.diff(to, from);
  health = () => this.#sources.health();
  slo = () => this.#sources.slo();
  version = () => this.#sources.versions();
  notices = (limit?: number) => noticesOf(this.#sources.store, this.#sources.head(), limit);
  profit = (by: ProfitGroup = 'total') => profitBy(this.#sources.history.all, by, this.#sources.strategy);
  results = () => resultsOf(this.status().account.initial, this.#sources.history.all, this.#sources.strategy);
  journal = (query?: JournalQuery) => searchJournal(this.#sources.store, this.#sources.head(), query);
  candles = (symbol: string, limit?: number, n?: number) =>
    candlesOf(
      this.#sources.store,
      Math.min(n ?? Number.MAX_SAFE_INTEGER, this.#sources.head()),
      symbol,
      limit,
    );
  actorRows = (actor: ActorId, afterSeq: number, limit?: number) =>
    rowsOfActor(this.#sources.store, actor, afterSeq, limit);
  machines = () => this.#sources.definitions.map(({ type, version }) => ({ type, version }));

  equity = () => {
    const { account, virtualTime } = this.status();
    const now = virtualTime === null ? undefined : { at: virtualTime, equity: account.equity };
    const flows = this.#sources.model.portfolio()?.context.flows ?? {};
    return equityCurve(add(account.initial, movedIn(flows)), this.#sources.history.all, now);
  };

  risk = () => {
    const portfolio = this.#sources.model.portfolio()?.context;
    if (!portfolio) throw notYet('the account');
    return riskOf(portfolio);
  };

  trades = (query?: TradesQuery) => {
    const { history, model } = this.#sources;
    const page = history.page(query);
    const trades = page.trades.map((trade) => {
      const tickSize = model.tickSize(trade.symbol);
      return tickSize === undefined ? trade : { ...trade, tickSize };
    });
    return { ...page, trades };
  };

  breakers = () => {
    const { tradingState, breakers } = this.status();
    return { tradingState, breakers, kill: this.#sources.kill() };
  };

  machine = (type: string): MachineChart => {
    const definition = this.#sources.definitions.find((known) => known.type === type);
    if (definition) {
      const { version, machine } = definition;
      const { root } = machine as unknown as { root: ChartNode };
      return { type, version, events: eventsOf(root), drawing: drawingOf(root) };
    }
    throw new BulkheadError('NOT_FOUND', `There is no statechart of type "${type}".`, {
      hint: `There are: ${this.machines()
        .map((known) => known.type)
        .join(', ')}.`,
    });
  };

  actor = async (actor: ActorId, n?: number) => {
    const { model, store, head } = this.#sources;
    const newest = n === undefined ? model.newest(actor) : undefined;
    return newest ? momentOf(newest.row, newest.snapshot) : actorAt(store, actor, n ?? head());
  };

  position = async (named: string): Promise<PositionView> => {
    const { model, store } = this.#sources;
    const actor = positionNamed(named, (desk) => model.of<EntryContext>(desk)?.context);
    const rows = await rowsOfLife(store, actor);
    const story = storyOf(rows);
    if (!story)
      throw new BulkheadError('NOT_FOUND', `The journal knows no position ${named}.`, {
        hint: `Open now: ${
          this.positions()
            .map((position) => position.symbol)
            .join(', ') || 'nothing'
        }.`,
      });
    const { over, lines, split, context } = story;
    return {
      status: this.positions().find((position) => position.actor === actor) ?? null,
      ...{ actor, over, split, context },
      story: lines,
      stops: stopsOf(rows),
      fills: fillsOf(rows),
    };
  };

  audit = async (limit = AUDIT): Promise<readonly CommandLine[]> => {
    const page = await this.journal({ actor: OPERATOR, type: 'COMMAND', limit });
    const lines: CommandLine[] = [];
    for (const { seq, n } of page.rows) {
      const { store } = this.#sources;
      const [there] = await store.rowsOf(OPERATOR, seq - 1, 1);
      const [row] = there?.seq === seq ? [there] : await store.kept(n - 1, 1, OPERATOR);
      const line = row && commandLine({ row, event: JSON.parse(row.event) as ActorEvent });
      if (line) lines.push(line);
    }
    return lines;
  };
}

const notYet = (what: string): BulkheadError =>
  new BulkheadError('NOT_FOUND', `Nothing is known of ${what} yet.`, {
    hint: 'The run is still starting; ask again in a moment.',
  });

function stopsOf(rows: readonly JournalRow[]): PositionView['stops'] {
  const stops: { at: number; n: number; price: string }[] = [];
  for (const { n, at, snapshot } of rows) {
    if (snapshot === null) continue;
    const { context } = JSON.parse(snapshot) as { context: PositionContext };
    if (stops.at(-1)?.price !== context.stopPrice) stops.push({ n, at, price: context.stopPrice });
  }
  return stops;
}

function fillsOf(rows: readonly JournalRow[]): PositionView['fills'] {
  const seen = new Set<string>();
  return rows.flatMap(({ n, at, event: text, cause }) => {
    if (!text.includes('"ORDER_FILLED"') || (JSON.parse(cause) as Cause).kind === 'postponed') return [];
    const event = JSON.parse(text) as ActorEvent;
    const key = `${String(event.tradeId)} ${String(event.clientOrderId)}`;
    if (event.type !== 'ORDER_FILLED' || seen.has(key)) return [];
    seen.add(key);
    const { price, quantity, ref, side } = event as unknown as Record<string, string>;
    return [
      { n, at, price: String(price), quantity: String(quantity), ref: String(ref), side: String(side) },
    ];
  });
}
