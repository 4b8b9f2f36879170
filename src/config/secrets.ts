/**
 * Secrets come from the environment, from files that it names (NAME_FILE, as Docker and Kubernetes mount them), or
 * from Vault (src/secrets). They never stand in the configuration file, and nothing prints them (src/core/redact.ts).
 */
import { readFileSync } from 'node:fs';
import { BulkheadError, errorText } from '../core/errors.ts';
import { didYouMean } from '../core/suggest.ts';

export interface Secrets {
  readonly databaseUrl: string | undefined;
  readonly redisUrl: string | undefined;
  readonly apiKey: string | undefined;
  readonly apiSecret: string | undefined;
  /** What backups are sealed with: a passphrase, or an age identity or recipient. */
  readonly backupPassphrase: string | undefined;
  readonly backupKey: string | undefined;
  readonly s3AccessKeyId: string | undefined;
  readonly s3SecretAccessKey: string | undefined;
  /** Of the controls over HTTP; without one it is minted. */
  readonly httpToken: string | undefined;
  readonly telegramToken: string | undefined;
  /** By which Vault knows us. */
  readonly vaultToken: string | undefined;
  readonly vaultRoleId: string | undefined;
  readonly vaultSecretId: string | undefined;
  /** Where alerts go. */
  readonly pagerdutyRoutingKey: string | undefined;
  readonly sentryDsn: string | undefined;
}

/** The variables that are read for each secret, the first that is set wins. */
export const SECRET_VARIABLES: Readonly<Record<keyof Secrets, readonly string[]>> = {
  databaseUrl: ['BULKHEAD_DATABASE_URL', 'DATABASE_URL'],
  redisUrl: ['BULKHEAD_REDIS_URL', 'REDIS_URL'],
  apiKey: ['BULKHEAD_API_KEY'],
  apiSecret: ['BULKHEAD_API_SECRET'],
  backupPassphrase: ['BULKHEAD_BACKUP_PASSPHRASE'],
  backupKey: ['BULKHEAD_BACKUP_KEY'],
  s3AccessKeyId: ['BULKHEAD_S3_ACCESS_KEY_ID', 'AWS_ACCESS_KEY_ID'],
  s3SecretAccessKey: ['BULKHEAD_S3_SECRET_ACCESS_KEY', 'AWS_SECRET_ACCESS_KEY'],
  httpToken: ['BULKHEAD_HTTP_TOKEN'],
  telegramToken: ['BULKHEAD_TELEGRAM_TOKEN'],
  vaultToken: ['BULKHEAD_VAULT_TOKEN', 'VAULT_TOKEN'],
  vaultRoleId: ['BULKHEAD_VAULT_ROLE_ID'],
  vaultSecretId: ['BULKHEAD_VAULT_SECRET_ID'],
  pagerdutyRoutingKey: ['BULKHEAD_PAGERDUTY_ROUTING_KEY'],
  sentryDsn: ['BULKHEAD_SENTRY_DSN', 'SENTRY_DSN'],
};

export const SECRET_NAMES: readonly string[] = Object.values(SECRET_VARIABLES).flatMap((names) =>
  names.flatMap((name) => [name, `${name}_FILE`]),
);

export const isSecretVariable = (name: string): boolean => SECRET_NAMES.includes(name);

/** Keys by which people try to put secrets into the file, and where they belong. */
export const SECRET_KEYS: Readonly<Record<string, keyof Secrets>> = {
  'store.url': 'databaseUrl',
  'store.password': 'databaseUrl',
  'database.url': 'databaseUrl',
  'redis.url': 'redisUrl',
  'redis.password': 'redisUrl',
  apiKey: 'apiKey',
  apiSecret: 'apiSecret',
  'exchange.apiKey': 'apiKey',
  'exchange.apiSecret': 'apiSecret',
  'backup.passphrase': 'backupPassphrase',
  'backup.key': 'backupKey',
  'backup.s3AccessKeyId': 's3AccessKeyId',
  'backup.s3SecretAccessKey': 's3SecretAccessKey',
  'http.token': 'httpToken',
  'telegram.token': 'telegramToken',
  'vault.token': 'vaultToken',
  'vault.roleId': 'vaultRoleId',
  'vault.secretId': 'vaultSecretId',
  'alerts.pagerdutyRoutingKey': 'pagerdutyRoutingKey',
  'alerts.sentryDsn': 'sentryDsn',
};

