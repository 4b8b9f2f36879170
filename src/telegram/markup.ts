/**
 * Text as Telegram's HTML. The home of escaping.
 *
 * Invariant: the only way to a Markup is this file, and everything put into one is escaped; so no symbol, reason or
 * error text can break a message or forge one. A page never exceeds the limit, and its tags are closed on it.
 */

/** Telegram counts characters after parsing; the markup counted in as well keeps every page on the safe side. */
export const PAGE_LIMIT = 4_096;
export const CAPTION_LIMIT = 1_024;

export class Markup {
  readonly html: string;
  /** The same without tags, for where there is no room for them. */
  readonly plain: string;

  constructor(html: string, plain: string) {
    this.html = html;
    this.plain = plain;
  }
}

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

type Part = Markup | string | number;

const htmlOf = (part: Part): string => (part instanceof Markup ? part.html : escaped(String(part)));
const plainOf = (part: Part): string => (part instanceof Markup ? part.plain : String(part));

/** A line: what stands in the template as it is, what is put in escaped. The template itself holds no tags. */
export function line(words: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const pick = (of: (part: Part) => string): string =>
    words.map((word, i) => of(word) + (i < parts.length ? of(parts[i] ?? '') : '')).join('');
  return new Markup(pick(htmlOf), pick(plainOf));
}

const tagged =
  (tag: string) =>
  (part: Part): Markup =>
    new Markup(`<${tag}>${htmlOf(part)}</${tag}>`, plainOf(part));

export const bold = tagged('b');
export const code = tagged('code');

/** Lines of running text, or of a table that keeps its columns. */
export type Block =
  | { readonly kind: 'text'; readonly lines: readonly Markup[] }
  | { readonly kind: 'table'; readonly lines: readonly string[] };

/** What one answer or notification says, before it is cut into Telegram's messages. */
export type Message = readonly Block[];

export const text = (...lines: readonly (Markup | string)[]): Block => ({
  kind: 'text',
  lines: lines.map((one) => (one instanceof Markup ? one : line`${one}`)),
});

const PRE = ['<pre>', '</pre>'] as const;

/** The messages, in order, each within the limit; lines are kept whole where they fit on a page at all. */
export function pages(message: Message, limit: number = PAGE_LIMIT): string[] {
  const done: string[] = [];
  let page = '';
  for (const block of message) {
    const [open, close] = block.kind === 'table' ? PRE : (['', ''] as const);
    let isOpen = false;
    for (const piece of pieces(block, limit - open.length - close.length)) {
      const lead = isOpen ? '\n' : (page === '' ? '' : '\n') + open;
      if (page.length + lead.length + piece.length + close.length <= limit) {
        page += lead + piece;
      } else {
        done.push(isOpen ? page + close : page);
        page = open + piece;
      }
      isOpen = true;
    }
    if (isOpen) page += close;
  }
  return [...done, page].filter((one) => one.trim() !== '');
}

/** The lines as HTML; one that is too long for a page loses its tags and is cut. */
function pieces(block: Block, limit: number): string[] {
  if (block.kind === 'table') return block.lines.flatMap((row) => cut(row, limit));
  return block.lines.flatMap(({ html, plain }) => (html.length <= limit ? [html] : cut(plain, limit)));
}

/** Cut between characters, never inside an entity or a surrogate pair. */
function cut(plain: string, limit: number): string[] {
  const parts: string[] = [];
  let part = '';
  for (const character of plain) {
    const next = escaped(character);
    if (part.length + next.length > limit) {
      parts.push(part);
      part = '';
    }
    part += next;
  }
  return [...parts, part];
}

/** A photo's caption: as much as fits, whole lines first. */
export function caption(message: Message): string {
  const [first = ''] = pages(message, CAPTION_LIMIT);
  return first;
}
