/**
 * Puts the configuration together: defaults, then the file, then BULKHEAD_* variables, then flags.
 * Invariant: nothing is ignored. An unknown key, an unknown variable or a wrong value is an error that names
 * the key, the value, where it came from and what is allowed.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { z } from 'zod';
import { parseDsn } from '../alerts/dsn.ts';
import { BulkheadError, errorText } from '../core/errors.ts';
import { mask } from '../core/redact.ts';
import { didYouMean } from '../core/suggest.ts';
import { CONFIG_KEYS, type ConfigKey } from './keys.ts';
import { yamlValue } from './read-yaml.ts';
import { type Config, configSchema } from './schema.ts';
import {
  type Env,
  type HeldSecrets,
  readSecrets,
  SECRET_KEYS,
  SECRET_VARIABLES,
  type Secrets,
} from './secrets.ts';

export const DEFAULT_FILES = ['bulkhead.yaml', 'bulkhead.yml', 'bulkhead.json'] as const;

export interface LoadOptions {
  /** As given with --config; absent: bulkhead.yaml of the working folder, when there is one. */
  readonly file?: string;
  readonly env: Env;
  readonly cwd: string;
  /** Values of command-line flags by dotted key, with the flag's name. */
  readonly flags?: readonly { readonly path: string; readonly value: unknown; readonly flag: string }[];
  /** What Vault holds. Absent where one is configured: it is not asked yet, and nothing is missed that may lie there. */
  readonly held?: HeldSecrets;
}

export interface Loaded {
  readonly config: Config;
  readonly secrets: Secrets;
  /** The file that was read, if any. */
  readonly file: string | undefined;
}

type Tree = { [key: string]: unknown };

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function loadConfig(options: LoadOptions): Loaded {
  const file = findFile(options);
  const tree: Tree = file === undefined ? {} : readFile(file);
  const sources = new Map<string, string>();
  const problems = new Set<string>();

  refuseSecrets(tree, problems);
  for (const { key, variable, raw } of fromEnvironment(options.env, problems)) {
    setPath(tree, key.path, parseVariable(key, raw), variable, problems);
    sources.set(key.path, variable);
  }
  for (const { path, value, flag } of options.flags ?? []) {
    setPath(tree, path, value, flag, problems);
    sources.set(path, flag);
  }

  followMode(tree);
  const parsed = configSchema.safeParse(tree);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      for (const line of describe(issue, tree, sources, file)) problems.add(line);
    }
  }
  const secrets = readSecrets(options.env, options.held);
  if (parsed.success) {
    for (const line of missing(parsed.data)) problems.add(line);
    const mayLieInVault = parsed.data.vault.address !== undefined && options.held === undefined;
    if (!mayLieInVault) for (const line of missingSecrets(parsed.data, secrets)) problems.add(line);
  }
  if (!parsed.success || problems.size > 0) throw invalid(problems, file);
  return { config: parsed.data, secrets, file };
}

function invalid(problems: ReadonlySet<string>, file: string | undefined): BulkheadError {
  const where = file === undefined ? '' : ` (${file})`;
  return new BulkheadError(
    'CONFIG_INVALID',
    `The configuration is wrong${where}:\n  ${[...problems].join('\n  ')}`,
    {
      hint: 'bulkhead.example.yaml lists every key with its default.',
    },
  );
}

/** Paper and live trading know one market, the venue's own: it need not be named. */
function followMode(tree: Tree): void {
  if (tree.mode !== 'paper' && tree.mode !== 'live') return;
  if (getPath(tree, ['market', 'source']) !== undefined) return;
  if (tree.market === undefined || tree.market === null) tree.market = {};
  if (isTree(tree.market)) tree.market.source = 'live';
}

/** What one choice makes another key necessary for. */
function* missing(config: Config): Generator<string> {
  if (config.market.source === 'recorded' && config.market.recording === undefined) {
    yield 'market.recording: nothing is not allowed; allowed: the path of a recording, needed by market.source: recorded';
  }
  const isRemote = config.mode !== 'demo';
  if (isRemote && config.market.source !== 'live') {
    yield `market.source: "${config.market.source}" is not allowed with mode ${config.mode}; allowed: live. To trade a recording on paper, let "bulkhead exchange --recording PATH" play it`;
  }
  if (!isRemote && config.market.source === 'live') {
    yield 'market.source: "live" is not allowed with mode demo; allowed: synthetic, recorded';
  }
  if (config.mode === 'live' && config.venue.timeFactor !== 1) {
    yield `venue.timeFactor: ${config.venue.timeFactor} is not allowed with mode live; allowed: 1`;
  }
}

