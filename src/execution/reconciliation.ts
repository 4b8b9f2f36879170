/**
 * Holds a full reading of the venue against the books, and brings the books to the truth.
 *
 * Invariants: a reading may lag behind the stream, so nothing younger than it is judged by its absence, and
 * nothing is rolled back; what is missing from it is asked for, never assumed; real fills go before inferred
 * ones, and an inference needs two readings that agree and nothing under way that could explain it.
 */
import type { Decimal } from '../core/decimal.ts';
import * as D from '../core/decimal.ts';
import { cloneJson } from '../core/json.ts';
import type { Emitted } from '../domain/events.ts';
import { isReducing, opensPosition } from '../domain/order.ts';
import { keyOf, keysIn, type PositionKey } from '../domain/position-key.ts';
import type {
  RemoteAlgoOrder,
  RemoteCall,
  RemoteOrder,
  RemotePosition,
  RemoteReport,
} from '../domain/remote.ts';
import { settleLimbo, takeFill } from './attribution.ts';
import {
  changeForeign,
  changeWallet,
  expectedAmount,
  foreignOf,
  holderOf,
  oldest,
  Settlements,
  takeIncome,
} from './books.ts';
import {
  call,
  contradiction,
  finding,
  findRecord,
  isQuiet,
  notify,
  recordByOrderId,
  send,
  settingsOf,
  type Work,
  wantReport,
} from './executor-state.ts';
import type { ExecutorOptions, ExecutorState, ForeignOrder, OrderRecord } from './executor-types.ts';
import { reviewForeign, tellForeignConditionals } from './foreign.ts';
import { inferPosition } from './inference.ts';
import { wantCancel } from './order-cancel.ts';
import { settle } from './order-fills.ts';
import { observeAlgo, observePlain } from './order-life.ts';
import { askWithin, lacksFills } from './order-record.ts';
import { tellProtection } from './protection-view.ts';
import { cannotLand } from './resolver.ts';
import { WaitingOrders } from './waiting-orders.ts';

export { type BelievedPosition, type Difference, reconcile } from './belief-check.ts';

export interface Reconciled {
  /** For owners, the portfolio, desks and the guardian. */
  readonly events: readonly Extract<Emitted, { type: 'send' }>[];
  /** Calls to make. */
  readonly repairs: readonly RemoteCall[];
  /** For people. */
  readonly findings: readonly string[];
  readonly next: ExecutorState;
}

/** A reading taken outside of the executor: the same, on a copy. */
export function reconcileReport(
  state: ExecutorState,
  report: RemoteReport,
  options: ExecutorOptions,
): Reconciled {
  const copy = cloneJson(state);
  const waiting = new WaitingOrders(copy.orders);
  const work: Work = { settings: settingsOf(options), state: copy, waiting, out: [] };
  takeReport(work, report, work.state.at);
  return {
    events: work.out.filter((emitted) => emitted.type === 'send'),
    repairs: work.out.flatMap((emitted) => (emitted.type === 'venue.call' ? [emitted.call] : [])),
    findings: work.out.flatMap((emitted) => (emitted.type === 'notify' ? [emitted.text] : [])),
    next: work.state,
  };
}

/** `askedAt` is when (here) the reading was asked for. */
export function takeReport(work: Work, report: RemoteReport, askedAt: number): void {
  const { state } = work;
  state.lookDeep = false;
  if (state.baseline === null) begin(work, report);
  remember(work, report);
  const shown = takeOrders(work, report, askedAt);
  const settlements = new Settlements(report.income);
  for (const fill of [...report.fills].sort((a, b) => a.at - b.at)) {
    settlements.takeUntil(work, fill.at, report.at);
    takeFill(work, fill);
  }
  for (const record of Object.values(state.orders)) settle(work, record);
  for (const record of Object.values(state.orders))
    if (!shown.has(record)) judgeAbsence(work, record, report, askedAt);
  settleLimbo(work, Math.max(state.cursor, report.at));
  takeIncome(work, report.income, report.at);
  const places = new Set([
    ...keysIn(state.holdings),
    ...keysIn(state.foreign),
    ...keysIn(state.positions),
    ...keysIn(state.drifts),
  ]);
  const shownNow = new Map(report.positions.map((position) => [keyOf(position), position]));
  const underWay = placesUnderWay(work);
  for (const place of [...places].sort()) {
    const isBusy = underWay.has(place) || !isQuiet(work, place, report.at);
    comparePosition(work, place, shownNow.get(place), { report, isBusy });
  }
  compareWallet(work, report);
  sweepOrphans(work);
  reviewForeign(work);
  tellForeignConditionals(work);
  tellProtection(work, report);
  tellBreaker(work);
  tellMargin(work, report);
  state.cursor = Math.max(state.cursor, report.at);
  prune(work);
}

