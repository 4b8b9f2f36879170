/** What the removal of a journal's oldest rows speaks of (journal-cut.ts). */
import type { ActorId } from '../core/ids.ts';

export interface KeptRow {
  readonly n: number;
  /** The last of a life keeps its snapshot: what came of it stands there. */
  readonly withSnapshot: boolean;
  /** In the place of the row's own, which holds more than anybody will ask for. */
  readonly event: string | null;
}

/** The last row that was cut. */
export interface JournalAnchor {
  readonly n: number;
  readonly hash: string;
  /** `at` of that row; 0: nothing has been cut. */
  readonly at: number;
  /** Epoch ms, real time, of the newest cut. */
  readonly cutAt: number;
  /** Rows that are gone, of all cuts. */
  readonly removed: number;
  /** Rows up to the anchor that are still there. */
  readonly carried: number;
  /** Over their numbers and hashes. */
  readonly carriedHash: string;
  /** Over all of this and the seal before. */
  readonly seal: string;
}

/** A row up to the anchor that stays, with the hash that its own is chained to. */
export interface CarriedRow {
  readonly n: number;
  readonly actor: ActorId;
  readonly hash: string;
  readonly previousHash: string;
}

export interface Cut {
  readonly from: JournalAnchor;
  readonly to: JournalAnchor;
  /** Rows of the page that stay. */
  readonly carry: readonly CarriedRow[];
  /** Rows that an earlier cut carried, and that nobody needs any more. */
  readonly drop: readonly number[];
  readonly keep: readonly KeptRow[];
}
