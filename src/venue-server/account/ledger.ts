/** An account's whole books in one piece, for people and for tests. */
import type { AccountLedger } from '../core-types.ts';
import type { Account } from './account.ts';
import { entryPriceOf } from './stream-frames.ts';
import { algoRow, incomeRow, orderRow, tradeRow } from './wire-orders.ts';

export function ledgerOf(account: Account): AccountLedger {
  const { books, engine } = account;
  const venue = engine.books();
  return {
    account: account.id,
    wallet: venue.wallet,
    deposits: venue.deposits,
    orders: books.orders.map(orderRow),
    algoOrders: books.algos.map(algoRow),
    trades: books.trades.map(tradeRow),
    income: books.income.map(incomeRow),
    positions: venue.markets.flatMap(({ positions }) =>
      positions.map(({ symbol, side, quantity, entryNotional }) => ({
        symbol,
        positionSide: side,
        quantity,
        entryPrice: entryPriceOf(quantity, entryNotional),
      })),
    ),
  };
}
