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
import {
  type HedgeSide,
  keyOf,
  keysOn,
  namedSide,
  type PositionKey,
  positionSideOf,
} from '../domain/position-key.ts';
import type { RemoteFill, RemoteIncome } from '../domain/remote.ts';
import { walletCause } from '../domain/wallet.ts';
import { finding, send, tell, type Work } from './executor-state.ts';
import type { ExecutorState, Foreign } from './executor-types.ts';

const COST_PLACES = 16;

export const signedOf = (side: Side, quantity: Decimal): Decimal =>
  side === 'BUY' ? quantity : D.neg(quantity);

export const tradeKey = (fill: { readonly symbol: SymbolName; readonly tradeId: string }): string =>
  `${fill.symbol}:${fill.tradeId}`;

/** The actor that holds something there; with several (a late fill of an old life) the larger. */
export function holderOf(work: Work, place: PositionKey): ActorId | undefined {
  let largest: ActorId | undefined;
  const held = work.state.holdings[place] ?? {};
  for (const [owner, { amount }] of Object.entries(held))
    if (largest === undefined || D.gt(D.abs(amount), D.abs(held[largest]?.amount ?? D.ZERO))) largest = owner;
  return largest;
}

export const heldBy = (work: Work, place: PositionKey, owner: ActorId): Decimal =>
  work.state.holdings[place]?.[owner]?.amount ?? D.ZERO;

/** What the books say the venue must show. */
export function expectedAmount(work: Work, place: PositionKey): Decimal {
  const held = Object.values(work.state.holdings[place] ?? {}).map(({ amount }) => amount);
  return D.sum([...held, work.state.foreign[place]?.amount ?? D.ZERO]);
}

