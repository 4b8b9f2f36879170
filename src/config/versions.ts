/**
 * What becomes of a configuration while it is in force: keys that are set, a file that was edited, an older version
 * that comes back. Pure.
 *
 * Invariants: what comes out was judged as a whole, as a file at a start would be; an edit of the file counts for the
 * keys that it changed, and what was set counts for all others; a key that needs a restart is what the file says.
 */
import { BulkheadError } from '../core/errors.ts';
import { cloneJson, type Json } from '../core/json.ts';
import { getPath, judge, parseText, refuseSecrets, setPath, type Tree } from './judge.ts';
import { CONFIG_KEYS, type ConfigKey } from './keys.ts';
import { type Config, configSchema } from './schema.ts';
import type { Secrets } from './secrets.ts';

/** One key that is different; null: it is not set. */
export interface ConfigChange {
  readonly key: string;
  readonly before: Json;
  readonly after: Json;
}

export type ConfigChanges = Readonly<Record<string, Json>>;

const valueAt = (tree: unknown, { path }: ConfigKey): unknown => getPath(tree, path.split('.'));
const text = (value: unknown): string => JSON.stringify(value) ?? 'null';

export function configDiff(before: unknown, after: unknown): readonly ConfigChange[] {
  return CONFIG_KEYS.flatMap((key) => {
    const [was, is] = [valueAt(before, key), valueAt(after, key)];
    if (text(was) === text(is)) return [];
    return [{ key: key.path, before: (was ?? null) as Json, after: (is ?? null) as Json }];
  });
}

/** "risk.maxLeverage 5 → 3" */
export const changeText = ({ key, before, after }: ConfigChange): string =>
  `${key} ${shortly(before)} → ${shortly(after)}`;

const LONGEST = 80;

function shortly(value: Json): string {
  const words = typeof value === 'string' ? value : JSON.stringify(value);
  return words.length > LONGEST ? `${words.slice(0, LONGEST)}…` : words;
}

/** Of the keys that differ, those that a run cannot take up; each with its reason. */
export function needRestart(changes: readonly ConfigChange[]): readonly string[] {
  return changes.flatMap(({ key }) => {
    const why = CONFIG_KEYS.find(({ path }) => path === key)?.needsRestart;
    return why === null || why === undefined ? [] : [`${key}: ${why}`];
  });
}

/** Throws NEEDS_RESTART, where one of the keys cannot change now. */
export function insistOnHot(changes: readonly ConfigChange[]): void {
  const cold = needRestart(changes);
  if (cold.length === 0) return;
  throw new BulkheadError(
    'NEEDS_RESTART',
    `The configuration was not changed, because this cannot change while it runs:\n  ${cold.join('\n  ')}`,
    { hint: 'Change it in the file and start again.' },
  );
}

/** Keys set to new values; null is the default. Throws CONFIG_INVALID, in the words of a start. */
export function withKeys(config: Config, changes: ConfigChanges, secrets: Secrets): Config {
  const tree = cloneJson(config as unknown as Json) as Tree;
  const problems = new Set<string>();
  for (const [path, value] of Object.entries(changes)) {
    const key = CONFIG_KEYS.find((known) => known.path === path);
    if (!key && CONFIG_KEYS.some((known) => known.path.startsWith(`${path}.`)))
      problems.add(`${path}: this is a group of keys; set one of them, such as ${firstBelow(path)}`);
    else setPath(tree, path, understood(key, value), 'what was said', problems);
  }
  refuseSecrets(tree, problems);
  return judge({ tree, secrets, sources: new Map(), file: undefined, problems });
}

const firstBelow = (path: string): string | undefined =>
  CONFIG_KEYS.find((known) => known.path.startsWith(`${path}.`))?.path;

/** What is typed comes as text or as JSON, as it may; each key reads what it is. */
function understood(key: ConfigKey | undefined, value: Json): unknown {
  if (value === null) return undefined;
  if (key && typeof value === 'string') return parseText(key, value);
  return key?.kind === 'text' && typeof value === 'number' ? String(value) : value;
}

/** What a version holds, as this program knows it: keys that are gone since are left out, new ones have their default. */
export function storedConfig(version: number, json: string): Config {
  const parsed = configSchema.safeParse(known(JSON.parse(json)));
  if (parsed.success) return parsed.data;
  const what = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  throw new BulkheadError(
    'CONFIG_INVALID',
    `This program cannot use version ${version} of the configuration: ${what}`,
    { hint: 'Run the version of Bulkhead that wrote it, or set those keys in the file.' },
  );
}

function known(stored: unknown): Tree {
  const tree: Tree = {};
  for (const key of CONFIG_KEYS) {
    const value = valueAt(stored, key);
    if (value !== undefined) setPath(tree, key.path, value, 'the store', new Set());
  }
  return tree;
}

export interface InForce {
  readonly config: Config;
  /** What file, variables and flags said when it was made. */
  readonly source: Config;
}

/** The newest version with what the file, the variables and the flags say now. Throws CONFIG_INVALID. */
export function withSource({ config, source }: InForce, loaded: Config, secrets: Secrets): Config {
  return combined(secrets, (key) => {
    const isEdited = text(valueAt(source, key)) !== text(valueAt(loaded, key));
    return isEdited || key.needsRestart !== null ? loaded : config;
  });
}

/** An older version's keys, as far as they may change while a run lasts. */
export const withVersion = (now: Config, older: Config, secrets: Secrets): Config =>
  combined(secrets, (key) => (key.needsRestart === null ? older : now));

/** What may only count at a start from one, all others from the other. */
export const atTakeover = (inForce: Config, loaded: Config, secrets: Secrets): Config =>
  combined(secrets, (key) => (key.needsRestart === null ? inForce : loaded));

function combined(secrets: Secrets, of: (key: ConfigKey) => Config): Config {
  const tree: Tree = {};
  for (const key of CONFIG_KEYS) {
    const value = valueAt(of(key), key);
    if (value !== undefined) setPath(tree, key.path, value, 'the store', new Set());
  }
  return judge({ tree, secrets, sources: new Map(), file: undefined, problems: new Set() });
}
