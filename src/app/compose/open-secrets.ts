/**
 * Where a command's secrets come from: the environment, files, Vault. Part of the composition root.
 *
 * Invariant: what is read again later goes the same way as at the start, so a rotated secret obeys the same rules.
 */
import { readFileSync } from 'node:fs';
import { type Loaded, type LoadOptions, loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { type Env, readSecrets, type Secrets, secretsInFiles } from '../../config/secrets.ts';
import type { Time } from '../../core/clock.ts';
import { BulkheadError, errorText } from '../../core/errors.ts';
import type { Vault, VaultCredentials } from '../../secrets/vault.ts';

export interface SecretsRead {
  readonly secrets: Secrets;
  /** Of the secret in Vault; null: it is in none. */
  readonly version: number | null;
}

/** Secrets that may change while a run lasts. */
export interface SecretSource {
  /** In words, such as "files"; never a value. */
  readonly where: string;
  /** All of them, anew. Throws a BulkheadError. */
  read(): Promise<SecretsRead>;
  /** When it must be asked again at the latest, in ms; undefined: whenever. */
  dueInMs(): number | undefined;
  /** Null: it will go on giving them; else what a person must see to. */
  warning(): string | null;
  /** Of the secrets that the command began with. */
  readonly version: number | null;
}

export interface Whole extends Loaded {
  /** Absent: nothing can change. */
  readonly secretSource?: SecretSource;
}

/** The configuration with its secrets, from Vault too. Throws CONFIG_INVALID, VAULT_UNREACHABLE, VAULT_REFUSED. */
export async function loadWhole(options: LoadOptions, time: Time): Promise<Whole> {
  const loaded = loadConfig(options);
  const { env } = options;
  if (loaded.config.vault.address === undefined) {
    if (!secretsInFiles(env)) return loaded;
    return {
      ...loaded,
      secretSource: {
        where: 'files',
        read: async () => ({ secrets: readSecrets(env), version: null }),
        dueInMs: () => undefined,
        warning: () => null,
        version: null,
      },
    };
  }
  const vault = await openVault(loaded.config.vault, loaded.config.vault.address, env, time);
  const { fields, version } = await vault.read();
  const whole = loadConfig({ ...options, held: fields });
  return {
    ...whole,
    secretSource: {
      where: `Vault at ${vault.where}${secretsInFiles(env) ? ', and files' : ''}`,
      read: async () => {
        const secret = await vault.read();
        return { secrets: readSecrets(env, secret.fields), version: secret.version };
      },
      dueInMs: () => vault.dueInMs,
      warning: () => endingToken(vault.endsInMs),
      version,
    },
  };
}

const endingToken = (ms: number | undefined): string | null =>
  ms === undefined
    ? null
    : `the token for Vault cannot be renewed and ends in ${Math.ceil(ms / 60_000)} minutes: give it another`;

/** Loaded only where there is one. */
async function openVault(config: Config['vault'], address: string, env: Env, time: Time): Promise<Vault> {
  const { Vault } = await import('../../secrets/vault.ts');
  const { askVault } = await import('../../secrets/vault-http.ts');
  const { namespace, timeoutMs, mount, path, authMount } = config;
  return new Vault({
    ...{ address, mount, path, authMount },
    credentials: () => credentialsOf(config, readSecrets(env)),
    ask: askVault({ address, namespace, timeoutMs }),
    monotonic: time.monotonic,
  });
}

function credentialsOf({ auth, role, jwtFile }: Config['vault'], secrets: Secrets): VaultCredentials {
  switch (auth) {
    case 'token':
      return { kind: 'token', token: needed(secrets.vaultToken, 'BULKHEAD_VAULT_TOKEN') };
    case 'approle': {
      const { vaultRoleId, vaultSecretId: secretId } = secrets;
      return { kind: 'approle', roleId: needed(vaultRoleId, 'BULKHEAD_VAULT_ROLE_ID'), secretId };
    }
    case 'kubernetes':
      return { kind: 'kubernetes', role, jwt: readJwt(jwtFile) };
  }
}

function needed(secret: string | undefined, variable: string): string {
  if (secret !== undefined && /^[\x21-\x7e]+$/.test(secret)) return secret;
  throw new BulkheadError(
    'CONFIG_INVALID',
    secret === undefined
      ? `vault.auth needs ${variable} (or a file named by ${variable}_FILE).`
      : `${variable} holds what no such credential does (it is not shown here).`,
    { hint: 'docs/configuration.md shows how Vault is reached.' },
  );
}

function readJwt(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new BulkheadError('CONFIG_INVALID', `vault.jwtFile ${path} cannot be read: ${errorText(error)}`, {
      hint: 'In Kubernetes the pod’s service account token is mounted there; elsewhere choose another vault.auth.',
    });
  }
}
