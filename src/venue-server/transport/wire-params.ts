/**
 * What stands in a request: its parameters, and the literal text that its signature is made over.
 *
 * Invariants: names are case-insensitive; the query wins over the form; the signed text is what was sent, byte for
 * byte, without the signature itself.
 */
import type { Params } from '../protocol.ts';

const FORM = /^application\/x-www-form-urlencoded/i;

export interface RawRequest {
  /** Without the question mark, as sent. */
  readonly query: string;
  readonly body: string;
  readonly contentType: string | undefined;
}

const ENCODED = /[%+]/;

/** Pairs of a query or form; of a name given twice the first counts. */
function* pairs(text: string): Generator<readonly [name: string, value: string]> {
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const cut = pair.indexOf('=');
    const name = cut < 0 ? pair : pair.slice(0, cut);
    yield [decode(name).toLowerCase(), cut < 0 ? '' : decode(pair.slice(cut + 1))];
  }
}

function decode(text: string): string {
  if (!ENCODED.test(text)) return text;
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    // Not an encoding: the venue reads it as it stands.
    return spaced;
  }
}

/** Clients that send no content type mean a form; JSON bodies are not read, as at the venue. */
const formOf = (raw: RawRequest): string =>
  raw.contentType === undefined || FORM.test(raw.contentType) ? raw.body : '';

export function readParams(raw: RawRequest): Params {
  const params = new Map<string, string>();
  for (const text of [raw.query, formOf(raw)])
    for (const [name, value] of pairs(text)) if (!params.has(name)) params.set(name, value);
  return params;
}

const SIGNATURE = /(^|&)signature=[^&]*/i;

const unsigned = (text: string): string => text.replace(SIGNATURE, '').replace(/^&/, '');

/** Query and body, one after the other without anything between them. */
export const signedText = (raw: RawRequest): string => unsigned(raw.query) + unsigned(formOf(raw));
