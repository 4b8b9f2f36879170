/**
 * Who holds what, and the wallet: derived from fills and from the venue's ledger, each counted once.
 *
 * Invariants: Σ holdings + foreign = Σ fills; a trade reaches the wallet once, whether its fill or its ledger
 * row comes first; every change of the wallet is told to the portfolio with its reason.
 */

import type { Decimal } from '../core/decimal.ts';
import * as D from '../core/decimal.ts';
import type { ActorId } from '../core/ids.ts';
import { PORTFOLIO } from '../domain/events.ts';
import type { SymbolName } from '../domain/instrument.ts';
import type { Side } from '../domain/order.ts';
import type { RemoteFill, RemoteIncome } from '../domain/remote.ts';
import { walletCause } from '../domain/wallet.ts';
import { finding, send, tell, type Work } from './executor-state.ts';
import type { ExecutorState, Foreign } from './executor-types.ts';

const COST_PLACES = 16;

export const signedOf = (side: Side, quantity: Decimal): Decimal =>
  side === 'BUY' ? quantity : D.neg(quantity);

export const tradeKey = (fill: { readonly symbol: SymbolName; readonly tradeId: string }): string =>
  `${fill.symbol}:${fill.tradeId}`;

/** The actor that holds something on a symbol; with several (a late fill of an old life) the larger. */
export function holderOf(work: Work, symbol: SymbolName): ActorId | undefined {
  let largest: ActorId | undefined;
  const held = work.state.holdings[symbol] ?? {};
  for (const [owner, { amount }] of Object.entries(held))
    if (largest === undefined || D.gt(D.abs(amount), D.abs(held[largest]?.amount ?? D.ZERO))) largest = owner;
  return largest;
}

export const heldBy = (work: Work, symbol: SymbolName, owner: ActorId): Decimal =>
  work.state.holdings[symbol]?.[owner]?.amount ?? D.ZERO;

/** What the books say the venue must show. */
export function expectedAmount(work: Work, symbol: SymbolName): Decimal {
  const held = Object.values(work.state.holdings[symbol] ?? {}).map(({ amount }) => amount);
  return D.sum([...held, work.state.foreign[symbol]?.amount ?? D.ZERO]);
}

export function changeHolding(
  work: Work,
  symbol: SymbolName,
  owner: ActorId,
  signed: Decimal,
  price: Decimal,
  at: number,
): void {
  const { holdings } = work.state;
  const ofSymbol = holdings[symbol] ?? {};
  holdings[symbol] = ofSymbol;
  const held = ofSymbol[owner] ?? { amount: D.ZERO, notional: D.ZERO, since: at };
  const amount = D.add(held.amount, signed);
  held.notional = costAfter(held, signed, price, amount);
  held.amount = amount;
  ofSymbol[owner] = held;
  if (!D.isZero(amount)) return;
  delete ofSymbol[owner];
  work.state.lastHeld ??= {};
  work.state.lastHeld[symbol] = { owner, since: held.since, until: at };
  if (Object.keys(ofSymbol).length === 0) delete holdings[symbol];
}

function costAfter(
  held: { readonly amount: Decimal; readonly notional: Decimal },
  signed: Decimal,
  price: Decimal,
  amount: Decimal,
): Decimal {
  if (D.isZero(amount)) return D.ZERO;
  const grows = D.isZero(held.amount) || D.sign(held.amount) === D.sign(signed);
  if (grows) return D.add(held.notional, D.mul(signed, price));
  const flips = D.sign(amount) !== D.sign(held.amount);
  return flips ? D.mul(amount, price) : D.div(D.mul(held.notional, amount), held.amount, COST_PLACES);
}

export const averageCost = (held: { readonly amount: Decimal; readonly notional: Decimal }): Decimal =>
  D.isZero(held.amount) ? D.ZERO : D.div(held.notional, held.amount, COST_PLACES);

export function foreignOf(work: Work, symbol: SymbolName): Foreign {
  const known = work.state.foreign[symbol];
  if (known) return known;
  const position = work.state.positions[symbol];
  const fresh: Foreign = {
    amount: D.ZERO,
    entryPrice: position?.entryPrice ?? D.ZERO,
    markPrice: position?.markPrice ?? D.ZERO,
    orders: [],
    blocked: false,
    ignored: false,
    offered: null,
  };
  work.state.foreign[symbol] = fresh;
  return fresh;
}

export function changeForeign(work: Work, symbol: SymbolName, signed: Decimal, price: Decimal): void {
  if (D.isZero(signed)) return;
  const foreign = foreignOf(work, symbol);
  if (D.isZero(foreign.amount)) foreign.entryPrice = price;
  foreign.amount = D.add(foreign.amount, signed);
}

interface WalletAbout {
  readonly symbol?: SymbolName;
  readonly tradeId?: string;
}

export function changeWallet(work: Work, delta: Decimal, reason: string, about: WalletAbout = {}): void {
  if (D.isZero(delta)) return;
  const { state, settings } = work;
  state.wallet = D.add(state.wallet, delta);
  const event = { asset: settings.asset, balance: state.wallet, delta, reason, ...about };
  send(work, PORTFOLIO, { type: 'WALLET_CHANGED', ...event });
}

function tradeOf(work: Work, key: string, at: number): ExecutorState['trades'][string] {
  const trade = work.state.trades[key] ?? { at, fill: false, pnl: false, fee: false, stray: false };
  work.state.trades[key] = trade;
  return trade;
}

