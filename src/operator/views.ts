/**
 * What people may look at, whichever way: read views of committed state, plain JSON, money as decimal strings, times in
 * epoch ms. Looking never changes anything and is never waited for by what trades.
 */
import type { Trade } from '../../machines/messages.ts';
import type { OperatorContext } from '../../machines/operator/context.ts';
import type { PositionContext } from '../../machines/position/context.ts';
import type { ScannerContext } from '../../machines/scanner.ts';
import type { Decimal } from '../core/decimal.ts';
import type { ActorId } from '../core/ids.ts';
import type { Json } from '../core/json.ts';
import type { Candle } from '../domain/candle.ts';
import type { Direction } from '../domain/order.ts';
import type { HedgeSide } from '../domain/position-key.ts';
import type { Refusal } from '../domain/risk.ts';
import type { TreeNode } from '../domain/tree-node.ts';
import type { ScannedRow } from '../journal/journal.ts';
import type { ChartDrawing, ChartLayout } from './chart-drawing.ts';
import type { CommandLine, Notice } from './feed.ts';
import type { LogLine } from './log-ring.ts';
import type { AccountStatus, BreakerStatus, PositionStatus, StatusDocument } from './status-document.ts';

/** A closed trade, and where in the journal it stands. */
export interface TradeView extends Trade {
  readonly n: number;
  readonly actor: ActorId;
  /** Of the instrument; absent where it is none of ours any more. */
  readonly tickSize?: Decimal;
}

export interface TradesQuery {
  readonly symbol?: string;
  readonly direction?: Direction;
  readonly reason?: string;
  /** Of the closing, epoch ms. */
  readonly from?: number;
  readonly to?: number;
  /** Older than this row: the next page. */
  readonly before?: number;
  readonly limit?: number;
}

export interface TradesPage {
  /** The newest first. */
  readonly trades: readonly TradeView[];
  /** Of all that match. */
  readonly count: number;
  readonly net: Decimal;
  /** `before` of the next page; null: this was the last. */
  readonly next: number | null;
  /** False while the journal's past is still being read. */
  readonly complete: boolean;
}

export const PROFIT_GROUPS = [
  'total',
  'day',
  'week',
  'month',
  'side',
  'strategy',
  'symbol',
  'reason',
  'hour',
] as const;
export type ProfitGroup = (typeof PROFIT_GROUPS)[number];

export interface ProfitLine {
  readonly group: string;
  readonly trades: number;
  readonly wins: number;
  readonly winRate: number | null;
  readonly net: Decimal;
  readonly gross: Decimal;
  readonly fees: Decimal;
  readonly funding: Decimal;
  readonly won: Decimal;
  /** Positive. */
  readonly lost: Decimal;
  /** Null where nothing was lost. */
  readonly profitFactor: Decimal | null;
  /** A trade on average. */
  readonly expectancy: Decimal;
  readonly averageHeldMs: number | null;
}

export interface EquityPoint {
  readonly at: number;
  readonly equity: Decimal;
}

/** Of the closed trades, by UTC day; null where there is too little to say. */
export interface Results {
  readonly total: ProfitLine;
  readonly bySymbol: readonly ProfitLine[];
  readonly returnPercent: number;
  readonly maxDrawdownPercent: number;
  readonly sharpe: number | null;
  readonly sortino: number | null;
  readonly calmar: number | null;
  /** What the worst day in twenty loses at least, in percent of equity. */
  readonly dailyVar95Percent: number | null;
  readonly best: TradeView | null;
  readonly worst: TradeView | null;
  readonly days: number;
}

export interface PositionView {
  readonly status: PositionStatus | null;
  readonly actor: ActorId;
  readonly over: boolean;
  readonly story: readonly {
    readonly n: number;
    readonly at: number;
    readonly what: string;
    readonly numbers: unknown;
  }[];
  /** gross = price + slippage; net = gross − fees + funding. */
  readonly split: Readonly<Record<'price' | 'slippage' | 'gross' | 'fees' | 'funding' | 'net', Decimal>>;
  /** The machine's own context: stop, planned parts, orders, answers to people. */
  readonly context: PositionContext;
  /** Where the stop stood, each time it was moved. */
  readonly stops: readonly { readonly at: number; readonly n: number; readonly price: Decimal }[];
  readonly fills: readonly {
    readonly at: number;
    readonly n: number;
    readonly price: Decimal;
    readonly quantity: Decimal;
    readonly ref: string;
    readonly side: string;
  }[];
}

