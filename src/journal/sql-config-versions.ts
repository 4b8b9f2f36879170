/**
 * Versions of the configuration in PostgreSQL: inserted under the lease and never changed.
 *
 * Invariant: an insert follows the newest version, or writes nothing.
 */
import type { Pool, PoolClient } from 'pg';
import type { ConfigVersion, Lease, LeaseState } from './journal.ts';
import { configMismatch, fenced } from './store-errors.ts';

const COLUMNS = 'version, at, by, channel, why, request, n, config, source, diff';

const valuesOf = (version: ConfigVersion): unknown[] => [
  version.version,
  version.at,
  version.by,
  version.channel,
  version.why,
  version.request,
  version.n,
  version.config,
  version.source,
  version.diff,
];

/** Throws FENCED, or STORE_CORRUPT where another version stands there; the same one twice is one. */
export async function addConfigVersion(
  pool: Pool,
  lease: Lease,
  version: ConfigVersion,
  leaseState: () => Promise<LeaseState | undefined>,
): Promise<void> {
  const written = await pool.query(
    `with lease as (
       select account from bulkhead.leases where account = $1 and owner = $2 and epoch = $3 for update
     )
     insert into bulkhead.config_versions (account, ${COLUMNS})
     select account, $4::bigint, $5::bigint, $6, $7, $8, $9, $10::bigint, $11::json, $12::json, $13::json
     from lease
     where $4::bigint = 1 + (select coalesce(max(version), 0) from bulkhead.config_versions where account = $1)
     on conflict do nothing`,
    [lease.account, lease.owner, lease.epoch, ...valuesOf(version)],
  );
  if (written.rowCount === 1) return;
  const held = await leaseState();
  if (held?.owner !== lease.owner || held.epoch !== lease.epoch) throw fenced(lease, held);
  const [there] = await configVersions(pool, lease.account, version.version - 1, 1);
  if (there?.request !== version.request || there.version !== version.version)
    throw configMismatch(version.version);
}

type Selected = Omit<ConfigVersion, 'version' | 'at' | 'n'> & Record<'version' | 'at' | 'n', string>;

/** JSON columns as texts, byte for byte. */
export async function configVersions(
  pool: Pool,
  account: string,
  after: number,
  limit: number,
): Promise<readonly ConfigVersion[]> {
  const { rows } = await pool.query<Selected>(
    `select version, at, by, channel, why, request, n, config::text as config, source::text as source,
       diff::text as diff
     from bulkhead.config_versions where account = $1 and version > $2 order by version limit $3`,
    [account, after, limit],
  );
  return rows.map((row) => ({
    ...row,
    version: Number(row.version),
    at: Number(row.at),
    n: Number(row.n),
  }));
}

export async function newestConfigVersion(pool: Pool, account: string): Promise<number> {
  const { rows } = await pool.query<{ newest: string }>(
    'select coalesce(max(version), 0) as newest from bulkhead.config_versions where account = $1',
    [account],
  );
  return Number(rows[0]?.newest ?? 0);
}

/** Of a restored journal: the account has none yet. */
export async function restoreConfigVersions(
  client: PoolClient,
  account: string,
  versions: readonly ConfigVersion[],
): Promise<void> {
  await client.query('delete from bulkhead.config_versions where account = $1', [account]);
  for (const version of versions)
    await client.query(
      `insert into bulkhead.config_versions (account, ${COLUMNS})
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
      [account, ...valuesOf(version)],
    );
}
