/**
 * Copies of the configuration's versions as files in the data folder, for commands that look on while a run has an
 * embedded store open.
 *
 * Invariant: the store is the truth; a copy is written once, as its version is, and made anew where it is another's.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigVersion, JournalStore } from '../../journal/journal.ts';
import { storedVersion, type Version } from './config-history.ts';

const FOLDER = 'config-versions';
const SUFFIX = '.json';
const PAGE = 100;

export class ConfigCopies {
  readonly #folder: string;

  constructor(dataDir: string, account: string) {
    this.#folder = join(dataDir, FOLDER, account);
  }

  /** Makes up for those that are missing. */
  async complete(store: JournalStore): Promise<void> {
    const newest = await store.newestConfigVersion();
    const [last] = await store.configVersions(newest - 1, 1);
    const copied = this.#newest();
    const known = copied === 0 ? undefined : this.#read(copied);
    const [same] = known ? await store.configVersions(copied - 1, 1) : [];
    const isOurs = known !== undefined && same?.request === known.request;
    if (!isOurs) rmSync(this.#folder, { recursive: true, force: true });
    if (last && last.request === known?.request) return;
    for (let after = isOurs ? copied : 0; after < newest; ) {
      const page = await store.configVersions(after, PAGE);
      for (const version of page) this.#write(version);
      after = page.at(-1)?.version ?? newest;
    }
  }

  add(version: Version): void {
    this.#write(storedVersion(version));
  }

  /** Versions > after, ascending, at most `limit`, as far as there are copies. */
  async configVersions(after: number, limit: number): Promise<readonly ConfigVersion[]> {
    const numbers = this.#numbers().filter((number) => number > after);
    return numbers.slice(0, limit).flatMap((number) => this.#read(number) ?? []);
  }

  async newestConfigVersion(): Promise<number> {
    return this.#newest();
  }

  #newest(): number {
    return this.#numbers().at(-1) ?? 0;
  }

  #numbers(): number[] {
    try {
      const files = readdirSync(this.#folder).filter((file) => file.endsWith(SUFFIX));
      return files.map((file) => Number(file.slice(0, -SUFFIX.length))).sort((a, b) => a - b);
    } catch {
      // There are none yet.
      return [];
    }
  }

  #read(number: number): ConfigVersion | undefined {
    try {
      return JSON.parse(readFileSync(this.#path(number), 'utf8')) as ConfigVersion;
    } catch {
      return undefined;
    }
  }

  #write(version: ConfigVersion): void {
    mkdirSync(this.#folder, { recursive: true });
    const path = this.#path(version.version);
    writeFileSync(`${path}.tmp`, JSON.stringify(version));
    renameSync(`${path}.tmp`, path);
  }

  #path(number: number): string {
    return join(this.#folder, `${String(number).padStart(6, '0')}${SUFFIX}`);
  }
}
