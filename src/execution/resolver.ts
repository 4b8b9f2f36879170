/**
 * Ends what is uncertain, by asking: which calls are due now, what their answers mean, when to look again.
 *
 * Invariants: "there is no such order" counts only when it was asked for repeatedly after the request could no
 * longer land, and a full reading after that shows nothing of it; no question is given up while its order may
 * still do something; a cancel may be repeated (it can open nothing), a submit never.
 */
import { isZero } from '../core/decimal.ts';
import { VENUE } from '../domain/events.ts';
import { opensPosition } from '../domain/order.ts';
import type { CallEnded, RemoteAlgoOrder, RemoteAnswers, RemoteRefusal } from '../domain/remote.ts';
import { applyAll } from './attribution.ts';
import {
  call,
  notify,
  pauseAfter,
  READINGS_MAY_FAIL,
  tell,
  type Work,
  wantReport,
} from './executor-state.ts';
import type { OrderRecord, PendingCall } from './executor-types.ts';
import { inferMissing } from './inference.ts';
import { refuseCancel } from './order-cancel.ts';
import { forgottenByVenue, settle } from './order-fills.ts';
import { becomeUnknown, neverArrived, observeAlgo, observePlain } from './order-life.ts';
import { askWithin, endsAtOnce, lacksFills } from './order-record.ts';

/** More questions than this at once would crowd out everything else. */
const QUESTIONS_AT_ONCE = 10;
const MISSES_NEEDED = 2;
const CANCEL_TRIES = 6;
const ASKS_BEFORE_CANCELLING_AGAIN = 4;
const LEVERAGE_TRIES = 3;
/** About three minutes: a trade list that lacks what its order counts for so long will not show it any more. */
const ASKS_BEFORE_INFERRING = 20;
/** Under a minute: a triggered order that became nothing which the venue can show has become nothing. */
const ASKS_BEFORE_NOTHING_CAME = 8;

/** The moment from which on the order's request cannot arrive any more. */
export const cannotLand = (work: Work, record: OrderRecord): number =>
  record.sendBy + work.settings.landingMs;

/** Both clocks must have passed it: they may differ. */
const isPast = (work: Work, moment: number): boolean => Math.min(work.state.at, work.state.venueAt) >= moment;

export function queryEnded(work: Work, about: PendingCall, result: CallEnded['result']): void {
  const record = about.order === null ? undefined : work.state.orders[about.order];
  if (!record) return;
  record.asked += 1;
  if (result.outcome !== 'done') {
    askWithin(work, record, pauseAfter(work.settings, record.asked));
    return;
  }
  const answer = result.value as RemoteAnswers['query'];
  if (answer === null) missed(work, record, about);
  else found(work, record, about, answer);
}

function found(
  work: Work,
  record: OrderRecord,
  about: PendingCall,
  answer: NonNullable<RemoteAnswers['query']>,
): void {
  record.misses = 0;
  record.absentInReading = false;
  record.seenAt = Math.max(record.seenAt, about.at);
  record.askAt = null;
  if (answer.book === 'plain') {
    observePlain(work, record, answer.order);
    applyAll(work, record, answer.fills);
  } else {
    observeAlgo(work, record, answer.algo);
    if (answer.actual) {
      observePlain(work, record, answer.actual.order);
      applyAll(work, record, answer.actual.fills);
    } else if (cameToNothing(record, answer.algo)) {
      record.end ??= { outcome: 'rejected-at-trigger', reason: `${answer.algo.status} without an order` };
    }
  }
  settle(work, record);
  if (record.status === 'over') return;
  if (isShownNoMore(work, record, about)) {
    inferMissing(work, record, answer);
    settle(work, record);
    return;
  }
  afterCheck(work, record);
  if (!needsMore(record)) record.asked = 0;
  else if (record.askAt === null) askWithin(work, record, pauseAfter(work.settings, record.asked));
}

/** Of what opens that is believed sooner: what filled stands without a stop until then. */
function isShownNoMore(work: Work, record: OrderRecord, { at }: PendingCall): boolean {
  if (record.end === null) return false;
  const due = record.updatedAt + work.settings.slowMs / 3;
  const isUrgent = opensPosition(record.order) && at >= due && isPast(work, due);
  return isUrgent || record.asked >= ASKS_BEFORE_INFERRING;
}

