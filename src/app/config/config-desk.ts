/**
 * Changes the configuration of a run: judges, writes the version, goes by it, tells the actors.
 *
 * Invariants: one change at a time; what is wrong is refused as a whole and changes nothing; the version is in the
 * store before anything goes by it; one request makes one version, also when it comes again after a crash. Where the
 * store did not say whether a version was written, the same is written again, and nothing else changes before.
 */
import type { Committed } from '../../../supervisors/actor-runtime.ts';
import type { Config } from '../../config/schema.ts';
import type { Secrets } from '../../config/secrets.ts';
import {
  type ConfigChange,
  changeText,
  configDiff,
  type InForce,
  insistOnHot,
  needRestart,
  withKeys,
  withSource,
  withVersion,
} from '../../config/versions.ts';
import { sleep, type Timers } from '../../core/clock.ts';
import { isBulkheadError } from '../../core/errors.ts';
import { freshId } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { Who } from '../../domain/command.ts';
import type { Message } from '../../domain/events.ts';
import type { JournalStore, Lease } from '../../journal/journal.ts';
import type { ConfigCommand } from '../../operator/command.ts';
import type { ConfigDesk as Desk } from '../../operator/journaled-operator.ts';
import { type Author, ConfigHistory, parsedVersion, storedVersion, type Version } from './config-history.ts';
import type { RunningConfig } from './running-config.ts';

export interface ConfigDeskOptions {
  readonly running: RunningConfig;
  readonly store: JournalStore;
  readonly lease: Lease;
  readonly secrets: Secrets;
  /** Reads file, variables and flags again. Throws CONFIG_INVALID. */
  readonly load: () => Config;
  /** What else must be there for it, such as the place of the backups. Throws. */
  readonly check: (config: Config) => void;
  /** The newest durable row. */
  readonly n: () => number;
  /** Real time. */
  readonly now: () => number;
  readonly timers: Timers;
  /** What the actors must hear of the version; empty while there are none. */
  readonly messages: (version: Version, telling: string) => readonly Message[];
  readonly tell: (message: Message) => void;
  readonly onVersion: (version: Version) => void;
  readonly log: Logger;
}

const AWAY =
  'the store is away: it is not known whether the change was written; it is in force as soon as the store has it';

interface Next extends InForce {
  readonly why: string;
  /** What a person must know beside the changes. */
  readonly note?: string;
}

const PATIENCE_MS = 5_000;
const TRY_AGAIN_MS = 250;
const LOOKS = 12;
/** So many versions back it is looked whether something was done already; the operator remembers longer. */
const REMEMBERED = 20;

export class ConfigDesk implements Desk {
  readonly #options: ConfigDeskOptions;
  readonly #history: ConfigHistory;
  #turn: Promise<unknown> = Promise.resolve();
  /** A version of which the store has not said whether it is there. */
  #doubt: Version | undefined;
  readonly #waiting = new Map<string, { readonly actors: Set<string>; readonly done: () => void }>();

  constructor(options: ConfigDeskOptions) {
    this.#options = options;
    this.#history = new ConfigHistory(options.store);
  }

  /** An observer of committed rows. */
  readonly observe = ({ row, event }: Committed): void => {
    if (event.type !== 'CONFIG') return;
    for (const [telling, { actors, done }] of this.#waiting) {
      if (!row.cause.includes(telling)) continue;
      actors.delete(row.actor);
      if (actors.size === 0) done();
    }
  };

