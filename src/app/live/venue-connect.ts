/**
 * Reaches the venue at a start, however long it takes: a venue that does not answer is asked again, because
 * positions keep their stops there and nothing is gained by ending. A venue that refuses is another matter.
 */
import { sleep } from '../../core/clock.ts';
import { isBulkheadError } from '../../core/errors.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { GatewayEvent } from '../../exchange/venue-gateway.ts';
import type { VenueTarget } from '../run/modes.ts';
import type { Session } from '../run/run-session.ts';
import { type Connected, pauseMs, venueTime } from './venue-clock.ts';
import type { OpenVenue, VenueRequest } from './venue-seams.ts';

export interface ConnectOptions {
  readonly session: Session;
  readonly target: VenueTarget;
  readonly venue: OpenVenue;
  /** Symbols that the journal remembers; undefined: it is new. */
  readonly known: readonly SymbolName[] | undefined;
  readonly mayAct: () => boolean;
  readonly refuses?: VenueRequest['refuses'];
  readonly knows?: VenueRequest['knows'];
  readonly onEvent: (event: GatewayEvent) => void;
  /** Why it is not there yet, or null. */
  readonly onWaiting: (reason: string | null) => void;
}

/** Undefined: the run was stopped before the venue answered. */
export async function connectVenue(options: ConnectOptions): Promise<Connected | undefined> {
  const { session, onWaiting } = options;
  const { signals, log, io } = session;
  let stopped = false;
  const ended = signals.stopped().then(() => {
    stopped = true;
  });
  for (let failures = 0; !stopped; failures++) {
    try {
      const connected = await Promise.race([connectOnce(options), ended]);
      if (connected === undefined) break;
      onWaiting(null);
      return connected;
    } catch (error) {
      if (!isBulkheadError(error, 'VENUE_UNREACHABLE')) throw error;
      if (failures === 0) log.warn('the venue cannot be reached; trying again', { reason: error.message });
      onWaiting(error.message);
    }
    await Promise.race([sleep(io.time.timers, pauseMs(failures)), ended]);
  }
  if (signals.failure) throw signals.failure;
  return undefined;
}

async function connectOnce(options: ConnectOptions): Promise<Connected> {
  const { session, target, venue, known, mayAct, refuses, knows, onEvent } = options;
  const { options: run, io, log } = session;
  const { config } = run;
  const { headAt } = session.recovered;
  const time = await venueTime({ config, target, venue, real: io.time, headAt });
  const mayChangeKey = run.secretSource !== undefined;
  const request = {
    // As it is now: what is connected with it is known by it.
    ...{ target: { ...target }, config, time, realTime: io.time, log, mayAct, mayChangeKey },
    ...(refuses ? { refuses } : {}),
    ...(knows ? { knows } : {}),
  };
  const wanted = known ?? config.market.symbols;
  const symbols = wanted.length > 0 ? wanted : await allSymbols(venue, { ...request, symbols: [] });
  const complete = { ...request, symbols };
  const connection = await venue.gateway(complete);
  try {
    const checks = await connection.gateway.open(onEvent);
    return { ...connection, time, request: complete, checks };
  } catch (error) {
    await connection.gateway.close();
    throw error;
  }
}

async function allSymbols(venue: OpenVenue, request: VenueRequest): Promise<readonly SymbolName[]> {
  const { gateway } = await venue.gateway(request);
  try {
    const instruments = await gateway.instruments();
    return instruments.filter(({ status }) => status === 'TRADING').map(({ symbol }) => symbol);
  } finally {
    await gateway.close();
  }
}
