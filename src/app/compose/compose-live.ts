/**
 * The composition root of paper and live trading: the same tree as the demo's, with the executor of a remote
 * venue as its venue, and a live market.
 */
import { breakerOf } from '../../../machines/messages.ts';
import {
  EXECUTOR_CHECKPOINT_ROWS,
  type ExecutorFactory,
  executorFactory,
} from '../../../supervisors/executor-logic.ts';
import { MachineRegistry, type WrapLogic } from '../../../supervisors/machine-registry.ts';
import type { Recovered } from '../../../supervisors/recovery.ts';
import { type ReturnsFactory, returnsEngine, returnsFactory } from '../../../supervisors/returns-logic.ts';
import type { Config } from '../../config/schema.ts';
import type { Time } from '../../core/clock.ts';
import { VENUE } from '../../domain/events.ts';
import type { ExecutorOptions } from '../../execution/executor.ts';
import type { JournalWriter } from '../../journal/journal-writer.ts';
import { executorSettings } from '../config/config-settings.ts';
import { LiveAudience } from '../drive/live-audience.ts';
import { LIVE_TIMEFRAME } from '../drive/live-channels.ts';
import type { RemoteIdentity } from '../run/run-identity.ts';
import { buildSystem, definitionsOf, type SystemListeners, type TradingSystem } from '../run/system.ts';

export interface LiveSystemOptions extends SystemListeners {
  readonly config: Config;
  /** The one in force, where it may change. */
  readonly configNow?: () => Config;
  readonly identity: RemoteIdentity;
  readonly instance: string;
  readonly recovered: Recovered;
  readonly writer: JournalWriter;
  readonly time: Time;
  /** Around the logics of its actors: nothing, but in a simulation. */
  readonly wrap?: WrapLogic;
}

export interface LiveSystem extends TradingSystem {
  readonly audience: LiveAudience;
  readonly executor: ExecutorFactory;
}

/** The machines and the executor of a journal that was begun so; also what its replay needs. */
export function remoteRegistry(
  { strategy, venue, instruments }: Pick<RemoteIdentity, 'strategy' | 'venue' | 'instruments'>,
  wrap?: WrapLogic,
): {
  registry: MachineRegistry;
  executor: ExecutorFactory;
  options: ExecutorOptions;
  returns: ReturnsFactory;
} {
  const options: ExecutorOptions = {
    initialWallet: venue.wallet,
    symbols: instruments.map(({ symbol }) => symbol),
    tickSizes: Object.fromEntries(instruments.map(({ symbol, tickSize }) => [symbol, tickSize])),
    marketMaxQuantities: Object.fromEntries(
      instruments.map(({ symbol, marketMaxQuantity }) => [symbol, marketMaxQuantity]),
    ),
    breaker: breakerOf('reconciliation'),
    marginBreaker: breakerOf('margin'),
    timeFactor: venue.timeFactor,
    recvWindowMs: venue.recvWindowMs,
    callTimeoutMs: venue.callTimeoutMs,
    reconcileEveryMs: venue.reconcileEveryMs,
    foreign: venue.foreign,
  };
  const executor = executorFactory(options);
  const engine = { type: VENUE, factory: executor, checkpointEvery: EXECUTOR_CHECKPOINT_ROWS };
  const returns = returnsFactory();
  const engines = [engine, returnsEngine(returns)];
  const registry = new MachineRegistry(definitionsOf({ strategy }), engines, wrap);
  return { registry, executor, options, returns };
}

export function composeLive(options: LiveSystemOptions): LiveSystem {
  const { identity, config } = options;
  const configNow = options.configNow ?? (() => config);
  const { timeFactor } = identity.venue;
  const { registry, executor, returns } = remoteRegistry(identity, options.wrap);
  const audience = new LiveAudience(
    identity.market.symbols,
    LIVE_TIMEFRAME,
    () => configNow().position.exits.funding.withinMs,
  );
  const system = buildSystem({
    ...options,
    instruments: identity.instruments,
    registry,
    audience,
    venue: { id: VENUE, input: { wallet: identity.venue.wallet } },
    returns: returns.current,
    wallet: identity.venue.wallet,
    remote: {
      timeFactor,
      initial: executorSettings(identity.venue, timeFactor),
      changed: () => executor.current()?.state.changed,
    },
  });
  return { ...system, audience, executor };
}
