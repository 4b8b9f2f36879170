/**
 * The page's own files, read once. Invariant: what is served is exactly what the folder held at the start, by name:
 * no path of a request ever reaches the disk.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';

export interface StaticFile {
  readonly type: string;
  readonly body: Buffer;
  readonly gzipped: Buffer | undefined;
  readonly etag: string;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
};
const SMALLEST_GZIPPED_BYTES = 512;

/** By path, such as "/app.js"; index.html is "/", too. `aliases` adds files from elsewhere, such as a library's. */
export function readStaticFiles(
  folder: string,
  aliases: Readonly<Record<string, string>> = {},
): ReadonlyMap<string, StaticFile> {
  const files = new Map<string, StaticFile>();
  for (const path of pathsIn(folder)) {
    const name = `/${relative(folder, path).split(sep).join('/')}`;
    const file = fileAt(path);
    if (file) files.set(name, file);
  }
  for (const [name, path] of Object.entries(aliases)) {
    const file = fileAt(path);
    if (file) files.set(name, file);
  }
  const index = files.get('/index.html');
  if (index) files.set('/', index);
  return files;
}

function pathsIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch {
    // A run without a page serves its API all the same.
    return [];
  }
}

function fileAt(path: string): StaticFile | undefined {
  const type = TYPES[extname(path)];
  if (type === undefined) return undefined;
  const body = readFileSync(path);
  const isText = /text|json|xml/.test(type);
  return {
    type,
    body,
    gzipped: isText && body.length > SMALLEST_GZIPPED_BYTES ? gzipSync(body, { level: 9 }) : undefined,
    etag: `"${createHash('sha256').update(body).digest('hex').slice(0, 32)}"`,
  };
}
