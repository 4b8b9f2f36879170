/**
 * `bulkhead config …`: the configuration in force and its versions, and the words that change it. Beside a run they
 * are the run's to do; without one this command writes the version itself, under the account's lease.
 */
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { CONFIG_KEYS } from '../../config/keys.ts';
import { configForShow } from '../../config/show.ts';
import { changeText, configDiff, withKeys } from '../../config/versions.ts';
import { BulkheadError, isBulkheadError } from '../../core/errors.ts';
import { freshId } from '../../core/ids.ts';
import { SILENT } from '../../core/logger.ts';
import type { JournalStore } from '../../journal/journal.ts';
import type { ConfigCommand } from '../../operator/command.ts';
import type { ConfigOptions, CreateStore, Io } from '../cli/io.ts';
import { columns, moment } from '../cli/render-text.ts';
import { say } from '../requests/say.ts';
import { openDataFolder } from '../run/data-folder.ts';
import { isAlive } from '../status/status.ts';
import { readStatus } from '../status/status-file.ts';
import { checkSchedule } from '../store/backup-desk.ts';
import { ConfigViews } from '../views/config-views.ts';
import { ConfigCopies } from './config-copies.ts';
import { ConfigDesk } from './config-desk.ts';
import { ConfigHistory, type Version, type VersionStore } from './config-history.ts';
import { RunningConfig } from './running-config.ts';

export async function config(options: ConfigOptions, io: Io, createStore: CreateStore): Promise<number> {
  const { asked } = options;
  if (asked.kind === 'change') return change(options, asked.command, io, createStore);
  const text = await looked(options, io, createStore, async (store) => {
    const history = new ConfigHistory(store);
    const newest = await history.newest();
    const views = new ConfigViews(store, () => newest?.version ?? null);
    switch (asked.kind) {
      case 'show':
        return options.json
          ? JSON.stringify({
              version: newest?.version ?? null,
              config: configForShow(inForce(options, newest)),
            })
          : shown(options, newest, asked.part);
      case 'versions': {
        const lines = await views.list(asked.limit);
        return options.json ? lines.map((one) => JSON.stringify(one)).join('\n') : listed(lines);
      }
      case 'diff': {
        const diff = await views.diff(asked.to, asked.from);
        return options.json ? JSON.stringify(diff) : diff.changes.map(changeText).join('\n') || SAME;
      }
    }
  });
  if (text !== '') io.stdout.write(`${text}\n`);
  return 0;
}

const SAME = 'Nothing is different.';

const inForce = ({ config: loaded }: ConfigOptions, newest: Version | undefined) => newest?.config ?? loaded;

function shown(options: ConfigOptions, newest: Version | undefined, part: string): string {
  const { config: loaded } = options;
  const now = inForce(options, newest);
  const head = newest
    ? `Version ${newest.version}, by ${newest.by} (${newest.channel}) at ${moment(newest.at)} UTC: ${newest.why}`
    : 'No run has begun here: this is what one would begin with.';
  const other = new Map(configDiff(loaded, now).map(({ key, before }) => [key, before]));
  const values = configDiff({}, now).filter(({ key }) => key.toLowerCase().includes(part.toLowerCase()));
  const lines = values.map(({ key, after }) => {
    const file = other.has(key) ? `   (the file says ${JSON.stringify(other.get(key))})` : '';
    return `${key}: ${JSON.stringify(after)}${file}`;
  });
  return [head, '', ...lines].join('\n');
}

function listed(lines: Awaited<ReturnType<ConfigViews['list']>>): string {
  const rows = lines.map(({ version, at, by, channel, why, changes, runs }) => [
    `${runs ? '* ' : ''}${version}`,
    moment(at),
    `${by} (${channel})`,
    why,
    changes.map(changeText).join('; '),
  ]);
  if (rows.length === 0) return 'There is no version yet.';
  return columns(['version', 'when', 'who', 'why', 'what'], rows, new Set([0])).join('\n');
}