export const isBooked = (work: Work, fill: RemoteFill): boolean =>
  work.state.trades[tradeKey(fill)]?.fill === true;

/** `stray`: as somebody else's, which an order of ours may yet turn out to have made. */
export function markBooked(work: Work, fill: RemoteFill, stray = false): void {
  const trade = tradeOf(work, tradeKey(fill), fill.at);
  trade.fill = true;
  trade.stray = stray;
}

/** True once, for a fill that was booked as somebody else's. */
export function claimStray(work: Work, fill: RemoteFill): boolean {
  const trade = tradeOf(work, tradeKey(fill), fill.at);
  const { stray } = trade;
  trade.stray = false;
  return stray;
}

/** Its money comes by the ledger, if at all. */
export function markPaid(work: Work, fill: RemoteFill): void {
  const trade = tradeOf(work, tradeKey(fill), fill.at);
  trade.pnl = true;
  trade.fee = true;
}

/** The fill's P&L and fee, unless its ledger rows brought them already. */
export function payFor(work: Work, fill: RemoteFill): void {
  const trade = tradeOf(work, tradeKey(fill), fill.at);
  const about = { symbol: fill.symbol, tradeId: fill.tradeId };
  if (!trade.pnl) changeWallet(work, fill.realizedPnl, 'REALIZED_PNL', about);
  if (!trade.fee) changeWallet(work, D.neg(feeInAsset(work, fill)), 'COMMISSION', about);
  trade.pnl = true;
  trade.fee = true;
}

/** A fee in another coin does not touch this wallet; the books of a position are in the wallet's asset. */
export function feeInAsset(work: Work, fill: RemoteFill): Decimal {
  if (fill.feeAsset === work.settings.asset || D.isZero(fill.fee)) return fill.fee;
  finding(
    work,
    'fee-asset',
    `fees are charged in ${fill.feeAsset}, not ${work.settings.asset}: P&L here is before those fees`,
  );
  return D.ZERO;
}

const FUNDING = /FUNDING_FEE/;

/** Takes the rows that were not taken yet. True when there was any. */
export function takeIncome(work: Work, rows: readonly RemoteIncome[], readAt: number): boolean {
  const { state, settings } = work;
  let found = false;
  for (const row of rows) {
    const key = `${row.type}:${row.symbol ?? ''}:${row.id}`;
    if (key in state.rows || row.asset !== settings.asset || row.at <= (state.baseline ?? 0)) continue;
    if (row.at < oldest(work)) continue;
    if (row.tradeId !== undefined && (row.type === 'REALIZED_PNL' || row.type === 'COMMISSION')) {
      // Its fill is on its way and knows whose it is; only a trade that nobody tells of is booked from here.
      const isYoung = row.at > readAt - settings.quietMs;
      if (!takeTradeRow(work, row, isYoung)) continue;
    } else {
      takeOther(work, row);
    }
    state.rows[key] = row.at;
    found = true;
  }
  return found;
}

function takeTradeRow(work: Work, row: RemoteIncome, isYoung: boolean): boolean {
  const key = `${row.symbol ?? ''}:${row.tradeId ?? ''}`;
  const part = row.type === 'COMMISSION' ? 'fee' : 'pnl';
  const known = work.state.trades[key];
  if (known?.[part]) return true;
  if (isYoung || work.state.limbo.some(({ fill }) => tradeKey(fill) === key)) return false;
  tradeOf(work, key, row.at)[part] = true;
  changeWallet(work, row.amount, row.type, {
    ...(row.symbol === undefined ? {} : { symbol: row.symbol }),
    ...(row.tradeId === undefined ? {} : { tradeId: row.tradeId }),
  });
  return true;
}

function takeOther(work: Work, row: RemoteIncome): void {
  const { symbol, amount } = row;
  if (FUNDING.test(row.type)) {
    if (symbol !== undefined) tellFunding(work, symbol, amount, row.at);
    changeWallet(work, amount, 'FUNDING_FEE', symbol === undefined ? {} : { symbol });
    return;
  }
  const reason = walletCause(row.type) === 'moved' ? 'TRANSFER' : row.type;
  changeWallet(work, amount, reason, symbol === undefined ? {} : { symbol });
}

/** The ledger tells neither rate nor mark price. */
function tellFunding(work: Work, symbol: SymbolName, amount: Decimal, at: number): void {
  const owner = holderAt(work, symbol, at);
  if (owner !== undefined) tell(work, owner, { type: 'FUNDING_SETTLED', symbol, amount });
}

/** A row may come when its position is gone already: it is that position's all the same, and never the next one's. */
function holderAt({ state }: Work, symbol: SymbolName, at: number): ActorId | undefined {
  const now = Object.entries(state.holdings[symbol] ?? {}).find(([, { since }]) => since <= at);
  if (now) return now[0];
  const last = state.lastHeld?.[symbol];
  return last && last.since <= at && at <= last.until ? last.owner : undefined;
}

/** Settlements up to a moment, in the order in which they happened between the fills. */
export function takeFunding(work: Work, rows: readonly RemoteIncome[], until: number, readAt: number): void {
  takeIncome(
    work,
    rows.filter(({ type, at }) => FUNDING.test(type) && at <= until),
    readAt,
  );
}

/** What is older than this is forgotten, and therefore never looked at again. */
export const oldest = (work: Work): number => work.state.cursor - keepMs(work);
const keepMs = (work: Work): number => 2 * work.settings.overlapMs + 4_000_000;
