/**
 * A run as far as its configuration goes: the real start, the real desk and the real store in memory, without a market.
 * It can be killed at any statement of the store, before or after it took effect, and begun again.
 */
import { ConfigDesk } from '../../src/app/config/config-desk.ts';
import { ConfigHistory } from '../../src/app/config/config-history.ts';
import { configAtStart } from '../../src/app/config/config-start.ts';
import { RunningConfig } from '../../src/app/config/running-config.ts';
import { type Config, configSchema } from '../../src/config/schema.ts';
import { readSecrets } from '../../src/config/secrets.ts';
import { systemTime } from '../../src/core/clock.ts';
import { BulkheadError } from '../../src/core/errors.ts';
import { SILENT } from '../../src/core/logger.ts';
import type { Lease } from '../../src/journal/journal.ts';
import { MemoryDatabase, MemoryJournal } from '../../src/journal/memory-journal.ts';
import type { ConfigCommand } from '../../src/operator/command.ts';

const ACCOUNT = 'test';
const SECRETS = readSecrets({});

/** What the next statement of a change meets. */
export type Trouble = 'none' | 'killed before' | 'killed after' | 'lost before' | 'lost after';

const away = (): BulkheadError => new BulkheadError('STORE_UNAVAILABLE', 'The database does not answer.');

export class ConfigWorld {
  readonly database = new MemoryDatabase();
  /** What the file says. */
  file: Config = configSchema.parse({});
  trouble: Trouble = 'none';
  running!: RunningConfig;
  desk!: ConfigDesk;
  #life = 0;
  #kill: () => void = () => {};

  async begin(isTakeover = false): Promise<void> {
    this.trouble = 'none';
    const life = ++this.#life;
    const strike = (when: 'before' | 'after') => async (operation: string) => {
      // A dead process's statements do nothing any more.
      if (life !== this.#life) return new Promise<void>(() => {});
      if (operation !== 'addConfigVersion') return;
      if (this.trouble === `killed ${when}`) {
        this.#life += 1;
        this.#kill();
        return new Promise<void>(() => {});
      }
      if (this.trouble !== `lost ${when}`) return;
      this.trouble = 'none';
      throw away();
    };
    const faults = { before: strike('before'), after: strike('after') };
    const { clock, timers } = systemTime();
    const store = new MemoryJournal({ account: ACCOUNT, clock, database: this.database, faults });
    await store.open();
    const lease: Lease = await store.acquireLease('me', 60_000);
    const loaded = this.file;
    const at = clock.now();
    const start = { loaded, secrets: SECRETS, store, lease, n: 0, at, isTakeover, log: SILENT };
    this.running = new RunningConfig(await configAtStart(start));
    this.desk = new ConfigDesk({
      ...{ store, lease, secrets: SECRETS, running: this.running, log: SILENT, timers },
      load: () => this.file,
      check: () => {},
      n: () => 0,
      now: () => clock.now(),
      messages: () => [],
      tell: () => {},
      onVersion: () => {},
    });
  }

  /** What came of it; 'killed': nobody knows. */
  async say(command: ConfigCommand, id: string): Promise<string> {
    const killed = new Promise<string>((resolve) => {
      this.#kill = () => resolve('killed');
    });
    const who = { name: 'ann', role: 'admin', channel: 'http' } as const;
    const said = this.desk.change(command, who, id).catch((error: unknown) => {
      if (error instanceof BulkheadError) return `refused ${error.code}`;
      throw error;
    });
    return Promise.race([said, killed]);
  }

  async history(): Promise<ConfigHistory> {
    const store = new MemoryJournal({ account: ACCOUNT, clock: systemTime().clock, database: this.database });
    await store.open();
    return new ConfigHistory(store);
  }
}