async function existing(
  options: ConfigOptions,
  io: Io,
  createStore: CreateStore,
): Promise<JournalStore | undefined> {
  try {
    return await createStore(options, io, 'existing');
  } catch (error) {
    if (isBulkheadError(error, 'NOT_FOUND')) return undefined;
    throw error;
  }
}

/** Beside a run with an embedded store its copies are looked at; where none has begun there are none. */
async function looked(
  options: ConfigOptions,
  io: Io,
  createStore: CreateStore,
  look: (store: VersionStore) => Promise<string>,
): Promise<string> {
  const copies = new ConfigCopies(resolve(io.cwd, options.config.data.dir), options.config.account);
  const store = await existing(options, io, createStore);
  if (!store) return look(copies);
  try {
    await store.open();
    return await look(store);
  } catch (error) {
    if (!isBulkheadError(error, 'STORE_LOCKED')) throw error;
    return await look(copies);
  } finally {
    await store.close();
  }
}

async function change(
  options: ConfigOptions,
  command: ConfigCommand,
  io: Io,
  createStore: CreateStore,
): Promise<number> {
  if (command.kind === 'config-set') refuseUnknown(options, command.changes);
  const dataDir = resolve(io.cwd, options.config.data.dir);
  if (isRunning(dataDir)) return say({ ...options, command }, io);
  const text = await changeHere(options, command, io, createStore);
  io.stdout.write(
    `${options.json ? JSON.stringify({ asked: command.kind, outcome: 'accepted', text }) : text}\n`,
  );
  return 0;
}

/** What is no key, a secret above all, is not left anywhere. */
function refuseUnknown(
  { config: loaded, secrets }: ConfigOptions,
  changes: Readonly<Record<string, unknown>>,
): void {
  const isKnown = (name: string): boolean => CONFIG_KEYS.some(({ path }) => path === name);
  const unknown = Object.keys(changes).filter((name) => !isKnown(name));
  if (unknown.length > 0) withKeys(loaded, Object.fromEntries(unknown.map((name) => [name, ''])), secrets);
}

function isRunning(dataDir: string): boolean {
  try {
    const { pid, state } = readStatus(dataDir);
    return isAlive(pid) && state !== 'stopped' && state !== 'failed';
  } catch {
    // No run has begun here, or another version's.
    return false;
  }
}

/** Under the lease, as a run would; the next start goes by it. */
async function changeHere(
  options: ConfigOptions,
  command: ConfigCommand,
  io: Io,
  createStore: CreateStore,
): Promise<string> {
  const { config: loaded, secrets } = options;
  const store = await createStore(options, io, 'existing');
  const folder = openDataFolder(loaded.data.dir, io.cwd);
  try {
    await store.open();
    const newest = await new ConfigHistory(store).newest();
    if (!newest)
      throw new BulkheadError('NOT_FOUND', 'No run has begun here: there is no version to change.', {
        hint: 'Write it into the file; the first start takes it up.',
      });
    const lease = await store.acquireLease(folder.owner, loaded.lease.ttlMs);
    const copies = new ConfigCopies(folder.path, loaded.account);
    const { n } = await store.head();
    const desk = new ConfigDesk({
      ...{ store, lease, secrets, running: new RunningConfig(newest), log: SILENT },
      load: () => loaded,
      check: (next) => checkSchedule({ config: next, secrets }, io.cwd),
      n: () => n,
      now: () => io.time.clock.now(),
      timers: io.time.timers,
      messages: () => [],
      tell: () => {},
      onVersion: (version) => copies.add(version),
    });
    const who = { name: userInfo().username, role: 'admin', channel: 'cli' } as const;
    const text = await desk.change(command, who, freshId(command.kind));
    await store.releaseLease(lease);
    return `${text}. No run is up; the next start goes by it.`;
  } finally {
    await store.close();
    folder.release();
  }
}
