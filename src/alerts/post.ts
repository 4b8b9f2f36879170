/**
 * One POST with a deadline; the only network of the alerts. Invariants: never throws; follows no redirect, since what
 * is sent opens an account; an answer is read up to a bound.
 */
import type { Time } from '../core/clock.ts';
import { errorText } from '../core/errors.ts';
import type { Delivered } from './alert-sink.ts';

export interface PostOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly time: Time;
  readonly timeoutMs: number;
  readonly stop: AbortSignal;
}

const LONGEST_REASON = 200;
const SECOND_MS = 1_000;

export async function post(options: PostOptions): Promise<Delivered> {
  const { url, headers, body, time, timeoutMs, stop } = options;
  const late = new AbortController();
  const timer = time.timers.set(timeoutMs, () => late.abort());
  const signal = AbortSignal.any([stop, late.signal]);
  try {
    const init = { method: 'POST', headers, body, redirect: 'error', signal } as const;
    const response = await fetch(url, init); // ambient-ok: the alerts' only network, with a deadline of the injected time
    return deliveredOf(response, await response.text(), time.clock.now());
  } catch (error) {
    if (late.signal.aborted) return { kind: 'later', reason: `no answer in ${timeoutMs} ms` };
    const { cause } = error as { cause?: unknown };
    return { kind: 'later', reason: errorText(cause ?? error) };
  } finally {
    timer.cancel();
  }
}

/** 429 and 5xx are asked again, also 408; every other refusal would be the same again. */
function deliveredOf({ status, ok, headers }: Response, text: string, now: number): Delivered {
  if (ok) return { kind: 'taken' };
  const reason = `${status} ${text.replaceAll(/\s+/g, ' ').slice(0, LONGEST_REASON)}`.trim();
  if (status < 500 && status !== 429 && status !== 408) return { kind: 'refused', reason };
  const waitMs = waitOf(headers.get('retry-after'), now);
  return { kind: 'later', reason, ...(waitMs === undefined ? {} : { waitMs }) };
}

/** Seconds, or a date. */
function waitOf(retryAfter: string | null, now: number): number | undefined {
  if (retryAfter === null) return undefined;
  const seconds = Number(retryAfter);
  const waitMs = Number.isFinite(seconds) ? seconds * SECOND_MS : Date.parse(retryAfter) - now;
  return Number.isFinite(waitMs) && waitMs > 0 ? waitMs : undefined;
}
