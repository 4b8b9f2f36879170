/**
 * The executor's memory at its beginning, its settings, and what all of its parts do: emit, call, look up.
 *
 * Invariant: every wait is stretched by the venue's time factor here and nowhere else.
 */
import { decimal } from '../core/decimal.ts';
import type { ActorId } from '../core/ids.ts';
import type { ActorEvent, Emitted, Level } from '../domain/events.ts';
import type { SymbolName } from '../domain/instrument.ts';
import type { VenueEvent } from '../domain/order.ts';
import type { PositionKey } from '../domain/position-key.ts';
import type { RemoteCall } from '../domain/remote.ts';
import type { ExecutorOptions, ExecutorState, ForeignPolicy, OrderRecord } from './executor-types.ts';
import type { WaitingOrders } from './waiting-orders.ts';

/** In milliseconds of the runtime's clock. */
export interface Settings {
  readonly asset: string;
  readonly symbols: ReadonlySet<SymbolName>;
  readonly tickSizes: Readonly<Record<SymbolName, string>>;
  readonly marketMaxQuantities: Readonly<Record<SymbolName, string>>;
  readonly breaker: ActorId | null;
  readonly marginBreaker: ActorId | null;
  readonly foreign: ForeignPolicy;
  readonly sendWindowMs: number;
  /** After `sendBy`, a request can land for this long, margin included. */
  readonly landingMs: number;
  readonly callTimeoutMs: number;
  /** A full reading, or the ledger, is many requests that may have to wait for the rate limits. */
  readonly readingTimeoutMs: number;
  readonly reconcileEveryMs: number;
  /** Between two questions about the same thing; the last is used for ever after. */
  readonly ladder: readonly number[];
  /** The pause between questions that were asked in vain for long. */
  readonly slowMs: number;
  /** Reads may lag behind the stream by this much: nothing younger is judged by its absence. */
  readonly quietMs: number;
  /** How far back behind the last complete reading the next one looks. */
  readonly overlapMs: number;
  readonly secondMs: number;
}

const LANDING_MARGIN_MS = 10_000;
/** The gateway gives a reading the time of six calls. */
const READING_CALLS = 7;
/** So many readings in a row that failed, and what the books say is too old to open anything by. */
export const READINGS_MAY_FAIL = 3;
const LADDER_MS = [300, 1_000, 2_000, 5_000, 10_000];
export const DEEP_LOOK_MS = 3_600_000;

export function settingsOf(options: ExecutorOptions): Settings {
  const factor = options.timeFactor ?? 1;
  return {
    asset: options.asset ?? 'USDT',
    symbols: new Set(options.symbols),
    tickSizes: options.tickSizes ?? {},
    marketMaxQuantities: options.marketMaxQuantities ?? {},
    breaker: options.breaker ?? null,
    marginBreaker: options.marginBreaker ?? null,
    foreign: options.foreign ?? 'report',
    sendWindowMs: (options.sendWindowMs ?? 5_000) * factor,
    landingMs: ((options.recvWindowMs ?? 5_000) + LANDING_MARGIN_MS) * factor,
    // A call may wait for its turn until it must have left; then it has its own deadline, and some grace.
    callTimeoutMs: ((options.sendWindowMs ?? 5_000) + 2 * (options.callTimeoutMs ?? 10_000)) * factor,
    readingTimeoutMs: READING_CALLS * (options.callTimeoutMs ?? 10_000) * factor,
    reconcileEveryMs: (options.reconcileEveryMs ?? 60_000) * factor,
    ladder: LADDER_MS.map((ms) => ms * factor),
    slowMs: 60_000 * factor,
    quietMs: 5_000 * factor,
    overlapMs: 120_000 + 30_000 * factor,
    secondMs: 1_000 * factor,
  };
}

export function initialState(options: ExecutorOptions): ExecutorState {
  return {
    version: 1,
    at: 0,
    venueAt: 0,
    nextCall: 1,
    calls: {},
    orders: {},
    finished: {},
    byOrderId: {},
    stream: 'down',
    streamReason: 'not connected yet',
    ready: false,
    baseline: null,
    cursor: 0,
    lookDeep: false,
    report: { inFlight: null, dueAt: 0, failures: 0, why: 'start' },
    income: { inFlight: null, dueAt: null, tries: 0 },
    holdings: {},
    foreign: {},
    positions: {},
    limbo: [],
    trades: {},
    rows: {},
    touched: {},
    wallet: decimal(options.initialWallet ?? '0'),
    walletDrift: null,
    drifts: {},
    findings: {},
    cleanOwed: 0,
    timerDue: null,
  };
}

/** What the parts of the executor work on: settings, state, and the outputs of the input being applied. */
export interface Work {
  readonly settings: Settings;
  readonly state: ExecutorState;
  readonly waiting: WaitingOrders;
  readonly out: Emitted[];
}