/** The first reading ever: what is there now was there before us. */
function begin(work: Work, report: RemoteReport): void {
  const { state } = work;
  state.baseline = report.at;
  changeWallet(work, D.sub(report.wallet, state.wallet), 'DEPOSIT');
  for (const position of report.positions)
    changeForeign(work, keyOf(position), position.amount, position.entryPrice);
}

function remember(work: Work, report: RemoteReport): void {
  const { state } = work;
  const before = state.positions;
  state.positions = {};
  for (const position of report.positions)
    if (!D.isZero(position.amount)) state.positions[keyOf(position)] = position;
  // The last known mark of what is gone: an inferred close needs a price.
  for (const place of [...keysIn(state.holdings), ...keysIn(state.drifts)]) {
    const last = before[place];
    if (last && !(place in state.positions)) state.positions[place] = { ...last, amount: D.ZERO };
  }
}

/** Orders that the reading shows: ours move forward, the others are noted. */
function takeOrders(work: Work, report: RemoteReport, askedAt: number): ReadonlySet<OrderRecord> {
  const { state } = work;
  const shown = new Set<OrderRecord>();
  for (const foreign of Object.values(state.foreign)) foreign.orders = [];
  for (const order of report.openOrders) {
    const record = recordByOrderId(work, order) ?? findRecord(work, order.clientOrderId);
    if (record) {
      observePlain(work, record, order);
      shown.add(record);
    } else if (!isOrphan(work, order, report))
      noteForeign(work, keyOf(order), {
        book: 'plain',
        orderId: order.orderId,
        clientOrderId: order.clientOrderId,
      });
  }
  for (const algo of report.openAlgoOrders) {
    const record = findRecord(work, algo.clientOrderId);
    if (record?.book === 'algo') {
      observeAlgo(work, record, algo);
      shown.add(record);
    } else if (!isOrphan(work, algo, report))
      noteForeign(work, keyOf(algo), {
        book: 'algo',
        orderId: algo.algoId,
        clientOrderId: algo.clientOrderId,
      });
  }
  for (const record of shown) {
    record.seenAt = Math.max(record.seenAt, askedAt);
    record.misses = 0;
    record.absentInReading = false;
  }
  return shown;
}

const OURS = /^bh-/;

/** An order of an earlier installation of ours that can only reduce, on a symbol with nothing to reduce. */
function isOrphan(work: Work, order: RemoteOrder | RemoteAlgoOrder, report: RemoteReport): boolean {
  const place = keyOf(order);
  const isFlat = !report.positions.some((each) => keyOf(each) === place && !D.isZero(each.amount));
  const isOurs = OURS.test(order.clientOrderId);
  if (!isOurs || !isReducing(order) || !isFlat || !isQuiet(work, place, report.at)) return false;
  const { symbol, clientOrderId } = order;
  const isAlgo = 'algoId' in order;
  finding(
    work,
    `orphan:${clientOrderId}`,
    `${clientOrderId} on ${symbol} is left over with nothing to reduce: it is cancelled`,
  );
  call(work, {
    call: 'cancel',
    symbol,
    book: isAlgo ? 'algo' : 'plain',
    clientOrderId,
    orderId: isAlgo ? order.algoId : order.orderId,
  });
  return true;
}

function noteForeign(work: Work, place: PositionKey, order: ForeignOrder): void {
  foreignOf(work, place).orders.push(order);
}

