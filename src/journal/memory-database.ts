/** What outlives a journal in memory, as a database outlives its clients. */
import type { ActorId } from '../core/ids.ts';
import type { CarriedRow, JournalAnchor } from './cut-types.ts';
import type { ConfigVersion, JournalRow, Lease, StandbyWord } from './journal.ts';
import { ORIGIN } from './journal-cut.ts';

export interface AccountRecord {
  readonly rows: JournalRow[];
  readonly byActor: Map<ActorId, JournalRow[]>;
  readonly live: Map<ActorId, JournalRow>;
  readonly meta: Map<string, string>;
  /** Below the anchor. */
  readonly kept: JournalRow[];
  carried: readonly CarriedRow[];
  anchor: JournalAnchor;
  readonly configVersions: ConfigVersion[];
  lease: (Lease & { readonly expiresAt: number }) | undefined;
  readonly standbys: Map<string, { readonly word: StandbyWord; readonly at: number }>;
  epoch: number;
  settledN: number;
}

/** What outlives a MemoryJournal, as a database outlives its clients. */
export class MemoryDatabase {
  readonly #accounts = new Map<string, AccountRecord>();

  account(name: string): AccountRecord {
    let record = this.#accounts.get(name);
    if (!record) {
      record = {
        rows: [],
        byActor: new Map(),
        live: new Map(),
        meta: new Map(),
        kept: [],
        carried: [],
        anchor: ORIGIN,
        configVersions: [],
        lease: undefined,
        standbys: new Map(),
        epoch: 0,
        settledN: 0,
      };
      this.#accounts.set(name, record);
    }
    return record;
  }

  /** Forgets what came after row n, as a disk that never wrote it down. */
  truncate(name: string, n: number): void {
    const record = this.account(name);
    const kept = record.rows.splice(0).filter((row) => row.n <= n);
    record.byActor.clear();
    record.live.clear();
    const versions = record.configVersions.splice(0).filter((version) => version.n <= n);
    record.configVersions.push(...versions);
    record.settledN = Math.min(record.settledN, n);
    for (const row of kept) insertRow(record, row);
  }

  /** A bit of the row's snapshot turns where it lies, and nowhere else; what is returned turns it back. */
  damage(name: string, n: number): () => void {
    const record = this.account(name);
    const row = record.rows.find((each) => each.n === n);
    const snapshot = row?.snapshot;
    if (!row || !snapshot) return () => {};
    const at = Math.floor(snapshot.length / 2);
    const turned = String.fromCharCode(snapshot.charCodeAt(at) ^ 1);
    const bad = { ...row, snapshot: snapshot.slice(0, at) + turned + snapshot.slice(at + 1) };
    exchange(record, row, bad);
    return () => exchange(record, bad, row);
  }
}

/** A process may have the same object in its memory: it is not changed, another one stands in its place. */
function exchange(record: AccountRecord, from: JournalRow, to: JournalRow): void {
  for (const rows of [record.rows, record.byActor.get(from.actor) ?? []]) {
    const at = rows.indexOf(from);
    if (at >= 0) rows[at] = to;
  }
  if (record.live.get(from.actor) === from) record.live.set(from.actor, to);
}

export function insertRow(record: AccountRecord, row: JournalRow): void {
  const rows = record.byActor.get(row.actor) ?? [];
  rows.push(row);
  record.byActor.set(row.actor, rows);
  record.rows.push(row);
  if (row.final) record.live.delete(row.actor);
  else record.live.set(row.actor, row);
}
