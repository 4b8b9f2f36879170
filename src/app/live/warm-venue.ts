/**
 * A standby's venue: connected, checked and listened to while another process trades the account, so that a takeover
 * finds it ready.
 *
 * Invariants: nothing that changes anything at the venue can leave before `take`; whatever keeps it from being ready
 * is tried again for as long as it stands by, and never ends it; looked at again every few minutes, since what was
 * found may have changed.
 */
import { resolve } from 'node:path';
import type { Time } from '../../core/clock.ts';
import { errorText } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { pause } from '../../core/waiting.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { VenueKey } from '../../exchange/venue-client.ts';
import type { GatewayEvent } from '../../exchange/venue-gateway.ts';
import { WarmMarket } from '../../market/live/warm-market.ts';
import type { Io, RunOptions } from '../cli/io.ts';
import { liveChannels } from '../drive/live-channels.ts';
import { rememberVenue } from '../kill/kill-target.ts';
import type { VenueTarget } from '../run/modes.ts';
import { type Connected, pauseMs, venueTime } from './venue-clock.ts';
import type { OpenVenue, VenueConnection, VenueFinding, VenueRequest } from './venue-seams.ts';

const LOOK_AGAIN_MS = 120_000;

export interface WarmVenueOptions {
  readonly run: RunOptions;
  readonly io: Io;
  readonly log: Logger;
  readonly target: VenueTarget;
  readonly venue: OpenVenue;
}

/** What the journal says that the venue must be asked about. */
export interface Wanted {
  readonly symbols: readonly SymbolName[];
  readonly headAt: number | undefined;
}

/** Whoever takes over decides from then on what may leave, and hears what comes. */
export interface Taker {
  readonly mayAct: () => boolean;
  readonly refuses: NonNullable<VenueRequest['refuses']>;
  readonly knows: NonNullable<VenueRequest['knows']>;
  readonly onEvent: (event: GatewayEvent) => void;
}

interface Warm {
  readonly connection: VenueConnection;
  readonly market: WarmMarket;
  readonly time: Time;
  readonly request: VenueRequest;
  /** Its key has opened the account: another one must open the same. */
  isProved: boolean;
}

export class WarmVenue {
  readonly #options: WarmVenueOptions;
  #warm: Warm | undefined;
  #taker: Taker | undefined;
  #notReady: string | null = 'it has not looked at the venue yet';
  readonly #over = new AbortController();
  /** Ends the wait before the next look. */
  #again = new AbortController();

  constructor(options: WarmVenueOptions) {
    this.#options = options;
  }

  /** Why a takeover would have to connect first; null: it would not. */
  get notReady(): string | null {
    return this.#notReady;
  }

