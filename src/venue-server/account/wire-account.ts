/** Balances, positions and settings in the exact forms of the account's pages. */
import type { Decimal } from '../../core/decimal.ts';
import * as D from '../../core/decimal.ts';
import type { Json } from '../../core/json.ts';
import type { Instrument, SymbolName } from '../../domain/instrument.ts';
import type { PositionSide } from '../../domain/order.ts';
import { maxNotional } from '../../exchange/engine/margin.ts';
import type { MarketBook, PositionBook, VenueBooks } from '../../exchange/engine/venue-books.ts';
import type { Account } from './account.ts';
import { type Context, marksOf } from './context.ts';
import { placeOf } from './records.ts';
import { breakEven, entryPriceOf } from './stream-frames.ts';
import { amountText, amountTexts } from './wire-decimals.ts';

type Fields = { readonly [key: string]: Json };

/** One row of a symbol's pages: a position side, held or not. */
export interface Row {
  readonly instrument: Instrument;
  readonly side: PositionSide;
  readonly position: PositionBook | undefined;
  readonly isolated: boolean;
  readonly leverage: number;
  /** Of the whole symbol, told with its first row. */
  readonly openOrderMargin: Decimal;
  readonly bids: Decimal;
  readonly asks: Decimal;
  readonly updateTime: number;
}

export function leverageOf(books: VenueBooks, instrument: Instrument): number {
  const market = books.markets.find(({ symbol }) => symbol === instrument.symbol);
  const highest = instrument.brackets[0]?.initialLeverage ?? books.defaultLeverage;
  return market?.leverage ?? Math.min(books.defaultLeverage, highest);
}

export const isIsolated = (books: VenueBooks, symbol: SymbolName): boolean =>
  (books.markets.find((market) => market.symbol === symbol)?.marginMode ?? books.defaultMarginMode) ===
  'isolated';

export function rowsOf(account: Account, books: VenueBooks, instrument: Instrument, every: boolean): Row[] {
  const market = books.markets.find(({ symbol }) => symbol === instrument.symbol);
  const hedge = books.positionMode === 'hedge';
  const both: PositionSide[] = every ? ['BOTH', 'LONG', 'SHORT'] : ['LONG', 'SHORT'];
  const sides: PositionSide[] = hedge ? both : ['BOTH'];
  return sides.map((side, i) => rowOf(account, books, instrument, market, side, i === 0));
}

function rowOf(
  account: Account,
  books: VenueBooks,
  instrument: Instrument,
  market: MarketBook | undefined,
  side: PositionSide,
  first: boolean,
): Row {
  const { symbol } = instrument;
  return {
    instrument,
    side,
    position: market?.positions.find((position) => position.side === side),
    isolated: isIsolated(books, symbol),
    leverage: leverageOf(books, instrument),
    openOrderMargin: first ? (market?.openOrderMargin ?? D.ZERO) : D.ZERO,
    bids: first ? account.index.openNotional(symbol, 'BUY') : D.ZERO,
    asks: first ? account.index.openNotional(symbol, 'SELL') : D.ZERO,
    updateTime: account.books.touched[placeOf(symbol, side)] ?? 0,
  };
}

const isolatedMargin = ({ position, isolated }: Row): Decimal =>
  position && isolated ? D.add(position.isolatedWallet, position.unrealized) : D.ZERO;

export const accountPositionV3 = (row: Row): Fields => ({
  symbol: row.instrument.symbol,
  positionSide: row.side,
  positionAmt: row.position?.quantity ?? '0',
  unrealizedProfit: amountText(row.position?.unrealized ?? '0'),
  isolatedMargin: amountText(isolatedMargin(row)),
  notional: row.position?.notional ?? '0',
  isolatedWallet: row.position?.isolatedWallet ?? '0',
  initialMargin: D.add(row.position?.initialMargin ?? D.ZERO, row.openOrderMargin),
  maintMargin: row.position?.maintMargin ?? '0',
  updateTime: row.updateTime,
});

export const accountPositionV2 = (row: Row): Fields => ({
  ...accountPositionV3(row),
  positionInitialMargin: row.position?.initialMargin ?? '0',
  openOrderInitialMargin: row.openOrderMargin,
  leverage: String(row.leverage),
  isolated: row.isolated,
  entryPrice: entryPrice(row),
  breakEvenPrice: evenPrice(row),
  maxNotional: maxNotional(row.instrument, row.leverage),
  bidNotional: row.bids,
  askNotional: row.asks,
});

const entryPrice = ({ position }: Row): Decimal =>
  position ? entryPriceOf(position.quantity, position.entryNotional) : '0.0';

const evenPrice = ({ position, instrument }: Row): Decimal =>
  position ? breakEven(position.quantity, position.entryNotional, instrument.takerFeeRate) : '0.0';

export function positionRiskV3(row: Row, mark: Decimal): Fields {
  const { position, instrument } = row;
  return {
    symbol: instrument.symbol,
    positionSide: row.side,
    positionAmt: position?.quantity ?? '0',
    entryPrice: entryPrice(row),
    breakEvenPrice: evenPrice(row),
    markPrice: amountText(position?.markPrice ?? mark),
    unRealizedProfit: amountText(position?.unrealized ?? '0'),
    liquidationPrice: position?.liquidationPrice ?? '0',
    isolatedMargin: amountText(isolatedMargin(row)),
    notional: position?.notional ?? '0',
    marginAsset: instrument.quote,
    isolatedWallet: position?.isolatedWallet ?? '0',
    initialMargin: D.add(position?.initialMargin ?? D.ZERO, row.openOrderMargin),
    maintMargin: position?.maintMargin ?? '0',
    positionInitialMargin: position?.initialMargin ?? '0',
    openOrderInitialMargin: row.openOrderMargin,
    adl: position ? adlQuantile(position) : 0,
    bidNotional: row.bids,
    askNotional: row.asks,
    updateTime: row.updateTime,
  };
}