/** What one choice makes a secret necessary for. */
function* missingSecrets(config: Config, secrets: Secrets): Generator<string> {
  yield* missingForTelegram(config, secrets);
  yield* wrongForAlerts(config, secrets);
  if (config.store.engine === 'postgres' && secrets.databaseUrl === undefined) {
    yield 'store.engine: "postgres" needs the URL of the server in BULKHEAD_DATABASE_URL (or a file named by BULKHEAD_DATABASE_URL_FILE)';
  }
}

/** As @BotFather gives them out: the bot's number, a colon, 35 characters. */
export const BOT_TOKEN = /^\d{3,20}:[A-Za-z0-9_-]{30,}$/;

function* missingForTelegram({ telegram }: Config, { telegramToken }: Secrets): Generator<string> {
  if (!telegram.enabled) return;
  if (telegramToken !== undefined && !BOT_TOKEN.test(telegramToken)) {
    yield 'BULKHEAD_TELEGRAM_TOKEN: this is no token as @BotFather gives them out, such as 110201543:AAH… (it is not shown here)';
  }
  if (telegramToken === undefined && telegram.users.length > 0) {
    yield 'telegram.users: they need the bot\u2019s token in BULKHEAD_TELEGRAM_TOKEN (or a file named by BULKHEAD_TELEGRAM_TOKEN_FILE); without Telegram set telegram.enabled: false';
  }
}

/** As PagerDuty gives integration keys out. */
const ROUTING_KEY = /^[A-Za-z0-9]{20,64}$/;

function* wrongForAlerts({ alerts }: Config, secrets: Secrets): Generator<string> {
  if (!alerts.enabled) return;
  const { pagerdutyRoutingKey: key, sentryDsn: dsn } = secrets;
  if (key !== undefined && !ROUTING_KEY.test(key)) {
    yield 'BULKHEAD_PAGERDUTY_ROUTING_KEY: this is no integration key of the Events API v2, which has 32 letters and digits (it is not shown here)';
  }
  if (dsn !== undefined && parseDsn(dsn) === undefined) {
    yield 'BULKHEAD_SENTRY_DSN: this is no DSN as Sentry gives them out, https://KEY@HOST/PROJECT; http only for this machine (it is not shown here)';
  }
}

function findFile(options: LoadOptions): string | undefined {
  if (options.file !== undefined) {
    const path = resolve(options.cwd, options.file);
    if (existsSync(path)) return path;
    throw new BulkheadError('INPUT_MISSING', `There is no configuration file ${path}.`, {
      hint: 'Correct --config, or copy bulkhead.example.yaml there.',
    });
  }
  return DEFAULT_FILES.map((name) => resolve(options.cwd, name)).find((path) => existsSync(path));
}

function readFile(path: string): Tree {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    throw new BulkheadError('CONFIG_INVALID', `${path} cannot be read: ${errorText(error)}`, {
      hint: 'Make the file readable for the user who runs Bulkhead.',
    });
  }
  const hint = 'Correct the line named; bulkhead.example.yaml shows the form.';
  const value = yamlValue(content, path, hint) ?? {};
  if (isTree(value)) return value;
  throw new BulkheadError('CONFIG_INVALID', `${path} does not hold a mapping of keys to values.`, {
    hint: 'bulkhead.example.yaml shows the form.',
  });
}

function refuseSecrets(tree: Tree, problems: Set<string>): void {
  for (const [path, secret] of Object.entries(SECRET_KEYS)) {
    if (getPath(tree, path.split('.')) === undefined) continue;
    const [variable] = SECRET_VARIABLES[secret];
    problems.add(
      `${path}: a secret does not belong into the file; set ${variable} or ${variable}_FILE instead`,
    );
  }
}

