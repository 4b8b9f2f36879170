/**
 * The composition root. Demo, paper, backtest, simulation and live get the same tree from here; they differ in
 * adapters and clock alone.
 */

import { BREAKER_KINDS } from '../../machines/breaker-rules.ts';
import { machineDefinitions } from '../../machines/index.ts';
import { breakerOf, entryDeskOf, feedOf, scannerOf } from '../../machines/messages.ts';
import type { PortfolioContext } from '../../machines/portfolio.ts';
import type { PositionContext } from '../../machines/position.ts';
import { ActorHost } from '../../supervisors/actor-host.ts';
import { ActorRuntime } from '../../supervisors/actor-runtime.ts';
import type { ExitReason } from '../../supervisors/exit.ts';
import { MachineRegistry } from '../../supervisors/machine-registry.ts';
import type { Recovered } from '../../supervisors/recovery.ts';
import {
  type ActorSeed,
  rootSpec,
  type SystemSpec,
  startPosition,
} from '../../supervisors/root-supervisor.ts';
import { rootSupervisor, type Supervisor } from '../../supervisors/supervisor.ts';
import { Tree, type TreeEvent } from '../../supervisors/tree.ts';
import { VENUE_CHECKPOINT_ROWS, type VenueFactory, venueFactory } from '../../supervisors/venue-logic.ts';
import { positionPlan } from '../config/plan.ts';
import type { Config } from '../config/schema.ts';
import { defined } from '../core/assert.ts';
import type { Time, VirtualTime } from '../core/clock.ts';
import { type ActorId, actorType } from '../core/ids.ts';
import { seededRandom } from '../core/random.ts';
import type { Timeframe } from '../domain/candle.ts';
import { GUARDIAN, type Message, PORTFOLIO, VENUE } from '../domain/events.ts';
import type { Instrument } from '../domain/instrument.ts';
import type { VenueEngine } from '../exchange/engine.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { SimulatedExchange } from '../exchange/simulated-exchange.ts';
import { type BelievedPosition, type Difference, reconcile } from '../execution/reconciliation.ts';
import type { JournalWriter } from '../journal/journal-writer.ts';
import { assessEntry } from '../risk/risk-manager.ts';
import { strategyByName } from '../strategy/strategy.ts';
import { MarketAudience } from './step-audience.ts';

export interface SystemOptions {
  readonly config: Config;
  readonly instance: string;
  readonly instruments: readonly Instrument[];
  /** Of the market's bars. */
  readonly timeframe: Timeframe;
  readonly recovered: Recovered;
  readonly writer: JournalWriter;
  readonly time: VirtualTime;
  readonly onTreeEvent?: (event: TreeEvent) => void;
  readonly onQuarantine?: (actor: ActorId, message: Message, reason: string) => void;
  readonly onRootExit?: (reason: ExitReason) => void;
}

export interface System {
  readonly runtime: ActorRuntime;
  readonly host: ActorHost;
  readonly root: Supervisor;
  readonly audience: MarketAudience;
  readonly venue: VenueFactory;
  readonly exchange: Exchange;
  readonly positions: () => BelievedPosition[];
}

/** The machines and the venue of this configuration; also what a replay needs. */
export function machineRegistry(
  config: Pick<Config, 'paper' | 'strategy'>,
  instruments: readonly Instrument[],
): { registry: MachineRegistry; venue: VenueFactory } {
  const { initialBalance, ...slippage } = config.paper;
  const venue = venueFactory({ instruments, initialBalance, slippage });
  const definitions = machineDefinitions({
    strategy: strategyByName(config.strategy.name, config.strategy.options),
    assess: assessEntry,
  });
  const engine = { type: VENUE, factory: venue, checkpointEvery: VENUE_CHECKPOINT_ROWS };
  return { registry: new MachineRegistry(definitions, [engine]), venue };
}

