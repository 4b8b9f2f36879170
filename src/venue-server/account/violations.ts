/** What must hold between an account's engine and its records; an empty list means that it does. */
import type { Decimal } from '../../core/decimal.ts';
import * as D from '../../core/decimal.ts';
import type { Account } from './account.ts';
import { placeOf } from './records.ts';

export function violationsOf(account: Account): string[] {
  return [...account.engine.checkInvariants(), ...moneyOf(account), ...fillsOf(account), ...openOf(account)];
}

/** The ledger's rows make up the whole change of the wallet. */
function moneyOf({ books, settings, engine }: Account): string[] {
  const { wallet } = engine.books();
  const booked = D.sum([
    settings.initialBalance,
    books.forgottenIncome,
    ...books.income.map((row) => row.amount),
  ]);
  return D.eq(wallet, booked) ? [] : [`the wallet is ${wallet}, the income ledger says ${booked}`];
}

/** Each order's fills sum to what it says, and all of them to the positions. */
function fillsOf({ books, engine }: Account): string[] {
  const found: string[] = [];
  const executed = new Map<number, Decimal>();
  const held = new Map<string, Decimal>();
  for (const trade of books.trades) {
    executed.set(trade.orderId, D.add(executed.get(trade.orderId) ?? D.ZERO, trade.quantity));
    const place = placeOf(trade.symbol, trade.positionSide);
    const signed = trade.side === 'BUY' ? trade.quantity : D.neg(trade.quantity);
    held.set(place, D.add(held.get(place) ?? D.ZERO, signed));
  }
  for (const order of books.orders) {
    const sum = executed.get(order.orderId) ?? D.ZERO;
    if (!D.eq(sum, order.executed))
      found.push(`order ${order.orderId} says ${order.executed}, its trades ${sum}`);
    if (order.status === 'FILLED' && !D.eq(order.executed, order.quantity))
      found.push(`order ${order.orderId} is filled with ${order.executed} of ${order.quantity}`);
  }
  // Once old trades are forgotten, the engine's own count must do.
  if (!D.isZero(books.forgottenIncome)) return found;
  for (const market of engine.books().markets)
    for (const { symbol, side, quantity } of market.positions) {
      const sum = held.get(placeOf(symbol, side)) ?? D.ZERO;
      held.delete(placeOf(symbol, side));
      if (!D.eq(sum, quantity)) found.push(`${symbol} ${side} is ${quantity}, its trades sum to ${sum}`);
    }
  for (const [place, sum] of held)
    if (!D.isZero(sum)) found.push(`${place} is flat, its trades sum to ${sum}`);
  return found;
}

/** The records call open what the engine calls open. */
function openOf({ index, engine }: Account): string[] {
  const found: string[] = [];
  const engines = new Map(engine.report(0).openOrders.map((open) => [open.order.ref, open]));
  for (const record of [...index.openOrders, ...index.openAlgos]) {
    const open = engines.get(record.ref);
    engines.delete(record.ref);
    if (!open) found.push(`${record.ref} is open in the records only`);
    else if ('executed' in record && !D.eq(open.filled, record.executed))
      found.push(`${record.ref} has ${open.filled} filled, recorded ${record.executed}`);
  }
  for (const ref of engines.keys()) found.push(`${ref} is open in the engine only`);
  return found;
}