const cameToNothing = (record: OrderRecord, { status }: RemoteAlgoOrder): boolean =>
  (status === 'TRIGGERED' || status === 'FINISHED') &&
  record.asked >= ASKS_BEFORE_NOTHING_CAME &&
  isZero(record.venueFilled);

/** Still something to learn: fills that are missing, an end that was announced or is due, a cancel being looked after. */
const needsMore = (record: OrderRecord): boolean =>
  record.triggered ||
  record.end !== null ||
  endsAtOnce(record.order) ||
  lacksFills(record) ||
  record.cancel?.stage === 'check';

/** The order is still there after its cancel was answered, or was not. */
function afterCheck(work: Work, record: OrderRecord): void {
  const { cancel } = record;
  if (cancel?.stage !== 'check') return;
  if (cancel.refusal !== null && cancel.tries >= CANCEL_TRIES) {
    refuseCancel(work, record, cancel.refusal.code, cancel.refusal.reason);
    return;
  }
  // A cancel that was accepted shows in the readings a little later.
  const accepted = cancel.refusal === null && record.asked < ASKS_BEFORE_CANCELLING_AGAIN;
  if (accepted) return;
  cancel.stage = 'wanted';
  cancel.dueAt = work.state.at + pauseAfter(work.settings, cancel.tries);
}

function missed(work: Work, record: OrderRecord, about: PendingCall): void {
  const { state, settings } = work;
  const due = record.acknowledged ? record.updatedAt + settings.quietMs : cannotLand(work, record);
  const counts = about.at >= due && isPast(work, due) && about.at >= record.missedAt + settings.secondMs;
  if (counts) {
    record.misses += 1;
    record.missedAt = about.at;
  }
  if (record.misses >= MISSES_NEEDED && record.absentInReading) {
    if (record.acknowledged) forgottenByVenue(work, record);
    else neverArrived(work, record);
    return;
  }
  if (about.at >= due && !record.absentInReading)
    wantReport(work, `nothing is known of ${record.order.clientOrderId}`);
  const pause = pauseAfter(settings, record.asked);
  // No use in waiting beyond the moment from which on an answer counts.
  askWithin(work, record, state.at + pause > due && state.at < due ? due - state.at : pause);
}

export function cancelEnded(work: Work, about: PendingCall, result: CallEnded['result']): void {
  const record = about.order === null ? undefined : work.state.orders[about.order];
  const cancel = record?.cancel;
  if (!record || cancel?.stage !== 'sent') return;
  cancel.stage = 'check';
  cancel.refusal = null;
  record.asked = 0;
  if (result.outcome === 'done') askWithin(work, record, work.settings.secondMs);
  else if (result.outcome === 'unknown') askWithin(work, record, work.settings.ladder[0] ?? 0);
  else cancelRefused(work, record, cancel, result);
}

const THERE_IS_NONE = new Set([-2011, -2013]);

function cancelRefused(
  work: Work,
  record: OrderRecord,
  cancel: NonNullable<OrderRecord['cancel']>,
  { code, reason }: RemoteRefusal,
): void {
  cancel.refusal = { code, reason };
  if (THERE_IS_NONE.has(code)) {
    // It may have filled, or not have arrived: whatever it is, its order is asked first.
    askWithin(work, record, 0);
    return;
  }
  if (cancel.tries >= CANCEL_TRIES) {
    refuseCancel(work, record, code, reason);
    return;
  }
  cancel.stage = 'wanted';
  cancel.dueAt = work.state.at + pauseAfter(work.settings, cancel.tries);
}

export function leverageEnded(work: Work, about: PendingCall, result: CallEnded['result']): void {
  const { owner, symbol, leverage } = about;
  if (owner === null || symbol === null || leverage === null) return;
  if (result.outcome === 'done') {
    tell(work, owner, { type: 'LEVERAGE_SET', symbol, leverage });
  } else if (result.outcome === 'unknown' && about.tries < LEVERAGE_TRIES) {
    // Setting it twice is the same as setting it once.
    call(work, { call: 'leverage', symbol, leverage }, { owner, tries: about.tries + 1 });
  } else {
    const code = result.outcome === 'rejected' ? result.code : 0;
    tell(work, owner, { type: 'LEVERAGE_REJECTED', symbol, code, reason: result.reason });
  }
}

/** After a start: nobody will ever say how these ended. */
export function forgetCalls(work: Work): void {
  const calls = Object.values(work.state.calls);
  work.state.calls = {};
  work.state.report = { ...work.state.report, inFlight: null };
  work.state.income.inFlight = null;
  for (const about of calls) lostCall(work, about, 'the process ended while the call was under way');
}