export function composeSystem(options: SystemOptions): System {
  const { config, instruments, recovered, time } = options;
  const { registry, venue } = machineRegistry(config, instruments);
  const audience = new MarketAudience({
    instruments,
    timeframe: options.timeframe,
    engine: venue.current,
    now: () => time.now(),
  });
  const tree = new Tree({
    time,
    random: seededRandom(`supervisors/${options.instance}`),
    ...(options.onTreeEvent ? { onEvent: options.onTreeEvent } : {}),
  });
  const runtime: ActorRuntime = new ActorRuntime({
    instance: options.instance,
    clock: time,
    writer: options.writer,
    settledN: recovered.settledN,
    hooks: {
      startChild: (actor, _machine, input, cause) => {
        startPosition(tree, host, actor, input, cause);
        if (!runtime.knows(actor)) for (const message of unstarted(actor)) runtime.tell(message);
      },
      crashed: (actor, error) => host.crashed(actor, error),
      finished: (actor) => host.finished(actor),
      enrich: (to, event) => audience.enrich(to, event),
      ...(options.onQuarantine ? { quarantined: options.onQuarantine } : {}),
    },
  });
  const host: ActorHost = new ActorHost(runtime, registry, recovered);
  runtime.observe((committed) => audience.observe(committed));
  const portfolio = recovered.live.get(PORTFOLIO);
  if (portfolio) audience.seedPrices(marksOf(portfolio.checkpoint));
  const root = rootSupervisor(rootSpec(host, systemSpec(options, time)), tree, options.onRootExit);
  const engine = (): VenueEngine => defined(venue.current(), 'running venue');
  const exchange = new SimulatedExchange(engine, time);
  return { runtime, host, root, audience, venue, exchange, positions: () => believedPositions(runtime) };
}

/** Hands the runtime what the journal still owes, starts the tree, and lets messages flow where they stopped. */
export async function startSystem({ runtime, root, audience }: System, recovered: Recovered): Promise<void> {
  for (const { n, count } of recovered.unconsumed) runtime.recoverOutstanding(n, count);
  if (recovered.deadLetters) runtime.recoverDeadLetters(recovered.deadLetters);
  for (const message of recovered.pending) runtime.tell(message);
  await root.start();
  for (const [actor, { row }] of recovered.live) {
    if (actor.startsWith('position/')) audience.watch(actor, row.snapshot);
  }
  runtime.open();
  await runtime.quiescent();
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

/** A position that could not even start: its desk and the portfolio must not wait for it for ever. */
function unstarted(actor: ActorId): Message[] {
  const event = { type: 'POSITION_CLOSED', actor, trade: null, reason: 'it did not start' };
  const cause = { kind: 'external', id: `unstarted:${actor}` } as const;
  return [entryDeskOf(actor.split('/')[1] ?? ''), PORTFOLIO].map((to) => ({ to, event, cause }));
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

function marksOf(snapshot: string): Record<string, number> {
  const { context } = JSON.parse(snapshot) as { context: PortfolioContext };
  return Object.fromEntries(Object.entries(context.marks).map(([symbol, mark]) => [symbol, Number(mark)]));
}

function systemSpec({ config, instruments }: SystemOptions, time: Time): SystemSpec {
  const at = time.clock.now();
  const plan = positionPlan(config);
  const perSymbol = (seed: (instrument: Instrument) => ActorSeed): ActorSeed[] => instruments.map(seed);
  return {
    venue: [{ id: VENUE, input: { initialBalance: config.paper.initialBalance } }],
    risk: riskActors(config, instruments.length, at),
    feeds: perSymbol(({ symbol }) => ({
      id: feedOf(symbol),
      input: { symbol, at, breaker: breakerOf('stale-data') },
    })),
    desks: perSymbol((instrument) => ({
      id: entryDeskOf(instrument.symbol),
      input: { symbol: instrument.symbol, instrument, plan, at, ...config.entry },
    })),
    scanners: perSymbol(({ symbol }) => ({ id: scannerOf(symbol), input: { symbol, at } })),
  };
}

function riskActors(config: Config, symbols: number, at: number): ActorSeed[] {
  const settings = { ...config.breakers, symbols };
  const portfolio = {
    at,
    wallet: config.paper.initialBalance,
    limits: config.risk,
    equityBreakers: [breakerOf('drawdown'), breakerOf('daily-loss')],
    tradeBreakers: [breakerOf('consecutive-losses')],
  };
  return [
    { id: PORTFOLIO, input: portfolio },
    ...BREAKER_KINDS.map((kind) => ({ id: breakerOf(kind), input: { kind, at, settings } })),
    { id: GUARDIAN, input: { at } },
  ];
}
