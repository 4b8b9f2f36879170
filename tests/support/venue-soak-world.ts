/**
 * A whole installation to be killed: `bulkhead exchange` on a recorded market, `bulkhead run --mode paper` against
 * it through real sockets, and a store; each a process of its own with a folder that survives it.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BUSY } from '../../src/app/simulation/config.ts';
import type { SoakLedger } from '../../src/app/simulation/ledger-checks.ts';
import { readStatus, type StatusDocument } from '../../src/app/status/status-file.ts';
import { rowsFrom } from '../../src/journal/journal-beginning.ts';
import { pgliteStore } from '../../src/journal/pglite-journal.ts';
import { postgresStore } from '../../src/journal/postgres-journal.ts';
import { CliProcess } from './cli-process.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';

/** The program with the soak's strategy. */
export const SOAK_MAIN = fileURLToPath(new URL('./venue-soak-main.ts', import.meta.url));
const ACCOUNT = 'main';
const LIMIT_MS = 120_000;

export interface WorldOptions {
  readonly dir: string;
  readonly store: 'embedded' | 'postgres';
  readonly speed: number;
  /** A preset or a file. */
  readonly faults: string;
  readonly seed: number;
  /** Absent: the generated market. */
  readonly recording: string | undefined;
  readonly symbols?: readonly string[];
  /** Where the exchange writes down requests, events and faults. */
  readonly journalFile?: string;
  /** Overrides of the configuration's groups. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export type Victim = 'runtime' | 'exchange' | 'postgres';

const CONFIG = {
  ...BUSY,
  venue: { callTimeoutMs: 3_000, reconcileEveryMs: 5_000, maxSignalAgeMs: 180_000 },
  lease: { ttlMs: 5_000 },
  status: { intervalMs: 100 },
  log: { level: 'warn' },
};

export class SoakWorld {
  readonly options: WorldOptions;
  readonly dataDir: string;
  /** Since when (venue's clock) and until when something did not run. */
  readonly downtimes: { readonly what: Victim; readonly from: number; to: number }[] = [];
  readonly faultHits = new Map<string, number>();
  runtime: CliProcess | undefined;
  exchange: CliProcess | undefined;
  #config: string;
  #postgres: PostgresServer | undefined;
  #databaseUrl: string | undefined;
  #ports = { port: 0, adminPort: 0 };
  #anchor = { at: 0, mono: 0 };
  #lives = 0;

