/**
 * A leader and a standby, each a process with a folder of its own, one PostgreSQL between them, and one
 * `bulkhead exchange` that writes down every request it gets.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { JournalFacts, SoakLedger } from '../../src/app/simulation/ledger-checks.ts';
import { readStatus, type StatusDocument } from '../../src/app/status/status-file.ts';
import { rowsFrom } from '../../src/journal/journal-beginning.ts';
import { postgresStore } from '../../src/journal/postgres-journal.ts';
import { type CliEnd, CliProcess } from './cli-process.ts';
import type { Stages } from './failover-phases.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { briefly, SOAK_MAIN, soakConfig } from './venue-soak-world.ts';

const ACCOUNT = 'main';
const LIMIT_MS = 120_000;

export interface FailoverOptions {
  readonly dir: string;
  readonly speed: number;
  readonly seed: number;
  readonly ttlMs: number;
  readonly symbols: readonly string[];
}

/** A line of a run's standard output. */
interface Said {
  readonly event: string;
  readonly at: number;
  readonly epoch: number;
  readonly safeMs: number;
  readonly stages: Stages;
  readonly ready: boolean;
}

/** One life of one process. */
export class Member {
  readonly name: string;
  readonly dataDir: string;
  readonly process: CliProcess;
  /** When its first word that everything is protected came here, by this process's clock. */
  safeHeardAt: number | undefined;

  constructor(name: string, dataDir: string, process: CliProcess) {
    this.name = name;
    this.dataDir = dataDir;
    this.process = process;
    this.#listen();
  }

  /** A standby may wait for longer than one wait lasts. */
  #listen(): void {
    this.process.said(/"event":"safe"/).then(
      () => {
        this.safeHeardAt = performance.now();
      },
      () => {
        if (!this.process.isOver) this.#listen();
      },
    );
  }

  said(event: string): Said | undefined {
    return this.process.stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Said)
      .findLast((line) => line.event === event);
  }

  status(): StatusDocument | undefined {
    try {
      const status = readStatus(this.dataDir);
      return status.pid === this.process.pid ? status : undefined;
    } catch {
      return undefined;
    }
  }

  async until(what: string, isSo: (status: StatusDocument) => boolean, limitMs = LIMIT_MS): Promise<void> {
    for (const end = performance.now() + limitMs; performance.now() < end; await pause(25)) {
      if (this.process.isOver) throw new Error(`${this.name}, ${what}: it ended\n${this.process.tail()}`);
      const status = this.status();
      if (status && isSo(status)) return;
    }
    throw new Error(
      `${this.name}, not in ${limitMs} ms: ${what}\n${JSON.stringify(briefly(this.status()))}\n${this.process.tail()}`,
    );
  }

  untilReady(): Promise<void> {
    return this.until('ready to take over', ({ standby }) => standby?.notReady === null);
  }
}

interface Ready {
  readonly port: number;
  readonly adminPort: number;
  readonly at: number;
}

export class FailoverWorld {
  readonly options: FailoverOptions;
  readonly exchange: CliProcess;
  readonly postgres: PostgresServer;
  readonly databaseUrl: string;
  readonly #config: string;
  readonly #ready: Ready;
  readonly #anchorMs: number;
  readonly #journalFile: string;
  readonly #members: Member[] = [];

