/**
 * The running tree, however its market and its venue come: the same actors, supervisors and runtime for demo,
 * paper and live. What differs (the venue's actor, who looks at the market, the clock) is handed in by
 * compose.ts and compose-live.ts.
 */

import {
  BREAKER_KINDS,
  REMOTE_BREAKER_KINDS,
  scopedBreakers,
  TRADE_BREAKERS,
} from '../../../machines/breaker-rules.ts';
import { machineDefinitions } from '../../../machines/index.ts';
import { breakerOf, deskOf, entryDeskOf, feedOf, OPERATOR, scannerOf } from '../../../machines/messages.ts';
import type { PortfolioContext } from '../../../machines/portfolio.ts';
import { ActorHost } from '../../../supervisors/actor-host.ts';
import { ActorRuntime, type Committed } from '../../../supervisors/actor-runtime.ts';
import type { ExitReason } from '../../../supervisors/exit.ts';
import type { MachineRegistry } from '../../../supervisors/machine-registry.ts';
import type { Recovered } from '../../../supervisors/recovery.ts';
import {
  type ActorSeed,
  rootSpec,
  type SystemSpec,
  startPosition,
} from '../../../supervisors/root-supervisor.ts';
import { rootSupervisor, type Supervisor } from '../../../supervisors/supervisor.ts';
import { Tree, type TreeEvent } from '../../../supervisors/tree.ts';
import { riskLimits } from '../../config/risk-schema.ts';
import type { Config } from '../../config/schema.ts';
import type { Time } from '../../core/clock.ts';
import { type Decimal, max, ZERO } from '../../core/decimal.ts';
import { BulkheadError } from '../../core/errors.ts';
import type { ActorId } from '../../core/ids.ts';
import { seededRandom } from '../../core/random.ts';
import { type ActorEvent, GUARDIAN, type Message, PORTFOLIO, VENUE } from '../../domain/events.ts';
import type { Instrument, SymbolName } from '../../domain/instrument.ts';
import { keysOn, moded, namedSide } from '../../domain/position-key.ts';
import type { Entry } from '../../domain/risk.ts';
import type { ExecutorSettings } from '../../execution/executor-types.ts';
import type { JournalWriter } from '../../journal/journal-writer.ts';
import { riskJudge } from '../../risk/learning.ts';
import { RETURNS, type ReturnHistory } from '../../risk/return-history.ts';
import { strategyByName } from '../../strategy/strategy.ts';
import {
  configMessages,
  deskSettings,
  guardBoundMs,
  recoveredContext,
  signalAgeMs,
} from '../config/config-settings.ts';
import { type SymbolConditions, withConditions } from '../drive/market-conditions.ts';
import { withMark } from '../drive/position-mark.ts';
import { withGate } from '../live/gate-word.ts';

/** Who looks at the market for the actors: keeps the last prices and each position's guard band. */
export interface Audience {
  /** Last mark by symbol, of those that have one. */
  prices(): Record<SymbolName, number>;
  /** Prices from before anything was heard of the market. */
  seedPrices(prices: Readonly<Record<SymbolName, number>>): void;
  observe(committed: Committed): void;
  /** A live position's guard band, from its snapshot; null: it is over. */
  watch(actor: ActorId, snapshot: string | null): void;
  /** What a receiver must know of the market to take a message at this moment. */
  enrich(to: ActorId, event: ActorEvent): ActorEvent;
  /** What the market's source knows of spread, depth and funding, where it knows any. */
  conditions?(entry: Entry): SymbolConditions | undefined;
}

/** Who wants to hear of the tree and its end. */
export interface SystemListeners {
  readonly onTreeEvent?: (event: TreeEvent) => void;
  readonly onQuarantine?: (actor: ActorId, message: Message, reason: string) => void;
  readonly onRootExit?: (reason: ExitReason) => void;
  /** No actor takes anything any more. */
  readonly onBroken?: (error: unknown) => void;
}

export interface SystemParts extends SystemListeners {
  /** What new actors begin with. */
  readonly config: Config;
  /** The one in force, where it may change; absent: it never does. */
  readonly configNow?: () => Config;
  readonly instance: string;
  readonly instruments: readonly Instrument[];
  readonly recovered: Recovered;
  readonly writer: JournalWriter;
  readonly time: Time;
  readonly registry: MachineRegistry;
  readonly audience: Audience;
  /** The actor that stands for the venue: the simulated one, or the executor of a remote one. */
  readonly venue: ActorSeed;
  readonly returns: () => ReturnHistory | undefined;
  /** What the account begins with. */
  readonly wallet: Decimal;
  /** Of a remote venue. */
  readonly remote?: RemoteParts;
}