function lostCall(work: Work, about: PendingCall, reason: string): void {
  const record = about.order === null ? undefined : work.state.orders[about.order];
  switch (about.call) {
    case 'submit':
      if (record) becomeUnknown(work, record, reason);
      break;
    case 'cancel':
      cancelEnded(work, about, { outcome: 'unknown', reason });
      break;
    case 'leverage':
      leverageEnded(work, about, { outcome: 'unknown', reason });
      break;
    case 'query':
      if (record) askWithin(work, record, 0);
      break;
    case 'report':
    case 'income':
      break;
  }
}

/** Returns how many in a row have. Readings are the authority: without them nothing is opened, and people hear it. */
export function readingFailed(work: Work, reason: string): number {
  const failures = work.state.report.failures + 1;
  work.state.report = { ...work.state.report, inFlight: null, failures };
  if (failures === READINGS_MAY_FAIL)
    notify(work, 'critical', `the account cannot be read (${reason}): nothing is opened until it can`);
  return failures;
}

export function readingDone(work: Work): void {
  if (work.state.report.failures >= READINGS_MAY_FAIL) notify(work, 'info', 'the account can be read again');
  work.state.report = { ...work.state.report, inFlight: null, failures: 0 };
}

/** Calls whose time for an answer is over. Their late answers are still heard. */
export function expireCalls(work: Work): void {
  const { state, settings } = work;
  // With every input: no list is made of what is nearly always a handful.
  for (const id in state.calls) {
    const about = state.calls[id];
    if (!about) continue;
    if (about.overdue && state.at > about.deadline + 10 * settings.slowMs) delete state.calls[id];
    if (about.overdue || state.at < about.deadline) continue;
    about.overdue = true;
    if (state.report.inFlight?.id === id) {
      readingFailed(work, 'no answer');
      wantReport(work, 'the last reading got no answer');
    }
    if (state.income.inFlight === id) state.income = { ...state.income, inFlight: null, dueAt: state.at };
    lostCall(work, about, 'no answer within its deadline');
  }
}

/** Everything that is due now leaves. */
export function pump(work: Work): void {
  const { state } = work;
  let questions = 0;
  const asking = new Set<string>();
  for (const each of Object.values(state.calls)) {
    if (each.call !== 'query' || each.overdue) continue;
    questions += 1;
    if (each.order !== null) asking.add(each.order);
  }
  for (const record of work.waiting.all()) {
    const { cancel } = record;
    if (cancel?.stage === 'wanted' && cancel.dueAt <= state.at) sendCancel(work, record);
    const { clientOrderId, symbol } = record.order;
    const isDue = record.askAt !== null && record.askAt <= state.at;
    if (!isDue || asking.has(clientOrderId) || questions >= QUESTIONS_AT_ONCE) continue;
    record.askAt = null;
    questions += 1;
    call(work, { call: 'query', symbol, book: record.book, clientOrderId }, { order: clientOrderId });
  }
}

function sendCancel(work: Work, record: OrderRecord): void {
  const { cancel, order } = record;
  // Not before there is a word on whether it arrived.
  if (!cancel || record.status === 'sending') return;
  cancel.stage = 'sent';
  cancel.tries += 1;
  const { symbol, clientOrderId } = order;
  const about = { order: clientOrderId, owner: VENUE };
  if (record.actualOrderId === null)
    call(work, { call: 'cancel', symbol, book: record.book, clientOrderId }, about);
  else
    call(
      work,
      { call: 'cancel', symbol, book: 'plain', clientOrderId, orderId: record.actualOrderId },
      about,
    );
}

/** When the resolver must look again at the latest. */
export function nextDue(work: Work): number {
  const { state } = work;
  let due = Number.POSITIVE_INFINITY;
  const asking = new Set<string>();
  for (const about of Object.values(state.calls)) {
    if (about.overdue) continue;
    due = Math.min(due, about.deadline);
    if (about.call === 'query' && about.order !== null) asking.add(about.order);
  }
  const full = asking.size >= QUESTIONS_AT_ONCE;
  for (const record of work.waiting.all()) {
    const { askAt, cancel, status, order } = record;
    if (askAt !== null && !full && !asking.has(order.clientOrderId)) due = Math.min(due, askAt);
    if (cancel?.stage === 'wanted' && status !== 'sending') due = Math.min(due, cancel.dueAt);
  }
  return due;
}
