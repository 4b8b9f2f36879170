/**
 * The journal port: what a store must do, and the row that everything else rests on.
 *
 * Invariants: `n` is contiguous over an account's journal, from 1 or from its anchor (anchor.ts), and (actor, seq) is
 * contiguous from 1 per actor; rows of one append commit together or not at all; an append by a stale epoch commits nothing;
 * hash(n) covers hash(n − 1); texts come back byte for byte as they were written.
 */
import type { ActorId } from '../core/ids.ts';
import type { CarriedRow, Cut, JournalAnchor } from './cut-types.ts';

/**
 * 'start' is an actor's first row, 'event' a handled event, 'dead-letter' one that the machine could not
 * handle (state unchanged, reason in `note`), 'restored' marks a migrated snapshot.
 */
export type RowKind = 'start' | 'event' | 'dead-letter' | 'restored';

/** A row before the writer gives it its place. JSON columns are texts, so that bytes survive the round trip. */
export interface RowDraft {
  readonly actor: ActorId;
  /** 1 for the actor's first row, then contiguous. */
  readonly seq: number;
  /** Epoch ms, the runtime's clock. */
  readonly at: number;
  readonly kind: RowKind;
  /** Machine type and version, e.g. "position@1". */
  readonly machine: string;
  /** JSON of the ActorEvent as the machine saw it. */
  readonly event: string;
  /** JSON of the Cause. */
  readonly cause: string;
  /** JSON of the persisted snapshot after the event; null where the logic is replayed from a checkpoint. */
  readonly snapshot: string | null;
  /** JSON array of Intent. */
  readonly intents: string;
  /** JSON of the host's own state for this actor: armed timers, postponed events. */
  readonly host: string;
  readonly note: string | null;
  /** True on the row after which the actor is over. */
  readonly final: boolean;
}

export interface JournalRow extends RowDraft {
  readonly n: number;
  readonly epoch: number;
  /** Hex sha256 over the previous row's hash and this row's content. */
  readonly hash: string;
}

/** One version of the configuration: written once, never changed. */
export interface ConfigVersion {
  /** From 1, contiguous. */
  readonly version: number;
  /** Real epoch ms. */
  readonly at: number;
  readonly by: string;
  /** The way it came: 'start', or as a person speaks. */
  readonly channel: string;
  readonly why: string;
  /** Unique for what made it. */
  readonly request: string;
  /** The newest durable row when it was written. */
  readonly n: number;
  /** JSON of the whole, without secrets. */
  readonly config: string;
  /** JSON of what file, variables and flags said then. */
  readonly source: string;
  /** JSON of what is different from the version before. */
  readonly diff: string;
}

/** What a restored journal has below its rows. */
export interface JournalStart {
  readonly anchor: JournalAnchor;
  readonly carried: readonly CarriedRow[];
  readonly rows: readonly JournalRow[];
  readonly kept: readonly JournalRow[];
}

/** What `restore` writes: contiguous rows that form a chain, and what stands beside it. */
export interface RestoredContent {
  /** What stands below the rows, where the journal that is restored had been cut. */
  readonly start?: JournalStart;
  readonly batches: AsyncIterable<readonly JournalRow[]>;
  /** Known only once the rows have been read. */
  readonly end: () => {
    readonly settledN: number;
    readonly meta: Readonly<Record<string, string>>;
    readonly configVersions?: readonly ConfigVersion[];
  };
}

/**
 * A question about a stretch of the journal. It is bounded, so that a search is many short questions between which
 * the journal's writer has its turn.
 */
export interface RowQuery {
  /** The stretch: afterN < n ≤ uptoN. */
  readonly afterN: number;
  readonly uptoN: number;
  readonly actor?: string;
  /** Of the event. */
  readonly type?: string;
  /** Found anywhere in the event or the intents. */
  readonly text?: string;
  readonly limit: number;
  /** Else the oldest first. */
  readonly newestFirst: boolean;
}

export type ScannedRow = Omit<JournalRow, 'snapshot' | 'host'>;

/** Of one actor's rows a bounded stretch, afterSeq < seq ≤ uptoSeq, each looked at with the row before it. */
export interface PauseQuery {
  readonly actor: ActorId;
  readonly afterSeq: number;
  readonly uptoSeq: number;
  readonly longerThanMs: number;
}

/** Two successive rows of an actor with a long time between them, or another process. */
export interface Pause {
  readonly seq: number;
  readonly at: number;
  readonly epoch: number;
  readonly beforeAt: number;
  readonly beforeEpoch: number;
}

export interface JournalHead {
  /** 0 for an empty journal. */
  readonly n: number;
  readonly hash: string;
}

export interface Lease {
  readonly account: string;
  readonly owner: string;
  readonly epoch: number;
}

export interface LeaseState extends Lease {
  /** Epoch ms by the store's clock. */
  readonly expiresAt: number;
  /** Until then, by the same clock; not above 0: it has run out. */
  readonly leftMs: number;
}

/** What a standby says of itself: for people, and for a leader that wants to hand over. */
export interface StandbyWord {
  readonly owner: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  /** The newest row that it follows. */
  readonly followedN: number;
  /** Why it is not ready to take over warm; null: it is. */
  readonly notReady: string | null;
}

