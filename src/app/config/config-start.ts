/**
 * Which configuration a start goes by: the newest version in the store, with what was edited in the file since.
 *
 * Invariants: what was set while running survives a restart; an edit of the file, a variable or a flag counts for the
 * keys that it changed; whatever is other than before is a version of its own, before anything goes by it. A takeover
 * is nobody's edit: what the standby's own file says of keys that may change while running waits for a word. Where a
 * process has its place (PLACE) is no version's business when the account changes hands, or each takeover made one.
 */
import type { Config } from '../../config/schema.ts';
import type { Secrets } from '../../config/secrets.ts';
import { atTakeover, type ConfigChange, changeText, configDiff, withSource } from '../../config/versions.ts';
import { BulkheadError, isBulkheadError } from '../../core/errors.ts';
import { freshId } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { JournalStore, Lease } from '../../journal/journal.ts';
import { ConfigHistory, type Version, writeVersion } from './config-history.ts';

export interface StartingConfig {
  /** What file, variables and flags say. */
  readonly loaded: Config;
  readonly secrets: Secrets;
  readonly store: JournalStore;
  readonly lease: Lease;
  /** The newest row. */
  readonly n: number;
  /** Real epoch ms. */
  readonly at: number;
  readonly isTakeover: boolean;
  readonly log: Logger;
}

const PLACE: readonly string[] = ['data.dir', 'lease.standby'];

const isPlace = ({ key }: ConfigChange): boolean => PLACE.includes(key);

export async function configAtStart(start: StartingConfig): Promise<Version> {
  const { loaded, store, lease, isTakeover, log, at, n } = start;
  const history = new ConfigHistory(store);
  const newest = await history.newest();
  const author = { by: 'start', channel: 'start', request: freshId('start'), at, n };
  if (!newest) {
    const first = { version: 1, why: 'the first version', config: loaded, source: loaded, diff: [] };
    return writeVersion(store, lease, { ...author, ...first });
  }
  const config = isTakeover ? atTakeover(newest.config, loaded, start.secrets) : merged(start, newest);
  const source = isTakeover ? atTakeover(newest.source, loaded, start.secrets) : loaded;
  const changes = configDiff(newest.config, config);
  const edited = configDiff(newest.source, source);
  if (isTakeover) warnOfOwnFile(configDiff(config, loaded).map(changeText), log);
  if (changes.length === 0 && edited.length === 0) return newest;
  if (isTakeover && [...changes, ...edited].every(isPlace)) return { ...newest, config, source };
  const why = `started with other ${edited.map(({ key }) => key).join(', ') || 'defaults'}`;
  const next = { version: newest.version + 1, why, config, source, diff: changes };
  const version = await writeVersion(store, lease, { ...author, ...next });
  log.info(`configuration: version ${version.version}`, { why, changes: changes.map(changeText) });
  return version;
}

function merged({ loaded, secrets }: StartingConfig, newest: Version): Config {
  try {
    return withSource(newest, loaded, secrets);
  } catch (error) {
    if (!isBulkheadError(error, 'CONFIG_INVALID')) throw error;
    const set = configDiff(newest.source, newest.config).map(changeText);
    throw new BulkheadError('CONFIG_INVALID', error.message, {
      hint: `The file does not go with what was set while running (${set.join('; ')}). Change the file, or what was set with "bulkhead config set".`,
    });
  }
}

function warnOfOwnFile(differences: readonly string[], log: Logger): void {
  if (differences.length === 0) return;
  log.warn('taken over: this process\u2019s own file says something else; a reload would take it up', {
    differences,
  });
}
