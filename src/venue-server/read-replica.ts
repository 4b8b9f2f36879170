/**
 * Reads that lag behind writes: a second core that hears of each entry only after a while, as the replicas do
 * behind which a venue answers queries.
 *
 * Invariant: what a replica answers is exactly what the venue would have answered that long ago (prices of the
 * market excepted, which are today's).
 */
import type { CoreEntry } from './core.ts';
import type { Endpoint, HttpMethod } from './protocol.ts';
import type { CorePort } from './server-ports.ts';

export interface ReplicaParts {
  /** The network's clock: lags are real time. */
  readonly now: () => number;
  /** A copy of the core as it is, which pushes and journals nothing. Asked for between two inputs only. */
  readonly copy: () => CorePort;
}

interface Replica {
  readonly core: CorePort;
  readonly routes: ReadonlyMap<string, Endpoint>;
  readonly pending: { readonly at: number; readonly entry: CoreEntry }[];
}

/** So many entries wait at most without anybody reading; then the old ones are taken in. */
const LONGEST_PENDING = 2_000;

export class ReadReplicas {
  readonly #parts: ReplicaParts;
  readonly #byLag = new Map<number, Replica>();

  constructor(parts: ReplicaParts) {
    this.#parts = parts;
  }

  /** From now on there is one with this lag. */
  want(lagMs: number): void {
    if (this.#byLag.has(lagMs)) return;
    const core = this.#parts.copy();
    const routes = new Map(
      core.endpoints().map((endpoint) => [`${endpoint.method} ${endpoint.path}`, endpoint]),
    );
    this.#byLag.set(lagMs, { core, routes, pending: [] });
  }

  clear(): void {
    this.#byLag.clear();
  }

  /** Every entry, as it is journaled. */
  heard(entry: CoreEntry): void {
    const at = this.#parts.now();
    for (const [lagMs, replica] of this.#byLag) {
      replica.pending.push({ at, entry });
      if (replica.pending.length > LONGEST_PENDING) this.#catchUp(replica, lagMs);
    }
  }

  endpoint(lagMs: number, method: HttpMethod, path: string): Endpoint | undefined {
    const replica = this.#byLag.get(lagMs);
    if (!replica) return undefined;
    this.#catchUp(replica, lagMs);
    return replica.routes.get(`${method} ${path}`);
  }

  #catchUp({ core, pending }: Replica, lagMs: number): void {
    const until = this.#parts.now() - lagMs;
    const behind = pending.findIndex(({ at }) => at > until);
    for (const { entry } of pending.splice(0, behind < 0 ? pending.length : behind)) core.replay(entry);
  }
}
