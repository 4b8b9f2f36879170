/**
 * The journal in memory: a full implementation, for simulation, backtests and tests.
 *
 * Invariants: the same as the SQL journal's, held by the same conformance suite. The rows live in a
 * MemoryDatabase, so that a "restarted" process (a new MemoryJournal) finds what the old one committed.
 */
import type { Clock } from '../core/clock.ts';
import type { ActorId } from '../core/ids.ts';
import type { CarriedRow, Cut, JournalAnchor } from './cut-types.ts';
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
import { keptRow } from './kept-rows.ts';
import { type AccountRecord, insertRow, MemoryDatabase } from './memory-database.ts';
import { EMPTY_HEAD } from './row-hash.ts';
import { pausesIn, scanned } from './row-scan.ts';
import { STANDBY_FORGOTTEN_MS } from './standby-words.ts';
import {
  configMismatch,
  duplicateRow,
  fenced,
  headMismatch,
  leaseHeld,
  notEmpty,
  notOpen,
} from './store-errors.ts';

export { MemoryDatabase } from './memory-database.ts';

/** The first of ascending rows that is beyond; where all are before, their number. */
function firstBeyond(rows: readonly JournalRow[], isBeyond: (row: JournalRow) => boolean): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const row = rows[middle];
    if (row && isBeyond(row)) high = middle;
    else low = middle + 1;
  }
  return low;
}

const afterN = (rows: readonly JournalRow[], n: number, limit: number): JournalRow[] => {
  const start = firstBeyond(rows, (row) => row.n > n);
  return rows.slice(start, start + limit);
};

/** The rows of a stretch, those included of which only something is kept. */
function withKept({ rows, kept, anchor }: AccountRecord, { afterN: after, uptoN }: RowQuery): JournalRow[] {
  const limit = Math.max(0, uptoN - after);
  const there = afterN(rows, after, limit).filter(({ n }) => n <= uptoN);
  if (after >= anchor.n) return there;
  const known = new Set(there.map(({ n }) => n));
  const others = afterN(kept, after, limit).filter(({ n }) => n <= uptoN && !known.has(n));
  return [...others, ...there].sort((a, b) => a.n - b.n);
}

export type StoreOperation = Exclude<keyof JournalStore, 'name'>;

/** Fault injection: a hook that throws fails the operation before, or after, it took effect. */
export interface MemoryFaults {
  before?(operation: StoreOperation, rows: readonly JournalRow[]): void | Promise<void>;
  after?(operation: StoreOperation, rows: readonly JournalRow[]): void | Promise<void>;
}

export interface MemoryJournalOptions {
  readonly account: string;
  readonly clock: Clock;
  readonly database?: MemoryDatabase;
  readonly faults?: MemoryFaults;
}

export class MemoryJournal implements JournalStore {
  readonly name = 'memory';
  readonly #account: string;
  readonly #clock: Clock;
  readonly #faults: MemoryFaults;
  readonly #data: AccountRecord;
  #open = false;

  constructor(options: MemoryJournalOptions) {
    this.#account = options.account;
    this.#clock = options.clock;
    this.#faults = options.faults ?? {};
    this.#data = (options.database ?? new MemoryDatabase()).account(options.account);
  }

  async open(): Promise<StoreHealth> {
    await this.#faults.before?.('open', []);
    this.#open = true;
    return { engine: 'memory', location: 'this process', durable: false, checks: [] };
  }

  async acquireLease(owner: string, ttlMs: number): Promise<Lease> {
    return this.#run('acquireLease', [], () => {
      const held = this.#data.lease;
      if (held && held.owner !== owner && held.expiresAt > this.#clock.now()) throw leaseHeld(held);
      this.#data.epoch += 1;
      const lease: Lease = { account: this.#account, owner, epoch: this.#data.epoch };
      this.#data.lease = { ...lease, expiresAt: this.#clock.now() + ttlMs };
      return lease;
    });
  }

