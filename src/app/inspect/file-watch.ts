/**
 * Says when one of some files was written, replaced or made. Folders are watched, not files: an editor that saves by
 * renaming would leave a watch on what is gone.
 *
 * Invariant: a burst of changes is said once, after it is over.
 */
import { existsSync, type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { TimerHandle, Timers } from '../../core/clock.ts';

const QUIET_MS = 80;

export class FileWatch {
  readonly #timers: Timers;
  readonly #onChange: () => void;
  readonly #names = new Map<string, Set<string>>();
  readonly #watchers = new Map<string, FSWatcher>();
  #due: TimerHandle | undefined;

  constructor(timers: Timers, onChange: () => void) {
    this.#timers = timers;
    this.#onChange = onChange;
  }

  /** These, too. */
  add(files: readonly string[]): void {
    for (const file of files) {
      const folder = dirname(file);
      const names = this.#names.get(folder) ?? new Set();
      this.#names.set(folder, names.add(basename(file)));
      if (!this.#watchers.has(folder)) this.#watch(folder);
    }
  }

  close(): void {
    this.#due?.cancel();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #watch(folder: string): void {
    // What a module names and is not there cannot be watched; it is looked for again at the next loading.
    if (!existsSync(folder)) return;
    const watcher = watch(folder, { persistent: true }, (_event, name) => {
      if (name === null || this.#names.get(folder)?.has(name)) this.#changed();
    });
    // A folder that went away is watched again when something in it is loaded again.
    watcher.on('error', () => {
      watcher.close();
      this.#watchers.delete(folder);
    });
    this.#watchers.set(folder, watcher);
  }

  #changed(): void {
    this.#due?.cancel();
    this.#due = this.#timers.set(QUIET_MS, this.#onChange);
  }
}
