/**
 * Builds `pglite-template.zst` from the installed PGlite: run it after every change of the pinned version.
 *
 *     node run.cjs src/journal/build-template.ts
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import { PGlite } from '@electric-sql/pglite';
import { PGLITE_VERSION, TEMPLATE_FILE, type TemplateHeader } from './pglite-template.ts';

const COMPRESSION_LEVEL = 19;

const dir = mkdtempSync(path.join(tmpdir(), 'bulkhead-template-'));
try {
  const engine = new PGlite(path.join(dir, 'data'));
  await engine.exec('vacuum freeze');
  await engine.exec('checkpoint');
  await engine.close();
  const archive = pack(path.join(dir, 'data'));
  const compressed = zstdCompressSync(archive, {
    params: { [constants.ZSTD_c_compressionLevel]: COMPRESSION_LEVEL },
  });
  writeFileSync(TEMPLATE_FILE, compressed);
  console.log(`${TEMPLATE_FILE}: ${archive.length} bytes packed, ${compressed.length} compressed`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}

function pack(root: string): Buffer {
  const entries = readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
  const isFolder = (entry: string): boolean => statSync(path.join(root, entry)).isDirectory();
  const names = entries.filter((entry) => !isFolder(entry) && entry !== 'postmaster.pid');
  const contents = names.map((name) => readFileSync(path.join(root, name)));
  const header: TemplateHeader = {
    pglite: PGLITE_VERSION,
    postgres: readFileSync(path.join(root, 'PG_VERSION'), 'utf8').trim(),
    folders: entries.filter(isFolder),
    files: names.map((name, index) => ({ path: name, size: contents[index]?.length ?? 0 })),
  };
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return Buffer.concat([length, json, ...contents]);
}
