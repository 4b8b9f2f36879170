/**
 * The dashboard's files as a browser takes them: its TypeScript with the types stripped, the libraries it stands on
 * out of node_modules, page and style as they are. No build step: a file is made ready when it is first asked for.
 *
 * Invariants: only the files of the dashboard's folder and of the list of libraries can be had, by name; each is
 * read once, so what a running process serves never changes under a page; bare imports lead to /vendor.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
  readonly gzip: Buffer;
  /** Quoted, as it goes into the header. */
  readonly etag: string;
}

const FOLDER = fileURLToPath(new URL('./dashboard/', import.meta.url));

/** What a page may import by name, and the file of the package that a browser takes. */
const LIBRARIES: Readonly<Record<string, { readonly name: string; readonly file: string }>> = {
  preact: { name: 'preact', file: 'dist/preact.mjs' },
  'preact/hooks': { name: 'preact', file: 'hooks/dist/hooks.mjs' },
  htm: { name: 'htm', file: 'dist/htm.mjs' },
  'lightweight-charts': {
    name: 'lightweight-charts',
    file: 'dist/lightweight-charts.standalone.production.mjs',
  },
};

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.ts': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const VENDOR = '/vendor/';
const vendorPath = (specifier: string): string => `${VENDOR}${specifier.replaceAll('/', '-')}.js`;
const VENDORS = new Map(Object.entries(LIBRARIES).map(([name, library]) => [vendorPath(name), library]));

const packed = promisify(gzip);
const ready = new Map<string, Promise<PageFile | undefined>>();

/** By the request's path, without its query; undefined: there is no such file. */
export function pageFile(requested: string): Promise<PageFile | undefined> {
  const name = requested === '/' ? '/index.html' : requested;
  const known = ready.get(name);
  if (known) return known;
  const source = sourceOf(name);
  if (!source) return Promise.resolve(undefined);
  const made = prepare(source);
  ready.set(name, made);
  // A file that could not be read may be there the next time.
  made.then((file) => file ?? ready.delete(name));
  return made;
}

interface Source {
  readonly file: string;
  readonly type: string;
  readonly isTypeScript: boolean;
}

function sourceOf(name: string): Source | undefined {
  const library = VENDORS.get(name);
  if (library) return { file: fileOf(library), type: 'text/javascript; charset=utf-8', isTypeScript: false };
  // One flat name: nothing of a path can lead out of the folder.
  if (!/^\/[a-z0-9-]+\.[a-z]+$/.test(name)) return undefined;
  const extension = path.extname(name);
  const type = TYPES[extension];
  return type === undefined
    ? undefined
    : { file: path.join(FOLDER, name.slice(1)), type, isTypeScript: extension === '.ts' };
}

/** Packages hide their parts behind `exports`; their folder is found through what they do show. */
function fileOf({ name, file }: { name: string; file: string }): string {
  const entry = fileURLToPath(import.meta.resolve(name));
  const inside = path.join('node_modules', name);
  return path.join(entry.slice(0, entry.lastIndexOf(inside) + inside.length), file);
}

/** Node's word that this is an experiment would stand in the middle of the run's output, at the first page. */
function strip(text: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = emitWarning;
  }
}

async function prepare({ file, type, isTypeScript }: Source): Promise<PageFile | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const isScript = type.startsWith('text/javascript');
  const stripped = isTypeScript ? strip(text) : text;
  const body = Buffer.from(isScript ? withVendors(stripped) : stripped);
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return { type, body, gzip: await packed(body), etag };
}

/** `from 'preact'` becomes `from '/vendor/preact.js'`: a browser knows no packages. */
function withVendors(text: string): string {
  return text
    .replace(/(\bfrom\s*|\bimport\s*\(?\s*)(["'])([^"'./][^"']*)\2/g, (whole, before, quote, specifier) =>
      LIBRARIES[specifier] ? `${before}${quote}${vendorPath(specifier)}${quote}` : whole,
    )
    .replace(/^\/\/# sourceMappingURL=.*$/gm, '');
}
