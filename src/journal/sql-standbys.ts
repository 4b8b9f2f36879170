/** Words of standbys in PostgreSQL: one row each, with the store's time of when it was heard. */
import type { Pool } from 'pg';
import type { StandbyState, StandbyWord } from './journal.ts';
import { STANDBY_FORGOTTEN_MS } from './standby-words.ts';

export async function reportStandby(pool: Pool, account: string, word: StandbyWord): Promise<void> {
  const { owner, ...rest } = word;
  await pool.query(
    `insert into bulkhead.standbys (account, owner, word) values ($1, $2, $3)
     on conflict (account, owner) do update set word = excluded.word, seen_at = clock_timestamp()`,
    [account, owner, JSON.stringify(rest)],
  );
}

export async function removeStandby(pool: Pool, account: string, owner: string): Promise<void> {
  await pool.query('delete from bulkhead.standbys where account = $1 and owner = $2', [account, owner]);
}

export async function standbys(pool: Pool, account: string): Promise<readonly StandbyState[]> {
  const found = await pool.query<{ owner: string; word: string; age: number }>(
    `select owner, word::text as word, extract(epoch from clock_timestamp() - seen_at)::float8 * 1000 as age
     from bulkhead.standbys
     where account = $1 and seen_at > clock_timestamp() - $2 * interval '1 ms'
     order by seen_at desc`,
    [account, STANDBY_FORGOTTEN_MS],
  );
  return found.rows.map(({ owner, word, age }) => ({
    ...(JSON.parse(word) as Omit<StandbyWord, 'owner'>),
    owner,
    ageMs: Math.max(0, Math.round(age)),
  }));
}