function* fromEnvironment(
  env: Env,
  problems: Set<string>,
): Generator<{ key: ConfigKey; variable: string; raw: string }> {
  const byVariable = new Map(CONFIG_KEYS.map((key) => [key.variable, key]));
  const secretVariables = Object.values(SECRET_VARIABLES).flatMap((names) =>
    names.flatMap((name) => [name, `${name}_FILE`]),
  );
  for (const [variable, raw] of Object.entries(env)) {
    if (!variable.startsWith('BULKHEAD_') || raw === undefined || secretVariables.includes(variable))
      continue;
    if (NOT_CONFIG.includes(variable)) continue;
    const key = byVariable.get(variable);
    if (key) yield { key, variable, raw };
    else
      problems.add(
        `${variable}: there is no such variable. ${didYouMean(variable, [...byVariable.keys(), ...secretVariables])}`.trim(),
      );
  }
}

/** Variables with our prefix that belong to others: the tests' data folder. */
const NOT_CONFIG: readonly string[] = ['BULKHEAD_DATA'];

/** A variable's text as its key understands it; what cannot be read stays text and fails validation. */
function parseVariable(key: ConfigKey, raw: string): unknown {
  switch (key.kind) {
    case 'text':
      return raw;
    case 'number':
      return raw.trim() === '' || Number.isNaN(Number(raw)) ? raw : Number(raw);
    case 'boolean':
      return raw === 'true' ? true : raw === 'false' ? false : raw;
    case 'list':
      return raw
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '');
    case 'json':
      try {
        return JSON.parse(raw);
      } catch {
        return raw;
      }
  }
}

function setPath(tree: Tree, path: string, value: unknown, source: string, problems: Set<string>): void {
  const names = path.split('.');
  const last = names.pop() ?? path;
  let node = tree;
  for (const name of names) {
    node[name] ??= {};
    const next = node[name];
    if (!isTree(next)) {
      problems.add(`${name}: ${shown(name, next)} stands where ${source} needs a group of keys`);
      return;
    }
    node = next;
  }
  node[last] = value;
}

function getPath(tree: unknown, names: readonly PropertyKey[]): unknown {
  let node = tree;
  for (const name of names) {
    if (typeof node !== 'object' || node === null) return undefined;
    node = (node as Record<PropertyKey, unknown>)[name];
  }
  return node;
}

const shown = (name: string, value: unknown): string => mask(name, JSON.stringify(value) ?? 'nothing');

function describe(
  issue: z.core.$ZodIssue,
  tree: Tree,
  sources: ReadonlyMap<string, string>,
  file: string | undefined,
): string[] {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const siblings = knownUnder(path);
    const full = issue.keys.map((name) => ({ name, full: path === '' ? name : `${path}.${name}` }));
    return full
      .filter(({ full }) => !holdsSecret(tree, full))
      .map(({ name, full }) => {
        const hint = didYouMean(name, siblings) || `Known here: ${siblings.join(', ')}.`;
        return `${full}: there is no such key. ${hint}`;
      });
  }
  const value = getPath(tree, issue.path);
  const source = sources.get(path) ?? file;
  const from = source === undefined ? '' : ` from ${source}`;
  const allowed = CONFIG_KEYS.find((key) => key.path === path)?.allowed ?? messageOf(issue);
  return [`${path}: ${shown(path, value)}${from} is not allowed; allowed: ${allowed}`];
}

/** Already refused for being a secret; that it is also unknown would only confuse. */
const holdsSecret = (tree: Tree, full: string): boolean =>
  Object.keys(SECRET_KEYS).some(
    (path) => `${path}.`.startsWith(`${full}.`) && getPath(tree, path.split('.')) !== undefined,
  );

const messageOf = (issue: z.core.$ZodIssue): string =>
  issue.code === 'invalid_type' && issue.expected === 'object' ? 'a group of keys' : issue.message;

/** The names one level under a dotted path. */
function knownUnder(path: string): string[] {
  const prefix = path === '' ? '' : `${path}.`;
  const names = CONFIG_KEYS.filter((key) => key.path.startsWith(prefix)).map(
    (key) => key.path.slice(prefix.length).split('.')[0] ?? '',
  );
  return [...new Set(names)];
}
