/**
 * What one attempt at a venue amounts to: certainly not executed, or unknown. Total: whatever is thrown, by us, by
 * ccxt, by undici or by a defect, becomes one of the two, and what is not recognised is unknown.
 *
 * Invariants: `rejected` only on evidence that the venue's matching engine did not take the request: it never left,
 * or the venue refused it with an answer that says so. A broken, late, empty or foreign answer is never evidence.
 */
import { isBulkheadError } from '../core/errors.ts';
import type { RemoteRefusal, RemoteUnknown } from '../domain/remote.ts';

/** An answer that is no success, or the lack of one, with all that is known of it. */
export class VenueFailure extends Error {
  override readonly name = 'VenueFailure';
  /** False: the request certainly never left this machine. */
  readonly sent: boolean;
  /** The status line, once one was read. */
  readonly http: number | undefined;
  /** The venue's own code, of a body that was read to its end. */
  readonly code: number | undefined;
  /** The body was read to its end and was no JSON, yet short text: what it said. */
  readonly plain: string | undefined;
  /** Of the header Retry-After. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    facts: {
      readonly sent: boolean;
      readonly http?: number | undefined;
      readonly code?: number | undefined;
      readonly plain?: string | undefined;
      readonly retryAfterMs?: number | undefined;
      readonly cause?: unknown;
    },
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.sent = facts.sent;
    this.http = facts.http;
    this.code = facts.code;
    this.plain = facts.plain;
    this.retryAfterMs = facts.retryAfterMs;
  }
}

/** Nothing left this machine, and why. */
export const neverSent = (reason: string, cause?: unknown): VenueFailure =>
  new VenueFailure(reason, { sent: false, cause });

/** No name, no route, no handshake: no connection came about, so nothing went over it. */
const NO_CONNECTION: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
]);
/** These may also end a connection over which the request went: only while connecting do they settle it. */
const NO_ROUTE: ReadonlySet<string> = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT']);

/** Whether the network's error proves that the request never left. An error of several addresses needs all to. */
export function failedBeforeSending(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  if (error instanceof AggregateError && error.errors.length > 0)
    return error.errors.every(failedBeforeSending);
  if (typeof code !== 'string') return false;
  return NO_CONNECTION.has(code) || (syscall === 'connect' && NO_ROUTE.has(code));
}

/** Codes by which the venue says that it does not know what became of the request. */
const UNKNOWN_CODES: ReadonlySet<number> = new Set([-1000, -1001, -1006, -1007]);
/** Refusals before matching that may come with any status: too many requests, overload, bad time. */
const REFUSED_WHATEVER_STATUS: ReadonlySet<number> = new Set([-1003, -1008, -1015, -1021, -5028]);
/** Turned away at the gate, whatever the body says: nothing behind it saw the request. */
const REFUSED_AT_THE_GATE: ReadonlySet<number> = new Set([
  401, 403, 404, 405, 411, 413, 414, 415, 418, 429, 431,
]);
/** The venue's words for "down, and your request with it", as against "unknown error, please check". */
const CERTAINLY_UNAVAILABLE = /^service unavailable\.?$/i;

export const DUPLICATE_CLIENT_ID = -4116;
/** Unknown order sent; order does not exist. */
export const NOT_FOUND: ReadonlySet<number> = new Set([-2011, -2013]);

export type FailedOutcome = RemoteRefusal | RemoteUnknown;

const rejected = (code: number, reason: string): RemoteRefusal => ({ outcome: 'rejected', code, reason });
const unknown = (reason: string): RemoteUnknown => ({ outcome: 'unknown', reason });

export function classifyFailure(thrown: unknown): FailedOutcome {
  try {
    if (thrown instanceof VenueFailure) return ofVenue(thrown);
    if (isBulkheadError(thrown)) return unknown(thrown.message);
    return unknown(thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : `threw ${typeof thrown}`);
  } catch {
    // Even looking at what was thrown can throw: getters, revoked proxies.
    return unknown('threw what cannot be read');
  }
}

function ofVenue(failure: VenueFailure): FailedOutcome {
  const { sent, http, code, plain, message } = failure;
  if (!sent) return rejected(0, message);
  if (http === undefined || http < 400) return unknown(message);
  if (code !== undefined && UNKNOWN_CODES.has(code)) return unknown(message);
  // An id that is taken among the open orders: the first copy arrived, so this is the opposite of a refusal.
  if (code === DUPLICATE_CLIENT_ID) return unknown(message);
  if (code !== undefined && REFUSED_WHATEVER_STATUS.has(code)) return rejected(code, message);
  if (REFUSED_AT_THE_GATE.has(http)) return rejected(code ?? http, message);
  if (http === 503 && CERTAINLY_UNAVAILABLE.test((plain ?? '').trim()))
    return rejected(code ?? http, message);
  // 408 is the backend's time-out, in which the order may have been placed.
  if (http >= 500 || http === 408 || code === undefined) return unknown(message);
  return rejected(code, message);
}

/** Worth asking again, for a read: the venue or the way to it was in trouble, not the question wrong. */
export function isWorthRepeating(thrown: unknown): boolean {
  if (!(thrown instanceof VenueFailure)) return false;
  if (thrown.http === 429 || thrown.http === 418) return false;
  if (!thrown.sent) return thrown.cause !== undefined;
  const outcome = classifyFailure(thrown);
  return outcome.outcome === 'unknown' || REPEATABLE_CODES.has(outcome.code);
}

const REPEATABLE_CODES: ReadonlySet<number> = new Set([503, -1008, -1021, -5028]);

/** "… IP(1.2.3.4) banned until 1700000000000. …" */
const BANNED_UNTIL = /banned until (\d{12,14})/;

/** Until when (the venue's clock) a refusal for the rate limits keeps us out; undefined when it is none. */
export function throttledUntil(failure: VenueFailure, venueNow: number): number | undefined {
  const limited = failure.http === 429 || failure.http === 418;
  if (!limited && failure.code !== -1003) return undefined;
  const banned = Number(BANNED_UNTIL.exec(failure.message)?.[1]);
  if (Number.isFinite(banned)) return banned;
  if (failure.retryAfterMs !== undefined) return venueNow + failure.retryAfterMs;
  // Without a word the shortest ban is two minutes; the weight is counted by the minute.
  return failure.http === 418 ? venueNow + 120_000 : (Math.floor(venueNow / 60_000) + 1) * 60_000;
}