  private constructor(options: WorldOptions) {
    this.options = options;
    mkdirSync(options.dir, { recursive: true });
    this.dataDir = path.join(options.dir, 'data');
    this.#config = path.join(options.dir, 'soak.json');
    writeFileSync(this.#config, JSON.stringify(soakConfig(options.config)));
  }

  /** The world, or the reason why there can be none. */
  static async begin(options: WorldOptions): Promise<SoakWorld | string> {
    const world = new SoakWorld(options);
    if (options.store === 'postgres') {
      const server = await startPostgres({ durable: true });
      if (typeof server === 'string') return server;
      world.#postgres = server;
      world.#databaseUrl = await server.createDatabase();
    }
    await world.startExchange();
    await world.startRuntime();
    return world;
  }

  /** The venue's clock, as far as it can be known here. */
  get venueNow(): number {
    return this.#anchor.at + (performance.now() - this.#anchor.mono) * this.options.speed;
  }

  get victims(): Victim[] {
    return this.#postgres ? ['runtime', 'exchange', 'postgres'] : ['runtime', 'exchange'];
  }

  async startExchange(): Promise<void> {
    const { dir, speed, faults, seed, recording, symbols, journalFile } = this.options;
    const market = recording === undefined ? ['--synthetic'] : ['--recording', recording];
    this.#lives += 1;
    const process = new CliProcess([
      ...['exchange', ...market, ...(symbols ? ['--symbols', symbols.join(',')] : [])],
      ...['--speed', String(speed), '--faults', faults, '--seed', String(seed)],
      ...['--port', String(this.#ports.port), '--admin-port', String(this.#ports.adminPort)],
      ...['--state', path.join(dir, 'venue'), '--json'],
      ...(journalFile === undefined ? [] : ['--journal', journalFile]),
    ]);
    this.exchange = process;
    const [line] = await process.said(/^\{"ready":true.*\}\n/m);
    const ready = JSON.parse(line) as { port: number; adminPort: number; at: number };
    this.#ports = { port: ready.port, adminPort: ready.adminPort };
    this.#anchor = { at: ready.at, mono: performance.now() };
  }

  async startRuntime(): Promise<void> {
    const engine =
      this.#databaseUrl === undefined
        ? undefined
        : { BULKHEAD_STORE_ENGINE: 'postgres', BULKHEAD_DATABASE_URL: this.#databaseUrl };
    this.runtime = new CliProcess(this.#runArgs(), { main: SOAK_MAIN, ...(engine ? { env: engine } : {}) });
  }

  #runArgs(): string[] {
    const { port } = this.#ports;
    return [
      ...['run', '--mode', 'paper', '--venue', `http://127.0.0.1:${port}`],
      ...['--time-factor', String(this.options.speed), '--config', this.#config],
      ...['--data-dir', this.dataDir, '--json'],
    ];
  }

  /** Ends it at once, as a crash would. */
  async kill(what: Victim): Promise<void> {
    if (what === 'exchange') await this.countFaults();
    const at = this.venueNow;
    this.downtimes.push({ what, from: at, to: Number.POSITIVE_INFINITY });
    if (what === 'postgres') await this.#postgres?.crash?.();
    else {
      this[what]?.kill('SIGKILL');
      await this[what]?.ended;
    }
  }

  async start(what: Victim): Promise<void> {
    if (what === 'postgres') await this.#postgres?.restart?.();
    else if (what === 'exchange') await this.startExchange();
    else await this.startRuntime();
  }

  /** It is there again: now what was under way meanwhile is settled. */
  isUp(): void {
    for (const down of this.downtimes) if (!Number.isFinite(down.to)) down.to = this.venueNow;
  }

  async admin<T>(method: string, route: string, body?: unknown): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${this.#ports.adminPort}${route}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${route}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  ledger(): Promise<SoakLedger> {
    return this.admin<SoakLedger>('GET', '/ledger');
  }

  /** The counts live as long as the exchange's process does. */
  async countFaults(): Promise<void> {
    const { faults } = await this.admin<{ faults: { name: string; hits: number }[] }>('GET', '/faults');
    for (const { name, hits } of faults)
      if (hits > 0) this.faultHits.set(name, (this.faultHits.get(name) ?? 0) + hits);
  }

  status(): StatusDocument | undefined {
    try {
      return readStatus(this.dataDir);
    } catch {
      return undefined;
    }
  }

  /** Waits for a status of the running process for which it is so; fails when the process ends. */
  async until(what: string, isSo: (status: StatusDocument) => boolean, limitMs = LIMIT_MS): Promise<void> {
    for (const end = performance.now() + limitMs; performance.now() < end; await pause(25)) {
      const { runtime, exchange } = this;
      if (runtime?.isOver) throw new Error(`${what}: the runtime ended\n${runtime.tail()}`);
      if (exchange?.isOver) throw new Error(`${what}: the exchange ended\n${exchange.tail()}`);
      const status = this.status();
      if (status && status.pid === runtime?.pid && isSo(status)) return;
    }
    throw new Error(`not in ${limitMs} ms: ${what}\n${JSON.stringify(briefly(this.status()), null, 1)}`);
  }

  /** Read anew after that moment of the venue's clock, and nothing of what is open without its stop. */
  async untilSafe(since: number): Promise<void> {
    await this.until('every position protected and reconciled', ({ state, venue }) => {
      if (state !== 'running' || !venue) return false;
      const { ready, at } = venue.reconcile;
      return ready && (at ?? 0) >= since && venue.protection.unprotectedNow === 0;
    });
  }

  /** Rows beyond `after`; of an embedded store only while no runtime has it. */
  async *rows(after = 0) {
    const store =
      this.#databaseUrl === undefined
        ? pgliteStore({ dir: path.join(this.dataDir, 'journal'), account: ACCOUNT })
        : postgresStore({ url: this.#databaseUrl, account: ACCOUNT, migrations: 'require' });
    try {
      await store.open();
      yield* rowsFrom(store, after);
    } finally {
      await store.close();
    }
  }

  /** An orderly end: what it says about itself afterwards. */
  async stopRuntime(): Promise<number | null> {
    this.runtime?.kill('SIGTERM');
    return (await this.runtime?.ended)?.code ?? null;
  }

  async replay(): Promise<{ code: number | null; stderr: string }> {
    const engine: Record<string, string> = {};
    if (this.#databaseUrl !== undefined)
      Object.assign(engine, { BULKHEAD_STORE_ENGINE: 'postgres', BULKHEAD_DATABASE_URL: this.#databaseUrl });
    const args = ['replay', '--verify', '--config', this.#config, '--data-dir', this.dataDir, '--json'];
    return new CliProcess(args, { main: SOAK_MAIN, env: engine }).ended;
  }

  async end(): Promise<void> {
    await this.runtime?.reap();
    await this.exchange?.reap();
    await this.#postgres?.stop();
  }
}

/** The soak's configuration, with overrides of its groups. */
export function soakConfig(more: WorldOptions['config'] = {}): Record<string, unknown> {
  const config: Record<string, unknown> = { ...CONFIG };
  for (const [group, keys] of Object.entries(more))
    config[group] = { ...(config[group] as object | undefined), ...(keys as object) };
  return config;
}

/** What of a status says why something did not come about. */
export function briefly(status: StatusDocument | undefined): unknown {
  if (!status) return 'there is no status';
  const { state, virtualTime, positions, breakers, tradingState, journal, venue, account } = status;
  const open = breakers.filter((breaker) => breaker.state !== 'closed');
  return { state, virtualTime, positions, open, tradingState, journal, wallet: account.wallet, venue };
}
