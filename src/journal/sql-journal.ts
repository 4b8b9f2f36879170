/**
 * The journal in PostgreSQL, through pg and Kysely; the embedded store is the same over another pool.
 *
 * Invariants: those of the port. All of an append is one statement (sql-append.ts). The pool reconnects by
 * itself, so a restarted database is an error or two, not the end.
 */
import { Kysely, PostgresDialect, sql } from 'kysely';
import type { Pool } from 'pg';
import { defined } from '../core/assert.ts';
import { BulkheadError } from '../core/errors.ts';
import type { ActorId } from '../core/ids.ts';
import type { CarriedRow, Cut, JournalAnchor } from './cut-types.ts';
import { durabilityChecks, notDurable } from './durability.ts';
import type {
  ConfigVersion,
  JournalHead,
  JournalRow,
  JournalStore,
  Lease,
  LeaseState,
  Pause,
  PauseQuery,
  RestoredContent,
  RowQuery,
  ScannedRow,
  StandbyState,
  StandbyWord,
  StoreHealth,
  StoreSize,
} from './journal.ts';
import { migrate, pendingMigrations } from './migrator.ts';
import { GENESIS_HASH } from './row-hash.ts';
import { appendRows } from './sql-append.ts';
import { addConfigVersion, configVersions, newestConfigVersion } from './sql-config-versions.ts';
import { cutRows, hashesBefore, readAnchor, readCarried } from './sql-cut.ts';
import { guarded } from './sql-errors.ts';
import { checkHead } from './sql-head.ts';
import { restoreRows } from './sql-restore.ts';
import { selectRows, toJournalRow } from './sql-rows.ts';
import { findPauses, scanRows } from './sql-scan.ts';
import type { BulkheadSchema } from './sql-schema.ts';
import { readSettings } from './sql-settings.ts';
import { removeStandby, reportStandby, standbys } from './sql-standbys.ts';
import { duplicateRow, fenced, headMismatch, leaseHeld } from './store-errors.ts';

export type HealthCheck = StoreHealth['checks'][number];

export interface SqlJournalOptions {
  readonly account: string;
  readonly name: string;
  /** Where the data is, fit for display: no password. */
  readonly location: string;
  readonly pool: Pool;
  /** 'require' refuses a database with pending migrations, naming `bulkhead migrate`. */
  readonly migrations: 'apply' | 'require';
  /** For throwaway test servers that run with fsync off. */
  readonly allowNonDurable: boolean;
  /** True where a lock of our own proves that no other process is alive: its lease need not be waited for. */
  readonly exclusive: boolean;
  /** How the engine calls itself, given what the server reports as its version. */
  readonly engine: (serverVersion: string) => string;
  /** Starts what the pool connects to, and says what it checked. */
  readonly beforeOpen: () => Promise<readonly HealthCheck[]>;
  readonly size: (pool: Pool) => Promise<StoreSize>;
  /** Ends the pool, where it is this store's own. */
  readonly onClose: () => Promise<void>;
}

export class SqlJournal implements JournalStore {
  readonly name: string;
  readonly #account: string;
  readonly #pool: Pool;
  readonly #db: Kysely<BulkheadSchema>;
  readonly #options: SqlJournalOptions;
  #closed: Promise<void> | undefined;

