/**
 * The versions of an account's configuration, as they are written and read: append-only, the newest is in force.
 *
 * Invariant: a version is in the store before anything goes by it; what cannot be known to be there is looked up.
 */
import { type ConfigChange, type InForce, storedConfig } from '../../config/versions.ts';
import { BulkheadError } from '../../core/errors.ts';
import type { ConfigVersion, JournalStore, Lease } from '../../journal/journal.ts';

/** Who changed it, by which way, and why. */
export interface Author {
  readonly by: string;
  /** 'start', or the way that a person took. */
  readonly channel: string;
  readonly why: string;
  /** Unique for what was said. */
  readonly request: string;
}

export interface Version extends InForce, Author {
  readonly version: number;
  readonly at: number;
  readonly n: number;
  readonly diff: readonly ConfigChange[];
}

const FIRST = 0;

export const parsedVersion = (stored: ConfigVersion): Version => ({
  ...stored,
  config: storedConfig(stored.version, stored.config),
  source: storedConfig(stored.version, stored.source),
  diff: parsedDiff(stored),
});

export const parsedDiff = ({ diff }: ConfigVersion): readonly ConfigChange[] =>
  JSON.parse(diff) as readonly ConfigChange[];

export const storedVersion = ({ config, source, diff, ...rest }: Version): ConfigVersion => ({
  ...rest,
  config: JSON.stringify(config),
  source: JSON.stringify(source),
  diff: JSON.stringify(diff),
});

/** Where they are read, or copies of them. */
export type VersionStore = Pick<JournalStore, 'configVersions' | 'newestConfigVersion'>;

export class ConfigHistory {
  readonly #store: VersionStore;

  constructor(store: VersionStore) {
    this.#store = store;
  }

  /** Undefined: there is none yet. */
  async newest(): Promise<Version | undefined> {
    const newest = await this.#store.newestConfigVersion();
    return newest === FIRST ? undefined : this.read(newest);
  }

  /** Throws NOT_FOUND. */
  async read(version: number): Promise<Version> {
    const [stored] = await this.#store.configVersions(version - 1, 1);
    if (stored?.version === version) return parsedVersion(stored);
    const newest = await this.#store.newestConfigVersion();
    throw new BulkheadError('NOT_FOUND', `There is no version ${version} of the configuration.`, {
      hint: newest === FIRST ? 'There is none yet.' : `There are 1 to ${newest}.`,
    });
  }

  /** The newest ones, the newest first. */
  async list(limit: number): Promise<readonly ConfigVersion[]> {
    const newest = await this.#store.newestConfigVersion();
    return (await this.#store.configVersions(Math.max(FIRST, newest - limit), limit)).toReversed();
  }
}

export async function writeVersion(store: JournalStore, lease: Lease, version: Version): Promise<Version> {
  await store.addConfigVersion(lease, storedVersion(version));
  return version;
}