/** Not among the open orders: a reason to ask, never an answer. */
function judgeAbsence(work: Work, record: OrderRecord, report: RemoteReport, askedAt: number): void {
  if (record.status === 'sending') return;
  if (!record.acknowledged) {
    if (askedAt >= cannotLand(work, record) && report.at >= cannotLand(work, record))
      record.absentInReading = true;
    return;
  }
  if (record.updatedAt > report.at - work.settings.quietMs || record.seenAt > askedAt) return;
  record.absentInReading = true;
  askWithin(work, record, 0);
}

/** Where something is under way that may explain a difference; in one pass, for there may be 1,000 places. */
function placesUnderWay({ state }: Work): ReadonlySet<PositionKey> {
  const places = new Set(state.limbo.map(({ fill }) => keyOf(fill)));
  for (const record of Object.values(state.orders))
    if (!record.acknowledged || lacksFills(record) || record.absentInReading) places.add(keyOf(record.order));
  return places;
}

interface Comparison {
  readonly report: RemoteReport;
  readonly isBusy: boolean;
}

function comparePosition(
  work: Work,
  place: PositionKey,
  position: RemotePosition | undefined,
  { report, isBusy }: Comparison,
): void {
  const { state, settings } = work;
  const reported = position?.amount ?? D.ZERO;
  const missing = D.sub(reported, expectedAmount(work, place));
  const foreign = state.foreign[place];
  if (foreign && position) {
    foreign.entryPrice = position.entryPrice;
    foreign.markPrice = position.markPrice ?? foreign.markPrice;
  }
  if (D.isZero(missing)) {
    delete state.drifts[place];
    delete state.findings[`drift:${place}`];
    return;
  }
  if (isBusy) {
    wantReport(work, `${place} does not agree yet`, settings.quietMs);
    return;
  }
  explain(work, place, { missing, shown: reported, at: report.at });
}

interface Unexplained {
  readonly missing: Decimal;
  readonly shown: Decimal;
  readonly at: number;
}

function explain(work: Work, place: PositionKey, { missing, shown, at }: Unexplained): void {
  const { state, settings } = work;
  const drift = state.drifts[place];
  const isSame = drift !== undefined && D.eq(drift.amount, missing) && D.eq(drift.shown, shown);
  if (!isSame) state.drifts[place] = { amount: missing, shown, at };
  if (!isSame || at - drift.at < settings.quietMs) {
    state.lookDeep = true;
    finding(
      work,
      `drift:${place}`,
      `${place}: the venue shows ${shown}, the books differ by ${missing}; looking for the fills`,
    );
    wantReport(work, `${place} differs by ${missing}`, settings.quietMs);
    return;
  }
  if (touchesHolder(work, place, missing))
    contradiction(work, `${place}: no fill explains that the venue shows ${shown}; ${missing} is inferred`);
  inferPosition(work, place, missing, `inferred-${place}-${state.nextCall}`);
  delete state.drifts[place];
}

/** What is foreign may come and go without a word to us. */
function touchesHolder(work: Work, place: PositionKey, missing: Decimal): boolean {
  const foreign = work.state.foreign[place]?.amount ?? D.ZERO;
  const explained = D.sign(foreign) !== D.sign(missing) && D.lte(D.abs(missing), D.abs(foreign));
  return holderOf(work, place) !== undefined && !explained;
}

/** Once nothing is under way, the venue's wallet is the wallet; what no row explains is an adjustment. */
function compareWallet(work: Work, report: RemoteReport): void {
  const { state, settings } = work;
  const missing = D.sub(report.wallet, state.wallet);
  if (D.isZero(missing)) {
    state.walletDrift = null;
    return;
  }
  const drift = state.walletDrift;
  const isSame = drift !== null && D.eq(drift.amount, missing) && D.eq(drift.shown, report.wallet);
  const busy =
    placesUnderWay(work).size > 0 || keysIn(state.touched).some((place) => !isQuiet(work, place, report.at));
  // The ledger's rows come later than the wallet shows them: an adjustment in their place would count twice.
  if (busy || !isSame || report.at - drift.at < settings.slowMs) {
    if (!isSame) state.walletDrift = { amount: missing, shown: report.wallet, at: report.at };
    wantReport(work, `the wallet differs by ${missing}`, isSame ? settings.slowMs / 4 : settings.quietMs);
    return;
  }
  state.walletDrift = null;
  notify(
    work,
    'warning',
    `the venue's wallet is ${report.wallet}, ${missing} more than its ledger explains: adjusted`,
  );
  changeWallet(work, missing, 'ADJUSTMENT');
}

