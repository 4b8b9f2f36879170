/**
 * A venue's public REST endpoints through ccxt's raw verbs, on the venue itself or on a loopback server that
 * speaks like it.
 *
 * Invariants: each request has a deadline that covers the body; it is tried again a few times when the network or
 * the venue failed, never when the venue refused it; nothing is asked while the rate budget says no; no key is
 * known here.
 */
import pRetry, { AbortError } from 'p-retry';
import type { Time } from '../../core/clock.ts';
import { BulkheadError, errorText } from '../../core/errors.ts';
import type { RateBudget } from '../../exchange/rate-budget.ts';

export type PublicVenue = 'binanceusdm' | 'bybit' | 'okx';

export interface PublicRestOptions {
  readonly venue: PublicVenue;
  /** Scheme, host and port instead of the venue's own. */
  readonly origin?: string;
  /** The venue's, perhaps scaled: the end of a ban is said by it. */
  readonly time: Time;
  readonly realTime: Time;
  readonly budget?: RateBudget;
  readonly deadlineMs?: number;
}

export interface PublicRest {
  /** ccxt's name of the endpoint: fapiPublicGetKlines. */
  get(verb: string, params: Readonly<Record<string, string | number>>, weight: number): Promise<unknown>;
  close(): Promise<void>;
}

/** What of ccxt is used here. */
interface RawVenue {
  readonly urls: { api: Record<string, unknown> };
  readonly hostname?: string;
  readonly last_response_headers?: Readonly<Record<string, string>>;
  readonly fetchDispatcher?: { destroy(): Promise<void> };
  readonly [verb: string]: unknown;
}
type VenueClass = new (options: object) => RawVenue;
type Verb = (params: object) => Promise<unknown>;

const DEADLINE_MS = 10_000;
const RETRIES = 2;
/** The venue's own words; asking again at once cannot help. */
const REFUSALS: ReadonlySet<string> = new Set([
  'BadRequest',
  'BadSymbol',
  'ExchangeError',
  'AuthenticationError',
  'PermissionDenied',
  'NotSupported',
]);
const THROTTLED: ReadonlySet<string> = new Set(['DDoSProtection', 'RateLimitExceeded']);
const THROTTLE_MS = 60_000;

export async function openPublicRest(options: PublicRestOptions): Promise<PublicRest> {
  // The package exports only its whole, which takes a second to load; its single files are found beside it.
  const file = new URL(`src/${options.venue}.js`, import.meta.resolve('ccxt'));
  const { default: Venue } = (await import(file.href)) as { default: VenueClass };
  const timeout = options.deadlineMs ?? DEADLINE_MS;
  const venue = new Venue({ enableRateLimit: false, timeout, options: { fetchCurrencies: false } });
  if (options.origin !== undefined)
    venue.urls.api = redirected(venue.urls.api, options.origin) as RawVenue['urls']['api'];
  return new CcxtPublicRest(venue, options);
}

/** Every URL leaf with another scheme and host; templates like https://api.{hostname} are URLs here. */
function redirected(urls: unknown, origin: string): unknown {
  if (typeof urls === 'string') return urls.replace(/^\w+:\/\/[^/]+/, origin);
  if (typeof urls !== 'object' || urls === null) return urls;
  return Object.fromEntries(Object.entries(urls).map(([name, url]) => [name, redirected(url, origin)]));
}

class CcxtPublicRest implements PublicRest {
  readonly #venue: RawVenue;
  readonly #options: PublicRestOptions;

  constructor(venue: RawVenue, options: PublicRestOptions) {
    this.#venue = venue;
    this.#options = options;
  }

  async get(
    verb: string,
    params: Readonly<Record<string, string | number>>,
    weight: number,
  ): Promise<unknown> {
    try {
      return await pRetry(() => this.#once(verb, params, weight), { retries: RETRIES, minTimeout: 200 });
    } catch (error) {
      if (error instanceof BulkheadError) throw error;
      // ccxt puts the whole URL into its messages; there is no secret in a public one.
      throw new BulkheadError('VENUE_UNREACHABLE', `${this.#options.venue} ${verb}: ${errorText(error)}`, {
        hint: 'Check the network and the address in the configuration (venue.restUrl).',
        cause: error,
      });
    }
  }

  async close(): Promise<void> {
    await this.#venue.fetchDispatcher?.destroy();
  }

  async #once(verb: string, params: object, weight: number): Promise<unknown> {
    const { budget, venue } = this.#options;
    const admission = await budget?.admit({ lane: 'data', cost: { weight } });
    if (admission && !admission.admitted)
      throw new AbortError(
        new BulkheadError('VENUE_UNREACHABLE', `${venue} ${verb} was not asked: ${admission.reason}`, {
          hint: 'It is asked again when the venue lets us.',
        }),
      );
    const call = this.#venue[verb];
    if (typeof call !== 'function') throw new AbortError(`ccxt knows no ${verb} of ${venue}`);
    try {
      return await this.#withDeadline((call as Verb).call(this.#venue, { ...params }));
    } catch (error) {
      throw this.#judged(error);
    } finally {
      const used = Number(this.#venue.last_response_headers?.['X-Mbx-Used-Weight-1m']);
      if (Number.isFinite(used)) budget?.heard({ weight1m: used });
    }
  }

  /** ccxt's own time-out ends with the headers. */
  #withDeadline(answer: Promise<unknown>): Promise<unknown> {
    const { realTime, deadlineMs = DEADLINE_MS } = this.#options;
    return new Promise((resolve, reject) => {
      const timer = realTime.timers.set(deadlineMs, () => reject(new Error('no answer in time')));
      answer.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  /** As it is when trying again may help, wrapped when not. */
  #judged(error: unknown): unknown {
    const name = error instanceof Error ? error.constructor.name : '';
    if (THROTTLED.has(name)) {
      const until = /banned until (\d{13})/.exec(errorText(error))?.[1];
      const leftMs = until === undefined ? 0 : Number(until) - this.#options.time.clock.now();
      this.#options.budget?.closeFor(Math.max(THROTTLE_MS, leftMs));
      return new AbortError(error as Error);
    }
    if (REFUSALS.has(name)) return new AbortError(error as Error);
    return error instanceof Error ? error : new Error(String(error));
  }
}
