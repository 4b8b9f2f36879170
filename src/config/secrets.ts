/**
 * Secrets come from the environment, or from files that it names (NAME_FILE, as Docker and Kubernetes mount
 * them). They never stand in the configuration file, and nothing prints them (src/core/redact.ts).
 */
import { readFileSync } from 'node:fs';
import { BulkheadError, errorText } from '../core/errors.ts';

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
};

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

export function readSecrets(env: Env): Secrets {
  return {
    databaseUrl: readSecret(env, SECRET_VARIABLES.databaseUrl),
    redisUrl: readSecret(env, SECRET_VARIABLES.redisUrl),
    apiKey: readSecret(env, SECRET_VARIABLES.apiKey),
    apiSecret: readSecret(env, SECRET_VARIABLES.apiSecret),
    backupPassphrase: readSecret(env, SECRET_VARIABLES.backupPassphrase),
    backupKey: readSecret(env, SECRET_VARIABLES.backupKey),
    s3AccessKeyId: readSecret(env, SECRET_VARIABLES.s3AccessKeyId),
    s3SecretAccessKey: readSecret(env, SECRET_VARIABLES.s3SecretAccessKey),
    httpToken: readSecret(env, SECRET_VARIABLES.httpToken),
    telegramToken: readSecret(env, SECRET_VARIABLES.telegramToken),
  };
}
