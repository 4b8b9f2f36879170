/** What of a server's settings decides whether its commits last. */
import { type Kysely, sql } from 'kysely';
import type { BulkheadSchema } from './sql-schema.ts';

export async function readSettings(db: Kysely<BulkheadSchema>): Promise<Map<string, string>> {
  const result = await sql<{ name: string; setting: string }>`
    select name, setting from pg_settings
    where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'server_version')`.execute(db);
  return new Map(result.rows.map(({ name, setting }) => [name, setting]));
}