export type Env = Readonly<Record<string, string | undefined>>;

function fromFile(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new BulkheadError(
      'CONFIG_INVALID',
      `${variable} names ${path}, which cannot be read: ${errorText(error)}`,
      {
        hint: 'Correct the path, or make the file readable for the user who runs Bulkhead.',
      },
    );
  }
}

function readSecret(env: Env, names: readonly string[]): string | undefined {
  for (const name of names) {
    const direct = env[name];
    const file = env[`${name}_FILE`];
    if (direct && file) {
      throw new BulkheadError('CONFIG_INVALID', `${name} and ${name}_FILE are both set.`, {
        hint: 'Set one of them.',
      });
    }
    if (direct) return direct;
    if (file) return fromFile(`${name}_FILE`, file);
  }
  return undefined;
}

/** Whether a secret comes from a file, which may change while we run. */
export function secretsInFiles(env: Env): boolean {
  return Object.values(SECRET_VARIABLES).some((names) =>
    names.some((name) => env[name] === undefined && Boolean(env[`${name}_FILE`])),
  );
}

/** What a store of secrets holds for us, by the names of `Secrets`. */
export type HeldSecrets = Readonly<Record<string, string>>;

/** Those by which the store itself is reached cannot lie in it. */
const HELD_NAMES = (Object.keys(SECRET_VARIABLES) as (keyof Secrets)[]).filter(
  (name) => !name.startsWith('vault'),
);

/** Throws CONFIG_INVALID for what is unknown, or said in two places. Names only, no values. */
export function readSecrets(env: Env, held: HeldSecrets = {}): Secrets {
  const problems = Object.keys(held)
    .filter((name) => !(HELD_NAMES as readonly string[]).includes(name))
    .map((name) => name.slice(0, 40))
    .map((name) => `"${name}" is no secret of ours. ${didYouMean(name, HELD_NAMES)}`.trim());
  const secret = (name: keyof Secrets): string | undefined => {
    const own = readSecret(env, SECRET_VARIABLES[name]);
    const kept = Object.hasOwn(held, name) ? held[name] : undefined;
    if (own !== undefined && kept !== undefined)
      problems.push(
        `${name} is there, and ${SECRET_VARIABLES[name].join(' or ')} is set, too: say it in one place.`,
      );
    return own ?? kept;
  };
  const secrets: Secrets = {
    databaseUrl: secret('databaseUrl'),
    redisUrl: secret('redisUrl'),
    apiKey: secret('apiKey'),
    apiSecret: secret('apiSecret'),
    backupPassphrase: secret('backupPassphrase'),
    backupKey: secret('backupKey'),
    s3AccessKeyId: secret('s3AccessKeyId'),
    s3SecretAccessKey: secret('s3SecretAccessKey'),
    httpToken: secret('httpToken'),
    telegramToken: secret('telegramToken'),
    pagerdutyRoutingKey: secret('pagerdutyRoutingKey'),
    sentryDsn: secret('sentryDsn'),
    vaultToken: secret('vaultToken'),
    vaultRoleId: secret('vaultRoleId'),
    vaultSecretId: secret('vaultSecretId'),
  };
  if (problems.length === 0) return secrets;
  throw new BulkheadError('CONFIG_INVALID', `What Vault holds is wrong:\n  ${problems.join('\n  ')}`, {
    hint: `Its fields are called ${HELD_NAMES.join(', ')}; all are optional.`,
  });
}
