/** The configuration's versions, as people look at them: who, when, why, and what is different. */
import { configForShow } from '../../config/show.ts';
import { configDiff } from '../../config/versions.ts';
import { redact } from '../../core/redact.ts';
import type { ConfigDiffView, ConfigVersionLine, ConfigVersionView } from '../../operator/views.ts';
import { ConfigHistory, parsedDiff, type Version, type VersionStore } from '../config/config-history.ts';

const MOST = 500;

type Line = Omit<Version, 'config' | 'source'>;

export class ConfigViews {
  readonly #history: ConfigHistory;
  readonly #running: () => number | null;

  /** `running`: the version that a run goes by. */
  constructor(source: VersionStore, running: () => number | null) {
    this.#history = new ConfigHistory(source);
    this.#running = running;
  }

  /** The newest first; also those whose whole this program could no longer use. */
  async list(limit = 50): Promise<readonly ConfigVersionLine[]> {
    const stored = await this.#history.list(Math.min(limit, MOST));
    return stored.map((one) => this.#line({ ...one, diff: parsedDiff(one) }));
  }

  async read(version: number): Promise<ConfigVersionView> {
    const found = await this.#history.read(version);
    return { ...this.#line(found), config: configForShow(found.config) };
  }

  /** From one to another; from the one before, where only one is named. */
  async diff(to: number, from = to - 1): Promise<ConfigDiffView> {
    const [before, after] = [
      from > 0 ? await this.#history.read(from) : undefined,
      await this.#history.read(to),
    ];
    const changes = before ? configDiff(before.config, after.config) : [];
    return { from, to, changes: shown(changes) };
  }

  #line({ version, at, by, channel, why, n, diff }: Line): ConfigVersionLine {
    return { version, at, by, channel, why, n, changes: shown(diff), runs: version === this.#running() };
  }
}

const shown = (changes: Version['diff']): Version['diff'] => redact(changes, []) as Version['diff'];
