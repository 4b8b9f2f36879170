/** The rules about what may stand in a file. Each takes files and gives complaints; none reads the disk. */
import path from 'node:path';
import type { SourceFile } from './source-files.ts';
import { lineAt } from './source-text.ts';

type Rule = (files: readonly SourceFile[]) => string[];

interface Ambient {
  readonly what: string;
  readonly pattern: RegExp;
  readonly home: RegExp;
}

const CLOCK = /^src\/core\/clock\.ts$/;
const DICE = /^src\/core\/(random|ids)\.ts$/;

const AMBIENT: readonly Ambient[] = [
  { what: 'the ambient clock', pattern: /\bDate\.now\b|\bnew Date\(\s*\)|(?<!new )\bDate\(/g, home: CLOCK },
  {
    what: 'the ambient monotonic clock',
    pattern: /\bperformance\b|\bprocess\.hrtime\b|\bprocess\.uptime\b/g,
    home: CLOCK,
  },
  { what: 'an ambient timer', pattern: /\bset(?:Timeout|Interval|Immediate)\b/g, home: CLOCK },
  {
    what: 'ambient dice',
    pattern: /\bMath\.random\b|\brandom(?:Bytes|UUID|Int)\b|\bgetRandomValues\b/g,
    home: DICE,
  },
  { what: 'the ambient network', pattern: /\bfetch\s*\(/g, home: /^$/ },
  { what: 'the environment', pattern: /\bprocess\.(?:env|argv)\b/g, home: /^src\/app\/main\.ts$/ },
];

const WAIVER = /\/\/ ambient-ok:(.*)$/;
const SHORTEST_REASON = 8;

interface Waiver {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}

export function waivers(files: readonly SourceFile[]): Waiver[] {
  return files.flatMap((file) =>
    file.text.split('\n').flatMap((text, i) => {
      const reason = WAIVER.exec(text)?.[1]?.trim();
      return reason === undefined ? [] : [{ file: file.path, line: i + 1, reason }];
    }),
  );
}

/** A waiver speaks for its own line, or alone on a line for the next. */
const speaksFor = (file: SourceFile, waiver: Waiver): number =>
  (file.code.split('\n')[waiver.line - 1] ?? '').trim() === '' ? waiver.line + 1 : waiver.line;

export const nothingAmbient: Rule = (files) =>
  files.flatMap((file) => {
    const found = AMBIENT.filter(({ home }) => !home.test(file.path)).flatMap(({ what, pattern }) =>
      [...file.code.matchAll(pattern)].map((match) => ({ what, line: lineAt(file.code, match.index) })),
    );
    const given = waivers([file]).map((waiver) => ({ ...waiver, for: speaksFor(file, waiver) }));
    return [
      ...found
        .filter(({ line }) => !given.some((waiver) => waiver.for === line))
        .map(({ what, line }) => `${file.path}:${line} uses ${what}`),
      ...given
        .filter((waiver) => waiver.reason.length < SHORTEST_REASON)
        .map(({ line }) => `${file.path}:${line} waives without a reason`),
      ...given
        .filter((waiver) => !found.some(({ line }) => line === waiver.for))
        .map(({ line }) => `${file.path}:${line} waives what nobody does`),
    ];
  });

const LONGEST_FILE = 400;

export const filesAreShort: Rule = (files) =>
  files.flatMap(({ path: file, text }) => {
    const lines = text.trimEnd().split('\n').length;
    return lines <= LONGEST_FILE ? [] : [`${file} has ${lines} lines; at most ${LONGEST_FILE}`];
  });

const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)+$/;

export const namesAreKebab: Rule = (files) =>
  files.flatMap(({ path: file }) =>
    KEBAB.test(path.posix.basename(file)) ? [] : [`${file} is not in kebab-case`],
  );

function complaints(
  pattern: RegExp,
  what: string,
  of: (file: SourceFile) => string = (file) => file.code,
): Rule {
  return (files) =>
    files.flatMap((file) =>
      [...of(file).matchAll(pattern)].map(
        (match) => `${file.path}:${lineAt(file.text, match.index)} ${what}`,
      ),
    );
}

export const noAny: Rule = complaints(/(?:[:<|&,(=]|\bas)\s*any\b(?!\s*[(:.])/g, 'uses any');

const NOT_ERASABLE: readonly RegExp[] = [
  /^\s*(?:export\s+)?(?:const\s+)?enum\s+\w/gm,
  /^\s*(?:export\s+)?(?:namespace|module)\s+\w+[^;=\n]*\{/gm,
  /\bconstructor\s*\((?:[^)]*,)?\s*(?:(?:public|private|protected|readonly)\s+)+\w+\s*[?:]/g,
  /^\s*import\s+\w+\s*=/gm,
  /^\s*export\s*=/gm,
  /^\s*@\w+(?:\([^)]*\))?\s*(?:export\s+)?(?:class|\w+\()/gm,
];

export const erasableOnly: Rule = (files) =>
  NOT_ERASABLE.flatMap((pattern) => complaints(pattern, 'cannot be run by stripping types')(files));

/** Texts that belong to no product: a path of somebody's machine, and what was left for later. */
const FOREIGN: readonly RegExp[] = [
  /(?<![\w.])\/(?:work|root|home|Users)\/\w+/g,
  /\b(?:TODO|FIXME|XXX|HACK)\b/g,
];

export const nothingForeign: Rule = (files) =>
  FOREIGN.flatMap((pattern) =>
    complaints(
      pattern,
      'names a path of one machine, or speaks of work left undone',
      (file) => file.text,
    )(files),
  );
