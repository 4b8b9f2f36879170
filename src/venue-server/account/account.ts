/**
 * One account at the venue: its engine, its records, its listen key and its deadlines.
 *
 * Invariants: every input reaches the engine through `apply`, so that records and frames never fall behind it;
 * the account's time never runs back: a market's beat reaches it a little late, and people trade in between;
 * a listen key is made from the account and a serial, never stored; without a valid one nothing is pushed.
 */
import { hash } from 'node:crypto';
import { assert } from '../../core/assert.ts';
import * as D from '../../core/decimal.ts';
import { cloneJson, type Json } from '../../core/json.ts';
import type { Instrument, SymbolName } from '../../domain/instrument.ts';
import { VenueEngine } from '../../exchange/engine/engine.ts';
import type { EngineInput, EngineOptions } from '../../exchange/engine/engine-types.ts';
import type { VenueBooks } from '../../exchange/engine/venue-books.ts';
import type { ApiPermissions, CoreAccount, ForcedOrder, VenueRules } from '../core-types.ts';
import { type Desk, Digest, type Draft, type Refusal } from './digest.ts';
import { RecordIndex } from './record-index.ts';
import { type Books, emptyBooks, type Restriction } from './records.ts';
import { listenKeyExpired } from './stream-frames.ts';

export const OWNER = 'account';
export const LISTEN_KEY_MS = 60 * 60_000;
/** What is over for longer than this is forgotten, as at the venue. */
const MEMORY_MS = 90 * 86_400_000;

const PERMISSIONS: ApiPermissions = {
  ipRestrict: false,
  enableReading: true,
  enableFutures: true,
  enableWithdrawals: false,
  enableInternalTransfer: false,
  permitsUniversalTransfer: false,
  enableSpotAndMarginTrading: false,
};

export interface AccountOptions {
  readonly settings: CoreAccount;
  /** Ids of orders, trades and transfers begin here. */
  readonly firstId: number;
  readonly rules: VenueRules;
  readonly engine: Omit<EngineOptions, 'initialBalance' | 'positionMode' | 'marginMode' | 'defaultLeverage'>;
  readonly push: (account: string, at: number, data: Json) => void;
  readonly forced: (order: ForcedOrder) => void;
}

export class Account implements Desk {
  readonly settings: CoreAccount;
  readonly rules: VenueRules;
  readonly permissions: ApiPermissions;
  readonly asset: string;
  books: Books;
  index: RecordIndex;
  engine: VenueEngine;
  /** True once anything changed since it was last set to false. */
  touched = false;
  readonly #options: AccountOptions;

  constructor(options: AccountOptions, checkpoint?: Json) {
    const { settings } = options;
    this.#options = options;
    this.settings = settings;
    this.rules = options.rules;
    this.permissions = { ...PERMISSIONS, ...settings.permissions };
    this.asset = options.engine.instruments[0]?.quote ?? 'USDT';
    const engine: EngineOptions = {
      ...options.engine,
      initialBalance: settings.initialBalance,
      firstId: options.firstId,
      details: true,
      ...(settings.positionMode ? { positionMode: settings.positionMode } : {}),
      ...(settings.marginMode ? { marginMode: settings.marginMode } : {}),
      ...(settings.defaultLeverage ? { defaultLeverage: settings.defaultLeverage } : {}),
    };
    const kept = checkpoint as unknown as { readonly books: Books; readonly engine: Json } | undefined;
    this.engine = kept ? VenueEngine.restore(kept.engine, engine) : new VenueEngine(engine);
    this.books = kept ? cloneJson(kept.books) : emptyBooks(options.firstId);
    assert(this.books.version === 1, `account books of version ${this.books.version}`);
    this.index = new RecordIndex(this.books);
  }

  get id(): string {
    return this.settings.id;
  }

  checkpoint(): Json {
    return { books: cloneJson(this.books) as unknown as Json, engine: this.engine.checkpoint() };
  }

  instrument(symbol: SymbolName): Instrument | undefined {
    return this.engine.instrument(symbol);
  }

  venueBooks(): VenueBooks {
    return this.engine.books();
  }

  isolated(symbol: SymbolName): boolean {
    return this.engine.marginMode(symbol) === 'isolated';
  }

  wallets(): ReturnType<VenueEngine['wallets']> {
    return this.engine.wallets();
  }

  push(at: number, data: Json): void {
    if (at < this.books.listenKeyUntil) this.#options.push(this.id, at, data);
  }

  forced(order: ForcedOrder): void {
    this.#options.forced(order);
  }

  apply(input: EngineInput, draft?: Draft): Refusal | undefined {
    this.touched = true;
    const at = Math.max(input.at, this.books.lastAt ?? 0);
    this.books.lastAt = at;
    return new Digest(this, at, draft).take(this.engine.apply(at === input.at ? input : { ...input, at }));
  }