  constructor(options: SqlJournalOptions) {
    this.name = options.name;
    this.#account = options.account;
    this.#pool = options.pool;
    this.#options = options;
    this.#db = new Kysely<BulkheadSchema>({
      dialect: new PostgresDialect({ pool: options.pool }),
    }).withSchema('bulkhead');
  }

  async open(): Promise<StoreHealth> {
    return guarded(async () => {
      const engineChecks = await this.#options.beforeOpen();
      const settings = await readSettings(this.#db);
      const checks = [...durabilityChecks(settings), ...engineChecks];
      const durable = checks.every((check) => check.ok);
      if (!durable && !this.#options.allowNonDurable) throw notDurable(checks);
      await this.#migrate();
      await sql`insert into bulkhead.leases (account, head_hash) values (${this.#account}, ${GENESIS_HASH})
        on conflict do nothing`.execute(this.#db);
      await checkHead(this.#db, this.#account);
      const engine = this.#options.engine(settings.get('server_version') ?? '?');
      return { engine, location: this.#options.location, durable, checks };
    });
  }

  async acquireLease(owner: string, ttlMs: number): Promise<Lease> {
    return guarded(async () => {
      const taken = await sql<{ epoch: string }>`
        update bulkhead.leases
        set owner = ${owner}, epoch = epoch + 1, expires_at = clock_timestamp() + ${ttlMs} * interval '1 ms'
        where account = ${this.#account}
          and (owner is null or owner = ${owner} or expires_at <= clock_timestamp() or ${this.#options.exclusive})
        returning epoch`.execute(this.#db);
      const row = taken.rows[0];
      if (row) return { account: this.#account, owner, epoch: Number(row.epoch) };
      const held = await this.leaseState();
      if (held) throw leaseHeld(held);
      // Released between the two statements: for the caller the same as an unreachable lease, try again.
      throw new BulkheadError('LEASE_HELD', `The lease of account ${this.#account} is changing hands.`);
    });
  }

  async renewLease(lease: Lease, ttlMs: number): Promise<void> {
    await guarded(async () => {
      const renewed = await sql`
        update bulkhead.leases set expires_at = clock_timestamp() + ${ttlMs} * interval '1 ms'
        where account = ${lease.account} and owner = ${lease.owner} and epoch = ${lease.epoch}`.execute(
        this.#db,
      );
      if (renewed.numAffectedRows !== 1n) throw fenced(lease, await this.leaseState());
    });
  }

  async releaseLease(lease: Lease): Promise<void> {
    await guarded(() =>
      sql`
        update bulkhead.leases set owner = null, expires_at = null
        where account = ${lease.account} and owner = ${lease.owner} and epoch = ${lease.epoch}`.execute(
        this.#db,
      ),
    );
  }

  async leaseState(): Promise<LeaseState | undefined> {
    return guarded(async () => {
      const row = await this.#lease();
      if (row.owner === null || row.expires_at === null) return undefined;
      const { owner, epoch, expires_at: expiresAt } = row;
      return {
        account: this.#account,
        owner,
        epoch: Number(epoch),
        expiresAt: expiresAt.getTime(),
        leftMs: expiresAt.getTime() - row.now.getTime(),
      };
    });
  }

  reportStandby(word: StandbyWord): Promise<void> {
    return guarded(() => reportStandby(this.#pool, this.#account, word));
  }

  removeStandby(owner: string): Promise<void> {
    return guarded(() => removeStandby(this.#pool, this.#account, owner));
  }

  standbys(): Promise<readonly StandbyState[]> {
    return guarded(() => standbys(this.#pool, this.#account));
  }

  async head(): Promise<JournalHead> {
    return guarded(async () => {
      const row = await this.#lease();
      return { n: Number(row.head_n), hash: row.head_hash };
    });
  }

  async append(lease: Lease, rows: readonly JournalRow[], settledN: number): Promise<void> {
    if (rows.length === 0) return;
    await guarded(async () => {
      const written = await appendRows(this.#pool, lease, rows, settledN);
      if (!written) await this.#explainRefusal(lease, rows);
    });
  }

  async settledN(): Promise<number> {
    return guarded(async () => Number((await this.#lease()).settled_n));
  }

  async liveRows(): Promise<readonly JournalRow[]> {
    return guarded(async () => {
      const last = this.#rows()
        .where('actor', '=', sql<string>`live_actors.actor`)
        .orderBy('journal.seq', 'desc')
        .limit(1)
        .as('last');
      const rows = await this.#db
        .selectFrom('live_actors')
        .innerJoinLateral(last, (join) => join.onTrue())
        .selectAll('last')
        .where('live_actors.account', '=', this.#account)
        .execute();
      return rows.map(toJournalRow).sort((a, b) => a.n - b.n);
    });
  }

  async rowsAfter(after: number, limit: number): Promise<readonly JournalRow[]> {
    return guarded(async () => {
      const rows = await this.#rows().where('n', '>', String(after)).orderBy('n').limit(limit).execute();
      return rows.map(toJournalRow);
    });
  }

  async rowsOf(actor: ActorId, afterSeq: number, limit: number): Promise<readonly JournalRow[]> {
    return guarded(async () => {
      const rows = await this.#rows()
        .where('actor', '=', actor)
        .where('seq', '>', String(afterSeq))
        .orderBy('seq')
        .limit(limit)
        .execute();
      return rows.map(toJournalRow);
    });
  }

  async scan(query: RowQuery): Promise<readonly ScannedRow[]> {
    return guarded(async () => {
      const { n } = await readAnchor(this.#pool, this.#account);
      return scanRows(this.#db, this.#account, n, query);
    });
  }

  async pauses(query: PauseQuery): Promise<readonly Pause[]> {
    return guarded(() => findPauses(this.#db, this.#account, query));
  }

  async lastCheckpoint(actor: ActorId): Promise<JournalRow | undefined> {
    return guarded(async () => {
      const row = await this.#rows()
        .where('actor', '=', actor)
        .where('snapshot', 'is not', null)
        .orderBy('seq', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row && toJournalRow(row);
    });
  }

  hashesBefore(ns: readonly number[]): Promise<ReadonlyMap<number, string>> {
    return guarded(() => hashesBefore(this.#pool, this.#account, ns));
  }

  async getMeta(key: string): Promise<string | undefined> {
    return guarded(async () => {
      const row = await this.#db
        .selectFrom('meta')
        .select('value')
        .where('account', '=', this.#account)
        .where('key', '=', key)
        .executeTakeFirst();
      return row?.value;
    });
  }

  async setMeta(lease: Lease, key: string, value: string): Promise<void> {
    await guarded(async () => {
      const written = await sql`
        insert into bulkhead.meta (account, key, value)
        select account, ${key}, ${value} from bulkhead.leases
        where account = ${lease.account} and owner = ${lease.owner} and epoch = ${lease.epoch} for update
        on conflict (account, key) do update set value = excluded.value`.execute(this.#db);
      if (written.numAffectedRows !== 1n) throw fenced(lease, await this.leaseState());
    });
  }

  async allMeta(): Promise<Readonly<Record<string, string>>> {
    return guarded(async () => {
      const rows = await this.#db
        .selectFrom('meta')
        .select(['key', 'value'])
        .where('account', '=', this.#account)
        .execute();
      return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
    });
  }

  addConfigVersion(lease: Lease, version: ConfigVersion): Promise<void> {
    return guarded(() => addConfigVersion(this.#pool, lease, version, () => this.leaseState()));
  }

  configVersions(after: number, limit: number): Promise<readonly ConfigVersion[]> {
    return guarded(() => configVersions(this.#pool, this.#account, after, limit));
  }

  newestConfigVersion(): Promise<number> {
    return guarded(() => newestConfigVersion(this.#pool, this.#account));
  }

  async rowsAt(n: number, actor?: ActorId): Promise<readonly JournalRow[]> {
    return guarded(async () => {
      const upTo = this.#rows().where('n', '<=', String(n));
      const rows =
        actor === undefined
          ? await upTo.where(this.#isLastOfItsActor(n)).execute()
          : await upTo.where('actor', '=', actor).orderBy('seq', 'desc').limit(1).execute();
      return rows.map(toJournalRow).sort((a, b) => a.n - b.n);
    });
  }

  anchor(): Promise<JournalAnchor> {
    return guarded(() => readAnchor(this.#pool, this.#account));
  }

  carried(): Promise<readonly CarriedRow[]> {
    return guarded(() => readCarried(this.#pool, this.#account));
  }

  async kept(after: number, limit: number, actor?: ActorId): Promise<readonly JournalRow[]> {
    return guarded(async () => {
      const all = this.#rows('kept').where('n', '>', String(after)).orderBy('n').limit(limit);
      const rows = await (actor === undefined ? all : all.where('actor', '=', actor)).execute();
      return rows.map(toJournalRow);
    });
  }

  cut(cut: Cut): Promise<boolean> {
    return guarded(() => cutRows(this.#pool, this.#account, cut));
  }

  size(): Promise<StoreSize> {
    return guarded(() => this.#options.size(this.#pool));
  }

  async restore(content: RestoredContent): Promise<void> {
    await guarded(() => restoreRows(this.#pool, this.#account, content));
  }

  async close(): Promise<void> {
    this.#closed ??= this.#options.onClose();
    await this.#closed;
  }

  async #migrate(): Promise<void> {
    if (this.#options.migrations === 'apply') {
      await migrate(this.#pool);
      return;
    }
    const pending = await pendingMigrations(this.#pool);
    if (pending.length === 0) return;
    throw new BulkheadError('MIGRATION_MISMATCH', `The database lacks migrations: ${pending.join(', ')}.`, {
      hint: 'Stop every Bulkhead that uses this database, then run `bulkhead migrate`.',
    });
  }

  /** Nothing was written: by whose hand? A batch that is there already, byte for byte, counts as appended. */
  async #explainRefusal(lease: Lease, rows: readonly JournalRow[]): Promise<void> {
    const held = await this.#lease();
    if (held.owner !== lease.owner || Number(held.epoch) !== lease.epoch) {
      throw fenced(lease, await this.leaseState());
    }
    const last = defined(rows.at(-1), 'last row');
    const [landed] = await this.rowsAfter(last.n - 1, 1);
    if (landed?.hash === last.hash) return;
    const first = defined(rows[0], 'first row');
    if (Number(held.head_n) === first.n - 1) throw duplicateRow(first.actor, first.seq);
    throw headMismatch({ n: Number(held.head_n), hash: held.head_hash }, first.n);
  }

  #lease() {
    return this.#db
      .selectFrom('leases')
      .selectAll()
      .select(sql<Date>`clock_timestamp()`.as('now'))
      .where('account', '=', this.#account)
      .executeTakeFirstOrThrow(
        () => new BulkheadError('STORE_CORRUPT', `Account ${this.#account} has no lease row.`),
      );
  }

  /** Found over the narrow columns first: whole rows are wide. */
  #isLastOfItsActor(n: number) {
    return sql<boolean>`(actor, seq) in (
      select actor, max(seq) from bulkhead.journal where account = ${this.#account} and n <= ${n} group by actor)`;
  }

  #rows(table: 'journal' | 'kept' = 'journal') {
    return selectRows(this.#db, table, this.#account);
  }
}
