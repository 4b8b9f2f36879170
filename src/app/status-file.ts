/**
 * status.json in the data folder: what a run is doing, for people and health checks that must not touch the
 * store. Written whole beside the old one and renamed over it, so that a reader never sees half a document.
 * It is a view of committed state, never a source of truth.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TreeNode } from '../../supervisors/introspection.ts';
import type { Monotonic } from '../core/clock.ts';
import type { Decimal } from '../core/decimal.ts';
import { BulkheadError, errorText } from '../core/errors.ts';
import type { Direction } from '../domain/order.ts';
import type { VenueStatus } from './venue-status.ts';

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
  /** The market's time: of the last step. */
  readonly virtualTime: number | null;
  readonly market: {
    readonly name: string;
    readonly symbols: readonly string[];
    readonly seed: number | null;
  };
  readonly store: { readonly engine: string; readonly location: string; readonly durable: boolean };
  readonly account: AccountStatus;
  readonly positions: readonly PositionStatus[];
  readonly trades: TradesStatus;
  readonly breakers: readonly BreakerStatus[];
  readonly tradingState: TradingState;
  readonly journal: { readonly n: number; readonly durableN: number; readonly rowsPerSecond: number };
  readonly tree: TreeNode | null;
  /** Of a run against a remote venue. */
  readonly venue?: VenueStatus;
  /** How the last start went. */
  readonly recovery: { readonly ms: number; readonly actors: number } | null;
  /** Steps of market time; total null when it has no end. */
  readonly progress: { readonly done: number; readonly total: number | null } | null;
  /** What ended the run, when state is 'failed'. */
  readonly error: string | null;
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
  readonly openPnl: Decimal;
  /** The machine's own state, e.g. "open.trailing". */
  readonly state: string;
}

export interface TradeStatus {
  readonly symbol: string;
  readonly direction: Direction;
  readonly quantity: Decimal;
  readonly entryPrice: Decimal;
  readonly exitPrice: Decimal;
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

export interface BreakerStatus {
  readonly name: string;
  readonly state: 'closed' | 'open' | 'half-open';
  readonly since: number | null;
  readonly reason: string | null;
}

export const statusPath = (dataDir: string): string => join(dataDir, 'status.json');

export function writeStatus(dataDir: string, document: StatusDocument): void {
  const path = statusPath(dataDir);
  const next = `${path}.${document.pid}.tmp`;
  try {
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(next, `${JSON.stringify(document)}\n`);
    renameSync(next, path);
  } catch (error) {
    throw new BulkheadError('CANNOT_WRITE', `${path} cannot be written: ${errorText(error)}`, {
      hint: 'Give the user who runs Bulkhead write access to the data folder, or choose another with --data-dir.',
      cause: error,
    });
  }
}

export function readStatus(dataDir: string): StatusDocument {
  const path = statusPath(dataDir);
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    throw new BulkheadError('NOT_FOUND', `There is no status in ${dataDir}.`, {
      hint: 'Start a run with this data folder first, or name another with --data-dir.',
      cause: error,
    });
  }
  try {
    const document = JSON.parse(content) as StatusDocument;
    if (document.format === STATUS_FORMAT) return document;
  } catch {
    // Falls through to the same complaint: it is not ours.
  }
  throw new BulkheadError('DATA_INVALID', `${path} is not a status of this version.`, {
    hint: 'Delete it; a running Bulkhead writes a new one within a second.',
  });
}

/** Writes at most once an interval; what is skipped is not even built. */
export class StatusPublisher {
  readonly #dataDir: string;
  readonly #monotonic: Monotonic;
  readonly #intervalMs: number;
  #last: number | undefined;

  constructor(dataDir: string, monotonic: Monotonic, intervalMs: number) {
    this.#dataDir = dataDir;
    this.#monotonic = monotonic;
    this.#intervalMs = intervalMs;
  }

  /** The document that was written, or undefined when it is too early. */
  publish(build: () => StatusDocument): StatusDocument | undefined {
    const now = this.#monotonic.now();
    if (this.#last !== undefined && now - this.#last < this.#intervalMs) return undefined;
    return this.flush(build);
  }

  flush(build: () => StatusDocument): StatusDocument {
    this.#last = this.#monotonic.now();
    const document = build();
    writeStatus(this.#dataDir, document);
    return document;
  }
}
