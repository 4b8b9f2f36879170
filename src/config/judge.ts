/**
 * Judges a configuration as a whole, wherever it came from: a file at a start, a word to a run.
 *
 * Invariant: what is wrong is said in the same words everywhere: the key, the value, where it came from, what is
 * allowed.
 */
import type { z } from 'zod';
import { parseDsn } from '../alerts/dsn.ts';
import { BulkheadError } from '../core/errors.ts';
import { mask } from '../core/redact.ts';
import { didYouMean } from '../core/suggest.ts';
import { CONFIG_KEYS, type ConfigKey } from './keys.ts';
import { type Config, configSchema } from './schema.ts';
import { SECRET_KEYS, SECRET_VARIABLES, type Secrets } from './secrets.ts';

export type Tree = { [key: string]: unknown };

export const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export interface Judged {
  readonly tree: Tree;
  readonly secrets: Secrets;
  /** Where single keys came from: a variable, a flag. */
  readonly sources: ReadonlyMap<string, string>;
  readonly file: string | undefined;
  /** What is known to be wrong already. */
  readonly problems: Set<string>;
  /** Where one is configured, nothing is missed that may lie there. */
  readonly isVaultUnasked?: boolean;
  /** It is for something that needs none. */
  readonly isWithoutSecrets?: boolean;
}

/** Throws CONFIG_INVALID with everything that is wrong. */
export function judge(judged: Judged): Config {
  const { tree, secrets, sources, file, problems, isVaultUnasked, isWithoutSecrets } = judged;
  followMode(tree);
  const parsed = configSchema.safeParse(tree);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      for (const line of describe(issue, tree, sources, file)) problems.add(line);
    }
  }
  if (parsed.success) {
    for (const line of missing(parsed.data)) problems.add(line);
    const mayLieInVault = parsed.data.vault.address !== undefined && isVaultUnasked === true;
    if (!mayLieInVault && !isWithoutSecrets)
      for (const line of missingSecrets(parsed.data, secrets)) problems.add(line);
  }
  if (!parsed.success || problems.size > 0) throw invalid(problems, file);
  return parsed.data;
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

export function refuseSecrets(tree: Tree, problems: Set<string>): void {
  for (const [path, secret] of Object.entries(SECRET_KEYS)) {
    if (getPath(tree, path.split('.')) === undefined) continue;
    const [variable] = SECRET_VARIABLES[secret];
    problems.add(
      `${path}: a secret does not belong into the file; set ${variable} or ${variable}_FILE instead`,
    );
  }
}

/** A text as its key understands it; what cannot be read stays text and fails validation. */
export function parseText(key: ConfigKey, raw: string): unknown {
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

export function setPath(
  tree: Tree,
  path: string,
  value: unknown,
  source: string,
  problems: Set<string>,
): void {
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

export function getPath(tree: unknown, names: readonly PropertyKey[]): unknown {
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