export function changeHolding(
  work: Work,
  place: PositionKey,
  owner: ActorId,
  signed: Decimal,
  price: Decimal,
  at: number,
): void {
  const { holdings } = work.state;
  const here = holdings[place] ?? {};
  holdings[place] = here;
  const held = here[owner] ?? { amount: D.ZERO, notional: D.ZERO, since: at };
  const before = held.amount;
  const amount = D.add(before, signed);
  held.notional = costAfter(held, signed, price, amount);
  held.amount = amount;
  here[owner] = held;
  if (!D.isZero(amount)) return;
  delete here[owner];
  work.state.lastHeld ??= {};
  work.state.lastHeld[place] = {
    ...{ owner, since: held.since, until: at },
    ...(positionSideOf(place) === 'BOTH' ? {} : { amount: before }),
  };
  if (Object.keys(here).length === 0) delete holdings[place];
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

export function foreignOf(work: Work, place: PositionKey): Foreign {
  const known = work.state.foreign[place];
  if (known) return known;
  const position = work.state.positions[place];
  const fresh: Foreign = {
    amount: D.ZERO,
    entryPrice: position?.entryPrice ?? D.ZERO,
    markPrice: position?.markPrice ?? D.ZERO,
    orders: [],
    blocked: false,
    ignored: false,
    offered: null,
  };
  work.state.foreign[place] = fresh;
  return fresh;
}

export function changeForeign(work: Work, place: PositionKey, signed: Decimal, price: Decimal): void {
  if (D.isZero(signed)) return;
  const foreign = foreignOf(work, place);
  if (D.isZero(foreign.amount)) foreign.entryPrice = price;
  foreign.amount = D.add(foreign.amount, signed);
}

interface WalletAbout {
  readonly symbol?: SymbolName;
  readonly tradeId?: string;
  readonly positionSide?: HedgeSide;
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
  const about = { symbol: fill.symbol, tradeId: fill.tradeId, ...namedSide(keyOf(fill)) };
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
const isFunding = ({ type }: RemoteIncome): boolean => FUNDING.test(type);
const rowKey = ({ type, symbol, id }: RemoteIncome): string => `${type}:${symbol ?? ''}:${id}`;

/** Settlements are hours apart. */
const SETTLEMENT_MS = 60_000;

/** Takes the rows that were not taken yet. True when there was any. */
export function takeIncome(work: Work, rows: readonly RemoteIncome[], readAt: number): boolean {
  const { state, settings } = work;
  let found = false;
  const settled: RemoteIncome[] = [];
  for (const row of rows) {
    const key = rowKey(row);
    if (key in state.rows || row.asset !== settings.asset || row.at <= (state.baseline ?? 0)) continue;
    if (row.at < oldest(work)) continue;
    if (row.tradeId !== undefined && (row.type === 'REALIZED_PNL' || row.type === 'COMMISSION')) {
      // Its fill is on its way and knows whose it is; only a trade that nobody tells of is booked from here.
      const isYoung = row.at > readAt - settings.quietMs;
      if (!takeTradeRow(work, row, isYoung)) continue;
    } else {
      if (isFunding(row)) tellFunding(work, row, rows, settled);
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
  if (isFunding(row)) {
    changeWallet(work, amount, 'FUNDING_FEE', symbol === undefined ? {} : { symbol });
    return;
  }
  const reason = walletCause(row.type) === 'moved' ? 'TRANSFER' : row.type;
  changeWallet(work, amount, reason, symbol === undefined ? {} : { symbol });
}

/**
 * The ledger tells neither rate nor mark price, nor in hedge mode the side. Both sides are paid at one rate and one
 * mark, so what a settlement comes to divides by what each side holds; two that are equal come to nothing.
 */
function tellFunding(
  work: Work,
  row: RemoteIncome,
  rows: readonly RemoteIncome[],
  told: RemoteIncome[],
): void {
  const { symbol, at } = row;
  if (symbol === undefined) return;
  const holders = holdersAt(work, symbol, at);
  const [only] = holders;
  if (holders.length <= 1) {
    if (only?.owner) tell(work, only.owner, { type: 'FUNDING_SETTLED', symbol, amount: row.amount });
    return;
  }
  if (told.some((other) => isSameSettlement(other, row))) return;
  told.push(row);
  const total = D.sum(together(work, row, rows).map(({ amount }) => amount));
  const net = D.sum(holders.map(({ held }) => held));
  let left = total;
  for (const { owner, held } of holders) {
    const share = D.isZero(net) ? D.ZERO : D.div(D.mul(total, held), net, MONEY_PLACES);
    const amount = owner === holders.at(-1)?.owner ? left : share;
    left = D.sub(left, amount);
    if (owner !== null) tell(work, owner, { type: 'FUNDING_SETTLED', symbol, amount });
  }
}

const MONEY_PLACES = 8;

/** The rows of one settlement that are not in the books yet. */
const together = ({ state }: Work, row: RemoteIncome, rows: readonly RemoteIncome[]): RemoteIncome[] =>
  rows.filter((other) => isSameSettlement(other, row) && !(rowKey(other) in state.rows));

/** In hedge mode there is a row for each side. */
const isSameSettlement = (other: RemoteIncome, row: RemoteIncome): boolean =>
  other === row ||
  (isFunding(other) &&
    other.symbol === row.symbol &&
    other.asset === row.asset &&
    Math.abs(other.at - row.at) < SETTLEMENT_MS);

interface HeldAt {
  /** Null: nobody here opened it. In one-way mode that nets with what is ours, and is not told apart. */
  readonly owner: ActorId | null;
  /** Signed. */
  readonly held: Decimal;
}

/** A row may come when its position is gone already: it is that position's all the same, and never the next one's. */
function holdersAt({ state }: Work, symbol: SymbolName, at: number): readonly HeldAt[] {
  const here = [...keysOn(symbol, 'one-way'), ...keysOn(symbol, 'hedge')];
  return here.flatMap((place): HeldAt[] => {
    const now = Object.entries(state.holdings[place] ?? {}).find(([, { since }]) => since <= at);
    if (now) return [{ owner: now[0], held: now[1].amount }];
    const last = state.lastHeld?.[place];
    if (last && last.since <= at && at <= last.until)
      return [{ owner: last.owner, held: last.amount ?? D.ZERO }];
    const foreign = positionSideOf(place) === 'BOTH' ? D.ZERO : (state.foreign[place]?.amount ?? D.ZERO);
    return D.isZero(foreign) ? [] : [{ owner: null, held: foreign }];
  });
}

/** The settlements of a reading, oldest first, to be taken in the order in which they happened between its fills. */
export class Settlements {
  readonly #rows: readonly RemoteIncome[];
  #taken = 0;

  constructor(income: readonly RemoteIncome[]) {
    this.#rows = income.filter(isFunding).toSorted((a, b) => a.at - b.at);
  }

  takeUntil(work: Work, until: number, readAt: number): void {
    const from = this.#taken;
    while ((this.#rows[this.#taken]?.at ?? Number.POSITIVE_INFINITY) <= until) this.#taken++;
    if (this.#taken > from) takeIncome(work, this.#rows.slice(from, this.#taken), readAt);
  }
}

/** What is older than this is forgotten, and therefore never looked at again. */
export const oldest = (work: Work): number => work.state.cursor - keepMs(work);
const keepMs = (work: Work): number => 2 * work.settings.overlapMs + 4_000_000;