  /** Prepares, and goes on looking, until it is taken or closed. `wanted`: undefined while the journal is empty. */
  start(wanted: () => Promise<Wanted | undefined>): void {
    const { timers } = this.#options.io.time;
    const keep = async (): Promise<void> => {
      for (let failures = 0; !this.#isOver; ) {
        this.#again = new AbortController();
        const reason = await this.#prepare(wanted).catch((error: unknown) => errorText(error));
        if (this.#isOver) return;
        if (reason !== this.#notReady) this.#say(reason);
        this.#notReady = reason;
        failures = reason === null ? 0 : failures + 1;
        const waitMs = reason === null ? LOOK_AGAIN_MS : pauseMs(failures);
        await pause(timers, waitMs, AbortSignal.any([this.#over.signal, this.#again.signal]));
      }
    };
    void keep();
  }

  /** What is ready, with its events from here on. Undefined: nothing is, and everything here is closed. */
  async take(taker: Taker): Promise<Connected | undefined> {
    this.#over.abort();
    const warm = this.#notReady === null ? this.#warm : undefined;
    if (!warm) {
      await this.close();
      return undefined;
    }
    this.#taker = taker;
    this.#warm = undefined;
    const { connection, isProved: _, ...rest } = warm;
    try {
      const checks = await connection.gateway.open(taker.onEvent);
      return { ...connection, ...rest, checks };
    } catch (error) {
      this.#options.log.warn('what the standby had ready is of no use; connecting anew', {
        reason: errorText(error),
      });
      this.#warm = warm;
      await this.close();
      return undefined;
    }
  }

  /** Rejects for a key that is not to be taken up. What the old one never opened is connected anew, by the next look. */
  async changeKey(key: VenueKey): Promise<void> {
    const warm = this.#warm;
    if (!warm?.isProved) return;
    await warm.connection.changeKey?.(key);
    if (this.#warm === warm) this.#warm = keyed(warm, key);
  }

  lookNow(): void {
    this.#again.abort();
  }

  async close(): Promise<void> {
    this.#over.abort();
    await this.#drop();
  }

  get #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  async #drop(): Promise<void> {
    const warm = this.#warm;
    this.#warm = undefined;
    if (!warm) return;
    await Promise.allSettled([warm.market.stop(), warm.connection.gateway.close()]);
  }

  /** Why it is not ready; null: it is. Throws what passes by itself. */
  async #prepare(wanted: () => Promise<Wanted | undefined>): Promise<string | null> {
    const known = await wanted();
    if (!known) return 'nobody has begun to trade this account yet';
    await this.#catchUp();
    this.#warm ??= await this.#connect(known);
    // It was closed while it connected.
    if (this.#isOver) await this.close();
    if (!this.#warm) return 'closed';
    const { connection, market } = this.#warm;
    const findings = (await connection.prepare?.()) ?? [];
    if (this.#warm) this.#warm.isProved = true;
    const wrong = unfit(findings);
    if (wrong !== undefined) return wrong;
    this.#remember(known.symbols);
    if (!market.isWarm) await market.warm(liveChannels(known.symbols));
    return null;
  }

  /** The key may have been changed while it connected, or before it was ever let in. */
  async #catchUp(): Promise<void> {
    const { apiKey, apiSecret } = this.#options.target;
    const used = this.#warm?.request.target;
    if (!this.#warm || (used?.apiKey === apiKey && used.apiSecret === apiSecret)) return;
    if (this.#warm.isProved) await this.changeKey({ apiKey, apiSecret });
    else await this.#drop();
  }

  /** So that `bulkhead kill` finds the venue from this machine, too. */
  #remember(symbols: readonly SymbolName[]): void {
    const { run, io, target } = this.#options;
    const { mode, restUrl, streamUrl } = target;
    const { data, venue } = run.config;
    const facts = { mode, restUrl, streamUrl, symbols, timeFactor: venue.timeFactor };
    rememberVenue(resolve(io.cwd, data.dir), facts);
  }

  async #connect({ symbols, headAt }: Wanted): Promise<Warm> {
    const { run, io, log, target, venue } = this.#options;
    const time = await venueTime({ config: run.config, target, venue, real: io.time, headAt });
    const request: VenueRequest = {
      target: { ...target },
      config: run.config,
      time,
      realTime: io.time,
      log,
      mayAct: () => this.#taker?.mayAct() === true,
      refuses: (order) => (this.#taker ? this.#taker.refuses(order) : 'this process stands by'),
      knows: (order) => this.#taker?.knows(order) === true,
      mayChangeKey: run.secretSource !== undefined,
      symbols,
    };
    const connection = await venue.gateway(request);
    const market = new WarmMarket(await venue.market(request));
    return { connection, market, time, request, isProved: false };
  }

  #say(reason: string | null): void {
    const { log } = this.#options;
    if (reason === null) log.info('standing by: the venue is connected, its streams are up');
    else log.warn('standing by, not ready yet', { reason });
  }
}

const keyed = (warm: Warm, key: VenueKey): Warm => ({
  ...warm,
  request: { ...warm.request, target: { ...warm.request.target, ...key } },
});

/** What a takeover would be refused for, or would have to set right first. */
const unfit = (findings: readonly VenueFinding[]): string | undefined =>
  findings.find(({ ok, mandatory, pending }) => (!ok && mandatory) || pending)?.detail;
