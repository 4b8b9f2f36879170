/**
 * What a run is doing, as one document: the status file, the views and the live stream show the same.
 */

import type { SinkStatus } from '../alerts/sink-runner.ts';
import type { Decimal } from '../core/decimal.ts';
import type { Direction } from '../domain/order.ts';
import type { Refusal } from '../domain/risk.ts';
import type { TreeNode } from '../domain/tree-node.ts';
import type { StandbyState, StandbyWord } from '../journal/journal.ts';
import type { VenueStatus } from './venue-view.ts';

export const STATUS_FORMAT = 1;

export type RunState =
  | 'starting'
  | 'recovering'
  | 'standby'
  /** The venue is being reached and checked. */
  | 'connecting'
  | 'running'
  | 'stopping'
  | 'stopped'
  | 'failed';
export type TradingState = 'active' | 'reducing' | 'halted';

export interface StatusDocument {
  readonly format: typeof STATUS_FORMAT;
  readonly version: string;
  readonly pid: number;
  readonly mode: string;
  readonly accountName: string;
  readonly state: RunState;
  /** Epoch ms of the real clock. */
  readonly startedAt: number;
  readonly updatedAt: number;
  /** How often it is written. */
  readonly intervalMs?: number;
  /** The market's time: of the last step. */
  readonly virtualTime: number | null;
  readonly market: {
    readonly name: string;
    readonly symbols: readonly string[];
    readonly seed: number | null;
  };
  readonly store: {
    readonly engine: string;
    readonly location: string;
    readonly durable: boolean;
    /** What it takes on its disk, once measured. */
    readonly bytes?: number;
    /** What its disk has left, where that can be seen. */
    readonly freeBytes?: number;
    /** The last row that was removed; absent: all are there. */
    readonly anchorN?: number;
  };
  readonly account: AccountStatus;
  readonly positions: readonly PositionStatus[];
  readonly trades: TradesStatus;
  /** What risk said to those who asked; absent where nobody keeps it yet. */
  readonly entries?: EntriesStatus;
  readonly breakers: readonly BreakerStatus[];
  readonly tradingState: TradingState;
  readonly journal: { readonly n: number; readonly durableN: number; readonly rowsPerSecond: number };
  readonly tree: TreeNode | null;
  /** The version of the configuration that runs, and who made it; absent before a run has the account. */
  readonly configuration?: {
    readonly version: number;
    readonly at: number;
    readonly by: string;
    readonly channel: string;
    readonly why: string;
  };
  /** Of a run against a remote venue. */
  readonly venue?: VenueStatus;
  /** Where alerts are sent to, and whether they arrive; absent: nowhere. */
  readonly alerts?: AlertsStatus;
  /** Where the page is, and where a person finds the token of its controls; absent: not served. */
  readonly http?: { readonly url: string; readonly token: string };
  /** Of a run that stands by: what it has ready. */
  readonly standby?: StandbyWord;
  /** Who stands by for this run, as far as it was heard. */
  readonly standbys?: readonly StandbyState[];
  /** Of secrets that may change while it runs. */
  readonly secrets?: SecretsStatus;
  /** How the last start went; `safeMs`: from the account being ours to everything protected and reconciled. */
  readonly recovery: { readonly ms: number; readonly actors: number; readonly safeMs?: number } | null;
  /** Steps of market time; total null when it has no end. */
  readonly progress: { readonly done: number; readonly total: number | null } | null;
  /** What ended the run, when state is 'failed'. */
  readonly error: string | null;
  /**
   * Epoch ms: until this process has read the journal, positions, money, trades and breakers are what the folder's run
   * before it told then. Absent: they are its own.
   */
  readonly toldAt?: number;
}

export interface AlertsStatus {
  /** What is on, the oldest first. */
  readonly open: readonly { readonly key: string; readonly severity: string; readonly since: number }[];
  readonly sinks: readonly SinkStatus[];
}

export interface SecretsStatus {
  /** In words: "files", a Vault's address and path. */
  readonly from: string;
  /** Of the secret in Vault. */
  readonly version: number | null;
  /** Epoch ms of the real clock: when they were read last, and when one of them was taken up last. */
  readonly readAt: number;
  readonly changedAt: number | null;
  /** What a person should see to; empty: all is well. Names, never values. */
  readonly trouble: readonly string[];
}

export interface AccountStatus {
  readonly initial: Decimal;
  readonly wallet: Decimal;
  readonly equity: Decimal;
  readonly realised: Decimal;
  readonly fees: Decimal;
  readonly funding: Decimal;
  readonly openPnl: Decimal;
}

export interface PositionStatus {
  readonly actor: string;
  readonly symbol: string;
  readonly direction: Direction;
  readonly quantity: Decimal;
  readonly entryPrice: Decimal;
  readonly markPrice: Decimal;
  readonly stopPrice: Decimal | null;
  /** Market time of its first fill. */
  readonly openedAt?: number;
  /** Of the instrument: what is averaged or computed is shown no finer. */
  readonly tickSize?: Decimal;
  readonly openPnl: Decimal;
  /** How risk came to its size, stop and leverage, in words and numbers. */
  readonly sizedBy?: readonly string[];
  /** Where the venue would take it, as it says itself; null: nowhere, or not said yet. */
  readonly liquidationPrice: Decimal | null;
  /** The machine's own state, e.g. "open filled protected armed". */
  readonly state: string;
  /** The same for people; absent in what an older version wrote. */
  readonly doing?: string;
}

export interface TradeStatus {
  readonly symbol: string;
  readonly direction: Direction;
  readonly quantity: Decimal;
  readonly entryPrice: Decimal;
  readonly exitPrice: Decimal;
  /** Of the instrument, as of a position. */
  readonly tickSize?: Decimal;
  /** After fees and funding. */
  readonly net: Decimal;
  readonly reason: string;
  readonly closedAt: number;
}

export interface TradesStatus {
  readonly count: number;
  readonly wins: number;
  readonly losses: number;
  /** The newest last. */
  readonly last: readonly TradeStatus[];
}

export interface EntriesStatus {
  readonly approved: number;
  readonly refused: number;
  /** How often each rule refused. */
  readonly refusedRules: Readonly<Record<string, number>>;
  /** The newest last, each with every rule that refused and its numbers. */
  readonly lastRefused: readonly {
    readonly at: number;
    readonly symbol: string;
    readonly refusals: readonly Refusal[];
  }[];
}

export interface BreakerStatus {
  readonly name: string;
  readonly state: 'closed' | 'open' | 'half-open';
  /** What an open one does to trading, in words: "reducing for BTCUSDT", "halted, closes everything". */
  readonly effect?: string;
  readonly since: number | null;
  readonly reason: string | null;
}