export interface StandbyState extends StandbyWord {
  /** Since it was last heard of, by the store's clock. */
  readonly ageMs: number;
}

export interface StoreSize {
  readonly bytes: number;
  /** Of the disk that it is on; null where the store cannot see it. */
  readonly freeBytes: number | null;
}

export interface StoreHealth {
  /** e.g. "PostgreSQL 18.4", "PGlite 0.5.16 (PostgreSQL 18)". */
  readonly engine: string;
  readonly location: string;
  readonly durable: boolean;
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
}

/**
 * A store of one account's journal. Errors are BulkheadErrors: FENCED, STORE_FULL, STORE_CORRUPT, and
 * STORE_UNAVAILABLE, whose outcome is unknown: look `head()` up before trying again.
 */
export interface JournalStore {
  readonly name: string;
  /** Connects, checks durability, migrates (or refuses, naming `bulkhead migrate`). */
  open(): Promise<StoreHealth>;
  /**
   * Takes the account's lease with a new epoch. LEASE_HELD while another owner's is unexpired.
   * Expiry is judged by the store's clock, so that two machines' clocks need not agree.
   */
  acquireLease(owner: string, ttlMs: number): Promise<Lease>;
  /** FENCED when the epoch is no longer ours. */
  renewLease(lease: Lease, ttlMs: number): Promise<void>;
  releaseLease(lease: Lease): Promise<void>;
  leaseState(): Promise<LeaseState | undefined>;
  /** A standby's word about itself, in the place of its last one. */
  reportStandby(word: StandbyWord): Promise<void>;
  /** It stands by no longer. */
  removeStandby(owner: string): Promise<void>;
  /** Whoever was heard of as a standby within the last minute, the newest word first. */
  standbys(): Promise<readonly StandbyState[]>;
  head(): Promise<JournalHead>;
  /**
   * Appends contiguous rows in one transaction that locks the lease row and checks its epoch. `settledN` is
   * stored with them: every intent of rows up to it has been consumed.
   */
  append(lease: Lease, rows: readonly JournalRow[], settledN: number): Promise<void>;
  settledN(): Promise<number>;
  /** The last row of every actor that has no final row. */
  liveRows(): Promise<readonly JournalRow[]>;
  /** Rows with n > after, ascending, at most `limit`; of those up to the anchor only the carried ones are there. */
  rowsAfter(after: number, limit: number): Promise<readonly JournalRow[]>;
  /** One actor's rows with seq > afterSeq, ascending. */
  rowsOf(actor: ActorId, afterSeq: number, limit: number): Promise<readonly JournalRow[]>;
  /** Rows of a bounded stretch that match, without their snapshots: for people who look. */
  scan(query: RowQuery): Promise<readonly ScannedRow[]>;
  /** Where an actor was silent for long, or another process went on; ascending. */
  pauses(query: PauseQuery): Promise<readonly Pause[]>;
  /** The newest row of the actor with a snapshot, for logics that checkpoint. */
  lastCheckpoint(actor: ActorId): Promise<JournalRow | undefined>;
  /**
   * Of each of those rows the hash that its own covers, wherever the journal begins; absent where that is not known.
   * One question, however many.
   */
  hashesBefore(ns: readonly number[]): Promise<ReadonlyMap<number, string>>;
  /** Small facts about the installation (instance id, config hash, run parameters), outside the chain. */
  getMeta(key: string): Promise<string | undefined>;
  setMeta(lease: Lease, key: string, value: string): Promise<void>;
  allMeta(): Promise<Readonly<Record<string, string>>>;
  /**
   * The next version of the configuration; STORE_CORRUPT where another stands in its place. The same one twice is one.
   */
  addConfigVersion(lease: Lease, version: ConfigVersion): Promise<void>;
  /** Versions > after, ascending, at most `limit`. */
  configVersions(after: number, limit: number): Promise<readonly ConfigVersion[]>;
  /** The newest version's number; 0: there is none. */
  newestConfigVersion(): Promise<number>;
  /** The last row up to `n` of every actor (or of one), those that were over by then included; ascending by n. */
  rowsAt(n: number, actor?: ActorId): Promise<readonly JournalRow[]>;
  /** Where the journal begins; its ORIGIN where nothing was ever removed. */
  anchor(): Promise<JournalAnchor>;
  /** Ascending. */
  carried(): Promise<readonly CarriedRow[]>;
  /** What is kept of rows that were removed (kept-rows.ts), ascending: n > after, of one actor or of all. */
  kept(after: number, limit: number, actor?: ActorId): Promise<readonly JournalRow[]>;
  /**
   * Removes rows and moves the anchor, in one transaction. False, and nothing done: the anchor is not `cut.from` any
   * more, or not all up to the new one is settled. Needs no lease: nobody needs those rows, whoever writes.
   */
  cut(cut: Cut): Promise<boolean>;
  /** How large the store is, and how much room its disk has, as far as that is known. */
  size(): Promise<StoreSize>;
  /**
   * Fills an empty journal with rows that were written elsewhere, epochs and hashes as they are; all or nothing.
   * STORE_NOT_EMPTY where the account has rows. The next lease's epoch is above every row's.
   */
  restore(content: RestoredContent): Promise<void>;
  close(): Promise<void>;
}
