/**
 * The venue's books against the runtime's journal. The venue's are the truth: what it holds and what it has booked
 * is compared, order by order and position by position, with what the journal intended and believes.
 */

import type { Trade } from '../../../machines/messages.ts';
import type { PortfolioContext } from '../../../machines/portfolio.ts';
import { tradingState } from '../../../machines/portfolio.ts';
import type { PositionContext } from '../../../machines/position/context.ts';
import { DEAD_LETTERS } from '../../../supervisors/dead-letters.ts';
import * as D from '../../core/decimal.ts';
import { closeTime } from '../../domain/candle.ts';
import type { ActorEvent, Cause, Intent } from '../../domain/events.ts';
import { PORTFOLIO } from '../../domain/events.ts';
import { type IdentifiedOrder, isReducing, type PositionSide } from '../../domain/order.ts';
import { keyOf } from '../../domain/position-key.ts';
import type { ClosedCandles } from '../../domain/signal.ts';
import type { JournalRow } from '../../journal/journal.ts';
import { addTo, checkFunding } from './funding-check.ts';

export interface LedgerOrder {
  readonly orderId: number;
  readonly symbol: string;
  readonly clientOrderId: string;
  readonly side: 'BUY' | 'SELL';
  readonly positionSide?: PositionSide;
  readonly status: string;
  readonly origQty: string;
  readonly executedQty: string;
  readonly reduceOnly: boolean;
  readonly time: number;
  readonly updateTime: number;
}

export interface LedgerAlgo {
  readonly algoId: number;
  readonly clientAlgoId: string;
  readonly symbol: string;
  readonly side: 'BUY' | 'SELL';
  readonly positionSide?: PositionSide;
  readonly algoStatus: string;
  readonly quantity: string;
  readonly reduceOnly: boolean;
  readonly closePosition: boolean;
  readonly createTime: number;
  readonly updateTime: number;
  readonly triggerTime: number;
  readonly actualOrderId: string;
}

export interface SoakLedger {
  readonly wallet: string;
  readonly orders: readonly LedgerOrder[];
  readonly algoOrders: readonly LedgerAlgo[];
  readonly trades: readonly {
    readonly id: number;
    readonly orderId: number;
    readonly symbol: string;
    readonly side: 'BUY' | 'SELL';
    readonly positionSide?: PositionSide;
    readonly qty: string;
    readonly price: string;
    readonly realizedPnl: string;
    readonly commission: string;
    readonly time: number;
  }[];
  readonly income: readonly {
    readonly symbol: string;
    readonly incomeType: string;
    readonly income: string;
    readonly time: number;
    readonly tradeId: string;
  }[];
  readonly positions: readonly {
    readonly symbol: string;
    readonly positionSide?: PositionSide;
    readonly quantity: string;
  }[];
}

const MONEY = new Set(['ORDER_FILLED', 'POSITION_CLOSED', 'WALLET_CHANGED']);

export interface Intended {
  readonly n: number;
  readonly at: number;
  readonly order: IdentifiedOrder;
}

export interface ClosedTrade {
  readonly actor: string;
  readonly at: number;
  readonly trade: Trade | null;
  readonly reason: string;
}

const NO_INTENTS: readonly Intent[] = [];

const portfolioOf = (snapshot: string): PortfolioContext =>
  (JSON.parse(snapshot) as { context: PortfolioContext }).context;

/** What the checks need of a journal, gathered in one pass. */
export class JournalFacts {
  readonly intended = new Map<string, Intended>();
  readonly closed: ClosedTrade[] = [];
  /** Newest snapshot of each position, and of the portfolio; parsed once somebody asks. */
  readonly #positions = new Map<string, string>();
  #portfolioText: string | undefined;
  readonly problems: string[] = [];
  /** What people were told that no run should see. */
  readonly notices = new Map<string, number>();
  /** Breakers that held entries back: from, to (runtime's clock). */
  readonly halts: { readonly what: string; readonly from: number; to: number }[] = [];
  /** Refusals of risk and of the executor, by symbol. */
  readonly refusals: { readonly symbol: string; readonly at: number; readonly why: string }[] = [];
  /** Bars that a symbol's scanner was shown (symbol, close), and whether it said anything to its desk. */
  readonly scanned = new Map<string, boolean>();
  /** By symbol: told to positions that were over when the venue's row came. */
  readonly lateFunding = new Map<string, D.Decimal>();
  rows = 0;
  last = 0;
  #confirmed = new Set<string>();
  /** Symbol and trade → whom it was told to. */
  readonly told = new Map<string, string>();

