/**
 * Carries a kill out at a remote venue: one process at a time for each data folder, by a gateway of its own that asks
 * neither lease nor journal, until the venue shows nothing.
 *
 * Invariant: whoever holds the folder's kill lock is alone in acting on it; the kernel takes the lock from a process
 * that dies, and the next one goes on from the same log.
 */
import { scaledTime, sleep } from '../../core/clock.ts';
import { isBulkheadError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import { keyOf, keyOfActor, type PositionKey, positionSideOf } from '../../domain/position-key.ts';
import type { VenueGateway } from '../../exchange/venue-gateway.ts';
import type { Io } from '../cli/io.ts';
import type { OpenVenue } from '../live/venue-seams.ts';
import { readStatus } from '../status/status-file.ts';
import { type KillOrder, lockKill, readKill } from './kill-file.ts';
import { KillLog } from './kill-log.ts';
import type { KillTarget } from './kill-target.ts';
import { type KillEnd, KillVenue, type OwnedView } from './kill-venue.ts';

export interface CarryOutOptions extends KillTarget {
  readonly dataDir: string;
  readonly order: KillOrder;
  readonly venue: OpenVenue;
  readonly io: Pick<Io, 'time'>;
  readonly log: Logger;
  readonly say: (text: string) => void;
  readonly isStopped?: () => boolean;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

/** 'busy': another process is at it. */
export async function carryOut(options: CarryOutOptions): Promise<KillEnd | 'busy'> {
  const { dataDir, order, io } = options;
  const lock = lockOrBusy(dataDir);
  if (!lock) return 'busy';
  const log = new KillLog(dataDir, order.id, () => io.time.clock.now());
  try {
    return await throughGateway(options, log);
  } finally {
    log.close();
    lock.release();
  }
}

function lockOrBusy(dataDir: string): ReturnType<typeof lockKill> | undefined {
  try {
    return lockKill(dataDir);
  } catch (error) {
    if (isBulkheadError(error, 'STORE_LOCKED')) return undefined;
    throw error;
  }
}

/** A venue that does not answer is asked again, as long as the kill stands. */
async function throughGateway(options: CarryOutOptions, log: KillLog): Promise<KillEnd> {
  const { dataDir, order, io, say, isStopped } = options;
  const isEngaged = (): boolean => readKill(dataDir)?.id === order.id;
  for (let failures = 0; ; failures++) {
    if (!isEngaged()) return 'released';
    if (isStopped?.()) return 'stopped';
    try {
      return await once(options, log, isEngaged);
    } catch (error) {
      if (!isBulkheadError(error, 'VENUE_UNREACHABLE')) throw error;
      if (failures === 0) say(`${error.message}; trying again`);
    }
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures, 8), LONGEST_PAUSE_MS);
    await sleep(io.time.timers, pauseMs);
  }
}

async function once(
  { target, config, dataDir, order, venue, io, say, log: logger, isStopped }: CarryOutOptions,
  log: KillLog,
  isEngaged: () => boolean,
): Promise<KillEnd> {
  const { timeFactor } = config.venue;
  const local = await venue.clock(target);
  const time = local === undefined ? io.time : scaledTime(io.time, local, timeFactor);
  const { gateway } = await venue.gateway({
    target,
    config,
    time,
    realTime: io.time,
    log: logger,
    mayAct: isEngaged,
    bare: true,
    symbols: config.market.symbols,
  });
  try {
    await gateway.open(() => {});
    return await new KillVenue({
      ...{ order, gateway, log, time, timeFactor, isEngaged, say },
      owned: ownedView(dataDir),
      realTime: io.time,
      ...(isStopped ? { isStopped } : {}),
    }).run();
  } finally {
    await closeQuietly(gateway);
  }
}

const closeQuietly = (gateway: VenueGateway): Promise<void> => gateway.close().catch(() => {});

const placeOf = ({ symbol, actor }: { readonly symbol: SymbolName; readonly actor: string }): PositionKey =>
  keyOf({ symbol, positionSide: positionSideOf(keyOfActor(actor)) });

/** What the folder's run last said of itself; orders that stand at the venue say the rest. */
function ownedView(dataDir: string): OwnedView {
  try {
    const { positions, venue } = readStatus(dataDir);
    const places: PositionKey[] = [
      ...positions.map(placeOf),
      ...(venue?.unknownOrders ?? []).map(({ symbol, owner }) => placeOf({ symbol, actor: owner })),
    ];
    const foreign = Object.fromEntries((venue?.foreign ?? []).map((each) => [keyOf(each), each.amount]));
    return { places: [...new Set(places)], foreign };
  } catch {
    // It never ran here, or its status is gone.
    return { places: [], foreign: {} };
  }
}
