/** The embedded store: PostgreSQL in WebAssembly, in a folder, behind the same pool and the same SQL. */
import { readdir, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { BulkheadError } from '../core/errors.ts';
import type { StoreSize } from './journal.ts';
import { BridgeStream } from './pglite-bridge.ts';
import { PgliteServer } from './pglite-server.ts';
import { PGLITE_VERSION } from './pglite-template.ts';
import { type HealthCheck, SqlJournal } from './sql-journal.ts';

export interface PgliteEngineOptions {
  /** The engine's own folder; beside it stand `<dir>.lock`, `<dir>.pid` and `<dir>.vacuumed`. */
  readonly dir: string;
  readonly checkpointBytes?: number;
  readonly checkpointMs?: number;
  /** False runs the engine as it comes, without flushes; the probe then refuses it. For that test. */
  readonly patchFlush?: boolean;
}

export interface PgliteStoreOptions extends PgliteEngineOptions {
  readonly account: string;
}

const CHECKPOINT_BYTES = 64 * 1024 * 1024;
const CHECKPOINT_MS = 60_000;

/** A store on an engine of its own, which still has to be opened. Closing it ends the engine. */
export function pgliteStore({ account, ...options }: PgliteStoreOptions): SqlJournal {
  const engine = new PgliteEngine(options);
  return engine.store(account, { exclusive: true, onClose: () => engine.stop() });
}

/** One folder's engine, for as many stores as there are accounts in it. */
export class PgliteEngine {
  readonly #dir: string;
  readonly #server: PgliteServer;
  readonly #pool: pg.Pool;

  constructor(options: PgliteEngineOptions) {
    this.#dir = path.resolve(options.dir);
    this.#server = new PgliteServer({
      dir: this.#dir,
      patchFlush: options.patchFlush ?? true,
      checkpointBytes: options.checkpointBytes ?? CHECKPOINT_BYTES,
      checkpointMs: options.checkpointMs ?? CHECKPOINT_MS,
    });
    this.#pool = bridgePool(this.#server);
  }

  /** `exclusive`: nobody else in this process uses the account, so that whoever held its lease is dead. */
  store(account: string, options: { exclusive: boolean; onClose: () => Promise<void> }): SqlJournal {
    return new SqlJournal({
      account,
      name: 'pglite',
      location: this.#dir,
      pool: this.#pool,
      migrations: 'apply',
      allowNonDurable: false,
      exclusive: options.exclusive,
      engine: (version) => `PGlite ${PGLITE_VERSION} (PostgreSQL ${version})`,
      beforeOpen: () => probe(this.#server),
      size: () => folderSize(this.#dir),
      onClose: options.onClose,
    });
  }

  /** Ends the engine's thread as a crash would; the next statement starts it again. */
  async kill(): Promise<void> {
    await this.#server.kill();
  }

  async stop(): Promise<void> {
    await this.#pool.end();
    await this.#server.stop();
  }
}

/** The engine's files, its log included. */
async function folderSize(dir: string): Promise<StoreSize> {
  const [files, { bavail, bsize }] = await Promise.all([
    readdir(dir, { recursive: true, withFileTypes: true }),
    statfs(dir),
  ]);
  let bytes = 0;
  for (const file of files)
    if (file.isFile())
      bytes += await stat(path.join(file.parentPath, file.name)).then(
        ({ size }) => size,
        () => 0,
      );
  return { bytes, freeBytes: bavail * bsize };
}

/** One connection: the engine has one session, and prepared statements and transactions belong to it. */
function bridgePool(server: PgliteServer): pg.Pool {
  const pool = new pg.Pool({
    max: 1,
    user: 'postgres',
    database: 'postgres',
    idleTimeoutMillis: 0,
    stream: () => new BridgeStream(() => server.connect()),
  });
  pool.on('error', () => undefined);
  // While somebody has it, its statement fails; without a listener the same error would end the process as well.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

async function probe(server: PgliteServer): Promise<readonly HealthCheck[]> {
  const flushes = await server.start();
  if (flushes > 0) {
    return [
      { name: 'flush probe', ok: true, detail: `a commit made ${flushes} flushes` },
      { name: 'folder lock', ok: true, detail: `held by process ${process.pid}` },
    ];
  }
  await server.stop();
  throw new BulkheadError('STORE_NOT_DURABLE', 'A commit of the embedded database did not reach the disk.', {
    hint: `Run \`npm ci\`: Bulkhead needs PGlite ${PGLITE_VERSION} exactly.`,
  });
}
