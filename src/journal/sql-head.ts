/** Where a journal in SQL ends. */
import { type Kysely, sql } from 'kysely';
import { defined } from '../core/assert.ts';
import { BulkheadError } from '../core/errors.ts';
import { GENESIS_HASH } from './row-hash.ts';
import type { BulkheadSchema } from './sql-schema.ts';

/** The lease row and the journal must agree on it; one statement, for it may be growing. */
export async function checkHead(db: Kysely<BulkheadSchema>, account: string): Promise<void> {
  const result = await sql<{ head_n: string; head_hash: string; n: string; hash: string }>`
    select l.head_n, l.head_hash, coalesce(j.n, 0) as n, coalesce(j.hash, ${GENESIS_HASH}) as hash
    from bulkhead.leases l left join lateral (
      select n, hash from bulkhead.journal where account = l.account order by n desc limit 1
    ) j on true
    where l.account = ${account}`.execute(db);
  const found = defined(result.rows[0], 'lease row');
  if (found.n === found.head_n && found.hash === found.head_hash) return;
  throw new BulkheadError(
    'STORE_CORRUPT',
    `The journal ends at row ${found.n}, but should end at row ${found.head_n}.`,
    { hint: 'Restore the journal from a backup; do not edit it by hand.' },
  );
}
