/**
 * The composition root of everything that trades on the simulated venue in this process: demo, recorded runs,
 * simulation. Paper and live get the same tree from compose-live.ts; they differ in venue, market and clock.
 */

import type { PositionContext } from '../../../machines/position.ts';
import type { ActorRuntime } from '../../../supervisors/actor-runtime.ts';
import { MachineRegistry } from '../../../supervisors/machine-registry.ts';
import type { Recovered } from '../../../supervisors/recovery.ts';
import { type ReturnsFactory, returnsEngine, returnsFactory } from '../../../supervisors/returns-logic.ts';
import { VENUE_CHECKPOINT_ROWS, type VenueFactory, venueFactory } from '../../../supervisors/venue-logic.ts';
import type { Config } from '../../config/schema.ts';
import { defined } from '../../core/assert.ts';
import type { VirtualTime } from '../../core/clock.ts';
import { actorType } from '../../core/ids.ts';
import type { Timeframe } from '../../domain/candle.ts';
import { PORTFOLIO, VENUE } from '../../domain/events.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { type Moded, moded, modeOf } from '../../domain/position-key.ts';
import type { VenueEngine } from '../../exchange/engine/engine.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { SimulatedExchange } from '../../exchange/simulated-exchange.ts';
import { type BelievedPosition, type Difference, reconcile } from '../../execution/reconciliation.ts';
import type { JournalWriter } from '../../journal/journal-writer.ts';
import { MarketAudience } from '../drive/step-audience.ts';
import { buildSystem, definitionsOf, type SystemListeners, type TradingSystem } from '../run/system.ts';

export { startSystem } from '../run/system.ts';

export interface SystemOptions extends SystemListeners {
  readonly config: Config;
  /** The one in force, where it may change. */
  readonly configNow?: () => Config;
  readonly instance: string;
  readonly instruments: readonly Instrument[];
  /** Of the market's bars. */
  readonly timeframe: Timeframe;
  readonly recovered: Recovered;
  readonly writer: JournalWriter;
  readonly time: VirtualTime;
}

export interface System extends TradingSystem {
  readonly audience: MarketAudience;
  readonly venue: VenueFactory;
  readonly exchange: Exchange;
  readonly positions: () => BelievedPosition[];
}

/** The machines and the venue of this configuration; also what a replay needs. */
export function machineRegistry(
  config: Pick<Config, 'paper' | 'strategy'> & Moded,
  instruments: readonly Instrument[],
): { registry: MachineRegistry; venue: VenueFactory; returns: ReturnsFactory } {
  const { initialBalance, ...slippage } = config.paper;
  const venue = venueFactory({ instruments, initialBalance, slippage, positionMode: modeOf(config) });
  const engine = { type: VENUE, factory: venue, checkpointEvery: VENUE_CHECKPOINT_ROWS };
  const returns = returnsFactory();
  return {
    registry: new MachineRegistry(definitionsOf(config), [engine, returnsEngine(returns)]),
    venue,
    returns,
  };
}

export function composeSystem(options: SystemOptions): System {
  const { config, instruments, time } = options;
  const configNow = options.configNow ?? (() => config);
  const { registry, venue, returns } = machineRegistry(
    { ...config, ...moded(config.venue.positionMode) },
    instruments,
  );
  const audience = new MarketAudience({
    instruments,
    timeframe: options.timeframe,
    engine: venue.current,
    fundingLeadMs: () => configNow().position.exits.funding.withinMs,
    now: () => time.now(),
  });
  const { initialBalance } = config.paper;
  const system = buildSystem({
    ...options,
    registry,
    audience,
    venue: { id: VENUE, input: { initialBalance } },
    returns: returns.current,
    wallet: initialBalance,
  });
  const engine = (): VenueEngine => defined(venue.current(), 'running venue');
  const exchange = new SimulatedExchange(engine, time);
  return { ...system, audience, venue, exchange, positions: () => believedPositions(system.runtime) };
}

/**
 * Journal against venue, before anything new is decided. The in-process venue commits with the journal, so a
 * difference in what is open is a defect: entries stay halted until a person has looked. Missing protection
 * alone halts nothing: the position's own timers are at it, as they were before the restart.
 */
export async function reconcileSystem({
  runtime,
  exchange,
  positions,
}: System): Promise<readonly Difference[]> {
  const differences = reconcile(positions(), await exchange.report());
  if (differences.every(({ kind }) => kind === 'unprotected')) return differences;
  const cause = { kind: 'external', id: 'reconciliation' } as const;
  runtime.tell({ to: PORTFOLIO, event: { type: 'OPERATOR_HALT', by: 'reconciliation' }, cause });
  await runtime.quiescent();
  return differences;
}

/** Every position actor's own belief. */
function believedPositions(runtime: ActorRuntime): BelievedPosition[] {
  return runtime.actorIds().flatMap((actor) => {
    const text = actorType(actor) === 'position' ? runtime.actor(actor)?.snapshotText : undefined;
    if (text === undefined) return [];
    const { symbol, direction, quantity } = (JSON.parse(text) as { context: PositionContext }).context;
    return [{ actor, symbol, direction, quantity }];
  });
}
