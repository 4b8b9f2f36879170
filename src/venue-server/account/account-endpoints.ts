/** The account's pages: balances, positions, brackets, fees, permissions. Nothing here changes anything. */
import * as D from '../../core/decimal.ts';
import type { Json } from '../../core/json.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { maxNotional } from '../../exchange/engine/margin.ts';
import type { Context, Route } from './context.ts';
import { optionalSymbol, symbolOf } from './params.ts';
import {
  accountPositionV2,
  accountPositionV3,
  adlQuantile,
  assetRow,
  balanceRow,
  isIsolated,
  leverageOf,
  positionRiskV2,
  positionRiskV3,
  type Row,
  rowsOf,
  sums,
  type Totals,
  totalsOf,
} from './wire-account.ts';

function instruments({ account, symbols, params }: Context): readonly Instrument[] {
  const one = optionalSymbol(account, params);
  if (one) return [one];
  return symbols().flatMap((symbol) => account.instrument(symbol) ?? []);
}

/** Everything, or what is held or on order. */
function rows(context: Context, every: boolean, { books }: Totals): Row[] {
  const busy = new Set(
    books.markets.filter((m) => m.positions.length > 0 || m.openOrders > 0).map(({ symbol }) => symbol),
  );
  const all = instruments(context).filter(({ symbol }) => every || busy.has(symbol));
  const found = all.flatMap((instrument) => rowsOf(context.account, books, instrument, every));
  if (every || books.positionMode === 'one-way') return found;
  return found.filter((row) => row.position || !D.isZero(row.openOrderMargin));
}

function accountV3(context: Context): Json {
  const totals = totalsOf(context);
  return {
    ...sums(totals),
    assets: [assetRow(context.account.asset, totals)],
    positions: rows(context, false, totals).map(accountPositionV3),
  };
}

function config({ account }: Context) {
  return {
    feeTier: 0,
    canTrade: account.permissions.enableFutures,
    canDeposit: true,
    canWithdraw: account.permissions.enableWithdrawals,
    updateTime: 0,
    multiAssetsMargin: false,
    tradeGroupId: -1,
  };
}

function accountV2(context: Context): Json {
  const totals = totalsOf(context);
  return {
    ...config(context),
    feeBurn: false,
    ...sums(totals),
    assets: [{ ...assetRow(context.account.asset, totals), marginAvailable: true }],
    positions: rows(context, true, totals).map(accountPositionV2),
  };
}

function accountConfig(context: Context): Json {
  const dualSidePosition = context.account.engine.positionMode() === 'hedge';
  return { ...config(context), dualSidePosition };
}

function risk(context: Context, every: boolean, show: (row: Row, mark: string) => Json): Json {
  return rows(context, every, totalsOf(context, true)).map((row) =>
    show(row, D.fromNumber(context.quote(row.instrument.symbol)?.mark ?? 0)),
  );
}

function balance(context: Context): Json {
  const { account } = context;
  return [balanceRow(account.id, account.asset, totalsOf(context))];
}

function brackets(context: Context): Json {
  return instruments(context).map((instrument) => ({
    symbol: instrument.symbol,
    notionalCoef: 1,
    brackets: instrument.brackets.map((bracket) => ({
      bracket: bracket.bracket,
      initialLeverage: bracket.initialLeverage,
      notionalCap: Number(bracket.notionalCap),
      notionalFloor: Number(bracket.notionalFloor),
      maintMarginRatio: Number(bracket.maintMarginRate),
      cum: Number(bracket.cum),
    })),
  }));
}

function symbolConfig(context: Context): Json {
  const books = context.account.venueBooks();
  return instruments(context).map((instrument) => {
    const leverage = leverageOf(books, instrument);
    return {
      symbol: instrument.symbol,
      marginType: isIsolated(books, instrument.symbol) ? 'ISOLATED' : 'CROSSED',
      isAutoAddMargin: false,
      leverage,
      maxNotionalValue: maxNotional(instrument, leverage),
    };
  });
}

function commission({ account, params }: Context): Json {
  const { symbol, makerFeeRate, takerFeeRate } = symbolOf(account, params);
  return {
    symbol,
    makerCommissionRate: makerFeeRate,
    takerCommissionRate: takerFeeRate,
    rpiCommissionRate: makerFeeRate,
  };
}

function adl(context: Context): Json {
  return rows(context, false, totalsOf(context)).flatMap(({ instrument, position, side }) =>
    position ? [{ symbol: instrument.symbol, adlQuantile: { [side]: adlQuantile(position) } }] : [],
  );
}

function restrictions({ account }: Context): Json {
  const { permissions } = account;
  return {
    ipRestrict: permissions.ipRestrict,
    createTime: 0,
    enableReading: permissions.enableReading,
    enableWithdrawals: permissions.enableWithdrawals,
    enableInternalTransfer: permissions.enableInternalTransfer,
    enableMargin: false,
    enableFutures: permissions.enableFutures,
    permitsUniversalTransfer: permissions.permitsUniversalTransfer,
    enableVanillaOptions: false,
    enableFixApiTrade: false,
    enableFixReadOnly: false,
    enableSpotAndMarginTrading: permissions.enableSpotAndMarginTrading,
    enablePortfolioMarginTrading: false,
  };
}

const ORDER_LIMITS: Json = [
  { rateLimitType: 'ORDERS', interval: 'SECOND', intervalNum: 10, limit: 300 },
  { rateLimitType: 'ORDERS', interval: 'MINUTE', intervalNum: 1, limit: 1200 },
];

const page = (path: string, weight: number, handle: Route['handle']): Route => ({
  method: 'GET',
  path,
  security: 'signed',
  weight,
  changes: false,
  handle,
});

export const ACCOUNT_ROUTES: readonly Route[] = [
  page('/fapi/v3/account', 5, accountV3),
  page('/fapi/v2/account', 5, accountV2),
  page('/fapi/v1/accountConfig', 5, accountConfig),
  page('/fapi/v3/balance', 5, balance),
  page('/fapi/v2/balance', 5, balance),
  page('/fapi/v3/positionRisk', 5, (context) => risk(context, false, positionRiskV3)),
  page('/fapi/v2/positionRisk', 5, (context) => risk(context, true, positionRiskV2)),
  page('/fapi/v1/leverageBracket', 1, brackets),
  page('/fapi/v1/symbolConfig', 5, symbolConfig),
  page('/fapi/v1/commissionRate', 20, commission),
  page('/fapi/v1/adlQuantile', 5, adl),
  page('/fapi/v1/rateLimit/order', 1, () => ORDER_LIMITS),
  page('/fapi/v1/apiTradingStatus', 1, ({ at }) => ({ indicators: {}, updateTime: at })),
  page('/fapi/v1/multiAssetsMargin', 30, () => ({ multiAssetsMargin: false })),
  page('/fapi/v1/feeBurn', 30, () => ({ feeBurn: false })),
  page('/sapi/v1/account/apiRestrictions', 1, restrictions),
];