  async renewLease(lease: Lease, ttlMs: number): Promise<void> {
    return this.#run('renewLease', [], () => {
      this.#checkFence(lease);
      this.#data.lease = { ...lease, expiresAt: this.#clock.now() + ttlMs };
    });
  }

  async releaseLease(lease: Lease): Promise<void> {
    return this.#run('releaseLease', [], () => {
      if (this.#holds(lease)) this.#data.lease = undefined;
    });
  }

  async leaseState(): Promise<LeaseState | undefined> {
    return this.#run('leaseState', [], () => {
      const held = this.#data.lease;
      return held && { ...held, leftMs: held.expiresAt - this.#clock.now() };
    });
  }

  async reportStandby(word: StandbyWord): Promise<void> {
    return this.#run('reportStandby', [], () => {
      this.#data.standbys.set(word.owner, { word, at: this.#clock.now() });
    });
  }

  async removeStandby(owner: string): Promise<void> {
    return this.#run('removeStandby', [], () => {
      this.#data.standbys.delete(owner);
    });
  }

  async standbys(): Promise<readonly StandbyState[]> {
    return this.#run('standbys', [], () =>
      [...this.#data.standbys.values()]
        .map(({ word, at }) => ({ ...word, ageMs: this.#clock.now() - at }))
        .filter(({ ageMs }) => ageMs < STANDBY_FORGOTTEN_MS)
        .sort((a, b) => a.ageMs - b.ageMs),
    );
  }

  async head(): Promise<JournalHead> {
    return this.#run('head', [], () => this.#head());
  }

  async append(lease: Lease, rows: readonly JournalRow[], settledN: number): Promise<void> {
    return this.#run('append', rows, () => {
      this.#checkFence(lease);
      const first = rows[0];
      const last = rows.at(-1);
      if (!first || !last) return;
      const head = this.#head();
      if (afterN(this.#data.rows, last.n - 1, 1)[0]?.hash === last.hash) return;
      if (head.n !== first.n - 1) throw headMismatch(head, first.n);
      this.#checkSequence(rows);
      for (const row of rows) insertRow(this.#data, row);
      this.#data.settledN = Math.max(this.#data.settledN, settledN);
    });
  }

  async settledN(): Promise<number> {
    return this.#run('settledN', [], () => this.#data.settledN);
  }

  async liveRows(): Promise<readonly JournalRow[]> {
    return this.#run('liveRows', [], () => [...this.#data.live.values()].sort((a, b) => a.n - b.n));
  }

  async rowsAfter(after: number, limit: number): Promise<readonly JournalRow[]> {
    return this.#run('rowsAfter', [], () => afterN(this.#data.rows, after, limit));
  }

  async rowsOf(actor: ActorId, afterSeq: number, limit: number): Promise<readonly JournalRow[]> {
    return this.#run('rowsOf', [], () => {
      const rows = this.#data.byActor.get(actor) ?? [];
      const start = firstBeyond(rows, (row) => row.seq > afterSeq);
      return rows.slice(start, start + limit);
    });
  }

  async scan(query: RowQuery): Promise<readonly ScannedRow[]> {
    return this.#run('scan', [], () => scanned(withKept(this.#data, query), query));
  }

  async pauses(query: PauseQuery): Promise<readonly Pause[]> {
    return this.#run('pauses', [], () => pausesIn(this.#data.byActor.get(query.actor) ?? [], query));
  }

  async lastCheckpoint(actor: ActorId): Promise<JournalRow | undefined> {
    return this.#run('lastCheckpoint', [], () =>
      this.#data.byActor.get(actor)?.findLast((row) => row.snapshot !== null),
    );
  }

  async hashesBefore(ns: readonly number[]): Promise<ReadonlyMap<number, string>> {
    return this.#run('hashesBefore', [], () => {
      const { anchor, carried, rows } = this.#data;
      const known = new Map(carried.map(({ n, previousHash }) => [n, previousHash]));
      const before = (n: number): string | undefined => {
        const [row] = afterN(rows, n - 2, 1);
        return n === anchor.n + 1 ? anchor.hash : row?.n === n - 1 ? row.hash : known.get(n);
      };
      return new Map(
        ns.flatMap((n) => {
          const hash = before(n);
          return hash === undefined ? [] : [[n, hash]];
        }),
      );
    });
  }

  async getMeta(key: string): Promise<string | undefined> {
    return this.#run('getMeta', [], () => this.#data.meta.get(key));
  }

  async setMeta(lease: Lease, key: string, value: string): Promise<void> {
    return this.#run('setMeta', [], () => {
      this.#checkFence(lease);
      this.#data.meta.set(key, value);
    });
  }

  async allMeta(): Promise<Readonly<Record<string, string>>> {
    return this.#run('allMeta', [], () => Object.fromEntries(this.#data.meta));
  }

  async addConfigVersion(lease: Lease, version: ConfigVersion): Promise<void> {
    return this.#run('addConfigVersion', [], () => {
      this.#checkFence(lease);
      const { configVersions } = this.#data;
      if (configVersions[version.version - 1]?.request === version.request) return;
      if (version.version !== configVersions.length + 1) throw configMismatch(version.version);
      configVersions.push(version);
    });
  }

  async configVersions(after: number, limit: number): Promise<readonly ConfigVersion[]> {
    return this.#run('configVersions', [], () => this.#data.configVersions.slice(after, after + limit));
  }

  async newestConfigVersion(): Promise<number> {
    return this.#run('newestConfigVersion', [], () => this.#data.configVersions.length);
  }

  async rowsAt(n: number, actor?: ActorId): Promise<readonly JournalRow[]> {
    return this.#run('rowsAt', [], () => {
      const { byActor } = this.#data;
      const wanted = actor === undefined ? [...byActor.values()] : [byActor.get(actor) ?? []];
      const rows = wanted.map((all) => all.findLast((row) => row.n <= n));
      return rows.filter((row) => row !== undefined).sort((a, b) => a.n - b.n);
    });
  }

  async anchor(): Promise<JournalAnchor> {
    return this.#run('anchor', [], () => this.#data.anchor);
  }

  async carried(): Promise<readonly CarriedRow[]> {
    return this.#run('carried', [], () => this.#data.carried);
  }

  async kept(after: number, limit: number, actor?: ActorId): Promise<readonly JournalRow[]> {
    return this.#run('kept', [], () => {
      const { kept } = this.#data;
      return afterN(actor === undefined ? kept : kept.filter((row) => row.actor === actor), after, limit);
    });
  }

  async cut({ from, to, carry, drop, keep }: Cut): Promise<boolean> {
    return this.#run('cut', [], () => {
      const { rows, byActor, kept, settledN, anchor } = this.#data;
      if (anchor.n !== from.n || settledN <= to.n) return false;
      const stays = new Set(carry.map(({ n }) => n));
      const gone = new Set(drop);
      const isGone = ({ n }: JournalRow): boolean =>
        gone.has(n) || (n > from.n && n <= to.n && !stays.has(n));
      const below = rows.splice(
        0,
        firstBeyond(rows, ({ n }) => n > to.n),
      );
      const known = new Map(keep.map((each) => [each.n, each]));
      for (const row of below) {
        const how = row.n > from.n ? known.get(row.n) : undefined;
        if (how) kept.push(keptRow(row, how));
      }
      rows.unshift(...below.filter((row) => !isGone(row)));
      for (const actor of new Set(below.filter(isGone).map((row) => row.actor))) {
        const left = (byActor.get(actor) ?? []).filter((row) => !isGone(row));
        if (left.length > 0) byActor.set(actor, left);
        else byActor.delete(actor);
      }
      this.#data.carried = [...this.#data.carried.filter(({ n }) => !gone.has(n)), ...carry];
      this.#data.anchor = to;
      return true;
    });
  }

  async size(): Promise<StoreSize> {
    return this.#run('size', [], () => ({ bytes: 0, freeBytes: null }));
  }

  async restore({ start, batches, end }: RestoredContent): Promise<void> {
    const all: JournalRow[] = [];
    for await (const rows of batches) all.push(...rows);
    await this.#run('restore', all, () => {
      if (this.#data.rows.length > 0) throw notEmpty(this.#account, this.#data.rows.length);
      const { settledN, meta, configVersions = [] } = end();
      if (start) {
        this.#data.anchor = start.anchor;
        this.#data.carried = start.carried;
        this.#data.kept.push(...start.kept);
        for (const row of start.rows) insertRow(this.#data, row);
      }
      for (const row of all) insertRow(this.#data, row);
      this.#data.configVersions.push(...configVersions);
      this.#data.settledN = settledN;
      this.#data.epoch = all.reduce((highest, { epoch }) => Math.max(highest, epoch), this.#data.epoch);
      for (const [key, value] of Object.entries(meta)) this.#data.meta.set(key, value);
    });
  }

  async close(): Promise<void> {
    this.#open = false;
  }

  async #run<T>(operation: StoreOperation, rows: readonly JournalRow[], effect: () => T): Promise<T> {
    if (!this.#open) throw notOpen();
    if (this.#faults.before) await this.#faults.before(operation, rows);
    const result = effect();
    if (this.#faults.after) await this.#faults.after(operation, rows);
    return result;
  }

  #head(): JournalHead {
    const last = this.#data.rows.at(-1);
    return last ? { n: last.n, hash: last.hash } : EMPTY_HEAD;
  }

  #holds(lease: Lease): boolean {
    const held = this.#data.lease;
    return held?.epoch === lease.epoch && held.owner === lease.owner;
  }

  #checkFence(lease: Lease): void {
    if (!this.#holds(lease)) throw fenced(lease, this.#data.lease);
  }

  /** The SQL store's unique key. Before anything is inserted: an append happens whole or not at all. */
  #checkSequence(rows: readonly JournalRow[]): void {
    const newest = new Map<ActorId, number>();
    for (const { actor, seq } of rows) {
      const last = newest.get(actor) ?? this.#lastSeq(actor);
      if (seq !== last + 1) throw duplicateRow(actor, seq);
      newest.set(actor, seq);
    }
  }

  /** Also of an actor whose rows were removed: its name is not given again. */
  #lastSeq(actor: ActorId): number {
    const row = this.#data.byActor.get(actor)?.at(-1);
    return row?.seq ?? this.#data.kept.findLast((kept) => kept.actor === actor)?.seq ?? 0;
  }
}
