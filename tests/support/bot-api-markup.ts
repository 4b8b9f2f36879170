/**
 * Telegram's reading of parse_mode HTML: what it leaves of a text, and the words in which it refuses one. Offsets are
 * bytes of UTF-8, lengths UTF-16 units after the markup is taken out, as Telegram counts them.
 */

const TAGS = new Set([
  ...['b', 'strong', 'i', 'em', 'u', 'ins', 's', 'strike', 'del', 'a', 'code', 'pre', 'blockquote'],
  ...['span', 'tg-spoiler', 'tg-emoji'],
]);
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"' };

export class MarkupRefused extends Error {}

const refuse = (what: string): never => {
  throw new MarkupRefused(`Bad Request: can't parse entities: ${what}`);
};

const byteOffset = (text: string, index: number): number => Buffer.byteLength(text.slice(0, index));

/** The text that people see. Throws in Telegram's words when the markup is wrong. */
export function readHtml(html: string): { readonly text: string; readonly entities: number } {
  const open: { name: string; at: number }[] = [];
  let text = '';
  let entities = 0;
  for (let i = 0; i < html.length; ) {
    const character = html[i];
    if (character === '&') {
      const [whole, word] = /^&(#x[0-9a-f]+|#\d+|[a-z]+);/i.exec(html.slice(i)) ?? [];
      const meant = word === undefined ? undefined : entityOf(word);
      text += meant ?? '&';
      i += meant === undefined ? 1 : (whole ?? '').length;
      continue;
    }
    if (character !== '<') {
      text += character;
      i++;
      continue;
    }
    const end = html.indexOf('>', i);
    if (html[i + 1] === '/') {
      const name = html.slice(i + 2, end < 0 ? undefined : end).trim();
      const last = open.pop();
      if (!last) return refuse(`Unexpected end tag at byte offset ${byteOffset(html, i)}`);
      if (end < 0 || (name !== '' && name !== last.name))
        return refuse(
          `Unmatched end tag at byte offset ${byteOffset(html, i)}, expected "</${last.name}>", found "</${name}>"`,
        );
      entities++;
      i = end + 1;
      continue;
    }
    const name = /^[^\s>/]*/.exec(html.slice(i + 1))?.[0].toLowerCase() ?? '';
    if (!TAGS.has(name))
      return refuse(`Unsupported start tag "${name}" at byte offset ${byteOffset(html, i)}`);
    if (end < 0) return refuse(`Unclosed start tag at byte offset ${byteOffset(html, i)}`);
    open.push({ name, at: i });
    i = end + 1;
  }
  const last = open.pop();
  if (last) return refuse(`Can't find end tag corresponding to start tag "${last.name}"`);
  return { text, entities };
}

function entityOf(word: string): string | undefined {
  if (word.startsWith('#x')) return String.fromCodePoint(Number.parseInt(word.slice(2), 16));
  if (word.startsWith('#')) return String.fromCodePoint(Number.parseInt(word.slice(1), 10));
  return ENTITIES[word];
}
