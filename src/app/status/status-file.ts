/**
 * status.json in the data folder: what a run is doing, for people and health checks that must not touch the
 * store. Written whole beside the old one and renamed over it, so that a reader never sees half a document.
 * It is a view of committed state, never a source of truth.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Monotonic } from '../../core/clock.ts';
import { BulkheadError, errorText } from '../../core/errors.ts';
import { STATUS_FORMAT, type StatusDocument } from '../../operator/status-document.ts';

export {
  type AccountStatus,
  type AlertsStatus,
  type BreakerStatus,
  type PositionStatus,
  type RunState,
  STATUS_FORMAT,
  type StatusDocument,
  type TradeStatus,
  type TradesStatus,
  type TradingState,
} from '../../operator/status-document.ts';

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
  #intervalMs: number;
  #last: number | undefined;

  constructor(dataDir: string, monotonic: Monotonic, intervalMs: number) {
    this.#dataDir = dataDir;
    this.#monotonic = monotonic;
    this.#intervalMs = intervalMs;
  }

  /** Until the next may be written. */
  get dueInMs(): number {
    return this.#last === undefined ? 0 : Math.max(0, this.#last + this.#intervalMs - this.#monotonic.now());
  }

  publishEvery(intervalMs: number): void {
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
