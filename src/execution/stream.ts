/**
 * What the private stream says, event by event.
 *
 * Invariants: an event is evidence, never the whole truth (others may be lost, late or doubled); money that no
 * fill explains is taken from the ledger's rows and not from the event, so that it counts once.
 */
import * as D from '../core/decimal.ts';
import { keyOf } from '../domain/position-key.ts';
import type { RemoteEvent } from '../domain/remote.ts';
import { settleLimbo, takeFill, takeOrderFill } from './attribution.ts';
import { expectedAmount, holderOf } from './books.ts';
import { finding, findRecord, recordByOrderId, tell, type Work, wantReport } from './executor-state.ts';
import { settle } from './order-fills.ts';
import { observeAlgo, observePlain } from './order-life.ts';

type EventOf<K extends RemoteEvent['kind']> = Extract<RemoteEvent, { kind: K }>;

export function takeEvent(work: Work, event: RemoteEvent): void {
  work.state.venueAt = Math.max(work.state.venueAt, event.at);
  switch (event.kind) {
    case 'order':
      takeOrder(work, event);
      break;
    case 'algo':
      takeAlgo(work, event);
      break;
    case 'account':
      takeAccount(work, event);
      break;
    case 'margin-call':
      takeMarginCall(work, event);
      break;
    case 'leverage':
      break;
  }
}

function takeOrder(work: Work, { order, fill }: EventOf<'order'>): void {
  const record = recordByOrderId(work, order) ?? findRecord(work, order.clientOrderId);
  if (record) {
    observePlain(work, record, order);
    if (fill) takeOrderFill(work, record, fill);
    record.seenAt = work.state.at;
    settle(work, record);
    return;
  }
  // The order's client id decides what a trade list's row could not tell.
  if (fill) takeFill(work, { ...fill, clientOrderId: fill.clientOrderId ?? order.clientOrderId });
  else wantReport(work, `an order on ${order.symbol} that nobody here placed`, 2 * work.settings.secondMs);
}

function takeAlgo(work: Work, { algo }: EventOf<'algo'>): void {
  const record = findRecord(work, algo.clientOrderId);
  if (record?.book !== 'algo') {
    wantReport(
      work,
      `a conditional order on ${algo.symbol} that nobody here placed`,
      2 * work.settings.secondMs,
    );
    return;
  }
  observeAlgo(work, record, algo);
  record.seenAt = work.state.at;
  // A fill that waited for this order's id finds it now, before the order is closed.
  settleLimbo(work);
  settle(work, record);
}

function takeAccount(work: Work, { reason, positions }: EventOf<'account'>): void {
  const { state, settings } = work;
  for (const position of positions) {
    const place = keyOf(position);
    const known = state.positions[place];
    state.positions[place] = { ...known, ...position };
    // Its fill is usually one event away; when it is not, a reading finds it.
    if (!D.eq(position.amount, expectedAmount(work, place)))
      wantReport(work, `the account shows ${position.amount} on ${place}`, 2 * settings.secondMs);
  }
  if (reason !== 'ORDER') wantIncome(work, settings.secondMs, 0);
}

/** Asks for the ledger's rows within `delayMs`. */
export function wantIncome(work: Work, delayMs: number, tries: number): void {
  const { income, at } = work.state;
  const dueAt = Math.min(income.dueAt ?? Number.POSITIVE_INFINITY, at + delayMs);
  work.state.income = { ...income, dueAt, tries };
}

/** The event tells no ratio: zero stands for "not told". */
function takeMarginCall(work: Work, { positions }: EventOf<'margin-call'>): void {
  for (const position of positions) {
    const { symbol } = position;
    const place = keyOf(position);
    const holder = holderOf(work, place);
    if (holder !== undefined) tell(work, holder, { type: 'MARGIN_CALLED', symbol, marginRatio: D.ZERO });
    else finding(work, `margin:${place}`, `${place}: margin call on what nobody here opened`, 'critical');
  }
}
