/**
 * The executor: turns what positions want into calls to a remote venue, and what the venue says into events for
 * their owners. Pure and replayed: no clock, no dice, no I/O.
 *
 * Invariants: an order is submitted by one call and never again; a call without an outcome is UNKNOWN, and only
 * evidence ends it; an owner hears acknowledged before filled, each trade once, cumulative quantities that only
 * rise, and one end; while anything before is not settled, or a breaker is open, nothing that could open is sent.
 */
import type { BreakerChanged } from '../../machines/messages.ts';
import { assert, unreachable } from '../core/assert.ts';
import { cloneJson, type Json } from '../core/json.ts';
import type { Emitted } from '../domain/events.ts';
import { keysIn, symbolOf } from '../domain/position-key.ts';
import type { CallEnded, RemoteAnswers } from '../domain/remote.ts';
import { settleLimbo } from './attribution.ts';
import { takeIncome } from './books.ts';
import { hearBreaker } from './entry-gate.ts';
import {
  call,
  DEEP_LOOK_MS,
  initialState,
  type Settings,
  settingsOf,
  type Work,
  wantReport,
} from './executor-state.ts';
import type { ExecutorInput, ExecutorOptions, ExecutorState, PendingCall } from './executor-types.ts';
import { adoptForeign, closeForeign, hold, ignoreForeign } from './foreign.ts';
import { wantCancel } from './order-cancel.ts';
import { submit, submitEnded } from './order-life.ts';
import { takeReport } from './reconciliation.ts';
import {
  cancelEnded,
  expireCalls,
  forgetCalls,
  leverageEnded,
  nextDue,
  pump,
  queryEnded,
  readingDone,
  readingFailed,
} from './resolver.ts';
import { takeEvent, wantIncome } from './stream.ts';
import { WaitingOrders } from './waiting-orders.ts';

export type * from './executor-types.ts';

const TIMER = 'resolve';
/** While the private stream is down, readings are all there is. */
const BLIND_SHARE = 4;

export class Executor {
  readonly #settings: Settings;
  #state: ExecutorState;
  #waiting: WaitingOrders;

  constructor(options: ExecutorOptions) {
    this.#settings = settingsOf(options);
    this.#state = initialState(options);
    this.#waiting = new WaitingOrders(this.#state.orders);
  }

  static restore(checkpoint: Json, options: ExecutorOptions): Executor {
    const executor = new Executor(options);
    const state = cloneJson(checkpoint) as unknown as ExecutorState;
    assert(state.version === 1, `an executor checkpoint of version ${state.version}`);
    // Of a journal from before they were kept.
    for (const record of [...Object.values(state.orders), ...Object.values(state.finished)])
      record.trades ??= [];
    executor.#state = state;
    executor.#waiting = new WaitingOrders(state.orders);
    return executor;
  }

  /** Plain JSON, to be written out at once: it is the executor's own, and may be megabytes. */
  checkpoint(): Json {
    return this.#state as unknown as Json;
  }

  /** For status and reports; never to be changed. */
  get state(): Readonly<ExecutorState> {
    return this.#state;
  }

