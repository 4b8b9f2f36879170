/** Backups in a folder: written beside, flushed, renamed. */
import { createReadStream, type WriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { BulkheadError, errorText } from '../core/errors.ts';
import type { BackupPlace, StoredFile } from './backup-place.ts';

const PARTIAL = '.partial';

export class FolderBackupPlace implements BackupPlace {
  readonly name: string;

  constructor(folder: string) {
    this.name = folder;
  }

  async list(): Promise<readonly StoredFile[]> {
    try {
      const names = await readdir(this.name);
      const whole = names.filter((name) => !name.endsWith(PARTIAL)).sort();
      return await Promise.all(
        whole.map(async (name) => ({ name, bytes: (await stat(path.join(this.name, name))).size })),
      );
    } catch (error) {
      if (isMissing(error)) return [];
      throw this.#failed('read', error);
    }
  }

  async write(name: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const target = path.join(this.name, name);
    try {
      await mkdir(this.name, { recursive: true });
      const file = await open(target + PARTIAL, 'w', 0o600);
      try {
        for await (const piece of bytes) await file.writeFile(piece);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(target + PARTIAL, target);
      const folder = await open(this.name, 'r');
      await folder.sync().finally(() => folder.close());
    } catch (error) {
      await rm(target + PARTIAL, { force: true }).catch(() => undefined);
      throw this.#failed('written', error);
    }
    await this.#sweep(name);
  }

  async read(name: string): Promise<AsyncIterable<Uint8Array>> {
    const file = path.join(this.name, name);
    try {
      await stat(file);
    } catch (error) {
      if (!isMissing(error)) throw this.#failed('read', error);
      throw new BulkheadError('NOT_FOUND', `There is no backup ${file}.`, {
        hint: '"bulkhead backup --list" shows those that there are.',
      });
    }
    return createReadStream(file) as AsyncIterable<Uint8Array> & { close: WriteStream['close'] };
  }

  async remove(name: string): Promise<void> {
    try {
      await rm(path.join(this.name, name), { force: true });
    } catch (error) {
      throw this.#failed('changed', error);
    }
  }

  /** What a process that died in the midst of writing left. */
  async #sweep(written: string): Promise<void> {
    const names = await readdir(this.name).catch(() => []);
    const left = names.filter((name) => name.endsWith(PARTIAL) && name !== written + PARTIAL);
    for (const name of left) await rm(path.join(this.name, name), { force: true }).catch(() => undefined);
  }

  #failed(what: string, error: unknown): BulkheadError {
    if (error instanceof BulkheadError) return error;
    return new BulkheadError(
      'BACKUP_UNREACHABLE',
      `The folder ${this.name} cannot be ${what}: ${errorText(error)}`,
      {
        hint: 'Check that the disk has room and that the user who runs Bulkhead may write there.',
        cause: error,
      },
    );
  }
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';