  /** Newest context of each position. */
  get positions(): ReadonlyMap<string, PositionContext> {
    const contextOf = (text: string) => (JSON.parse(text) as { context: PositionContext }).context;
    return new Map([...this.#positions].map(([actor, text]) => [actor, contextOf(text)]));
  }

  get wallet(): string | undefined {
    return this.#portfolioText === undefined ? undefined : portfolioOf(this.#portfolioText).wallet;
  }

  take(row: JournalRow): void {
    if (row.n !== this.last + 1) this.problems.push(`row ${row.n} follows row ${this.last}`);
    this.last = row.n;
    this.rows += 1;
    const intents = row.intents === '[]' ? NO_INTENTS : (JSON.parse(row.intents) as Intent[]);
    if (intents.length > 0) {
      const cause = JSON.parse(row.cause) as Cause;
      for (const intent of intents) this.#intent(row, intent, cause);
    }
    if (!this.#concerns(row)) return;
    const event = JSON.parse(row.event) as ActorEvent;
    if (row.kind === 'dead-letter') this.#deadLetter(row, event);
    if (row.actor === PORTFOLIO) this.#portfolio(row, event, intents, JSON.parse(row.cause) as Cause);
    if (row.actor.startsWith('position/')) this.#position(row, event, JSON.parse(row.cause) as Cause);
    if (row.kind === 'event' && row.actor.startsWith('scanner/') && event.type === 'CANDLES')
      this.#scanned(row, event, intents);
  }

  /** Whose events are looked at; those of the venue's actor are most of a journal's bytes. */
  #concerns({ kind, actor }: JournalRow): boolean {
    return kind === 'dead-letter' || actor === PORTFOLIO || /^(position|scanner)\//.test(actor);
  }

  /** What is too late for a position that is over is no harm, unless money moved. */
  #deadLetter(row: JournalRow, event: ActorEvent): void {
    const isLate = row.actor === DEAD_LETTERS;
    const about = isLate ? (event.event as ActorEvent) : event;
    if (about.type === 'FUNDING_SETTLED')
      addTo(this.lateFunding, String(about.symbol), D.decimal(String(about.amount)));
    if (isLate && !MONEY.has(about.type)) return;
    this.problems.push(
      `dead letter ${row.n}: ${about.type} for ${isLate ? event.to : row.actor}, ${row.note}`,
    );
  }

  #intent(row: JournalRow, intent: Intent, cause: Cause): void {
    if (intent.type === 'notify' && intent.level !== 'info') {
      const text = intent.text.replaceAll(/bh-[a-z2-7]+|-?\d+(\.\d+)?|[A-Z]+USDT/g, '…');
      this.notices.set(text, (this.notices.get(text) ?? 0) + 1);
    }
    if (intent.type !== 'order.submit') return;
    const { order } = intent;
    if (this.intended.has(order.clientOrderId))
      this.problems.push(`${order.clientOrderId} was intended twice (row ${row.n})`);
    this.intended.set(order.clientOrderId, { n: row.n, at: row.at, order });
    if (isReducing(order)) return;
    const by = cause.kind === 'intent' ? `${cause.n}:${cause.i}` : cause.kind;
    if (!this.#confirmed.has(by))
      this.problems.push(`row ${row.n} of ${row.actor} opens without the portfolio's last word (${by})`);
  }

  #portfolio(row: JournalRow, event: ActorEvent, intents: readonly Intent[], cause: Cause): void {
    this.#portfolioText = row.snapshot ?? undefined;
    for (const [i, intent] of intents.entries()) {
      if (intent.type !== 'send') continue;
      const { type } = intent.event;
      if (type === 'CONFIRMED' || type === 'APPROVED') this.#confirmed.add(`${row.n}:${i}`);
      const state = type === 'CONFIRMED' ? tradingState(portfolioOf(row.snapshot ?? '{}')) : 'active';
      if (state !== 'active') this.problems.push(`row ${row.n} confirms an entry while trading is ${state}`);
      if (type === 'REFUSED' && event.type === 'ASSESS') {
        const { symbol } = event.entry as { symbol: string };
        const rules = (intent.event.refusals as { rule: string }[]).map(({ rule }) => rule);
        this.refusals.push({ symbol, at: row.at, why: `risk: ${rules.join(', ')}` });
      }
    }
    if (event.type === 'BREAKER_CHANGED') this.#breaker(row, event);
    if (event.type === 'POSITION_CLOSED' && cause.kind !== 'postponed')
      this.closed.push({
        actor: String(event.actor),
        at: row.at,
        trade: event.trade as Trade | null,
        reason: String(event.reason),
      });
  }