export function positionRiskV2(row: Row, mark: Decimal): Fields {
  const { position } = row;
  return {
    symbol: row.instrument.symbol,
    positionAmt: position?.quantity ?? '0',
    entryPrice: entryPrice(row),
    breakEvenPrice: evenPrice(row),
    markPrice: amountText(position?.markPrice ?? mark),
    unRealizedProfit: amountText(position?.unrealized ?? '0'),
    liquidationPrice: position?.liquidationPrice ?? '0',
    leverage: String(row.leverage),
    maxNotionalValue: maxNotional(row.instrument, row.leverage),
    marginType: row.isolated ? 'isolated' : 'cross',
    isolatedMargin: amountText(isolatedMargin(row)),
    isAutoAddMargin: 'false',
    positionSide: row.side,
    notional: position?.notional ?? '0',
    isolatedWallet: position?.isolatedWallet ?? '0',
    updateTime: row.updateTime,
    isolated: row.isolated,
    adlQuantile: position ? adlQuantile(position) : 0,
  };
}

/** 0 to 4: how early a position's turn would come, by its profit on the margin behind it. */
export function adlQuantile({ unrealized, initialMargin }: PositionBook): number {
  if (D.lte(unrealized, D.ZERO) || D.isZero(initialMargin)) return 0;
  return Math.min(4, 1 + Math.floor(Number(unrealized) / Number(initialMargin)));
}

/** The sums of an account, valued at the newest marks. */
export interface Totals {
  readonly books: VenueBooks;
  readonly positionMargin: Decimal;
  readonly openOrderMargin: Decimal;
  readonly maintMargin: Decimal;
  readonly unrealized: Decimal;
  readonly crossUnrealized: Decimal;
  readonly updateTime: number;
}

/** Clients take a balance that was never updated for none: the first one was there at the beginning of time. */
const FUNDED = 1;

export function totalsOf(context: Context, liquidations = false): Totals {
  const books = context.account.engine.books(marksOf(context), liquidations);
  const positions = books.markets.flatMap((market) => market.positions);
  const { touched, income } = context.account.books;
  const cross = books.markets.filter(({ marginMode }) => marginMode === 'cross').flatMap((m) => m.positions);
  return {
    books,
    positionMargin: D.sum(positions.map((position) => position.initialMargin)),
    openOrderMargin: D.sum(books.markets.map((market) => market.openOrderMargin)),
    maintMargin: D.sum(positions.map((position) => position.maintMargin)),
    unrealized: D.sum(positions.map((position) => position.unrealized)),
    crossUnrealized: D.sum(cross.map((position) => position.unrealized)),
    updateTime: Math.max(FUNDED, income.at(-1)?.time ?? FUNDED, ...Object.values(touched)),
  };
}

const withdrawable = ({ books }: Totals): Decimal => D.max(D.ZERO, D.min(books.available, books.crossWallet));

export const sums = (totals: Totals): Fields =>
  amountTexts({
    totalInitialMargin: D.add(totals.positionMargin, totals.openOrderMargin),
    totalMaintMargin: totals.maintMargin,
    totalWalletBalance: totals.books.wallet,
    totalUnrealizedProfit: totals.unrealized,
    totalMarginBalance: D.add(totals.books.wallet, totals.unrealized),
    totalPositionInitialMargin: totals.positionMargin,
    totalOpenOrderInitialMargin: totals.openOrderMargin,
    totalCrossWalletBalance: totals.books.crossWallet,
    totalCrossUnPnl: totals.crossUnrealized,
    availableBalance: totals.books.available,
    maxWithdrawAmount: withdrawable(totals),
  });

export const assetRow = (asset: string, totals: Totals): Fields => ({
  asset,
  ...amountTexts({
    walletBalance: totals.books.wallet,
    unrealizedProfit: totals.unrealized,
    marginBalance: D.add(totals.books.wallet, totals.unrealized),
    maintMargin: totals.maintMargin,
    initialMargin: D.add(totals.positionMargin, totals.openOrderMargin),
    positionInitialMargin: totals.positionMargin,
    openOrderInitialMargin: totals.openOrderMargin,
    crossWalletBalance: totals.books.crossWallet,
    crossUnPnl: totals.crossUnrealized,
    availableBalance: totals.books.available,
    maxWithdrawAmount: withdrawable(totals),
  }),
  updateTime: totals.updateTime,
});

export const balanceRow = (alias: string, asset: string, totals: Totals): Fields => ({
  accountAlias: alias,
  asset,
  ...amountTexts({
    balance: totals.books.wallet,
    crossWalletBalance: totals.books.crossWallet,
    crossUnPnl: totals.crossUnrealized,
    availableBalance: totals.books.available,
    maxWithdrawAmount: withdrawable(totals),
  }),
  marginAvailable: true,
  updateTime: totals.updateTime,
});
