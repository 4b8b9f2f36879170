/**
 * The engine's data folder before its first row: unpacked from an archive instead of running initdb, which
 * takes ten seconds and, killed half way, leaves a folder that never opens again.
 *
 * Invariant: the folder appears under its name by one rename, complete and flushed, or not at all.
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { zstdDecompressSync } from 'node:zlib';
import { BulkheadError, errorText } from '../core/errors.ts';
import { isPgliteFolder } from './pglite-folder.ts';
import { flushFolder } from './pglite-fs.ts';

/** The only version whose internals the flush patch is known to fit. */
export const PGLITE_VERSION = '0.5.16';
export const TEMPLATE_FILE = fileURLToPath(new URL('./pglite-template.zst', import.meta.url));

/** Archive: u32 length of this header as JSON, the header, then the files' bytes one after the other. */
export interface TemplateHeader {
  readonly pglite: string;
  /** PG_VERSION of the folder. */
  readonly postgres: string;
  readonly folders: readonly string[];
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

/** Makes `dir` ready for the engine, creating it where there is none. */
export async function prepareFolder(dir: string): Promise<void> {
  checkVersion();
  if (isPgliteFolder(dir)) return;
  if (existsSync(dir) && readdirSync(dir).length > 0) {
    throw new BulkheadError('DATA_INVALID', `${dir} is not empty and holds no Bulkhead store.`, {
      hint: 'Name an empty or new folder with --data-dir.',
    });
  }
  const fresh = `${dir}.new`;
  try {
    rmSync(fresh, { recursive: true, force: true });
    await unpack(fresh);
    if (existsSync(dir)) rmdirSync(dir);
    renameSync(fresh, dir);
    flushFolder(path.dirname(dir));
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    throw new BulkheadError('CANNOT_WRITE', `The store cannot be created in ${dir}: ${errorText(error)}.`, {
      hint: 'It needs a writable folder with at least 200 MB free.',
      cause: error,
    });
  }
}

function checkVersion(): void {
  const entry = fileURLToPath(import.meta.resolve('@electric-sql/pglite'));
  const manifest = readFileSync(path.join(path.dirname(entry), '../package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  if (version === PGLITE_VERSION) return;
  throw new BulkheadError(
    'STORE_NOT_DURABLE',
    `PGlite is ${version}, but must be exactly ${PGLITE_VERSION}.`,
    {
      hint: 'Run `npm ci`: the flush patch fits one version only.',
    },
  );
}

/** Slices an unpacked archive into its header and its files' bytes. */
export function readTemplate(archive: Buffer): { header: TemplateHeader; contents: Buffer[] } {
  const headerBytes = archive.readUInt32BE(0);
  const header = JSON.parse(archive.toString('utf8', 4, 4 + headerBytes)) as TemplateHeader;
  let offset = 4 + headerBytes;
  const contents = header.files.map(({ size }) => {
    offset += size;
    return archive.subarray(offset - size, offset);
  });
  return { header, contents };
}

async function unpack(dir: string): Promise<void> {
  const { header, contents } = readTemplate(zstdDecompressSync(readFileSync(TEMPLATE_FILE)));
  await mkdir(dir, { mode: 0o700 });
  for (const folder of header.folders) await mkdir(path.join(dir, folder), { mode: 0o700 });
  const queue = header.files.map((file, index) => ({ path: path.join(dir, file.path), index }));
  const work = async (): Promise<void> => {
    for (let next = queue.pop(); next; next = queue.pop()) {
      const file = await open(next.path, 'w', 0o600);
      try {
        await file.writeFile(contents[next.index] ?? Buffer.alloc(0));
        await file.datasync();
      } finally {
        await file.close();
      }
    }
  };
  // The flushes are the cost; several at a time let the disk group them.
  await Promise.all(Array.from({ length: 4 }, work));
  for (const folder of ['.', ...header.folders]) flushFolder(path.join(dir, folder));
}
