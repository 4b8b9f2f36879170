/** The tables of `migrations/`, for Kysely. bigint comes back from pg as a string. */
import type { ColumnType } from 'kysely';

type Bigint = ColumnType<string, number, number>;

export interface LeasesTable {
  account: string;
  owner: string | null;
  epoch: Bigint;
  expires_at: Date | null;
  head_n: Bigint;
  head_hash: string;
  settled_n: Bigint;
}

export interface JournalTable {
  account: string;
  n: Bigint;
  epoch: Bigint;
  actor: string;
  seq: Bigint;
  at: Bigint;
  kind: string;
  machine: string;
  event: string;
  cause: string;
  snapshot: string | null;
  intents: string;
  host: string;
  note: string | null;
  final: boolean;
  hash: string;
}

export interface LiveActorsTable {
  account: string;
  actor: string;
}

export interface MetaTable {
  account: string;
  key: string;
  value: string;
}

export interface BulkheadSchema {
  leases: LeasesTable;
  journal: JournalTable;
  kept: JournalTable;
  live_actors: LiveActorsTable;
  meta: MetaTable;
}