  private constructor(
    options: FailoverOptions,
    parts: Pick<FailoverWorld, 'exchange' | 'postgres' | 'databaseUrl'> & { readonly journalFile: string },
    ready: Ready,
  ) {
    this.options = options;
    this.exchange = parts.exchange;
    this.postgres = parts.postgres;
    this.databaseUrl = parts.databaseUrl;
    this.#journalFile = parts.journalFile;
    this.#ready = ready;
    this.#anchorMs = performance.now();
    this.#config = path.join(options.dir, 'failover.json');
    writeFileSync(this.#config, JSON.stringify(soakConfig({ lease: { ttlMs: options.ttlMs } })));
  }

  static async begin(options: FailoverOptions): Promise<FailoverWorld | string> {
    const { dir, symbols, speed, seed } = options;
    mkdirSync(dir, { recursive: true });
    const postgres = await startPostgres({ durable: true });
    if (typeof postgres === 'string') return postgres;
    const journalFile = path.join(dir, 'venue.jsonl');
    const exchange = new CliProcess([
      ...['exchange', '--synthetic', '--symbols', symbols.join(','), '--speed', String(speed)],
      ...['--seed', String(seed), '--port', '0', '--admin-port', '0', '--journal', journalFile],
      ...['--state', path.join(dir, 'venue'), '--json'],
    ]);
    const [line] = await exchange.said(/^\{"ready":true.*\}\n/m);
    const databaseUrl = await postgres.createDatabase();
    const ready = JSON.parse(line) as Ready;
    return new FailoverWorld(options, { exchange, postgres, databaseUrl, journalFile }, ready);
  }

  get venueUrl(): string {
    return `http://127.0.0.1:${this.#ready.port}`;
  }

  get adminPort(): number {
    return this.#ready.adminPort;
  }

  get configFile(): string {
    return this.#config;
  }

  /** The venue's clock, as far as it can be known here. */
  get venueNow(): number {
    return this.#ready.at + (performance.now() - this.#anchorMs) * this.options.speed;
  }

  start(name: string, isStandby: boolean): Member {
    const dataDir = path.join(this.options.dir, name);
    const process = new CliProcess(this.runArgs(dataDir, isStandby), { main: SOAK_MAIN, env: this.#env() });
    return this.adopt(new Member(name, dataDir, process));
  }

  /** To be ended with the world. */
  adopt(member: Member): Member {
    this.#members.push(member);
    return member;
  }

  runArgs(dataDir: string, isStandby: boolean, venueUrl = this.venueUrl): string[] {
    return [
      ...['run', '--mode', 'paper', '--venue', venueUrl, '--time-factor', String(this.options.speed)],
      ...['--config', this.#config, '--data-dir', dataDir, '--json', ...(isStandby ? ['--standby'] : [])],
    ];
  }

  #env(): Record<string, string> {
    return { BULKHEAD_STORE_ENGINE: 'postgres', BULKHEAD_DATABASE_URL: this.databaseUrl };
  }

  /** Another command on the same account. */
  command(args: readonly string[], dataDir: string): Promise<CliEnd> {
    const all = [...args, '--config', this.#config, '--data-dir', dataDir];
    return new CliProcess(all, { main: SOAK_MAIN, env: this.#env() }).ended;
  }

  async admin<T>(method: string, route: string): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${this.adminPort}${route}`, { method });
    if (!response.ok) throw new Error(`${method} ${route}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  ledger(): Promise<SoakLedger> {
    return this.admin<SoakLedger>('GET', '/ledger');
  }

  /** Takes the rows that are new. */
  async read(facts: JournalFacts, epochs: EpochBounds): Promise<void> {
    const store = postgresStore({ url: this.databaseUrl, account: ACCOUNT, migrations: 'require' });
    try {
      await store.open();
      const after = facts.last;
      for await (const row of rowsFrom(store, after)) {
        facts.take(row);
        epochs.take(row.n, row.epoch);
      }
    } finally {
      await store.close();
    }
  }

  /** Every order that the venue was asked for, in the order of arrival. */
  requests(): PlacingRequest[] {
    if (!existsSync(this.#journalFile)) return [];
    return readFileSync(this.#journalFile, 'utf8')
      .split('\n')
      .filter((line) => line.includes('"request"'))
      .flatMap((line) => placing(line));
  }

  async end(): Promise<void> {
    for (const { process } of this.#members) {
      process.kill('SIGCONT');
      await process.reap();
    }
    await this.exchange.reap();
    await this.postgres.stop();
  }
}

export interface PlacingRequest {
  /** The venue's clock. */
  readonly at: number;
  readonly clientOrderId: string;
}

/** Nothing where the line is no request for an order, or one that was torn by its writer still writing. */
function placing(line: string): PlacingRequest[] {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return [];
  }
  const { at, what, request, params } = entry as {
    readonly at: string;
    readonly what: string;
    readonly request: string;
    readonly params?: Readonly<Record<string, unknown>>;
  };
  if (what !== 'request' || !/^POST .*\/(order|algoOrder)$/.test(request)) return [];
  const id = params?.newClientOrderId ?? params?.clientAlgoId;
  return typeof id === 'string' ? [{ at: Date.parse(at), clientOrderId: id }] : [];
}

/** Which epoch wrote which rows. */
export class EpochBounds {
  readonly #firstN = new Map<number, number>();
  readonly problems: string[] = [];
  #newest = 0;

  take(n: number, epoch: number): void {
    if (epoch < this.#newest)
      this.problems.push(`row ${n} is of epoch ${epoch}, after rows of ${this.#newest}`);
    if (!this.#firstN.has(epoch)) this.#firstN.set(epoch, n);
    this.#newest = Math.max(this.#newest, epoch);
  }

  of(n: number): number {
    return [...this.#firstN]
      .filter(([, first]) => first <= n)
      .reduce((most, [epoch]) => Math.max(most, epoch), 0);
  }

  get epochs(): number[] {
    return [...this.#firstN.keys()];
  }
}

/**
 * Whether anybody's order came after somebody else had taken over: by the venue's own order of arrival, the epochs
 * of the rows that intended the orders never go back.
 */
export function writersOverlap(
  requests: readonly PlacingRequest[],
  facts: JournalFacts,
  epochs: EpochBounds,
): string[] {
  const problems: string[] = [];
  let newest = 0;
  for (const { clientOrderId, at } of requests) {
    const intended = facts.intended.get(clientOrderId);
    if (!intended) continue;
    const epoch = epochs.of(intended.n);
    if (epoch < newest)
      problems.push(
        `${clientOrderId} of epoch ${epoch} came at ${new Date(at).toISOString()}, after an order of epoch ${newest}`,
      );
    newest = Math.max(newest, epoch);
  }
  return problems;
}