export interface RemoteParts {
  /** How much faster than real time the runtime's clock runs: waits for the network are stretched by it. */
  readonly timeFactor: number;
  /** What its executor began with. */
  readonly initial: Required<ExecutorSettings>;
  /** What it goes by now, where that is other. */
  readonly changed: () => ExecutorSettings | undefined;
}

/** A version of the configuration, as the actors are told of it. */
export interface ToldVersion {
  readonly config: Config;
  readonly version: number;
  /** Unique for this telling. */
  readonly telling: string;
}

export interface TradingSystem {
  readonly runtime: ActorRuntime;
  readonly host: ActorHost;
  readonly root: Supervisor;
  readonly audience: Audience;
  /** What of the configuration the running actors do not go by yet. */
  readonly unheard: (told: ToldVersion) => readonly Message[];
  /** The same of the actors as the journal left them, before they run. */
  readonly unheardAtStart: (told: ToldVersion) => readonly Message[];
}

/** The machines of a configuration; the venue's actor comes beside them. */
export const definitionsOf = ({ strategy }: Pick<Config, 'strategy'>) =>
  machineDefinitions({ strategy: strategyByName(strategy.name, strategy.options), risk: riskJudge });

export function buildSystem(parts: SystemParts): TradingSystem {
  const { recovered, time, audience, remote } = parts;
  const configNow = parts.configNow ?? (() => parts.config);
  const tree = new Tree({
    time,
    random: seededRandom(`supervisors/${parts.instance}`),
    ...(parts.onTreeEvent ? { onEvent: parts.onTreeEvent } : {}),
  });
  const runtime: ActorRuntime = new ActorRuntime({
    instance: parts.instance,
    clock: time.clock,
    writer: parts.writer,
    settledN: recovered.settledN,
    hooks: {
      startChild: (actor, _machine, input, cause) => {
        startPosition(tree, host, actor, input, cause);
        if (!runtime.knows(actor)) for (const message of unstarted(actor)) runtime.tell(message);
      },
      crashed: (actor, error) => host.crashed(actor, error),
      finished: (actor) => host.finished(actor),
      enrich: (to, event) =>
        withConditions(
          to,
          withGate(
            runtime,
            to,
            withMark(to, audience.enrich(to, event), () => audience.prices()),
          ),
          {
            returns: () => (wantsReturns(configNow()) ? parts.returns() : undefined),
            portfolio: () => portfolioOf(runtime),
            symbol: (entry) => audience.conditions?.(entry),
          },
        ),
      ...(parts.onQuarantine ? { quarantined: parts.onQuarantine } : {}),
      ...(parts.onBroken ? { broken: parts.onBroken } : {}),
    },
  });
  const host: ActorHost = new ActorHost(runtime, parts.registry, recovered);
  runtime.observe((committed) => audience.observe(committed));
  const portfolio = recovered.live.get(PORTFOLIO);
  if (portfolio) audience.seedPrices(marksOf(portfolio.checkpoint));
  const root = rootSupervisor(rootSpec(host, systemSpec(parts)), tree, parts.onRootExit);
  const factor = remote?.timeFactor;
  const atStart = recoveredContext(recovered, parts.registry, remote?.initial);
  return {
    ...{ runtime, host, root, audience },
    unheard: (told) =>
      configMessages({ ...told, factor, actors: runtime.actorIds(), context: contextNow(runtime, remote) }),
    unheardAtStart: (told) =>
      configMessages({ ...told, factor, actors: [VENUE, ...recovered.live.keys()], context: atStart }),
  };
}

const contextNow =
  (runtime: ActorRuntime, remote: RemoteParts | undefined) =>
  (actor: ActorId): unknown => {
    if (actor === VENUE) return remote && { ...remote.initial, ...remote.changed() };
    const text = runtime.actor(actor)?.snapshotText;
    return text === undefined ? undefined : (JSON.parse(text) as { context: unknown }).context;
  };

const wantsReturns = ({ risk }: Config): boolean => risk.correlation.enabled || risk.valueAtRisk.enabled;

/**
 * Hands the runtime what the journal still owes, starts the tree, and lets messages flow where they stopped.
 * `first` is told before anything that was pending.
 */
export async function startSystem(
  { runtime, host, root, audience }: TradingSystem,
  recovered: Recovered,
  first: readonly Message[] = [],
): Promise<void> {
  for (const { n, count } of recovered.unconsumed) runtime.recoverOutstanding(n, count);
  if (recovered.deadLetters) runtime.recoverDeadLetters(recovered.deadLetters);
  for (const message of [...first, ...recovered.pending]) runtime.tell(message);
  await root.start();
  insistOnEssentials(host);
  // As it was taken up, not as its row has it: an older version may have written that.
  for (const actor of recovered.live.keys()) {
    if (actor.startsWith('position/')) audience.watch(actor, runtime.actor(actor)?.snapshotText ?? null);
  }
  runtime.open();
  await runtime.quiescent();
}