/** As the position that owns it has it. */
export interface OrderView {
  readonly actor: ActorId;
  readonly symbol: string;
  /** Of the position. */
  readonly direction: Direction;
  readonly ref: string;
  readonly role: string;
  readonly quantity: Decimal;
  readonly filled: Decimal;
  /** Of its trigger; null: at market. */
  readonly price: Decimal | null;
  readonly status: string;
  readonly reason: string;
}

export interface DeskView {
  readonly symbol: string;
  /** In hedge mode: the side that this desk is for. */
  readonly positionSide?: HedgeSide;
  readonly state: string;
  readonly position: ActorId | null;
  readonly blocks: Readonly<Record<string, string>>;
  readonly counts: Readonly<Record<string, number>>;
  readonly lastApproval: {
    readonly at: number;
    readonly position: ActorId;
    readonly notes: readonly string[];
  } | null;
  readonly lastRefusal: { readonly at: number; readonly refusals: readonly Refusal[] } | null;
  readonly passedOver: readonly { readonly at: number; readonly why: string }[];
  /** What its scanner's strategy said last, and whether it was acted on. */
  readonly lastSignal: ScannerContext['lastSignal'];
  readonly scanner: string | null;
  readonly feed: string | null;
}

export interface RiskLine {
  readonly limit: string;
  readonly used: number;
  readonly max: number;
  /** Used ÷ max. */
  readonly share: number;
}

export interface RiskView {
  readonly equity: Decimal;
  readonly peakEquity: Decimal;
  readonly drawdownPercent: number;
  readonly dayStartEquity: Decimal;
  readonly dayPnl: Decimal;
  readonly weekPnl: Decimal;
  readonly tradingState: string;
  readonly use: readonly RiskLine[];
  readonly exposures: readonly {
    readonly actor: ActorId;
    readonly symbol: string;
    readonly direction: Direction;
    readonly notional: Decimal;
  }[];
  readonly refusals: readonly {
    readonly at: number;
    readonly symbol: string;
    readonly refusals: readonly Refusal[];
  }[];
  readonly refusedRules: Readonly<Record<string, number>>;
}

export interface BreakersView {
  readonly tradingState: string;
  readonly kill: {
    readonly id: string;
    readonly by: string;
    readonly reason: string;
    readonly at: number;
  } | null;
  readonly breakers: readonly BreakerStatus[];
}

export type DecisionsView = Pick<
  OperatorContext,
  'stopped' | 'paused' | 'direction' | 'blacklist' | 'whitelist' | 'locks'
> & { readonly symbols: readonly string[] };

export interface HealthCheck {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
}

export interface HealthView {
  /** 'down': it does not trade or protect as it should. 'degraded': entries are held back. */
  readonly state: 'ok' | 'degraded' | 'down';
  /** May it be sent traffic: recovered, journal well, venue there. */
  readonly ready: boolean;
  readonly checks: readonly HealthCheck[];
}

export interface SloLine {
  readonly objective: string;
  readonly target: string;
  /** Null: nothing was measured yet. */
  readonly value: number | null;
  readonly unit: string;
  readonly met: boolean | null;
  readonly samples: number;
  /** From when on it counts, epoch ms; null: nothing is known yet. */
  readonly since: number | null;
}

/** A statechart to draw. */
export interface MachineChart {
  readonly type: string;
  readonly version: number;
  /** What can be told to it. */
  readonly events: readonly string[];
  readonly drawing: ChartDrawing;
}

/** The statecharts of an author's files. */
export interface ChartsNow {
  readonly machines: readonly (Omit<MachineChart, 'drawing'> & { readonly layout: ChartLayout })[];
  /** Why the files cannot be drawn as they stand; the machines are those of before then. */
  readonly error: string | null;
  readonly loadedAt: number;
  /** That are watched. */
  readonly files: number;
}