  #breaker(row: JournalRow, event: ActorEvent): void {
    const what = String(event.breaker);
    const open = this.halts.find((halt) => halt.what === what && !Number.isFinite(halt.to));
    const holds = event.state === 'halted' || event.state === 'reducing';
    if (holds && !open) this.halts.push({ what, from: row.at, to: Number.POSITIVE_INFINITY });
    else if (!holds && open) open.to = row.at;
  }

  #scanned(row: JournalRow, event: ActorEvent, intents: readonly Intent[]): void {
    const bar = (event.closed as ClosedCandles)['15m'];
    if (!bar) return;
    const key = `${row.actor.split('/')[1]} ${closeTime(bar)}`;
    this.scanned.set(
      key,
      intents.some(({ type }) => type === 'send'),
    );
  }

  #position(row: JournalRow, event: ActorEvent, cause: Cause): void {
    if (row.snapshot !== null) this.#positions.set(row.actor, row.snapshot);
    if (event.type !== 'ORDER_FILLED' || cause.kind !== 'intent') return;
    const key = `${event.symbol} ${event.tradeId}`;
    if (this.told.has(key)) this.problems.push(`trade ${key} was told twice (row ${row.n}, ${row.actor})`);
    this.told.set(key, row.actor);
  }
}

/** Each order at the venue was intended once, as it is, before it came. `lateMs`: how far the clocks may differ. */
export function checkOrders(ledger: SoakLedger, facts: JournalFacts, lateMs: number): string[] {
  const problems: string[] = [];
  const spawned = new Set(ledger.algoOrders.map(({ actualOrderId }) => String(actualOrderId)));
  const arrivals = [
    ...ledger.orders
      .filter(({ orderId, clientOrderId }) => !spawned.has(String(orderId)) && isOurs(clientOrderId))
      .map((order) => ({ ...order, quantity: order.origQty, at: order.time, conditional: false })),
    ...ledger.algoOrders.map((algo) => ({
      ...algo,
      clientOrderId: algo.clientAlgoId,
      at: algo.createTime,
      conditional: true,
    })),
  ];
  const seen = new Set<string>();
  for (const { clientOrderId, symbol, side, quantity, reduceOnly, at, conditional } of arrivals) {
    if (seen.has(clientOrderId)) problems.push(`${clientOrderId} stands twice at the venue`);
    seen.add(clientOrderId);
    const intended = facts.intended.get(clientOrderId);
    if (!intended) {
      problems.push(`${clientOrderId} on ${symbol} stands at the venue and was never intended`);
      continue;
    }
    const { order } = intended;
    const isAsIntended =
      order.symbol === symbol &&
      order.side === side &&
      order.reduceOnly === reduceOnly &&
      (order.triggerPrice !== undefined) === conditional &&
      isQuantity(order, D.decimal(quantity));
    if (!isAsIntended)
      problems.push(
        `${clientOrderId}: ${JSON.stringify(order)} came as ${side} ${quantity} ${symbol} reduceOnly ${reduceOnly}`,
      );
    if (intended.at > at + lateMs)
      problems.push(`${clientOrderId} came at ${at}, ${intended.at - at} ms before its intent's row`);
  }
  return problems;
}

/** What only reduces is cut by the venue to what there is to reduce. */
const isQuantity = (order: IdentifiedOrder, came: D.Decimal): boolean =>
  order.quantity === undefined ||
  (isReducing(order) ? D.lte(came, order.quantity) : D.eq(came, order.quantity));

const LIQUIDATION = 'autoclose-';
const isOurs = (clientOrderId: string): boolean =>
  !/^(autoclose-|adl_autoclose|settlement_autoclose-)/.test(clientOrderId);

