/**
 * The figures in docs/RELIABILITY.md that a command measured: each stands between two marks that name its command, with
 * the commit and the day of it, and is only ever written by that command.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PAGE = fileURLToPath(new URL('../../docs/RELIABILITY.md', import.meta.url));
const PROGRAM = ['src', 'machines', 'supervisors', 'migrations'];

const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();

/** What was measured, and when. */
export function measuredOf(now: Date): string {
  const isDirty = git('status', '--porcelain', ...PROGRAM) !== '';
  const commit = git('rev-parse', '--short=12', 'HEAD');
  return `Commit ${commit}${isDirty ? ' with changes' : ''}, ${now.toISOString().slice(0, 10)}`;
}

/** The page with a block written anew; throws when the page has no place for it. */
export function withBlock(page: string, command: string, text: string): string {
  const begin = `<!-- measured: ${command} -->`;
  const end = `<!-- end of: ${command} -->`;
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/RELIABILITY.md has no place for ${command}`);
  return `${page.slice(0, from)}${begin}\n${text.trim()}\n${page.slice(to)}`;
}

export function record(command: string, text: string): void {
  writeFileSync(PAGE, withBlock(readFileSync(PAGE, 'utf8'), command, text));
}

export const count = (value: number): string => Math.round(value).toLocaleString('en-US');
export const seconds = (ms: number | null): string => (ms === null ? '–' : `${(ms / 1000).toFixed(1)} s`);
