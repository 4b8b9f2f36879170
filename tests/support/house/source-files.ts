/** The files of the checkout that the house rules are about. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSource, type SourceText } from './source-text.ts';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

const SKIPPED: ReadonlySet<string> = new Set(['node_modules', '.git', '.bulkhead', 'coverage', 'tmp']);

/** Every file, by its path from the root with forward slashes. */
export function allFiles(folder = ''): string[] {
  return readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : allFiles(name);
    return [name];
  });
}

export const readText = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

export interface SourceFile extends SourceText {
  readonly path: string;
}

/** What runs in production: the floors. */
export const PRODUCTION: readonly string[] = ['src', 'machines', 'supervisors'];

export function sourceFiles(folders: readonly string[]): SourceFile[] {
  return folders
    .flatMap((folder) => allFiles(folder))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ path: file, ...readSource(readText(file)) }));
}

/** A file made up for a test of a rule. */
export const madeUp = (file: string, text: string): SourceFile => ({ path: file, ...readSource(text) });
