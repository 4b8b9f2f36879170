/**
 * Puts the configuration together: defaults, then the file, then BULKHEAD_* variables, then flags.
 * Invariant: nothing is ignored. An unknown key, an unknown variable or a wrong value is an error that names
 * the key, the value, where it came from and what is allowed.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { BulkheadError, errorText } from '../core/errors.ts';
import { didYouMean } from '../core/suggest.ts';
import { isTree, judge, parseText, refuseSecrets, setPath, type Tree } from './judge.ts';
import { CONFIG_KEYS, type ConfigKey } from './keys.ts';
import { yamlValue } from './read-yaml.ts';
import type { Config } from './schema.ts';
import {
  type Env,
  type HeldSecrets,
  isSecretVariable,
  readSecrets,
  SECRET_NAMES,
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
  /** For what needs no secret: that one is missing, or not as it should be, is no matter. */
  readonly isWithoutSecrets?: boolean;
}

export interface Loaded {
  readonly config: Config;
  readonly secrets: Secrets;
  /** The file that was read, if any. */
  readonly file: string | undefined;
}

export function loadConfig(options: LoadOptions): Loaded {
  const file = findFile(options);
  const tree: Tree = file === undefined ? {} : readFile(file);
  const sources = new Map<string, string>();
  const problems = new Set<string>();

  refuseSecrets(tree, problems);
  for (const { key, variable, raw } of fromEnvironment(options.env, problems)) {
    setPath(tree, key.path, parseText(key, raw), variable, problems);
    sources.set(key.path, variable);
  }
  for (const { path, value, flag } of options.flags ?? []) {
    setPath(tree, path, value, flag, problems);
    sources.set(path, flag);
  }

  const secrets = readSecrets(options.env, options.held);
  const isVaultUnasked = options.held === undefined;
  const { isWithoutSecrets = false } = options;
  const config = judge({ tree, secrets, sources, file, problems, isVaultUnasked, isWithoutSecrets });
  return { config, secrets, file };
}

function findFile(options: LoadOptions): string | undefined {
  if (options.file !== undefined) {
    const path = resolve(options.cwd, options.file);
    if (existsSync(path)) return path;
    throw new BulkheadError('INPUT_MISSING', `There is no configuration file ${path}.`, {
      hint: 'Correct --config, or put the file there; bulkhead.example.yaml is one to copy.',
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

function* fromEnvironment(
  env: Env,
  problems: Set<string>,
): Generator<{ key: ConfigKey; variable: string; raw: string }> {
  const byVariable = new Map(CONFIG_KEYS.map((key) => [key.variable, key]));
  for (const [variable, raw] of Object.entries(env)) {
    if (!variable.startsWith('BULKHEAD_') || raw === undefined || isSecretVariable(variable)) continue;
    if (NOT_CONFIG.includes(variable)) continue;
    const key = byVariable.get(variable);
    if (key) yield { key, variable, raw };
    else
      problems.add(
        `${variable}: there is no such variable. ${didYouMean(variable, [...byVariable.keys(), ...SECRET_NAMES])}`.trim(),
      );
  }
}

/** Variables with our prefix that belong to others: the tests' data folder. */
const NOT_CONFIG: readonly string[] = ['BULKHEAD_DATA'];