  /** A copy to try things on: nobody hears of it. */
  scratch(): Account {
    return new Account({ ...this.#options, push: () => {}, forced: () => {} }, this.checkpoint());
  }

  /** A name for a new order, and a client id where the client gave none. */
  nextRef(): { readonly ref: string; readonly clientId: string } {
    const ref = `r${this.books.nextRef++}`;
    return { ref, clientId: hash('sha256', `${this.id}/${ref}`, 'hex').slice(0, 22) };
  }

  listenKey(): string {
    return hash('sha256', `${this.settings.apiKey}/${this.id}/${this.books.listenKeys}`, 'hex');
  }

  hasListenKey(at: number): boolean {
    return at < this.books.listenKeyUntil;
  }

  /** The account's one listen key, new or extended. */
  openListenKey(at: number): string {
    this.touched = true;
    if (!this.hasListenKey(at)) this.books.listenKeys++;
    this.books.listenKeyUntil = at + LISTEN_KEY_MS;
    return this.listenKey();
  }

  /** The admin's switch; undefined lifts it. */
  restrict(restriction: Restriction | undefined): void {
    this.touched = true;
    if (restriction === undefined) delete this.books.restriction;
    else this.books.restriction = restriction;
  }

  closeListenKey(at: number, announce: boolean): void {
    if (this.books.listenKeyUntil === 0) return;
    this.touched = true;
    const key = this.listenKey();
    if (announce) this.#options.push(this.id, at, listenKeyExpired(at, key));
    this.books.listenKeyUntil = 0;
  }

  nextDeadline(): number | undefined {
    let next = Number.POSITIVE_INFINITY;
    const { listenKeyUntil, countdowns } = this.books;
    if (listenKeyUntil > 0) next = listenKeyUntil;
    for (const due of Object.values(countdowns)) next = Math.min(next, due);
    // Looked at every second: no lists are made for it.
    for (const { goodTillDate } of this.index.openOrders)
      if (goodTillDate > 0) next = Math.min(next, goodTillDate);
    for (const { goodTillDate } of this.index.openAlgos)
      if (goodTillDate > 0) next = Math.min(next, goodTillDate);
    return Number.isFinite(next) ? next : undefined;
  }

  /** Does what is due by now, each thing as of its own time: how often it is called makes no difference. */
  tick(at: number): void {
    for (let due = this.nextDeadline(); due !== undefined && due <= at; due = this.nextDeadline()) {
      this.#due(due);
      assert(this.nextDeadline() !== due, 'a deadline that does not go by');
    }
  }

  #due(at: number): void {
    const { books, index } = this;
    for (const [symbol, due] of Object.entries(books.countdowns)) {
      if (due > at) continue;
      delete books.countdowns[symbol];
      this.touched = true;
      for (const order of [...index.openOrders])
        if (order.symbol === symbol) this.cancel(at, order.symbol, order.ref);
    }
    for (const record of [...index.openOrders, ...index.openAlgos]) {
      const { goodTillDate, symbol, ref } = record;
      if (goodTillDate > 0 && goodTillDate <= at)
        this.apply({ type: 'order.expire', at, owner: OWNER, ref, symbol, reason: 'good till its date' });
    }
    if (books.listenKeyUntil > 0 && books.listenKeyUntil <= at) this.closeListenKey(at, true);
  }

  cancel(at: number, symbol: SymbolName, ref: string): Refusal | undefined {
    return this.apply({ type: 'order.cancel', at, owner: OWNER, symbol, ref });
  }

  /** Drops what is over for longer than the venue remembers. Only while something changes anyway. */
  forget(at: number): void {
    const since = at - MEMORY_MS;
    const { books } = this;
    const old = (books.income[0]?.time ?? at) < since || (books.orders[0]?.updateTime ?? at) < since;
    if (!old) return;
    for (const income of books.income)
      if (income.time < since) books.forgottenIncome = D.add(books.forgottenIncome, income.amount);
    books.income = books.income.filter(({ time }) => time >= since);
    books.amendments = books.amendments.filter(({ time }) => time >= since);
    books.marginMoves = books.marginMoves.filter(({ time }) => time >= since);
    books.orders = books.orders.filter((o) => this.index.openOrders.has(o) || o.updateTime >= since);
    books.algos = books.algos.filter((a) => a.status === 'NEW' || a.updateTime >= since);
    const known = new Set(books.orders.map(({ orderId }) => orderId));
    books.trades = books.trades.filter(({ orderId }) => known.has(orderId));
    this.index = new RecordIndex(books);
  }
}
