/**
 * A TypeScript file as the house rules see it: its code without comments and texts, and what it imports.
 * Invariant: `code` and `uncommented` are as long as the text, so that positions mean the same in all three.
 */
export interface ImportEdge {
  readonly specifier: string;
  readonly line: number;
}

export interface SourceText {
  readonly text: string;
  /** Comments, strings, templates' texts and regular expressions blanked. */
  readonly code: string;
  /** Only comments blanked. */
  readonly uncommented: string;
  readonly imports: readonly ImportEdge[];
}

export const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length;

const blank = (text: string): string => text.replace(/[^\n]/g, ' ');

/** After these a slash begins a regular expression, after anything else it divides. */
const BEFORE_REGEX =
  /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|do|else|void|yield|await))\s*$/;

const LITERALS: readonly { readonly opens: RegExp; readonly kind: 'comment' | 'text' | 'regex' }[] = [
  { opens: /\/\/[^\n]*/y, kind: 'comment' },
  { opens: /\/\*[\s\S]*?\*\//y, kind: 'comment' },
  { opens: /'(?:\\[\s\S]|[^'\\\n])*'/y, kind: 'text' },
  { opens: /"(?:\\[\s\S]|[^"\\\n])*"/y, kind: 'text' },
  { opens: /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y, kind: 'regex' },
];

export function readSource(text: string): SourceText {
  let code = '';
  let uncommented = '';
  /** Brace depth inside each open `${`. */
  const templates: number[] = [];
  let i = 0;

  const take = (length: number, asCode: boolean, asUncommented: boolean): void => {
    const part = text.slice(i, i + length);
    code += asCode ? part : blank(part);
    uncommented += asUncommented ? part : blank(part);
    i += length;
  };
  /** A template's text, up to its end or to the next expression in it. */
  const takeTemplate = (): void => {
    while (i < text.length && text[i] !== '`' && !text.startsWith('${', i)) {
      take(text[i] === '\\' ? 2 : 1, false, true);
    }
    if (text[i] === '$') templates.push(0);
    take(text[i] === '$' ? 2 : 1, true, true);
  };

  while (i < text.length) {
    const literal = literalAt(text, i, code);
    const depth = templates.at(-1);
    if (literal) take(literal.length, false, literal.kind !== 'comment');
    else if (text[i] === '`') {
      take(1, true, true);
      takeTemplate();
    } else if (text[i] === '}' && depth === 0) {
      templates.pop();
      take(1, true, true);
      takeTemplate();
    } else {
      if (depth !== undefined && text[i] === '{') templates[templates.length - 1] = depth + 1;
      if (depth !== undefined && text[i] === '}') templates[templates.length - 1] = depth - 1;
      take(1, true, true);
    }
  }
  return { text, code, uncommented, imports: findImports(code, uncommented) };
}

function literalAt(
  text: string,
  index: number,
  before: string,
): { kind: string; length: number } | undefined {
  if (!'/\'"'.includes(text[index] ?? '')) return undefined;
  for (const { opens, kind } of LITERALS) {
    if (kind === 'regex' && !BEFORE_REGEX.test(before.slice(-40))) continue;
    opens.lastIndex = index;
    const match = opens.exec(text)?.[0];
    if (match !== undefined) return { kind, length: match.length };
  }
  return undefined;
}

const IMPORTS: readonly RegExp[] = [
  /\b(?:import|export)\b[\w$\s{},*]*?\bfrom\s*(['"])(?<specifier>[^'"]+)\1/g,
  /\bimport\s*(['"])(?<specifier>[^'"]+)\1/g,
  /\bimport\s*\(\s*(['"])(?<specifier>[^'"]+)\1/g,
  // A file of a library that is read rather than run: a font, a WebAssembly module.
  /\bimport\.meta\.resolve\(\s*(['"])(?<specifier>[^'"]+)\1/g,
  // A worker's file is a dependency like any other.
  /\bnew URL\(\s*(['"])(?<specifier>\.{1,2}\/[^'"]+\.ts)\1/g,
];

function findImports(code: string, uncommented: string): ImportEdge[] {
  return IMPORTS.flatMap((pattern) =>
    [...uncommented.matchAll(pattern)]
      .filter((match) => code[match.index] !== ' ')
      .map((match) => ({ specifier: match.groups?.specifier ?? '', line: lineAt(uncommented, match.index) })),
  );
}