/** Without these nothing can be traded or protected: a run that lacks one must end and give the account back. */
const ESSENTIAL: readonly ActorId[] = [VENUE, PORTFOLIO];

function insistOnEssentials({ unrestorable }: ActorHost): void {
  const missing = unrestorable.find(({ actor }) => ESSENTIAL.includes(actor));
  if (!missing) return;
  throw new BulkheadError('ACTOR_UNRESTORABLE', `${missing.actor} cannot be restored: ${missing.reason}`, {
    hint: 'Run the version that wrote this journal, or restore it from a backup. Stops rest at the venue meanwhile.',
  });
}

/** A position that could not even start: its desk and the portfolio must not wait for it for ever. */
function unstarted(actor: ActorId): Message[] {
  const event = { type: 'POSITION_CLOSED', actor, trade: null, reason: 'it did not start' };
  const cause = { kind: 'external', id: `unstarted:${actor}` } as const;
  return [deskOf(actor), PORTFOLIO].map((to) => ({ to, event, cause }));
}

/** Parsed only where the logic that runs it says nothing but its snapshot: that is most of what a question costs. */
function portfolioOf(runtime: ActorRuntime): PortfolioContext | undefined {
  const actor = runtime.actor(PORTFOLIO);
  if (actor?.context !== undefined) return actor.context as PortfolioContext;
  const text = actor?.snapshotText;
  return text === undefined ? undefined : (JSON.parse(text) as { context: PortfolioContext }).context;
}

function marksOf(snapshot: string): Record<string, number> {
  const { context } = JSON.parse(snapshot) as { context: PortfolioContext };
  return Object.fromEntries(Object.entries(context.marks).map(([symbol, mark]) => [symbol, Number(mark)]));
}

function systemSpec(parts: SystemParts): SystemSpec {
  const { config, instruments, remote } = parts;
  const at = parts.time.clock.now();
  const settings = deskSettings(config, remote?.timeFactor);
  const age = remote ? { maxSignalAgeMs: signalAgeMs(config, remote.timeFactor) } : {};
  const { positionMode: mode } = config.venue;
  const perSymbol = (seed: (instrument: Instrument) => ActorSeed): ActorSeed[] => instruments.map(seed);
  return {
    venue: [parts.venue],
    risk: riskActors(parts, at),
    feeds: [
      { id: RETURNS, input: {} },
      ...perSymbol(({ symbol }) => ({
        id: feedOf(symbol),
        input: { symbol, ...moded(mode), at, breaker: breakerOf('stale-data') },
      })),
    ],
    desks: instruments.flatMap((instrument) =>
      keysOn(instrument.symbol, mode).map((place) => ({
        id: entryDeskOf(place),
        input: { symbol: instrument.symbol, ...namedSide(place), instrument, at, ...settings },
      })),
    ),
    scanners: perSymbol(({ symbol }) => ({
      id: scannerOf(symbol),
      input: { symbol, ...moded(mode), at, ...age },
    })),
  };
}

function riskActors({ config, instruments, wallet, remote }: SystemParts, at: number): ActorSeed[] {
  const kinds = remote ? [...BREAKER_KINDS, ...REMOTE_BREAKER_KINDS] : BREAKER_KINDS;
  const hedged = moded(config.venue.positionMode);
  const guard = remote ? { guardBoundMs: guardBoundMs(config, remote.timeFactor) } : {};
  const settings = {
    ...config.breakers,
    symbols: instruments.length,
    maintenanceRate: highestMaintenanceRate(instruments),
  };
  const scoped = scopedBreakers(instruments.map(({ symbol }) => symbol));
  const portfolio = {
    at,
    wallet,
    limits: riskLimits(config),
    equityBreakers: [breakerOf('drawdown'), breakerOf('daily-loss')],
    tradeBreakers: TRADE_BREAKERS,
  };
  return [
    { id: PORTFOLIO, input: portfolio },
    ...kinds.map((kind) => ({ id: breakerOf(kind), input: { kind, at, settings } })),
    ...scoped.map(({ kind, name, scope }) => ({
      id: breakerOf(name),
      input: { kind, name, scope, at, settings },
    })),
    { id: GUARDIAN, input: { at, ...hedged, ...guard } },
    { id: OPERATOR, input: { at, symbols: instruments.map(({ symbol }) => symbol), ...hedged } },
  ];
}

/** Of the first brackets: positions of our sizes stay in them. */
const highestMaintenanceRate = (instruments: readonly Instrument[]): Decimal =>
  instruments
    .flatMap(({ brackets }) => brackets.slice(0, 1).map(({ maintMarginRate }) => maintMarginRate))
    .reduce((highest, rate) => max(highest, rate), ZERO);
