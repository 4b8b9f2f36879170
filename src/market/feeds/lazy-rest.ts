/**
 * A venue's public REST, opened by the first who asks and shared by all until it is closed.
 *
 * Invariant: whoever closes it waits for an opening that is on its way, so that no socket outlives the close; asked
 * again after that, it opens anew.
 */
import type { Time } from '../../core/clock.ts';
import type { RateBudget } from '../../exchange/rate-budget.ts';
import { openPublicRest, type PublicRest, type PublicVenue } from './ccxt-public-rest.ts';

export interface LazyRestOptions {
  /** Scheme, host and port; absent: the venue's own. */
  readonly restUrl?: string;
  /** The venue's, perhaps scaled. */
  readonly time: Time;
  readonly realTime: Time;
  readonly budget?: RateBudget;
  /** One that somebody else opened, and will close. */
  readonly rest?: PublicRest;
}

export class LazyRest {
  readonly #venue: PublicVenue;
  readonly #options: LazyRestOptions;
  #opened: Promise<PublicRest> | undefined;

  constructor(venue: PublicVenue, options: LazyRestOptions) {
    this.#venue = venue;
    this.#options = options;
  }

  get(): Promise<PublicRest> {
    const { restUrl, rest, time, realTime, budget } = this.#options;
    if (rest) return Promise.resolve(rest);
    this.#opened ??= openPublicRest({
      venue: this.#venue,
      ...(restUrl !== undefined && { origin: restUrl.replace(/\/+$/, '') }),
      ...(budget && { budget }),
      time,
      realTime,
    });
    return this.#opened;
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await (await opened)?.close();
  }
}
