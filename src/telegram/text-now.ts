/** What is going on, as texts: the account, open positions and their stories, orders. Pure. */

import type { PositionContext } from '../../machines/position/context.ts';
import { counted, duration, moment, money, signedMoney } from '../core/amounts.ts';
import { cmp, type Decimal, div, isZero, mul, neg, round, sub, ZERO } from '../core/decimal.ts';
import type { BreakerStatus, PositionStatus, StatusDocument } from '../operator/status-document.ts';
import type { DecisionsView, OrderView, PositionView } from '../operator/views.ts';
import { bold, line, type Markup, type Message, text } from './markup.ts';
import { CAUTION, light } from './reply.ts';
import { pairs, table } from './table.ts';

const STORY_LINES = 25;

/** "+2.97 %", from entry to mark in the position's direction. */
export function movePercent({ direction, entryPrice, markPrice }: PositionStatus): string {
  if (isZero(entryPrice)) return '0 %';
  const move = sub(markPrice, entryPrice);
  const percent = round(mul(div(direction === 'long' ? move : neg(move), entryPrice), '100'), 2);
  return `${cmp(percent, ZERO) > 0 ? '+' : ''}${percent} %`;
}

/** As many digits as eyes can use. */
export const price = (value: Decimal): string => String(Number(Number(value).toPrecision(7)));

const WORDS: Readonly<Record<StatusDocument['tradingState'], string>> = {
  active: 'trading',
  reducing: 'reducing: nothing new is opened',
  halted: 'halted: nothing new is opened',
};

/** Why there may be no entries by a person's word; undefined: nobody forbade any. */
export function forbidden({ stopped, paused, direction }: DecisionsView): string | undefined {
  if (stopped) return `stopped by ${stopped.by}${because(stopped.reason)}; /start ends it`;
  if (paused) {
    const until = paused.until === null ? '' : ` until ${moment(paused.until)}`;
    return `entries paused${until} by ${paused.by}${because(paused.reason)}; /resume ends it`;
  }
  return direction.allowed === 'both' ? undefined : `allowed entries: ${direction.allowed}`;
}

const because = (reason: string | null): string => (reason === null ? '' : ` (${reason})`);

export function statusText(status: StatusDocument, decisions: DecisionsView, now: number): Message {
  const { account, positions, trades, breakers, mode, state, virtualTime, tradingState, venue } = status;
  const open = breakers.filter((one) => one.state !== 'closed');
  const word = forbidden(decisions);
  const waitingFor = venue?.waitingFor ?? null;
  const isDown = state !== 'running' || tradingState === 'halted';
  const isHeldBack = tradingState !== 'active' || word !== undefined || open.length > 0;
  const result = sub(account.equity, account.initial);
  const percent = isZero(account.initial) ? ZERO : round(mul(div(result, account.initial), '100'), 2);
  return [
    text(
      line`${isHeldBack && !isDown ? CAUTION : light(!isDown)} ${bold(mode)}, ${state === 'running' ? WORDS[tradingState] : state}, up ${duration(now - status.startedAt)}`,
      ...(waitingFor === null ? [] : [`waiting for the venue: ${waitingFor}`]),
      ...(word === undefined ? [] : [word]),
      ...(status.error === null ? [] : [status.error]),
    ),
    pairs([
      ['equity', `${money(account.equity)} USDT`],
      ['result', `${signedMoney(result)} (${percent} %)`],
      ['open', signedMoney(account.openPnl)],
      ['trades', `${trades.count}, won ${trades.wins}`],
    ]),
    ...(positions.length === 0 ? [text('No position is open.')] : [positionsTable(positions)]),
    ...open.map((one) => text(breakerLine(one))),
    ...(virtualTime === null ? [] : [text(`market time ${moment(virtualTime)} UTC`)]),
  ];
}

export const breakerLine = ({ name, state, effect, since, reason }: BreakerStatus): Markup =>
  line`${state === 'closed' ? light(true) : state === 'open' ? light(false) : CAUTION} ${bold(name)} ${effect ?? state}${
    state === 'closed' || since === null ? '' : ` since ${moment(since)}`
  }${state === 'closed' || reason === null ? '' : `: ${reason}`}`;

export const positionsTable = (positions: readonly PositionStatus[]) =>
  table(
    ['SYMBOL', 'SIDE', '>MOVE', '>P&L'],
    positions.map((one) => [one.symbol, one.direction, movePercent(one), signedMoney(one.openPnl)]),
  );

export function positionsText(positions: readonly PositionStatus[]): Message {
  if (positions.length === 0) return [text('No position is open.')];
  return [text(bold(`${positions.length} open`)), positionsTable(positions)];
}

/** One position, open or over: its numbers, then its story, the newest lines of it. */
export function lifeText(view: PositionView, now: number): Message {
  const { status, actor, story } = view;
  const { context } = view;
  const told = story.slice(-STORY_LINES);
  const before = story.length - told.length;
  return [
    text(bold(`${context.symbol} ${context.direction}${view.over ? ', over' : ''}`)),
    pairs(status ? openPairs(status, context, now) : overPairs(view)),
    text(
      line`${status?.doing ?? status?.state ?? actor}`,
      ...(before > 0 ? [`${counted(before, 'line')} before these: bulkhead explain ${actor}`] : []),
      ...told.map(({ at, what }) => line`${moment(at).slice(5)} ${what}`),
    ),
  ];
}

type Pairs = readonly (readonly [string, string])[];

function openPairs(status: PositionStatus, context: PositionContext, now: number): Pairs {
  const targets = targetsOf(context).map(price);
  return [
    ['quantity', status.quantity],
    ['entry', price(status.entryPrice)],
    ['mark', `${price(status.markPrice)} (${movePercent(status)})`],
    ['P&L', `${signedMoney(status.openPnl)} USDT`],
    ['stop', status.stopPrice === null ? 'none' : price(status.stopPrice)],
    ...(targets.length === 0 ? [] : ([['targets', targets.join(' ')]] as const)),
    ...(context.firstFillAt === null ? [] : ([['open for', duration(now - context.firstFillAt)]] as const)),
  ];
}

const overPairs = ({ split }: PositionView): Pairs =>
  Object.entries(split).map(([name, amount]) => [name, signedMoney(amount)]);

/** Prices at which parts of it are still to be closed. */
export const targetsOf = ({ scaleParts }: PositionContext): readonly Decimal[] =>
  scaleParts.map((part) => part.price);

const atPrice = (at: Decimal | null): string => (at === null ? 'market' : price(at));

export function ordersText(orders: readonly OrderView[]): Message {
  if (orders.length === 0) return [text('No order rests or is under way.')];
  return [
    text(bold(`${orders.length} orders`)),
    table(
      ['SYMBOL', 'WHAT', '>QTY', '>PRICE', 'IS'],
      orders.map(({ symbol, role, quantity, price: at, status }) => [
        symbol,
        role,
        quantity,
        atPrice(at),
        status,
      ]),
    ),
  ];
}
