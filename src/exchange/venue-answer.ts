/**
 * What an answer of the venue's interface says: a value, or a VenueFailure with all that is known of it.
 *
 * Invariants: only a 2xx with JSON that is no refusal is a value; no failure says a secret.
 */
import { redactText } from '../core/redact.ts';
import { VenueFailure } from './call-outcome.ts';

export interface Answered {
  readonly http: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export const LONGEST_REASON = 200;

/** `parse` gives undefined for what is no JSON. */
export function readAnswer(
  { http, headers, body }: Answered,
  parse: (text: string) => unknown,
  secrets: readonly string[],
): unknown {
  const text = body.trim();
  const value: unknown = text === '' ? undefined : parse(text);
  const { code, msg } = refusal(value);
  if (http >= 200 && http < 300 && value !== undefined && !(code !== undefined && code < 0)) return value;
  const readable = value === undefined ? `no JSON (${kindOf(headers, text)})` : (msg ?? 'no message');
  const reason = redactText(readable, secrets).slice(0, LONGEST_REASON);
  throw new VenueFailure(code === undefined ? `HTTP ${http}: ${reason}` : `${code} ${reason}`, {
    sent: true,
    http,
    code,
    plain: value === undefined ? (text.length <= LONGEST_REASON ? text : undefined) : msg,
    retryAfterMs: retryAfter(headers['retry-after']),
  });
}

/** Binance's `{code, msg}`; a code of 200, number or text, is none. */
function refusal(value: unknown): { code: number | undefined; msg: string | undefined } {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { code: undefined, msg: undefined };
  const { code, msg } = value as { code?: unknown; msg?: unknown };
  const number = typeof code === 'number' || typeof code === 'string' ? Number(code) : Number.NaN;
  return {
    code: Number.isInteger(number) && number < 0 ? number : undefined,
    msg: typeof msg === 'string' ? msg : undefined,
  };
}

const kindOf = (headers: Answered['headers'], text: string): string =>
  text === '' ? 'empty' : text.startsWith('<') ? 'HTML' : (headers['content-type'] ?? 'unknown').slice(0, 40);

function retryAfter(header: string | undefined): number | undefined {
  const seconds = header === undefined ? Number.NaN : Number(header);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}
