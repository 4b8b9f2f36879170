/** The status document of a running system, put together from committed state when somebody wants to see it. */

import type { BreakerContext } from '../../../machines/breaker.ts';
import type { EntryContext } from '../../../machines/entry.ts';
import { barsOf } from '../../../machines/guardian.ts';
import { deskOf } from '../../../machines/messages.ts';
import { type PortfolioContext, tradingState } from '../../../machines/portfolio.ts';
import type { PositionContext } from '../../../machines/position/context.ts';
import { averagePrice } from '../../../machines/position/ledger.ts';
import type { TreeNode } from '../../../supervisors/introspection.ts';
import { add, type Decimal, fromNumber, gt, mul, neg, sub, sum, ZERO } from '../../core/decimal.ts';
import type { ActorId } from '../../core/ids.ts';
import { stateText } from '../../core/state-text.ts';
import type { StandbyState, StandbyWord, StoreHealth, StoreSize } from '../../journal/journal.ts';
import { positionWords } from '../../operator/position-words.ts';
import type { EntriesStatus } from '../../operator/status-document.ts';
import type { MarketIdentity } from '../compose/open-market.ts';
import type { VenueStatus } from '../live/venue-status.ts';
import { VERSION } from '../version.ts';
import { type Liquidations, NO_LIQUIDATIONS } from './liquidations.ts';
import type { ReadModel, Snapshot } from './read-model.ts';
import type {
  AccountStatus,
  AlertsStatus,
  BreakerStatus,
  PositionStatus,
  RunState,
  StatusDocument,
  TradesStatus,
} from './status-file.ts';
import { STATUS_FORMAT } from './status-file.ts';

/** What does not change while a run lasts. */
export interface RunFacts {
  readonly pid: number;
  readonly mode: string;
  readonly accountName: string;
  readonly startedAt: number;
  readonly lastTrades: number;
  readonly intervalMs: number;
}

/** What does. */
export interface RunProgress {
  state: RunState;
  market: MarketIdentity | undefined;
  store: StoreHealth | undefined;
  storeSize: (StoreSize & { readonly anchorN: number }) | undefined;
  virtualTime: number | null;
  steps: number;
  totalSteps: number | null;
  recovery: { readonly ms: number; readonly actors: number; readonly safeMs?: number } | null;
  n: number;
  durableN: number;
  rowsPerSecond: number;
  error: string | null;
  /** Last mark by symbol. */
  prices: Readonly<Record<string, number>>;
  liquidations: Liquidations;
  tree: TreeNode | null;
  /** What the account began with. */
  initialBalance: Decimal;
  venue: VenueStatus | undefined;
  http: StatusDocument['http'];
  alerts: (() => AlertsStatus) | undefined;
  /** Of a run that stands by. */
  standby: StandbyWord | null;
  /** Who stands by for this run. */
  standbys: readonly StandbyState[];
  secrets: () => StatusDocument['secrets'];
  /** The version of the configuration that runs. */
  configuration: StatusDocument['configuration'] | undefined;
}

export const initialProgress = (initialBalance: Decimal): RunProgress => ({
  initialBalance,
  venue: undefined,
  http: undefined,
  alerts: undefined,
  standby: null,
  standbys: [],
  secrets: () => undefined,
  configuration: undefined,
  state: 'starting',
  market: undefined,
  store: undefined,
  storeSize: undefined,
  virtualTime: null,
  steps: 0,
  totalSteps: null,
  recovery: null,
  n: 0,
  durableN: 0,
  rowsPerSecond: 0,
  error: null,
  prices: {},
  liquidations: NO_LIQUIDATIONS,
  tree: null,
});

export function statusDocument(
  facts: RunFacts,
  progress: RunProgress,
  model: ReadModel,
  now: number,
): StatusDocument {
  const positions = model
    .positions()
    .flatMap(([actor, snapshot]) => positionStatus(actor, snapshot, progress))
    .map((position) => ({ ...position, ...sizedBy(position.actor, model) }));
  const portfolio = model.portfolio()?.context;
  const { market, store } = progress;
  const secrets = progress.secrets();
  return {
    format: STATUS_FORMAT,
    version: VERSION,
    pid: facts.pid,
    mode: facts.mode,
    accountName: facts.accountName,
    state: progress.state,
    startedAt: facts.startedAt,
    updatedAt: now,
    intervalMs: facts.intervalMs,
    virtualTime: progress.virtualTime,
    market: { name: market?.source ?? 'none', symbols: market?.symbols ?? [], seed: market?.seed ?? null },
    store: {
      engine: store?.engine ?? 'none',
      location: store?.location ?? '',
      durable: store?.durable ?? false,
      ...sizeOf(progress.storeSize),
    },
    account: accountStatus(progress, model, sum(positions.map(({ openPnl }) => openPnl))),
    positions,
    trades: tradesStatus(model, facts.lastTrades),
    ...(portfolio ? { entries: entriesStatus(portfolio) } : {}),
    breakers: [...model.breakers().map(breakerStatus), ...guardianBars(model)],
    tradingState: portfolio ? tradingState(portfolio) : 'halted',
    journal: { n: progress.n, durableN: progress.durableN, rowsPerSecond: progress.rowsPerSecond },
    tree: progress.tree,
    ...(progress.configuration ? { configuration: progress.configuration } : {}),
    ...(progress.venue ? { venue: progress.venue } : {}),
    ...(progress.alerts ? { alerts: progress.alerts() } : {}),
    ...(progress.http ? { http: progress.http } : {}),
    ...(progress.standby ? { standby: progress.standby } : {}),
    ...(progress.standbys.length > 0 ? { standbys: progress.standbys } : {}),
    ...(secrets ? { secrets } : {}),
    recovery: progress.recovery,
    progress: { done: progress.steps, total: progress.totalSteps },
    error: progress.error,
  };
}

