/** Where backups go and what seals them, as the configuration means it. Part of the composition root. */
import { resolve } from 'node:path';
import type { BackupPlace } from '../../backup/backup-place.ts';
import { readSealKey, type SealKey } from '../../backup/seal.ts';
import type { Config } from '../../config/schema.ts';
import type { Secrets } from '../../config/secrets.ts';
import { BulkheadError } from '../../core/errors.ts';

/** Plain data: it is handed to a thread. */
export type PlaceSpec =
  | { readonly kind: 'folder'; readonly folder: string }
  | {
      readonly kind: 's3';
      readonly endpoint: string;
      readonly region: string;
      readonly bucket: string;
      readonly prefix: string;
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
    };

const S3 = /^s3:\/\/([^/]+)\/?(.*)$/;

/** `named` on the command line wins over the configuration. */
export function placeOf(
  { backup }: Pick<Config, 'backup'>,
  secrets: Secrets,
  cwd: string,
  named: string | undefined,
): PlaceSpec {
  const to = named ?? backup.to;
  if (to === undefined)
    throw new BulkheadError('CONFIG_INVALID', 'Nobody has said where backups are kept.', {
      hint: 'Set backup.to (or --place) to a folder on another disk, or to s3://BUCKET/FOLDER.',
    });
  const [, bucket, folder = ''] = S3.exec(to) ?? [];
  if (bucket === undefined) return { kind: 'folder', folder: resolve(cwd, to) };
  const { bucketEndpoint: endpoint, bucketRegion: region } = backup;
  const { s3AccessKeyId: accessKeyId, s3SecretAccessKey: secretAccessKey } = secrets;
  if (endpoint === undefined || accessKeyId === undefined || secretAccessKey === undefined)
    throw new BulkheadError('CONFIG_INVALID', `${to} needs an address and a key.`, {
      hint: 'Set backup.bucketEndpoint, BULKHEAD_S3_ACCESS_KEY_ID and BULKHEAD_S3_SECRET_ACCESS_KEY (or …_FILE).',
    });
  const prefix = folder === '' || folder.endsWith('/') ? folder : `${folder}/`;
  return { kind: 's3', endpoint, region, bucket, prefix, accessKeyId, secretAccessKey };
}

/** Where rows go that are removed from the journal. */
export const archiveTo = (config: Config, secrets: Secrets, cwd: string) => ({
  place: placeOf(config, secrets, cwd, undefined),
  key: sealKeyOf(secrets),
});

export async function openPlace(spec: PlaceSpec): Promise<BackupPlace> {
  if (spec.kind === 'folder')
    return new (await import('../../backup/folder-backup-place.ts')).FolderBackupPlace(spec.folder);
  return new (await import('../../backup/s3-backup-place.ts')).S3BackupPlace(spec);
}

export function sealKeyOf({ backupKey, backupPassphrase }: Secrets): SealKey {
  if (backupKey !== undefined) return readSealKey(backupKey);
  if (backupPassphrase !== undefined) return { kind: 'passphrase', text: backupPassphrase };
  throw new BulkheadError('CONFIG_INVALID', 'Backups are sealed, and there is no key or passphrase.', {
    hint: 'Set BULKHEAD_BACKUP_PASSPHRASE_FILE or BULKHEAD_BACKUP_KEY_FILE; "bulkhead backup --new-key FILE" makes a key. Keep it where the backups are not.',
  });
}
