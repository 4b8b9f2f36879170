/**
 * The journal's newest moment held against what the venue shows. It only reads: nothing is sent, nothing written. The
 * simulated venue is in the journal and may be asked at any row; a remote one is asked now.
 */
import type { PositionContext } from '../../../machines/position.ts';
import type { ActorMoment, Moments } from '../../../supervisors/moments.ts';
import type { VenueFactory } from '../../../supervisors/venue-logic.ts';
import { defined } from '../../core/assert.ts';
import { scaledTime } from '../../core/clock.ts';
import { abs, add, type Decimal, eq, gte, isZero, sign, ZERO } from '../../core/decimal.ts';
import { BulkheadError } from '../../core/errors.ts';
import type { Json } from '../../core/json.ts';
import { SILENT } from '../../core/logger.ts';
import { VENUE } from '../../domain/events.ts';
import { keyOf, keysIn, type PositionKey, symbolOf } from '../../domain/position-key.ts';
import type { RemoteReport } from '../../domain/remote.ts';
import { placeOf } from '../../execution/belief-check.ts';
import { type BelievedPosition, reconcile, reconcileReport } from '../../execution/reconciliation.ts';
import type { CommandOptions, Io } from '../cli/io.ts';
import type { remoteRegistry } from '../compose/compose-live.ts';
import type { OpenVenue } from '../live/venue-seams.ts';
import { venueTarget } from '../run/modes.ts';

export interface VenueDifference {
  readonly symbol: string;
  /** 'foreign': the venue holds what nobody here opened; 'finding': something else that a start would say. */
  readonly kind: 'quantity' | 'direction' | 'unknown-position' | 'unprotected' | 'foreign' | 'finding';
  readonly detail: string;
}

export const believed = (actors: readonly ActorMoment[]): BelievedPosition[] =>
  actors
    .filter(({ type, final }) => type === 'position' && !final)
    .map(({ actor, context }) => {
      const { symbol, direction, quantity } = context as PositionContext;
      return { actor, symbol, direction, quantity };
    });

/** The engine at row n, against the positions at row n. */
export async function againstEngine(
  moments: Moments,
  venue: VenueFactory,
  n: number,
): Promise<readonly VenueDifference[]> {
  const engine = await moments.actor(VENUE, n);
  if (!engine) return [];
  venue.restore(engine.context as Json);
  const report = defined(venue.current(), 'rebuilt venue').report(engine.at);
  return reconcile(believed(await moments.actors(n, 'alive')), report);
}

type Remote = ReturnType<typeof remoteRegistry>;

export async function againstRemote(
  moments: Moments,
  { executor, options: executorOptions }: Remote,
  n: number,
  options: CommandOptions,
  io: Io,
  venue: OpenVenue,
): Promise<readonly VenueDifference[]> {
  const engine = await moments.actor(VENUE, n);
  if (!engine) return [];
  executor.restore(engine.context as Json);
  const { state } = defined(executor.current(), 'rebuilt executor');
  const places = [...keysIn(state.holdings), ...keysIn(state.foreign)];
  const symbols = [...new Set(places.map(symbolOf))].sort();
  const report = await readVenue(options, io, venue, state.cursor, symbols);
  const { findings } = reconcileReport({ ...state }, report, executorOptions);
  const positions = believed(await moments.actors(n, 'alive'));
  return [
    ...foreign(positions, report, (place) => state.foreign[place]?.ignored === true),
    ...quantities(positions, report),
    ...unprotected(report),
    ...findings.map((detail): VenueDifference => ({ symbol: '', kind: 'finding', detail })),
  ];
}

function foreign(
  positions: readonly BelievedPosition[],
  report: RemoteReport,
  isLeftAlone: (place: PositionKey) => boolean,
): VenueDifference[] {
  return report.positions.flatMap((held): VenueDifference[] => {
    const { symbol, amount } = held;
    const place = keyOf(held);
    const isOurs = positions.some((each) => placeOf(each) === place && !isZero(each.quantity));
    if (isZero(amount) || isOurs || isLeftAlone(place)) return [];
    const detail = `the venue holds ${amount} that no position of this journal knows`;
    return [{ symbol, kind: 'foreign', detail }];
  });
}

function quantities(positions: readonly BelievedPosition[], report: RemoteReport): VenueDifference[] {
  return positions.flatMap((ours): VenueDifference[] => {
    const { symbol, direction, quantity } = ours;
    if (isZero(quantity)) return [];
    const amount = report.positions.find((each) => keyOf(each) === placeOf(ours))?.amount ?? ZERO;
    const isSameSide = isZero(amount) || sign(amount) > 0 === (direction === 'long');
    if (eq(abs(amount), quantity) && isSameSide) return [];
    const detail = `the journal knows ${quantity} ${direction}, the venue holds ${amount}`;
    return [{ symbol, kind: isSameSide ? 'quantity' : 'direction', detail }];
  });
}

function unprotected({ positions, openAlgoOrders }: RemoteReport): VenueDifference[] {
  return positions.flatMap((held): VenueDifference[] => {
    const { symbol, amount } = held;
    if (isZero(amount)) return [];
    const closes = sign(amount) > 0 ? 'SELL' : 'BUY';
    const stops = openAlgoOrders.filter((each) => keyOf(each) === keyOf(held) && each.side === closes);
    const covered = stops.some(({ closePosition }) => closePosition)
      ? abs(amount)
      : stops.reduce<Decimal>((sum, { quantity }) => add(sum, quantity ?? ZERO), ZERO);
    if (gte(covered, abs(amount))) return [];
    return [{ symbol, kind: 'unprotected', detail: `${amount} open, ${covered} protected` }];
  });
}

async function readVenue(
  options: CommandOptions,
  io: Io,
  venue: OpenVenue,
  since: number,
  symbols: readonly string[],
): Promise<RemoteReport> {
  const { config } = options;
  const target = venueTarget(options);
  if (!target)
    throw new BulkheadError('CONFIG_INVALID', 'This journal is of a remote venue, and mode is demo.', {
      hint: 'Use the configuration of that run, with its mode.',
    });
  const local = await venue.clock(target);
  const { gateway } = await venue.gateway({
    target,
    config,
    time: local === undefined ? io.time : scaledTime(io.time, local, config.venue.timeFactor),
    realTime: io.time,
    log: SILENT,
    // It only looks.
    mayAct: () => false,
    symbols,
  });
  try {
    await gateway.instruments(symbols);
    const read = await gateway.call({ call: 'report', id: 'replay', since, symbols });
    if (read.outcome === 'done') return read.value;
    throw new BulkheadError('VENUE_UNREACHABLE', `The venue cannot be read: ${read.reason}`, {
      hint: '"bulkhead doctor" says what is wrong.',
    });
  } finally {
    await gateway.close();
  }
}