  async preview(command: ConfigCommand): Promise<string> {
    const next = await this.#next(command);
    const changes = configDiff(this.#options.running.now, next.config);
    if (changes.length === 0) return `Nothing would change.${noteOf(next)}`;
    return `Changes the configuration: ${changes.map(changeText).join('; ')}.${noteOf(next)}`;
  }

  change(command: ConfigCommand, who: Who, id: string): Promise<string> {
    const turn = this.#turn.then(() => this.#change(command, who, id));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #change(command: ConfigCommand, who: Who, id: string): Promise<string> {
    const { running, log } = this.#options;
    await this.#takeUpDue();
    // Said again because the answer, or the process, was lost: a start may have followed with versions of its own.
    const done = (await this.#history.list(REMEMBERED)).find(({ request }) => request === id);
    if (done) return said(parsedVersion(done), '');
    const next = await this.#next(command);
    const before = running.version;
    const isNews = configDiff(before.source, next.source).length > 0;
    if (configDiff(before.config, next.config).length === 0 && !isNews)
      return `nothing changes: version ${before.version} of the configuration has that already${noteOf(next)}`;
    const author = { by: who.name, channel: who.channel, why: next.why, request: id };
    const version = await this.#write(before, next, author);
    if (!version) return AWAY;
    const isHeard = await this.#takeUp(version);
    log.info(`configuration: version ${version.version}`, {
      by: author.by,
      why: author.why,
      changes: version.diff.map(changeText),
    });
    const late = isHeard ? '' : ' The journal takes no rows now: the actors go by it as soon as it does.';
    return said(version, `${noteOf(next)}${late}`);
  }

  /** Nothing changes before it is known what the last change came to. */
  async #takeUpDue(): Promise<void> {
    const due = await this.#settle(1);
    if (due) await this.#takeUp(due);
  }

  async #next(command: ConfigCommand): Promise<Next> {
    const next = await this.#wanted(command);
    insistOnHot(configDiff(this.#options.running.now, next.config));
    this.#options.check(next.config);
    return next;
  }

  async #wanted(command: ConfigCommand): Promise<Next> {
    const { running, secrets, load } = this.#options;
    const { config, source } = running.version;
    const why = command.reason;
    switch (command.kind) {
      case 'config-set':
        return { config: withKeys(config, command.changes, secrets), source, why };
      case 'config-reload': {
        const loaded = load();
        const cold = configDiff(source, loaded);
        insistOnHot(cold);
        return { config: withSource(running.version, loaded, secrets), source: loaded, why };
      }
      case 'config-rollback': {
        const older = await this.#history.read(command.version);
        const kept = keptOf(configDiff(config, older.config));
        const back = withVersion(config, older.config, secrets);
        const reason = `back to version ${command.version}: ${why}`;
        return { config: back, source, why: reason, ...(kept === '' ? {} : { note: kept }) };
      }
    }
  }

  /** Undefined: it is not known yet, and is looked into. */
  async #write(before: Version, next: InForce, author: Author): Promise<Version | undefined> {
    const { now, n, log } = this.#options;
    const { config, source } = next;
    const diff = configDiff(before.config, config);
    this.#doubt = { version: before.version + 1, at: now(), n: n(), ...author, config, source, diff };
    try {
      return await this.#settle(LOOKS);
    } catch (error) {
      if (!this.#doubt) throw error;
      log.warn(`it is not known whether version ${before.version + 1} of the configuration was written`);
      this.#settleLater();
      return undefined;
    }
  }

  /**
   * Writes the version that is due until the store says that it is there. The same one twice is one, so this also
   * finds out whether a write that was never answered took effect. Throws STORE_UNAVAILABLE after so many tries.
   */
  async #settle(tries: number): Promise<Version | undefined> {
    const { timers, lease, store } = this.#options;
    let mayBeThere = tries === 1;
    for (let left = tries; this.#doubt; left--) {
      const due = this.#doubt;
      try {
        await store.addConfigVersion(lease, storedVersion(due));
        this.#doubt = undefined;
        return due;
      } catch (error) {
        const isAway = isBulkheadError(error, 'STORE_UNAVAILABLE');
        mayBeThere ||= isAway;
        const isOpen = isAway || (mayBeThere && isBulkheadError(error, 'STORE_FULL'));
        if (!isOpen) this.#doubt = undefined;
        if (!isOpen || left <= 1) throw error;
        await sleep(timers, TRY_AGAIN_MS);
      }
    }
    return undefined;
  }

  #settleLater(): void {
    this.#options.timers.set(TRY_AGAIN_MS * LOOKS, () => {
      const turn = this.#turn.then(async () => {
        const found = await this.#settle(1);
        if (found) await this.#takeUp(found);
      });
      this.#turn = turn.catch(() => {
        if (this.#doubt) this.#settleLater();
      });
    });
  }

  /** What the actors do not go by although the configuration says so: told while nobody could hear. */
  retell(): void {
    const { running, messages, tell } = this.#options;
    for (const message of messages(running.version, freshId('telling'))) tell(message);
  }

  /** False: not every actor has heard of it within the time that a person waits. */
  async #takeUp(version: Version): Promise<boolean> {
    const { running, messages, tell, timers, onVersion } = this.#options;
    if (running.version.version === version.version) return true;
    running.take(version);
    onVersion(version);
    const telling = freshId('telling');
    const told = messages(version, telling);
    if (told.length === 0) return true;
    const actors = new Set(told.map(({ to }) => to));
    const heard = new Promise<boolean>((resolve) => {
      const timer = timers.set(PATIENCE_MS, () => resolve(false));
      const done = (): void => {
        timer.cancel();
        resolve(true);
      };
      this.#waiting.set(telling, { actors, done });
    });
    for (const message of told) tell(message);
    const isHeard = await heard;
    this.#waiting.delete(telling);
    return isHeard;
  }
}

const noteOf = ({ note }: Next): string => (note === undefined ? '' : ` ${note}`);

/** What a rollback leaves as it is. */
function keptOf(changes: readonly ConfigChange[]): string {
  const kept = needRestart(changes);
  return kept.length === 0 ? '' : `Left as it is, because it needs a restart: ${kept.join('; ')}.`;
}

function said({ version, diff }: Version, more: string): string {
  const what = diff.length === 0 ? 'nothing that is in force changes' : diff.map(changeText).join('; ');
  return `configuration: version ${version}, ${what}${more === '' ? '' : `.${more}`}`;
}