/** P&L, fees and funding of each closed position: the venue's own ledger rows, to the last digit. */
export function checkResults(ledger: SoakLedger, facts: JournalFacts): string[] {
  const problems: string[] = [];
  const owners = ownersOf(ledger, facts);
  const foreign: SoakLedger['trades'][number][] = [];
  const sums = new Map<string, { gross: D.Decimal; fees: D.Decimal; quantity: D.Decimal }>();
  for (const made of ledger.trades) {
    const { orderId, symbol, realizedPnl, commission, qty, id } = made;
    const owner = owners.get(String(orderId)) ?? facts.told.get(`${symbol} ${id}`);
    if (owner === undefined) {
      foreign.push(made);
      problems.push(`trade ${id} on ${symbol} is nobody's`);
      continue;
    }
    const sum = sums.get(owner) ?? { gross: D.ZERO, fees: D.ZERO, quantity: D.ZERO };
    sum.gross = D.add(sum.gross, D.decimal(realizedPnl));
    sum.fees = D.add(sum.fees, D.decimal(commission));
    sum.quantity = D.add(sum.quantity, D.decimal(qty));
    sums.set(owner, sum);
  }
  const { positions } = facts;
  for (const { actor, trade } of facts.closed) {
    const sum = sums.get(actor);
    if (trade === null) {
      if (sum) problems.push(`${actor} says that nothing was filled; the venue says ${sum.quantity}`);
      continue;
    }
    const inferred = positions.get(actor)?.inferredQuantity ?? D.ZERO;
    if (!D.isZero(inferred)) problems.push(`${actor}: ${inferred} was inferred, not told`);
    if (!sum) problems.push(`${actor} has a trade of which the venue knows nothing`);
    else if (!D.eq(sum.gross, trade.grossPnl) || !D.eq(sum.fees, trade.fees))
      problems.push(
        `${actor}: gross ${trade.grossPnl}, fees ${trade.fees}; the venue booked ${sum.gross} and ${sum.fees}`,
      );
  }
  return [
    ...problems,
    ...checkLiquidated(ledger, facts),
    ...checkIncome(ledger),
    ...checkFunding(ledger.income, facts, foreign),
  ];
}

/** What ended with the venue's liquidation says so. */
function checkLiquidated(ledger: SoakLedger, facts: JournalFacts): string[] {
  const taken = new Set(
    ledger.orders
      .filter(({ clientOrderId }) => clientOrderId.startsWith(LIQUIDATION))
      .map(({ orderId }) => String(orderId)),
  );
  if (taken.size === 0) return [];
  const owners = ownersOf(ledger, facts);
  const last = new Map<string, string>();
  for (const { orderId, symbol, id } of ledger.trades) {
    const owner = owners.get(String(orderId)) ?? facts.told.get(`${symbol} ${id}`);
    if (owner !== undefined) last.set(owner, String(orderId));
  }
  return facts.closed
    .filter(({ actor, reason }) => taken.has(last.get(actor) ?? '') && reason !== 'liquidation')
    .map(({ actor, reason }) => `${actor} was liquidated, and says that it ended by ${reason}`);
}

/** The venue's trades and its income ledger say the same. */
function checkIncome(ledger: SoakLedger): string[] {
  const of = (type: string): D.Decimal =>
    D.sum(
      ledger.income.filter(({ incomeType }) => incomeType === type).map(({ income }) => D.decimal(income)),
    );
  const pnl = D.sum(ledger.trades.map(({ realizedPnl }) => D.decimal(realizedPnl)));
  const fees = D.sum(ledger.trades.map(({ commission }) => D.decimal(commission)));
  const problems: string[] = [];
  if (!D.eq(pnl, of('REALIZED_PNL'))) problems.push(`trades realise ${pnl}, income ${of('REALIZED_PNL')}`);
  if (!D.eq(D.neg(fees), of('COMMISSION'))) problems.push(`trades cost ${fees}, income ${of('COMMISSION')}`);
  return problems;
}

/** Order id at the venue → the position it belongs to; the guardian's orders count for the symbol's. */
function ownersOf(ledger: SoakLedger, facts: JournalFacts): Map<string, string> {
  const owners = new Map<string, string>();
  for (const { actualOrderId, clientAlgoId } of ledger.algoOrders) {
    const owner = facts.intended.get(clientAlgoId)?.order.owner;
    if (actualOrderId !== '' && owner) owners.set(String(actualOrderId), owner);
  }
  for (const { orderId, clientOrderId } of ledger.orders) {
    const owner = facts.intended.get(clientOrderId)?.order.owner;
    if (owner) owners.set(String(orderId), owner);
  }
  return owners;
}

/** What is open at the venue and has no live stop of its whole size. */
export function withoutStop(ledger: SoakLedger): string[] {
  const problems: string[] = [];
  for (const position of ledger.positions) {
    const { quantity } = position;
    const place = keyOf(position);
    const amount = D.decimal(quantity);
    if (D.isZero(amount)) continue;
    const side = D.sign(amount) > 0 ? 'SELL' : 'BUY';
    const stops = ledger.algoOrders.filter(
      (algo) => keyOf(algo) === place && algo.side === side && algo.algoStatus === 'NEW',
    );
    const covered = stops.some(({ closePosition }) => closePosition)
      ? D.abs(amount)
      : D.sum(stops.map((algo) => D.decimal(algo.quantity)));
    if (D.lt(covered, D.abs(amount))) problems.push(`${place}: ${amount} open, ${covered} protected`);
  }
  return problems;
}