export interface ActorLine {
  readonly actor: ActorId;
  readonly type: string;
  /** Machine and version, such as "entry@2". */
  readonly machine: string;
  readonly state: string | null;
  /** Of its newest row. */
  readonly n: number;
  readonly seq: number;
  readonly at: number;
}

export interface JournalQuery {
  readonly actor?: string;
  readonly type?: string;
  readonly text?: string;
  readonly after?: number;
  readonly before?: number;
  readonly limit?: number;
  readonly newestFirst?: boolean;
}

/** A row without its snapshot, its texts parsed. */
export type JournalLine = Omit<ScannedRow, 'event' | 'cause' | 'intents'> & {
  readonly event: Json;
  readonly cause: Json;
  readonly intents: Json;
};

export interface JournalPage {
  readonly rows: readonly JournalLine[];
  /** Where the search stopped looking: ask on from there. Null: the whole journal was looked at. */
  readonly next: number | null;
  readonly head: number;
}

export interface ActorMoment {
  readonly actor: ActorId;
  readonly n: number;
  readonly seq: number;
  readonly at: number;
  readonly machine: string;
  readonly event: Json;
  readonly cause: Json;
  readonly intents: Json;
  readonly snapshot: Json;
  readonly final: boolean;
}

/** One key that is different; null: it is not set. */
export interface ConfigChangeLine {
  readonly key: string;
  readonly before: Json;
  readonly after: Json;
}

export interface ConfigVersionLine {
  readonly version: number;
  readonly at: number;
  readonly by: string;
  /** 'start', or the way that a person took. */
  readonly channel: string;
  readonly why: string;
  /** The newest durable row when it was written. */
  readonly n: number;
  /** From the version before. */
  readonly changes: readonly ConfigChangeLine[];
  /** This one is in force. */
  readonly runs: boolean;
}

export interface ConfigVersionView extends ConfigVersionLine {
  readonly config: Json;
}

export interface ConfigDiffView {
  readonly from: number;
  readonly to: number;
  readonly changes: readonly ConfigChangeLine[];
}

export interface Views {
  status(): StatusDocument;
  positions(): readonly PositionStatus[];
  /** By actor, SYMBOL/LIFE, or a symbol for its newest life. Throws NOT_FOUND. */
  position(named: string): Promise<PositionView>;
  orders(symbol?: string): readonly OrderView[];
  trades(query?: TradesQuery): TradesPage;
  /** What the runtime said of late to people, the newest first. */
  notices(limit?: number): Promise<readonly Notice[]>;
  balance(): AccountStatus;
  profit(by?: ProfitGroup): readonly ProfitLine[];
  results(): Results;
  equity(): readonly EquityPoint[];
  /** Desks with what they decided last, and the newest refusals. */
  entries(): readonly DeskView[];
  risk(): RiskView;
  breakers(): BreakersView;
  decisions(): DecisionsView;
  logs(query?: { limit?: number; level?: string; after?: number }): readonly LogLine[];
  /** With secrets starred out. */
  config(): Json;
  /** The newest first. */
  configVersions(limit?: number): Promise<readonly ConfigVersionLine[]>;
  /** Throws NOT_FOUND. */
  configVersion(version: number): Promise<ConfigVersionView>;
  /** From the version before, where `from` is not named. Throws NOT_FOUND. */
  configDiff(to: number, from?: number): Promise<ConfigDiffView>;
  health(): HealthView;
  tree(): TreeNode | null;
  version(): Readonly<Record<string, string>>;
  /** The newest commands, the newest first. */
  audit(limit?: number): Promise<readonly CommandLine[]>;
  slo(): readonly SloLine[];
  /** As they were at row n; the newest, where it is not named. */
  candles(symbol: string, limit?: number, n?: number): Promise<readonly Candle[]>;
  journal(query?: JournalQuery): Promise<JournalPage>;
  actors(): readonly ActorLine[];
  /** An actor as it is, or was at row n. Throws NOT_FOUND. */
  actor(actor: ActorId, n?: number): Promise<ActorMoment>;
  actorRows(actor: ActorId, afterSeq: number, limit?: number): Promise<readonly JournalLine[]>;
  /** Every machine there is, with its version. */
  machines(): readonly { readonly type: string; readonly version: number }[];
  /** A chart as data. Throws NOT_FOUND. */
  machine(type: string): MachineChart;
}