function sizeOf(size: RunProgress['storeSize']): Partial<StatusDocument['store']> {
  if (!size) return {};
  const { bytes, freeBytes, anchorN } = size;
  return { bytes, ...(freeBytes === null ? {} : { freeBytes }), ...(anchorN === 0 ? {} : { anchorN }) };
}

/** The wallet's story in the venue's words; equity is marked to the newest prices. */
export function accountStatus(
  { initialBalance }: Pick<RunProgress, 'initialBalance'>,
  model: ReadModel,
  openPnl: Decimal,
): AccountStatus {
  const portfolio = model.portfolio()?.context;
  const flows = portfolio?.flows ?? {};
  const flow = (reason: string): Decimal => flows[reason] ?? ZERO;
  const wallet = portfolio?.wallet ?? initialBalance;
  return {
    initial: initialBalance,
    wallet,
    equity: add(wallet, openPnl),
    realised: add(flow('REALIZED_PNL'), flow('INSURANCE_CLEAR')),
    fees: neg(flow('COMMISSION')),
    funding: flow('FUNDING_FEE'),
    openPnl,
  };
}

function positionStatus(
  actor: ActorId,
  { value, context }: Snapshot<PositionContext>,
  { prices, liquidations }: Pick<RunProgress, 'prices' | 'liquidations'>,
): PositionStatus[] {
  if (!gt(context.quantity, ZERO)) return [];
  const entryPrice = averagePrice(context);
  const price = prices[context.symbol];
  const markPrice = price === undefined ? entryPrice : fromNumber(price);
  const move = sub(markPrice, entryPrice);
  return [
    {
      actor,
      symbol: context.symbol,
      direction: context.direction,
      quantity: context.quantity,
      entryPrice,
      markPrice,
      stopPrice: context.stopPrice,
      ...(context.firstFillAt === null ? {} : { openedAt: context.firstFillAt }),
      tickSize: context.filters.tickSize,
      openPnl: mul(context.direction === 'long' ? move : neg(move), context.quantity),
      liquidationPrice: liquidations(context.symbol, context.direction) ?? null,
      state: stateText(value),
      doing: positionWords(value),
    },
  ];
}

function sizedBy(actor: ActorId, model: ReadModel): Pick<PositionStatus, 'sizedBy'> {
  const approval = model.of<EntryContext>(deskOf(actor))?.context.lastApproval;
  return approval?.position === actor ? { sizedBy: approval.notes } : {};
}

function tradesStatus(model: ReadModel, shown: number): TradesStatus {
  const portfolio = model.portfolio()?.context;
  const { trades = 0, wins = 0, losses = 0 } = portfolio?.counts ?? {};
  const last = (portfolio?.lastTrades ?? []).slice(-shown).map((trade) => ({
    ...tickOf(model, trade.symbol),
    symbol: trade.symbol,
    direction: trade.direction,
    quantity: trade.quantity,
    entryPrice: trade.entryPrice,
    exitPrice: trade.exitPrice,
    net: trade.netPnl,
    reason: trade.reason,
    closedAt: trade.closedAt,
  }));
  return { count: trades, wins, losses, last };
}

const REFUSALS_SHOWN = 5;

function entriesStatus({ counts, refusedRules, refusals }: PortfolioContext): EntriesStatus {
  const { approved = 0, refused = 0 } = counts;
  return { approved, refused, refusedRules, lastRefused: refusals.slice(-REFUSALS_SHOWN) };
}

/** As a status document has it: absent where no desk knows the symbol. */
export function tickOf(model: ReadModel, symbol: string): { readonly tickSize?: Decimal } {
  const tickSize = model.tickSize(symbol);
  return tickSize === undefined ? {} : { tickSize };
}

function breakerStatus([actor, { value, context }]: ReturnType<
  ReadModel['breakers']
>[number]): BreakerStatus {
  const state = stateText(value);
  return {
    name: actor.slice(actor.indexOf('/') + 1),
    state: state.startsWith('closed') ? 'closed' : state.startsWith('half') ? 'half-open' : 'open',
    ...(state.startsWith('open') ? { effect: breakerEffect(context) } : {}),
    since: context.openedAt,
    reason: context.cause,
  };
}

const CLOSINGS = { none: '', largest: ', closes the largest', all: ', closes everything' } as const;

export function breakerEffect({ level, closing, openScope }: BreakerContext): string {
  const of = [...(openScope?.symbols ?? []), ...(openScope?.direction ? [`${openScope.direction}s`] : [])];
  const scope = of.length === 0 ? '' : ` for ${of.join(', ')}`;
  return `${level ?? 'open'}${CLOSINGS[closing]}${scope}`;
}

/** No actors, and yet what forbids entries and can be released. */
function guardianBars(model: ReadModel): BreakerStatus[] {
  const { context } = model.guardian() ?? {};
  if (!context) return [];
  return barsOf(context).map(({ breaker, at, reason }) => ({
    ...{ name: breaker, state: 'open', since: at, reason },
  }));
}