  apply(input: ExecutorInput): readonly Emitted[] {
    const { changed } = this.#state;
    const settings = changed ? { ...this.#settings, ...changed } : this.#settings;
    const work: Work = { settings, state: this.#state, waiting: this.#waiting, out: [] };
    if (input.type === 'RESTARTED') beginAt(work, input.at);
    work.state.at = Math.max(work.state.at, input.at);
    dispatch(work, input);
    expireCalls(work);
    settleLimbo(work);
    pump(work);
    sendReads(work);
    arm(work);
    return work.out;
  }
}

/** The machine's clock may have been set back between two lives: nothing here waits for what it said before. */
function beginAt(work: Work, at: number): void {
  const { state } = work;
  if (at >= state.at) return;
  state.at = at;
  state.timerDue = null;
  for (const record of [...Object.values(state.orders), ...Object.values(state.finished)]) {
    record.seenAt = Math.min(record.seenAt, at);
    record.missedAt = Math.min(record.missedAt, at);
    if (record.orphanSince !== null) record.orphanSince = Math.min(record.orphanSince, at);
    if (record.askAt !== null) record.askAt = Math.min(record.askAt, at);
    if (record.cancel) record.cancel.dueAt = Math.min(record.cancel.dueAt, at);
  }
  state.limbo = state.limbo.map((entry) => ({ ...entry, at: Math.min(entry.at, at) }));
  if (state.income.dueAt !== null) state.income.dueAt = at;
}

function dispatch(work: Work, input: ExecutorInput): void {
  const { state } = work;
  switch (input.type) {
    case 'order.submit':
      submit(work, input.order, input.gate);
      break;
    case 'order.cancel':
      wantCancel(work, input.owner, input.ref, input.symbol);
      break;
    case 'leverage.set':
      call(
        work,
        { call: 'leverage', symbol: input.symbol, leverage: input.leverage },
        { owner: input.owner },
      );
      break;
    case 'CALL_ENDED':
      callEnded(work, input);
      break;
    case 'STREAM':
      takeEvent(work, input.event);
      break;
    case 'STREAM_UP':
      state.stream = 'up';
      startReading(work, 'the private stream came up');
      break;
    case 'STREAM_DOWN':
      state.stream = 'down';
      state.streamReason = input.reason;
      startReading(work, `the private stream is down: ${input.reason}`);
      break;
    case 'RESTARTED':
      // The reading that begins now is the one that counts, where the stream was there before it.
      state.stream = input.stream ?? 'down';
      state.streamReason = 'just started';
      forgetCalls(work);
      if (input.doubtful) state.doubtful = input.doubtful;
      startReading(work, `started with epoch ${input.epoch}`);
      break;
    case 'RESOLVE':
      state.timerDue = null;
      break;
    case 'RECONCILE':
      wantReport(work, input.why);
      break;
    case 'CONFIG':
      state.changed = { ...state.changed, ...input.settings };
      readSooner(state, input.settings.reconcileEveryMs);
      break;
    case 'BREAKER_CHANGED':
      takeBreaker(state, input);
      break;
    case 'HOLD':
      hold(work, input);
      break;
    case 'ADOPT':
      adoptForeign(work, input);
      break;
    case 'IGNORE':
      ignoreForeign(work, input);
      break;
    case 'CLOSE_FOREIGN':
      closeForeign(work, input);
      break;
    default:
      unreachable(input);
  }
}

function takeBreaker(state: ExecutorState, changed: BreakerChanged): void {
  const open = hearBreaker(state.breakers, changed);
  if (open === undefined) delete state.breakers;
  else state.breakers = open;
}

/** Nothing that opens is sent until a reading that begins from now on is done. */
function startReading(work: Work, why: string): void {
  const { state } = work;
  state.ready = false;
  if (state.report.inFlight)
    state.report = { ...state.report, inFlight: { ...state.report.inFlight, fresh: false } };
  wantReport(work, why);
}

function callEnded(work: Work, input: CallEnded): void {
  const { state } = work;
  state.venueAt = Math.max(state.venueAt, input.venueAt);
  const about = state.calls[input.id];
  if (!about) return;
  delete state.calls[input.id];
  const record =
    about.order === null ? undefined : (state.orders[about.order] ?? state.finished[about.order]);
  switch (about.call) {
    case 'submit':
      if (record) submitEnded(work, record, input.result);
      break;
    case 'cancel':
      cancelEnded(work, about, input.result);
      break;
    case 'leverage':
      if (!about.overdue) leverageEnded(work, about, input.result);
      break;
    case 'query':
      queryEnded(work, about, input.result);
      break;
    case 'report':
      reportEnded(work, input, about);
      break;
    case 'income':
      incomeEnded(work, input);
      break;
  }
}

function reportEnded(work: Work, { id, result }: CallEnded, about: PendingCall): void {
  const { state, settings } = work;
  const { inFlight } = state.report;
  if (inFlight?.id !== id) return;
  if (result.outcome !== 'done') {
    const failures = readingFailed(work, result.reason);
    const pause = settings.ladder[Math.min(failures, settings.ladder.length - 1)] ?? settings.slowMs;
    wantReport(work, `the last reading failed: ${result.reason}`, pause);
    return;
  }
  readingDone(work);
  takeReport(work, result.value as RemoteAnswers['report'], about.at);
  if (inFlight.fresh && state.stream === 'up') state.ready = true;
}

/** Rows come a while after what caused them. */
const INCOME_TRIES = 5;

function incomeEnded(work: Work, { id, result, venueAt }: CallEnded): void {
  const { state } = work;
  if (state.income.inFlight !== id) return;
  const { tries } = state.income;
  state.income = { inFlight: null, dueAt: state.income.dueAt, tries: tries + 1 };
  const rows = result.outcome === 'done' ? (result.value as RemoteAnswers['income']).rows : [];
  const found = state.baseline !== null && takeIncome(work, rows, venueAt);
  if (!found && tries + 1 < INCOME_TRIES) wantIncome(work, work.settings.ladder[tries + 1] ?? 0, tries + 1);
}

/** What was due by a longer pause is due by the shorter one. */
function readSooner(state: Work['state'], everyMs: number | undefined): void {
  if (everyMs === undefined) return;
  const every = state.stream === 'up' ? everyMs : everyMs / BLIND_SHARE;
  state.report = { ...state.report, dueAt: Math.min(state.report.dueAt, state.at + every) };
}

function sendReads(work: Work): void {
  const { state, settings } = work;
  if (state.report.inFlight === null && state.report.dueAt <= state.at) {
    const back = state.lookDeep ? DEEP_LOOK_MS : settings.overlapMs;
    const from = state.cursor === 0 ? Math.max(state.venueAt, state.at) : state.cursor;
    const id = call(work, { call: 'report', since: from - back, symbols: symbolsToRead(work) });
    const every = state.stream === 'up' ? settings.reconcileEveryMs : settings.reconcileEveryMs / BLIND_SHARE;
    const inFlight = { id, at: state.at, fresh: state.stream === 'up' };
    state.report = { ...state.report, inFlight, dueAt: state.at + every, why: 'its turn' };
  }
  const { income } = state;
  if (income.inFlight === null && income.dueAt !== null && income.dueAt <= state.at) {
    const since = (state.cursor === 0 ? state.at : state.cursor) - settings.overlapMs;
    state.income = { ...income, inFlight: call(work, { call: 'income', since }), dueAt: null };
  }
}

/** Those on which something of ours may have filled. */
function symbolsToRead({ state }: Work): string[] {
  const places = [...keysIn(state.holdings), ...keysIn(state.touched), ...keysIn(state.drifts)];
  const symbols = new Set(places.map(symbolOf));
  for (const { order } of Object.values(state.orders)) symbols.add(order.symbol);
  return [...symbols].sort();
}

/** One durable timer, armed for the earliest thing to do; it is only ever moved nearer. */
function arm(work: Work): void {
  const { state } = work;
  const { report, income } = state;
  let due = nextDue(work);
  if (report.inFlight === null) due = Math.min(due, report.dueAt);
  if (income.inFlight === null && income.dueAt !== null) due = Math.min(due, income.dueAt);
  // One that should long have come never will: its event was quarantined.
  const isArmed = state.timerDue !== null && state.timerDue > state.at - work.settings.secondMs;
  if (!Number.isFinite(due) || (isArmed && (state.timerDue ?? 0) <= due)) return;
  const delayMs = Math.max(0, Math.ceil(due - state.at));
  state.timerDue = state.at + delayMs;
  work.out.push({ type: 'timer.set', id: TIMER, kind: 'named', delayMs, event: { type: 'RESOLVE' } });
}
