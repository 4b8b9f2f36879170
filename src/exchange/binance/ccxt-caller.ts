/**
 * One request at a time on its way: admitted by the budget, checked once more, sent, waited for no longer than its
 * deadline, body included. Reads are asked again within theirs; nothing else ever is.
 *
 * Invariants: between the last check (`veto`) and the bytes there is no wait of ours; a request that is given up is
 * a failure at its deadline, whatever the network does later; every answer's headers reach the budget, every refusal
 * for the rate limits closes it at once, every refusal of our time measures the clock anew.
 */
import { sleep, type Time } from '../../core/clock.ts';
import type { Random } from '../../core/random.ts';
import type { CallLane } from '../../domain/remote.ts';
import { isWorthRepeating, neverSent, throttledUntil, VenueFailure } from '../call-outcome.ts';
import type { RateBudget } from '../rate-budget.ts';
import type { VenueAnswer, VenueClient, WireParams } from '../venue-client.ts';
import { type ActVerb, type ReadVerb, VERBS, type VerbName } from './ccxt-verbs.ts';

export interface CallerOptions {
  readonly client: VenueClient;
  readonly budget: RateBudget;
  /** Real time: the network does not run faster because a recording does. */
  readonly realTime: Time;
  readonly random: Random;
  readonly callTimeoutMs: number;
  readonly venueNow: () => number;
  readonly onThrottled: (code: 429 | 418, untilMs: number) => void;
  /** The venue refused our timestamp. */
  readonly onBadTime: () => void;
}

export interface ActOptions {
  readonly lane: CallLane;
  /** On the runtime's clock: not sent by then, it never is. */
  readonly giveUpAt?: number;
  /** Asked right before sending: a reason not to. */
  readonly veto?: () => string | undefined;
  /** The answer to a request that was given up, should one still come. */
  readonly onLate?: (value: unknown) => void;
}

/** How long an answer that nobody waits for any more is listened for. */
export const LATE_MS = 30_000;
const MOST_RETRIES = 8;
const FIRST_RETRY_MS = 150;
const LONGEST_RETRY_MS = 2_000;
const BAD_TIME: ReadonlySet<number> = new Set([-1021, -5028]);

/** A deadline in real time: aborted once it has passed. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: { cancel(): void };
  readonly #outer: AbortSignal | undefined;

  /** `outer` ends it, too, when that comes first. (`AbortSignal.any` would cost more than the request.) */
  constructor(realTime: Time, ms: number, outer?: AbortSignal) {
    this.#timer = realTime.timers.set(ms, this.#abort);
    this.#outer = outer;
    if (outer?.aborted) this.#abort();
    else outer?.addEventListener('abort', this.#abort);
  }

  readonly #abort = (): void => this.#controller.abort();

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  done(): void {
    this.#timer.cancel();
    this.#outer?.removeEventListener('abort', this.#abort);
  }
}

