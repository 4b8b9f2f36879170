/**
 * What of the journal people want to hear, in words. Pure: a committed row in, notices out.
 *
 * Invariants: an entry is told once, with its first complete order; an exit with what it is made of; everything that
 * an actor itself wants told (breakers, guardian, reconciliation, margin calls) at the level that it chose.
 */
import type { Trade } from '../../machines/messages.ts';
import type { PositionContext } from '../../machines/position/context.ts';
import { averagePrice } from '../../machines/position/ledger.ts';
import { counted, duration, money, signedMoney } from '../core/amounts.ts';
import { abs, cmp, type Decimal, div, gt, isZero, mul, round, sub, ZERO } from '../core/decimal.ts';
import { actorType } from '../core/ids.ts';
import { type ActorEvent, type Intent, PORTFOLIO } from '../domain/events.ts';
import type { LogLine } from '../operator/log-ring.ts';
import type { StatusDocument } from '../operator/status-document.ts';
import { bold, line, type Markup } from './markup.ts';
import type { Notice } from './notifier.ts';

/** A row that just became durable, with its parsed parts. */
export interface CommittedRow {
  readonly row: { readonly actor: string; readonly at: number; readonly snapshot: string | null };
  readonly event: ActorEvent;
  readonly intents: readonly Intent[];
}

/** Lines of the log that people want to hear; what actors want told comes with their rows. */
export function logNotice({ level, message, marketTime, reason }: LogLine): Notice | undefined {
  if (marketTime !== undefined || message.startsWith('telegram:')) return undefined;
  const why = typeof reason === 'string' ? `: ${reason}` : '';
  const told = (as: Notice['level']): Notice => ({ level: as, lines: [line`${MARKS[as]} ${message}${why}`] });
  if (level === 'error') return told('critical');
  if (level === 'warn' && /^(supervisor|kill|the lease|venue|alerts):? /.test(message))
    return told('warning');
  return /^the journal takes rows again/.test(message) ? told('info') : undefined;
}

/** A run is up: what it found, and that it goes on from there. */
export function upNotice({ mode, positions, recovery }: StatusDocument): Notice {
  const found =
    recovery === null || recovery.actors === 0
      ? ''
      : `: ${recovery.actors} actors recovered in ${recovery.ms} ms`;
  const open = `${counted(positions.length, 'position')} open`;
  return { level: 'info', lines: [line`\u25B6\uFE0F ${bold(mode)} is up${found}, ${open}. /status`] };
}

const MARKS = { info: '\u2139\uFE0F', warning: '\u26A0\uFE0F', critical: '\u{1F6A8}' } as const;
const UP = '\u{1F7E2}';
const DOWN = '\u{1F534}';
const FLAT = '\u26AA';

export function noticesOf({ row, event, intents }: CommittedRow): Notice[] {
  const told = intents.flatMap((intent): Notice[] =>
    intent.type === 'notify'
      ? [{ level: intent.level, lines: [line`${MARKS[intent.level]} ${intent.text}`] }]
      : [],
  );
  const closed = row.actor === PORTFOLIO && event.type === 'POSITION_CLOSED' && event.trade;
  if (closed) return [...told, exited(closed as unknown as Trade)];
  const isFill =
    event.type === 'ORDER_FILLED' && event.complete === true && actorType(row.actor) === 'position';
  if (!isFill || row.snapshot === null) return told;
  const { context } = JSON.parse(row.snapshot) as { context: PositionContext };
  return [...told, ...filled(context, event)];
}

function filled(context: PositionContext, event: ActorEvent): Notice[] {
  const { symbol, direction, quantity, stopPrice } = context;
  const order = context.orders.find(({ ref }) => ref === event.ref);
  if (!gt(quantity, ZERO)) return [];
  const stop = line`stop ${stopPrice}`;
  switch (order?.role) {
    case 'entry': {
      const risk = mul(abs(sub(averagePrice(context), stopPrice)), quantity);
      const entry = line`${UP} ${bold(symbol)} ${direction} opened: ${quantity} at ${priceOf(averagePrice(context))}, ${stop}`;
      return [{ level: 'info', lines: [entry, line`at risk ${money(risk)} USDT; ${context.entry.reason}`] }];
    }
    case 'add':
      return [
        {
          level: 'info',
          lines: [
            line`\u2795 ${bold(symbol)} ${direction} added ${String(event.quantity)}, now ${quantity} at ${priceOf(averagePrice(context))}, ${stop}`,
          ],
        },
      ];
    case undefined:
      return [];
    default:
      return [{ level: 'info', lines: [partial(context, event, order?.reason ?? '')] }];
  }
}

function partial(
  { symbol, direction, quantity }: PositionContext,
  event: ActorEvent,
  reason: string,
): Markup {
  const made = String(event.realizedPnl ?? ZERO);
  return line`${lightOf(made)} ${bold(symbol)} ${direction}: ${String(event.quantity)} closed at ${String(event.price)}, ${signedMoney(made)} USDT (${reason}); ${quantity} still open`;
}

/** "+4.55 USDT (+2.97 %)", and what it is made of. */
function exited(trade: Trade): Notice {
  const { symbol, direction, grossPnl, fees, funding, netPnl, reason, openedAt, closedAt } = trade;
  const head = line`${lightOf(netPnl)} ${bold(symbol)} ${direction} closed: ${bold(`${signedMoney(netPnl)} USDT`)} (${percentOf(trade)}) ${reason}`;
  const split = line`price ${signedMoney(grossPnl)}, fees ${signedMoney(sub(ZERO, fees))}, funding ${signedMoney(funding)}; ${priceOf(trade.entryPrice)} to ${priceOf(trade.exitPrice)} in ${duration(closedAt - openedAt)}`;
  return { level: 'info', lines: [head, split] };
}

/** Net, of what was put in without leverage. */
function percentOf({ netPnl, quantity, entryPrice }: Trade): string {
  const put = mul(quantity, entryPrice);
  if (isZero(put)) return '0 %';
  const percent = round(mul(div(netPnl, put), '100'), 2);
  return `${gt(percent, ZERO) ? '+' : ''}${percent} %`;
}

const lightOf = (amount: Decimal): string => [DOWN, FLAT, UP][cmp(amount, ZERO) + 1] ?? FLAT;

/** An average has as many digits as it needs for eyes. */
const priceOf = (price: Decimal): string => String(Number(Number(price).toPrecision(7)));
