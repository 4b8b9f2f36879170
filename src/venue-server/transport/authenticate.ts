/**
 * Who asks, and whether in time: key, timestamp, signature, with the venue's own words for each refusal.
 *
 * Invariants: a request passes only with a signature over its literal text, made with the key's own secret; the
 * windows are real time, so on a venue whose clock runs faster they are wider by its speed. No secret and no
 * signature appears in any text.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Params, required, type Security, WireError } from '../protocol.ts';

const AHEAD_MS = 1_000;
const DEFAULT_RECV_WINDOW_MS = 5_000;
const LONGEST_RECV_WINDOW_MS = 60_000;

export interface Asked {
  readonly security: Security;
  readonly apiKey: string | undefined;
  readonly params: Params;
  readonly signedText: string;
  /** The venue's clock as its gateway has it. */
  readonly at: number;
}

export interface Keys {
  /** The secret that belongs to a key; undefined: there is no such key. */
  secretOf(apiKey: string): string | undefined;
  /** The first key of the account that this one opens. */
  firstOf(apiKey: string): string;
}

export function authenticate(asked: Asked, keys: Keys, speed: number): void {
  if (asked.security === 'none') return;
  const { apiKey, params } = asked;
  if (apiKey === undefined || apiKey === '') throw new WireError(-2014, 'API-key format invalid.', 401);
  if (asked.security === 'signed') {
    checkTime(params, asked.at, speed);
    required(params, 'signature');
  }
  const secret = keys.secretOf(apiKey);
  if (secret === undefined)
    throw new WireError(-2015, 'Invalid API-key, IP, or permissions for action.', 401);
  if (asked.security === 'signed' && !isSigned(asked, secret))
    throw new WireError(-1022, 'Signature for this request is not valid.');
}

function isSigned({ params, signedText }: Asked, secret: string): boolean {
  const expected = createHmac('sha256', secret).update(signedText).digest();
  const given = params.get('signature') ?? '';
  return /^[0-9a-f]{64}$/i.test(given) && timingSafeEqual(expected, Buffer.from(given, 'hex'));
}

function checkTime(params: Params, at: number, speed: number): void {
  const timestamp = integer('timestamp', required(params, 'timestamp'));
  const windowMs = recvWindow(params);
  if (timestamp >= at + AHEAD_MS * speed)
    throw new WireError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.");
  if (at - timestamp > windowMs * speed)
    throw new WireError(-1021, 'Timestamp for this request is outside of the recvWindow.');
}

/** The matching engine looks again when the request has come that far. */
export function checkStillInTime(params: Params, at: number, speed: number): void {
  const timestamp = Number(params.get('timestamp'));
  if (at - timestamp > recvWindow(params) * speed)
    throw new WireError(-5028, 'Timestamp for this request is outside of the ME recvWindow.');
}

function recvWindow(params: Params): number {
  const text = params.get('recvwindow');
  if (text === undefined || text === '') return DEFAULT_RECV_WINDOW_MS;
  const windowMs = integer('recvWindow', text);
  if (windowMs > LONGEST_RECV_WINDOW_MS) throw new WireError(-1131, 'recvWindow must be less than 60000.');
  return windowMs;
}

function integer(name: string, text: string): number {
  if (/^\d{1,16}$/.test(text)) return Number(text);
  throw new WireError(
    -1100,
    `Illegal characters found in parameter '${name}'; legal range is '^[0-9]{1,20}$'.`,
  );
}
