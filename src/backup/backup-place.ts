/**
 * The port to where backups are kept, and how they are named.
 *
 * Invariants: a backup appears whole or not at all; what breaks off leaves nothing that `list` would show; errors are
 * BulkheadErrors: BACKUP_UNREACHABLE for a place that fails, NOT_FOUND for a name that it does not have.
 */
export interface BackupPlace {
  /** For display; without credentials. */
  readonly name: string;
  /** Names of files that are there, whoever wrote them. */
  list(): Promise<readonly StoredFile[]>;
  write(name: string, bytes: AsyncIterable<Uint8Array>): Promise<void>;
  read(name: string): Promise<AsyncIterable<Uint8Array>>;
  remove(name: string): Promise<void>;
}

export interface StoredFile {
  readonly name: string;
  readonly bytes: number;
}

/** A backup as its name tells it. */
export interface BackupFile extends StoredFile {
  readonly account: string;
  /** The journal's last row in it. */
  readonly n: number;
  /** Epoch ms. */
  readonly at: number;
}

const NAME = /^bulkhead-(.+)-(\d{8})T(\d{6})Z-(\d+)\.age$/;

export function backupName(account: string, at: number, n: number): string {
  const time = new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  return `bulkhead-${account}-${time}Z-${n}.age`;
}

/** Rows that were removed from the journal. No backup: it ends where the journal goes on without it. */
export const pieceName = (account: string, fromN: number, toN: number): string =>
  `bulkhead-${account}-rows-${fromN}-${toN}.age`;

function backupFile(file: StoredFile): BackupFile | undefined {
  const [, account = '', day = '', time = '', n = ''] = NAME.exec(file.name) ?? [];
  if (account === '') return undefined;
  const parts = [day.slice(0, 4), day.slice(4, 6), day.slice(6)].join('-');
  const at = Date.parse(`${parts}T${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}Z`);
  return Number.isNaN(at) ? undefined : { ...file, account, n: Number(n), at };
}

/** An account's backups, newest first. */
export async function backupsOf(place: BackupPlace, account: string): Promise<readonly BackupFile[]> {
  return (await place.list())
    .map(backupFile)
    .filter((file) => file !== undefined)
    .filter((file) => file.account === account)
    .sort((a, b) => b.at - a.at || b.n - a.n);
}

/** Those that `keep` newer ones have made superfluous. */
export const superfluous = (newestFirst: readonly BackupFile[], keep: number): readonly BackupFile[] =>
  newestFirst.slice(keep);
