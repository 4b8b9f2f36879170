import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { exitCodes } from '../../src/app/cli/cli-help.ts';
import { CONFIG_KEYS } from '../../src/config/keys.ts';
import { SECRET_VARIABLES } from '../../src/config/secrets.ts';
import { ERRORS, type ErrorCode } from '../../src/core/errors.ts';
import { allFiles, ROOT, readText } from '../support/house/source-files.ts';

const documents = allFiles().filter((file) => file.endsWith('.md'));

/** Relative links of a Markdown text, code left out. */
function links(text: string): string[] {
  const prose = text.replace(/```[\s\S]*?```/g, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? '')
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** GitHub's name for a heading. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

const anchors = (text: string): string[] =>
  [...text.replace(/```[\s\S]*?```/g, '').matchAll(/^#+ (.+)$/gm)].map((match) => anchor(match[1] ?? ''));

function brokenLinks(file: string, text: string): string[] {
  return links(text).filter((target) => {
    const [name = '', fragment] = target.split('#');
    const linked = name === '' ? file : path.posix.join(path.posix.dirname(file), name);
    if (name !== '' && !existsSync(path.join(ROOT, linked))) return true;
    if (fragment === undefined) return false;
    return !anchors(name === '' ? text : readText(linked)).includes(fragment);
  });
}

interface Documented {
  readonly code: string;
  readonly kind: string;
  readonly exit: number;
}

/** "### USAGE" followed by "terminal, exit code 64". */
const documentedErrors = (text: string): Documented[] =>
  [...text.matchAll(/^### ([A-Z_]+)\n\n\*(terminal|retryable|unknown), exit code (\d+)\*/gm)].map(
    ([, code = '', kind = '', exit = '']) => ({ code, kind, exit: Number(exit) }),
  );

describe('the documentation', () => {
  test('every relative link leads somewhere', () => {
    assert.ok(documents.length >= 6);
    for (const file of documents) assert.deepEqual(brokenLinks(file, readText(file)), [], file);
  });

  test('docs/ERRORS.md and the table of errors say the same', () => {
    const expected = Object.entries(ERRORS).map(([code, { kind, exit }]) => ({ code, kind, exit }));
    const byCode = (a: Documented, b: Documented) => a.code.localeCompare(b.code);
    assert.deepEqual(documentedErrors(readText('docs/ERRORS.md')).sort(byCode), expected.sort(byCode));
  });

  test('docs/ERRORS.md tells what each error means and what to do', () => {
    const sections = readText('docs/ERRORS.md').split(/^### /m).slice(1);
    for (const section of sections) {
      const code = section.split('\n')[0] as ErrorCode;
      assert.ok(section.includes(ERRORS[code].meaning), `${code}: the meaning of the table stands there`);
      assert.match(section, /\*\*What to do\.\*\* \S/, code);
    }
  });

  test('docs/configuration.md lists every key with its variable and whether it is hot, and every secret', () => {
    const text = readText('docs/configuration.md');
    for (const { path, variable, needsRestart } of CONFIG_KEYS) {
      const row = text.split('\n').find((line) => line.startsWith(`| \`${path}\` | \`${variable}\` |`));
      assert.ok(row?.endsWith(needsRestart === null ? '| hot |' : '| restart |'), path);
    }
    const rows = [...text.matchAll(/^\| `([a-zA-Z.]+)` \| `BULKHEAD_/gm)].map((match) => match[1]);
    assert.deepEqual(
      rows,
      CONFIG_KEYS.map((key) => key.path),
    );
    for (const name of Object.values(SECRET_VARIABLES).flat()) assert.ok(text.includes(`\`${name}\``), name);
  });

  test('README.md is short and its exit codes are the real ones', () => {
    const text = readText('README.md');
    assert.ok(text.trimEnd().split('\n').length <= 90);
    for (const [, code] of text.matchAll(/exit code (\d+)/g)) assert.ok(exitCodes().has(Number(code)), code);
  });
});

describe('the guards themselves', () => {
  test('a broken link and a broken anchor are caught', () => {
    const text =
      '# One two\n[a](nowhere.md) [b](#three) [c](#one-two) [d](https://x.y) `[e](no.md)` [f](README.md)';
    assert.deepEqual(brokenLinks('x.md', text), ['nowhere.md', '#three']);
  });

  test('an error without its line is not documented', () => {
    assert.deepEqual(documentedErrors('### USAGE\n\nwords'), []);
    assert.deepEqual(documentedErrors('### USAGE\n\n*terminal, exit code 64*'), [
      { code: 'USAGE', kind: 'terminal', exit: 64 },
    ]);
  });
});
