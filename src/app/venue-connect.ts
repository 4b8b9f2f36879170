/**
 * Reaches the venue at a start, however long it takes: a venue that does not answer is asked again, because
 * positions keep their stops there and nothing is gained by ending. A venue that refuses is another matter.
 */
import { scaledTime, sleep, steadyTime, type Time } from '../core/clock.ts';
import { BulkheadError, isBulkheadError } from '../core/errors.ts';
import type { SymbolName } from '../domain/instrument.ts';
import type { GatewayEvent, VenueCheck } from '../exchange/venue-gateway.ts';
import type { VenueTarget } from './modes.ts';
import type { Session } from './run-session.ts';
import type { OpenVenue, VenueConnection, VenueRequest } from './venue-seams.ts';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A venue's clock so far behind the journal's last row is another venue's, or one that lost its state. */
const LONGEST_STEP_BACK_MS = 60_000;

export interface Connected extends VenueConnection {
  readonly time: Time;
  readonly request: VenueRequest;
  readonly checks: readonly VenueCheck[];
}

export interface ConnectOptions {
  readonly session: Session;
  readonly target: VenueTarget;
  readonly venue: OpenVenue;
  /** Symbols that the journal remembers; undefined: it is new. */
  readonly known: readonly SymbolName[] | undefined;
  readonly mayAct: () => boolean;
  readonly refuses?: VenueRequest['refuses'];
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
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures, 16), LONGEST_PAUSE_MS);
    await Promise.race([sleep(io.time.timers, pauseMs), ended]);
  }
  if (signals.failure) throw signals.failure;
  return undefined;
}

async function connectOnce(options: ConnectOptions): Promise<Connected> {
  const { session, target, venue, known, mayAct, refuses, onEvent } = options;
  const { options: run, io, log } = session;
  const { config } = run;
  const time = await venueTime(options);
  const request = { target, config, time, realTime: io.time, log, mayAct, ...(refuses ? { refuses } : {}) };
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

/** The time that the runtime lives in. */
async function venueTime({ session, target, venue }: ConnectOptions): Promise<Time> {
  const { io, options, recovered } = session;
  const { timeFactor } = options.config.venue;
  const asked = io.time.monotonic.now();
  const answer = await venue.clock(target);
  if (answer === undefined) return steadyTime(io.time);
  // The answer is as old as its way back, in the venue's faster time.
  const venueNow = Math.round(answer + ((io.time.monotonic.now() - asked) / 2) * timeFactor);
  if (venueNow < (recovered.headAt ?? 0) - LONGEST_STEP_BACK_MS) throw otherVenue(venueNow, recovered.headAt);
  return scaledTime(io.time, venueNow, timeFactor);
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

const otherVenue = (venueNow: number, headAt = 0): BulkheadError =>
  new BulkheadError(
    'CONFIG_INVALID',
    `The exchange's clock stands at ${new Date(venueNow).toISOString()}, before this journal's last row at ${new Date(headAt).toISOString()}.`,
    {
      hint: 'It is another exchange, or one that lost its state (start it with --state DIR). Name its address, or a new folder with --data-dir.',
    },
  );