export function send(work: Work, to: ActorId, event: ActorEvent): void {
  work.out.push({ type: 'send', to, event });
}

export function tell(work: Work, to: ActorId, event: VenueEvent): void {
  send(work, to, event as unknown as ActorEvent);
}

export function notify(work: Work, level: Level, text: string): void {
  work.out.push({ type: 'notify', level, text });
}

/** Tells people once for each change of what there is to say about a matter. */
export function finding(work: Work, matter: string, text: string, level: Level = 'warning'): void {
  if (work.state.findings[matter] === text) return;
  work.state.findings[matter] = text;
  notify(work, level, text);
}

export function settled(work: Work, matter: string): void {
  delete work.state.findings[matter];
}

/** That closing what is foreign there does not succeed. */
export const closingMatter = (place: PositionKey): string => `closing:${place}`;

/** The breaker tries after the first reading that agrees, and closes on the second. */
const CLEAN_READINGS = 2;

/** The venue contradicts the books: people hear it, and trading halts until a reading agrees again. */
export function contradiction(work: Work, text: string): void {
  notify(work, 'critical', text);
  const { breaker } = work.settings;
  work.state.cleanOwed = CLEAN_READINGS;
  if (breaker !== null) send(work, breaker, { type: 'FINDINGS', count: 1, detail: text });
}

type Unidentified<C> = C extends RemoteCall ? Omit<C, 'id'> : never;

interface CallFor {
  readonly order?: string;
  readonly owner?: ActorId;
  readonly tries?: number;
}

/** Emits a call and remembers that its outcome is owed. */
export function call(work: Work, wanted: Unidentified<RemoteCall>, about: CallFor = {}): string {
  const { state, settings } = work;
  const id = `c${state.nextCall++}`;
  const isReading = wanted.call === 'report' || wanted.call === 'income';
  state.calls[id] = {
    call: wanted.call,
    order: about.order ?? null,
    symbol: 'symbol' in wanted ? wanted.symbol : wanted.call === 'submit' ? wanted.order.symbol : null,
    owner: about.owner ?? null,
    leverage: wanted.call === 'leverage' ? wanted.leverage : null,
    tries: about.tries ?? 0,
    at: state.at,
    deadline: state.at + (isReading ? settings.readingTimeoutMs : settings.callTimeoutMs),
    overdue: false,
  };
  work.out.push({ type: 'venue.call', call: { ...wanted, id } as RemoteCall });
  return id;
}

/** Asks for a full reading not later than `delayMs` from now. */
export function wantReport(work: Work, why: string, delayMs = 0): void {
  const { report, at } = work.state;
  const dueAt = at + delayMs;
  if (report.dueAt <= dueAt) return;
  report.dueAt = dueAt;
  report.why = why;
}

/** An order that is on its way from now on. */
export function keepRecord({ state, waiting }: Work, record: OrderRecord): void {
  state.orders[record.order.clientOrderId] = record;
  waiting.add(record);
}

export function findRecord(work: Work, clientOrderId: string): OrderRecord | undefined {
  return work.state.orders[clientOrderId] ?? work.state.finished[clientOrderId];
}

/** The venue counts its orders by the symbol: the same number on another is another order. */
const orderKey = (symbol: SymbolName, orderId: string): string => `${symbol}:${orderId}`;

export function nameOrder(work: Work, symbol: SymbolName, orderId: string, clientOrderId: string): void {
  work.state.byOrderId[orderKey(symbol, orderId)] = clientOrderId;
}

type Named = { readonly symbol: SymbolName; readonly orderId: string };

export function recordByOrderId(work: Work, { symbol, orderId }: Named): OrderRecord | undefined {
  const clientOrderId = work.state.byOrderId[orderKey(symbol, orderId)];
  return clientOrderId === undefined ? undefined : findRecord(work, clientOrderId);
}

/** By the venue's id it is one of those that are remembered: whatever it fills is booked for its owner. */
export const knowsOrder = (state: ExecutorState, { symbol, orderId }: Named): boolean => {
  const clientOrderId = state.byOrderId[orderKey(symbol, orderId)];
  return clientOrderId !== undefined && (clientOrderId in state.orders || clientOrderId in state.finished);
};

/** Where the ladder stands after so many questions. */
export function pauseAfter(settings: Settings, asked: number): number {
  const { ladder } = settings;
  if (asked > ladder.length + 10) return settings.slowMs;
  return ladder[Math.min(asked, ladder.length - 1)] ?? settings.slowMs;
}

export function touch(work: Work, place: PositionKey, at: number): void {
  work.state.touched[place] = Math.max(work.state.touched[place] ?? 0, at);
}

/** Nothing that was known to happen there is younger than what a reading of `at` can miss. */
export const isQuiet = (work: Work, place: PositionKey, at: number): boolean =>
  (work.state.touched[place] ?? 0) <= at - work.settings.quietMs;
