/** The configuration in force in this process, and who must hear when it changes. */
import type { Config } from '../../config/schema.ts';
import type { RunOptions } from '../cli/io.ts';
import type { Version } from './config-history.ts';

export class RunningConfig {
  #version: Version;
  readonly #followers: ((config: Config) => void)[] = [];

  constructor(version: Version) {
    this.#version = version;
  }

  get now(): Config {
    return this.#version.config;
  }

  get version(): Version {
    return this.#version;
  }

  /** Now, and whenever it changes. */
  follow(follower: (config: Config) => void): void {
    this.#followers.push(follower);
    follower(this.now);
  }

  take(version: Version): void {
    this.#version = version;
    for (const follower of this.#followers) follower(version.config);
  }

  /** Options whose configuration is always the one in force: to be asked anew at each use. */
  options({ config: _, ...rest }: RunOptions): RunOptions {
    const now = (): Config => this.now;
    return {
      ...rest,
      get config() {
        return now();
      },
    };
  }
}
