/**
 * A position's life as a story: one line for each thing that happened, with its time, its cause and its
 * numbers. Pure: the position's rows in, lines out.
 *
 * Invariant: an event is told once; what a row did about it (orders sent, called back) stands right after it.
 */
import type { PositionContext } from '../../../machines/position/context.ts';
import { tradeOf } from '../../../machines/position/steps.ts';
import { add, type Decimal, sub } from '../../core/decimal.ts';
import type { ActorEvent, Cause, Intent } from '../../domain/events.ts';
import type { IdentifiedOrder } from '../../domain/order.ts';
import { keyOf, namedSide } from '../../domain/position-key.ts';
import type { JournalRow } from '../../journal/journal.ts';
import { SlippageBook } from './slippage.ts';
import { sizedBy, tellEvent } from './story-words.ts';

export interface StoryLine {
  readonly n: number;
  readonly at: number;
  readonly what: string;
  readonly numbers: Readonly<Record<string, string | number | boolean | null>>;
}

/** gross = price + slippage; net = gross − fees + funding. */
export interface Split {
  readonly price: Decimal;
  readonly slippage: Decimal;
  readonly gross: Decimal;
  readonly fees: Decimal;
  readonly funding: Decimal;
  readonly net: Decimal;
}

export interface Story {
  readonly actor: string;
  readonly over: boolean;
  readonly lines: readonly StoryLine[];
  readonly split: Split;
  readonly context: PositionContext;
}

/**
 * Undefined for an actor without rows, or one that is no position.
 * `approval` is the row that started it: what risk said of its size stands there.
 */
export function storyOf(rows: readonly JournalRow[], approval?: JournalRow): Story | undefined {
  const last = rows.findLast((row) => row.snapshot !== null);
  if (!last) return undefined;
  const { context } = JSON.parse(last.snapshot ?? '{}') as { context: PositionContext };
  const slippage = new SlippageBook();
  const lines = rows.flatMap((row) => linesOf(row, slippage));
  const [begin, ...rest] = lines;
  const sized = approval === undefined ? '' : sizedBy(JSON.parse(approval.event) as ActorEvent);
  const { grossPnl: gross, fees, funding } = context;
  const split = {
    price: sub(gross, slippage.total),
    slippage: slippage.total,
    gross,
    fees,
    funding,
    net: tradeOf(context)?.netPnl ?? add(sub(gross, fees), funding),
  };
  const told = begin ? [{ ...begin, what: `${begin.what}${sized}` }, ...rest] : lines;
  return { actor: last.actor, over: rows.at(-1)?.final === true, lines: told, split, context };
}

function linesOf(row: JournalRow, slippage: SlippageBook): StoryLine[] {
  const event = JSON.parse(row.event) as ActorEvent;
  const cause = JSON.parse(row.cause) as Cause;
  const intents = JSON.parse(row.intents) as Intent[];
  const at = { n: row.n, at: row.at };
  if (row.kind === 'dead-letter')
    return [{ ...at, what: `could not take ${event.type}: ${row.note ?? 'no reason kept'}`, numbers: {} }];
  if (row.kind === 'restored') return [{ ...at, what: `went on as ${row.machine}`, numbers: {} }];
  if (cause.kind === 'postponed') return intentLines(intents).map((line) => ({ ...at, ...line }));
  // Every quarter of an hour one; only what follows from it is worth a line.
  if (event.type === 'BAR_CLOSED') return intentLines(intents).map((line) => ({ ...at, ...line }));
  const slipped = slippage.take(event, intents);
  const told = tellEvent(event, cause);
  const numbers = slipped === undefined ? told.numbers : { ...told.numbers, slippage: slipped };
  return [{ ...at, what: told.what, numbers }, ...intentLines(intents).map((line) => ({ ...at, ...line }))];
}

type Told = Pick<StoryLine, 'what' | 'numbers'>;

function intentLines(intents: readonly Intent[]): Told[] {
  return intents.flatMap((intent): Told[] => {
    if (intent.type === 'order.submit') return [sent(intent.order)];
    if (intent.type === 'order.cancel')
      return [{ what: `→ asked to cancel ${intent.ref}`, numbers: { ref: intent.ref } }];
    if (intent.type === 'notify') {
      const mark = intent.level === 'info' ? '·' : '!';
      return [{ what: `${mark} ${intent.text}`, numbers: { level: intent.level } }];
    }
    return [];
  });
}

function sent(order: IdentifiedOrder): Told {
  const { ref, side, quantity, type, triggerPrice, price, reduceOnly, clientOrderId } = order;
  const own = namedSide(keyOf(order));
  const way = own.positionSide === undefined ? side : `${side} ${own.positionSide}`;
  const when = triggerPrice === undefined ? '' : ` at ${triggerPrice}`;
  const limit = price === undefined ? '' : ` limit ${price}`;
  const only = reduceOnly ? ', reduce-only' : '';
  return {
    what: `→ sent ${ref}: ${way} ${quantity ?? 'all'} ${type}${when}${limit}${only}`,
    numbers: {
      ref,
      side,
      ...own,
      quantity: quantity ?? null,
      type,
      triggerPrice: triggerPrice ?? null,
      price: price ?? null,
      reduceOnly,
      clientOrderId,
    },
  };
}