export class VenueCaller {
  readonly #options: CallerOptions;

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  /** A deadline so many times as long as one call's. */
  deadline(calls = 1): Deadline {
    return new Deadline(this.#options.realTime, this.#options.callTimeoutMs * calls);
  }

  /** For what the venue needs a moment to show. */
  pause(ms: number): Promise<void> {
    return sleep(this.#options.realTime.timers, ms);
  }

  /** Asks until it is answered, refused for good, or out of time. Throws a VenueFailure. */
  async read(verb: ReadVerb, params: WireParams, lane: CallLane, signal: AbortSignal): Promise<unknown> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#readOnce(verb, params, lane, signal);
      } catch (error) {
        if (signal.aborted && !(error instanceof VenueFailure)) throw outOfTime(verb);
        if (attempt >= MOST_RETRIES || !isWorthRepeating(error)) throw error;
      }
      await this.#pauseBefore(attempt + 1, signal);
      if (signal.aborted) throw outOfTime(verb);
    }
  }

  /** Doubling, and a random part on top, so that readings that failed together do not come back together. */
  #pauseBefore(attempt: number, signal: AbortSignal): Promise<void> {
    const { realTime, random } = this.#options;
    const boundMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (attempt - 1) * (1 + random.next()));
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = realTime.timers.set(boundMs, end);
      signal.addEventListener('abort', end);
    });
  }

  /** Does it once. Throws a VenueFailure; with `sent` false when it certainly did not leave. */
  async act(verb: ActVerb, params: WireParams, options: ActOptions): Promise<unknown> {
    const { lane, giveUpAt, veto, onLate } = options;
    const { budget, realTime, callTimeoutMs } = this.#options;
    const patience = giveUpAt === undefined ? this.deadline() : undefined;
    const admission = await budget.admit({
      lane,
      cost: VERBS[verb].cost(params),
      ...(giveUpAt !== undefined && { giveUpAt }),
      ...(patience && { signal: patience.signal }),
    });
    patience?.done();
    if (!admission.admitted) throw neverSent(admission.reason);
    const vetoed = veto?.();
    if (vetoed !== undefined) {
      admission.refund();
      throw neverSent(vetoed);
    }
    const network = new Deadline(realTime, onLate ? callTimeoutMs + LATE_MS : callTimeoutMs);
    const sending = this.#send(verb, params, network.signal).finally(() => network.done());
    return await this.#orOutOfTime(verb, sending, onLate);
  }

  /** One attempt of a read, which the deadline of all of them ends too. */
  async #readOnce(verb: ReadVerb, params: WireParams, lane: CallLane, signal: AbortSignal): Promise<unknown> {
    const admission = await this.#options.budget.admit({ lane, cost: VERBS[verb].cost(params), signal });
    if (!admission.admitted) throw neverSent(admission.reason);
    const network = new Deadline(this.#options.realTime, this.#options.callTimeoutMs, signal);
    const sending = this.#send(verb, params, network.signal).finally(() => network.done());
    return await this.#orOutOfTime(verb, sending, undefined);
  }

  /** Aborting is a request to the network; the time limit does not depend on whether it listens. */
  #orOutOfTime(verb: VerbName, sending: Promise<unknown>, onLate: ActOptions['onLate']): Promise<unknown> {
    return new Promise((resolve, reject) => {
      let givenUp = false;
      const timer = this.#options.realTime.timers.set(this.#options.callTimeoutMs + 1, () => {
        givenUp = true;
        reject(outOfTime(verb));
      });
      sending.then(
        (value) => {
          timer.cancel();
          if (givenUp) onLate?.(value);
          else resolve(value);
        },
        (error) => {
          timer.cancel();
          reject(error);
        },
      );
    });
  }

  async #send(verb: VerbName, params: WireParams, signal: AbortSignal): Promise<unknown> {
    const { api, method, path } = VERBS[verb];
    const { client } = this.#options;
    try {
      const answer = await client.send({ api, method, path, params }, signal, (headers) =>
        this.#heard(headers),
      );
      return answer.value;
    } catch (error) {
      if (error instanceof VenueFailure) this.#refused(error);
      // An aborted request is one out of time, whatever undici calls it.
      if (signal.aborted && error instanceof VenueFailure && error.http === undefined && error.sent)
        throw outOfTime(verb);
      throw error;
    }
  }

  #heard(headers: VenueAnswer['headers']): void {
    const count = (name: string): number | undefined => {
      const value = headers[name];
      const number = value === undefined ? Number.NaN : Number(value);
      return Number.isFinite(number) ? number : undefined;
    };
    const weight1m = count('x-mbx-used-weight-1m');
    const orders10s = count('x-mbx-order-count-10s');
    const orders1m = count('x-mbx-order-count-1m');
    if (weight1m === undefined && orders10s === undefined && orders1m === undefined) return;
    this.#options.budget.heard({
      ...(weight1m !== undefined && { weight1m }),
      ...(orders10s !== undefined && { orders10s }),
      ...(orders1m !== undefined && { orders1m }),
    });
  }

  #refused(failure: VenueFailure): void {
    const { budget, venueNow, onThrottled, onBadTime } = this.#options;
    if (failure.code !== undefined && BAD_TIME.has(failure.code)) onBadTime();
    // Too many orders: reads and cancels may go on.
    if (failure.code === -1015) budget.closeFor(10_000, 'orders');
    const now = venueNow();
    const until = failure.code === -1015 && failure.http !== 418 ? undefined : throttledUntil(failure, now);
    if (until !== undefined) budget.closeFor(until - now);
    if (until !== undefined || failure.code === -1015)
      onThrottled(failure.http === 418 ? 418 : 429, until ?? now + 10_000);
  }
}

const outOfTime = (verb: VerbName): VenueFailure =>
  new VenueFailure(`no answer to ${VERBS[verb].method} ${VERBS[verb].path} in time`, { sent: true });