/** Stops that outlived what they protected, and whose owner does not care for them any more. */
function sweepOrphans(work: Work): void {
  const { state, settings } = work;
  const records = Object.values(state.orders);
  const opening = new Set(records.flatMap(({ order }) => (opensPosition(order) ? [order.owner] : [])));
  for (const record of records) {
    const { order, cancel } = record;
    const { owner, symbol } = order;
    const isIdle =
      !opensPosition(order) && !opening.has(owner) && record.status === 'live' && cancel === null;
    if (!isIdle || holderOf(work, keyOf(order)) !== undefined) {
      record.orphanSince = null;
      continue;
    }
    record.orphanSince ??= state.at;
    if (state.at - record.orphanSince < settings.slowMs / 2) {
      wantReport(work, 'a stop seems left over', settings.slowMs / 2);
      continue;
    }
    finding(
      work,
      `orphan:${order.clientOrderId}`,
      `${order.ref} of ${owner} on ${symbol} is left over with nothing to reduce: it is cancelled`,
    );
    wantCancel(work, owner, order.ref, symbol);
  }
}

function tellBreaker(work: Work): void {
  const { state, settings } = work;
  if (state.cleanOwed === 0 || Object.keys(state.drifts).length > 0) return;
  if (work.out.some((emitted) => emitted.type === 'send' && emitted.event.type === 'FINDINGS')) return;
  state.cleanOwed -= 1;
  if (settings.breaker !== null) send(work, settings.breaker, { type: 'CLEAN' });
}

/** The least that the first stage's limit may be: below it only a breaker that is open needs to hear. */
const LEAST_MARGIN_PERCENT = '25';

function tellMargin({ state, settings, out }: Work, { margin }: RemoteReport): void {
  const { marginBreaker } = settings;
  if (marginBreaker === null || margin === undefined) return;
  const { maintenance, balance } = margin;
  const nothingLeft = D.gt(maintenance, D.ZERO) ? '100' : D.ZERO;
  const ratioPercent = D.gt(balance, D.ZERO) ? D.mul(D.div(maintenance, balance, 8), '100') : nothingLeft;
  const isOpen = state.breakers?.[marginBreaker.replace('breaker/', '')] !== undefined;
  if (D.lt(ratioPercent, LEAST_MARGIN_PERCENT) && !isOpen) return;
  out.push({ type: 'send', to: marginBreaker, event: { type: 'MARGIN', ratioPercent } });
}

/** What people were told of so long ago may be said again. */
const FINDINGS_KEPT = 500;

/** What no reading can name any more is forgotten. Thousands of trades nearly all stay: no lists are made of them. */
function prune(work: Work): void {
  const { state } = work;
  const from = oldest(work);
  const { trades, rows, byOrderId } = state;
  for (const key in trades) if ((trades[key]?.at ?? 0) < from) delete trades[key];
  for (const key in rows) if ((rows[key] ?? 0) < from) delete rows[key];
  for (const place of keysIn(state.touched))
    if ((state.touched[place] ?? 0) < from) delete state.touched[place];
  for (const [id, record] of Object.entries(state.finished))
    if ((record.overAt ?? 0) < from) {
      delete state.finished[id];
      delete state.findings[`risen:${id}`];
      delete state.findings[`refused:${id}`];
      delete state.findings[`orphan:${id}`];
    }
  const matters = Object.keys(state.findings);
  for (const matter of matters.slice(0, Math.max(0, matters.length - FINDINGS_KEPT)))
    delete state.findings[matter];
  for (const orderId in byOrderId) if (!findRecord(work, byOrderId[orderId] ?? '')) delete byOrderId[orderId];
}
