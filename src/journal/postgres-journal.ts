/** A PostgreSQL server as the journal's store, from a connection URL (TLS settings pass through the URL). */
import pg from 'pg';
import { BulkheadError, errorText } from '../core/errors.ts';
import type { StoreSize } from './journal.ts';
import { SqlJournal } from './sql-journal.ts';

export interface PostgresStoreOptions {
  /** postgres://user:password@host:port/database?sslmode=… */
  readonly url: string;
  /** The password of connections to come, where it may change; the URL's own where absent. */
  readonly password?: () => string;
  readonly account: string;
  readonly migrations?: 'apply' | 'require';
  readonly allowNonDurable?: boolean;
  /** A statement without an answer for this long is given up as unknown, and its connection dropped. */
  readonly statementTimeoutMs?: number;
}

/** One for the writer, one for the lease, and a few for readers. */
const POOL_SIZE = 4;
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 15_000;

/** The URL without its password, for messages and `status`. */
export function displayUrl(url: string): string {
  try {
    const parsed = new URL(url);
    const user = parsed.username === '' ? '' : `${parsed.username}@`;
    const socket = parsed.searchParams.get('host');
    return `${parsed.protocol}//${user}${socket ?? parsed.host}${parsed.pathname}`;
  } catch {
    return 'postgres://?';
  }
}

export function postgresPool(
  url: string,
  statementTimeoutMs = STATEMENT_TIMEOUT_MS,
  password?: () => string,
): pg.Pool {
  if (!/^postgres(ql)?:\/\//.test(url)) {
    throw new BulkheadError(
      'CONFIG_INVALID',
      'The database URL must start with postgres:// or postgresql://.',
      {
        hint: 'For example postgres://user:password@localhost:5432/bulkhead',
      },
    );
  }
  const pool = new pg.Pool({
    connectionString: url,
    ...(password ? { Client: clientWith(url, password) } : {}),
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: statementTimeoutMs,
    keepAlive: true,
    application_name: 'bulkhead',
  });
  // An idle connection that breaks is replaced at the next query, whose error is the one to report.
  pool.on('error', () => undefined);
  // While somebody has it, its statement fails; without a listener the same error would end the process as well.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

export function passwordOf(url: string): string {
  return URL.canParse(url) ? decodeURIComponent(new URL(url).password) : '';
}

/** pg takes the URL's password before any other, one that is not in it too: so each connection gets a URL of its own. */
function clientWith(url: string, password: () => string): typeof pg.Client {
  return class extends pg.Client {
    constructor(config: pg.ClientConfig) {
      super({ ...config, connectionString: withPassword(url, password()) });
    }
  };
}

function withPassword(url: string, password: string): string {
  if (!URL.canParse(url)) return url;
  const its = new URL(url);
  its.password = encodeURIComponent(password);
  return its.href;
}

/** Throws unless the two differ in their passwords only, and the new one opens the database. */
export async function insistOnPassword(url: string, next: string): Promise<void> {
  if (withPassword(url, '') !== withPassword(next, ''))
    throw new BulkheadError('CONFIG_INVALID', 'The database URL differs in more than its password.', {
      hint: 'Only a password is taken up by a run; another server or user needs a restart.',
    });
  const client = new pg.Client({ connectionString: next, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw new BulkheadError(
      'STORE_UNAVAILABLE',
      `The new password does not open the database: ${errorText(error)}`,
      {
        hint: 'Change it at the server first. It is tried again.',
      },
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Its disk is the server's, which does not say. */
async function databaseSize(by: pg.Pool): Promise<StoreSize> {
  const { rows } = await by.query<{ bytes: string }>('select pg_database_size(current_database()) as bytes');
  return { bytes: Number(rows[0]?.bytes ?? 0), freeBytes: null };
}

/** A store that still has to be opened; throws only on a malformed URL. */
export function postgresStore(options: PostgresStoreOptions): SqlJournal {
  const pool = postgresPool(options.url, options.statementTimeoutMs, options.password);
  return new SqlJournal({
    account: options.account,
    name: 'postgres',
    location: displayUrl(options.url),
    pool,
    migrations: options.migrations ?? 'apply',
    allowNonDurable: options.allowNonDurable ?? false,
    exclusive: false,
    engine: (version) => `PostgreSQL ${version}`,
    beforeOpen: async () => [],
    size: databaseSize,
    onClose: () => pool.end(),
  });
}
