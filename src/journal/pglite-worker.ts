/**
 * The embedded engine in a thread of its own: a query blocks its thread for its whole duration, and the
 * runtime's timers and sockets must not wait for it.
 *
 * Invariants: one session, one client at a time, the newest one; between two clients the session is reset;
 * nothing runs before the probe has shown that a commit reaches the disk; after a failed flush, or any failure
 * inside the engine, the thread ends and the log is recovered at the next start.
 */
import { existsSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { defined } from '../core/assert.ts';
import { errorText } from '../core/errors.ts';
import { DurableNodeFS } from './pglite-fs.ts';
import { BatchReader, type ClientBatch, endsIdle, firstValue, queryMessage } from './pglite-wire.ts';

export interface WorkerInput {
  readonly dir: string;
  /** False only in the test that the probe notices. */
  readonly patchFlush: boolean;
  readonly checkpointBytes: number;
  readonly checkpointMs: number;
}

export type ToWorker = { readonly type: 'connect'; readonly port: MessagePort } | { readonly type: 'close' };

export type FromWorker =
  | { readonly type: 'ready'; readonly probeFlushes: number }
  | { readonly type: 'closed' }
  | { readonly type: 'fatal'; readonly flushFailed: boolean; readonly message: string };

const MAINTENANCE_EVERY_MS = 1_000;
const VACUUM_EVERY_MS = 24 * 3_600_000;
/** There is no autovacuum in the engine. The widest comes last; all are there once a journal was opened. */
const VACUUMED = ['leases', 'live_actors', 'meta', 'standbys', 'anchors', 'carried', 'kept', 'journal'];

const input = workerData as WorkerInput;
const parent = defined(parentPort, 'the thread that started this one');

class EngineHost {
  readonly #engine: PGlite;
  readonly #files: DurableNodeFS;
  #client: MessagePort | undefined;
  /** Whether the session is outside a transaction. */
  #idle = true;
  #dirty = false;
  #checkpointAt = 0;
  #checkpointLsn = 0;
  #toVacuum: string[] = [];

  constructor(engine: PGlite, files: DurableNodeFS) {
    this.#engine = engine;
    this.#files = files;
  }

  /** Commits something and returns how many flushes that took; 0 means that commits are not durable. */
  probe(): number {
    const before = this.#files.flushes;
    this.#ask("select pg_logical_emit_message(true, 'bulkhead', 'durability probe')");
    return this.#files.flushes - before;
  }

  connect(port: MessagePort): void {
    this.#client?.close();
    this.#client = port;
    if (!this.#idle) this.#ask('rollback');
    this.#ask('discard all');
    this.#idle = true;
    const reader = new BatchReader();
    port.on('message', (chunk: Uint8Array) => {
      if (port !== this.#client) return;
      for (const batch of reader.push(chunk)) this.#handle(port, batch);
    });
  }

  /** Between clients' batches: keeps the log short, for recovery reads all of it. */
  maintain(nowMs: number): void {
    if (!this.#idle) return;
    this.#vacuumNext();
    if (!this.#dirty) return;
    const lsn = Number(this.#ask("select pg_current_wal_insert_lsn() - '0/0'"));
    const due = nowMs - this.#checkpointAt >= input.checkpointMs;
    if (!due && lsn - this.#checkpointLsn < input.checkpointBytes) return;
    this.#ask('checkpoint');
    this.#dirty = false;
    this.#checkpointAt = nowMs;
    this.#checkpointLsn = lsn;
    if (vacuumDue(nowMs)) this.#toVacuum = [...VACUUMED];
  }

  /** A table at a time: nobody else's statement runs meanwhile. */
  #vacuumNext(): void {
    const table = this.#toVacuum.shift();
    if (table !== undefined) this.#ask(`vacuum (analyze) bulkhead.${table}`);
  }

  async close(): Promise<void> {
    this.#client?.close();
    if (!this.#idle) this.#ask('rollback');
    this.#ask('checkpoint');
    await this.#engine.close();
  }

  #handle(port: MessagePort, batch: ClientBatch): void {
    if (batch.type === 'terminate') {
      port.close();
      return;
    }
    const answer = this.#execute(batch.bytes);
    this.#idle = batch.type === 'startup' || endsIdle(answer);
    this.#dirty = true;
    // The engine's own buffer is reused at the next call.
    const copy = new Uint8Array(answer);
    port.postMessage(copy, [copy.buffer]);
  }

  #execute(message: Uint8Array): Uint8Array {
    const answer = this.#engine.execProtocolRawSync(message);
    if (this.#files.failure !== undefined) throw this.#files.failure;
    return answer;
  }

  #ask(sql: string): string | undefined {
    return firstValue(this.#execute(queryMessage(sql)));
  }
}

/** Once a day, also over restarts: a file's time remembers the last one. */
function vacuumDue(nowMs: number): boolean {
  const marker = `${input.dir}.vacuumed`;
  if (!existsSync(marker)) {
    writeFileSync(marker, '');
    return false;
  }
  if (nowMs - statSync(marker).mtimeMs < VACUUM_EVERY_MS) return false;
  utimesSync(marker, nowMs / 1000, nowMs / 1000);
  return true;
}

function post(message: FromWorker): void {
  parent.postMessage(message);
}

function now(): number {
  return Date.now(); // ambient-ok: housekeeping of this thread's files; nothing of the runtime sees it
}

async function main(): Promise<void> {
  const files = new DurableNodeFS(input.dir, input.patchFlush);
  const startParams = PGlite.defaultStartParams.filter((parameter) => parameter !== '-F');
  startParams.push('-c', 'wal_sync_method=fsync', '-c', 'fsync=on', '-c', 'full_page_writes=on');
  startParams.push('-c', 'synchronous_commit=on');
  const engine = new PGlite({ fs: files, startParams });
  await engine.waitReady;
  const host = new EngineHost(engine, files);
  const fail = (error: unknown): void => {
    post({ type: 'fatal', flushFailed: files.failure !== undefined, message: errorText(error) });
    process.exit(1);
  };
  process.on('uncaughtException', fail);
  const maintenance = setInterval(() => host.maintain(now()), MAINTENANCE_EVERY_MS); // ambient-ok: as above
  parent.on('message', (message: ToWorker) => {
    if (message.type === 'connect') {
      host.connect(message.port);
      return;
    }
    clearInterval(maintenance);
    host.close().then(() => {
      post({ type: 'closed' });
      parent.close();
    }, fail);
  });
  post({ type: 'ready', probeFlushes: host.probe() });
}

main().catch((error: unknown) => {
  post({ type: 'fatal', flushFailed: false, message: errorText(error) });
  process.exit(1);
});
