/**
 * The account side of the local venue: accounts, orders and money behind the private endpoints.
 *
 * Invariants: no clock and no dice; the same entries in the same order give the same checkpoint, byte for byte;
 * an entry is in the journal before its pushes or its answer leave. What changes nothing is not journaled.
 */
import { assert } from '../core/assert.ts';
import type { Json } from '../core/json.ts';
import type { SymbolName } from '../domain/instrument.ts';
import type { EngineInput } from '../exchange/engine/engine-types.ts';
import { Account } from './account/account.ts';
import { ACCOUNT_ROUTES } from './account/account-endpoints.ts';
import { ALGO_ROUTES } from './account/algo-endpoints.ts';
import { BATCH_ROUTES } from './account/batch-endpoints.ts';
import type { Context, Route } from './account/context.ts';
import { HISTORY_ROUTES } from './account/history-endpoints.ts';
import { ledgerOf } from './account/ledger.ts';
import { ORDER_ROUTES } from './account/order-endpoints.ts';
import type { Books, Restriction } from './account/records.ts';
import { SETTINGS_ROUTES } from './account/settings-endpoints.ts';
import { STREAM_ROUTES } from './account/stream-endpoints.ts';
import { violationsOf } from './account/violations.ts';
import type {
  AccountLedger,
  CoreEntry,
  CoreOptions,
  ForcedOrder,
  MarketQuote,
  RequestEntry,
  VenueRules,
} from './core-types.ts';
import { type Endpoint, type Push, WireError, type WireRequest } from './protocol.ts';

export type * from './core-types.ts';

const ROUTES: readonly Route[] = [
  ...ORDER_ROUTES,
  ...BATCH_ROUTES,
  ...ALGO_ROUTES,
  ...ACCOUNT_ROUTES,
  ...SETTINGS_ROUTES,
  ...HISTORY_ROUTES,
  ...STREAM_ROUTES,
];

const RULES: VenueRules = {
  threeDayRule: true,
  triggerRejectEvent: false,
  liquidationExecution: 'CALCULATED',
};

/** Far enough apart that no two accounts ever have an id in common. */
const IDS_FOR_ACCOUNT = 1_000_000_000;

/** Inputs that concern one account and no market. */
const PERSONAL = new Set<EngineInput['type']>(['DEPOSIT']);

/** Asked for every price of every symbol. */
function sleepThrough(accounts: readonly Account[], input: EngineInput): boolean {
  for (const { engine } of accounts) if (!engine.sleepsThrough(input)) return false;
  return true;
}

type BookInput = Extract<EngineInput, { type: 'BOOK' }>;

export class VenueCore {
  /** Queries do not see what was placed less than this ago; may be changed at any time. */
  readLagMs: number;
  readonly #options: CoreOptions;
  readonly #accounts: readonly Account[];
  readonly #endpoints: readonly Endpoint[];
  /** Newest books that nobody needed yet. */
  readonly #books = new Map<SymbolName, BookInput>();
  #pushes: Push[] = [];
  #forced: ForcedOrder[] = [];
  #replaying = false;

  constructor(options: CoreOptions, checkpoint?: Json) {
    this.#options = options;
    this.readLagMs = options.readLagMs ?? 0;
    const kept = checkpoint as
      | { readonly version: number; readonly accounts: Record<string, Json> }
      | undefined;
    assert(kept === undefined || kept.version === 1, `a core checkpoint of version ${kept?.version}`);
    this.#accounts = options.accounts.map((settings, i) => {
      const { instruments, slippage, maxConditionalOrders } = options;
      const engine = {
        instruments,
        ...(slippage ? { slippage } : {}),
        ...(maxConditionalOrders ? { maxConditionalOrders } : {}),
      };
      const push = (account: string, at: number, data: Json): void => {
        this.#pushes.push({ socket: 'private', account, at, data });
      };
      const rules = { ...RULES, ...options.rules };
      const firstId = (i + 1) * IDS_FOR_ACCOUNT + 1;
      const forced = (order: ForcedOrder): void => {
        this.#forced.push(order);
      };
      return new Account({ settings, firstId, rules, engine, push, forced }, kept?.accounts[settings.id]);
    });
    this.#endpoints = ROUTES.map((route) => ({ ...route, handle: (request) => this.#serve(route, request) }));
  }

  static restore(checkpoint: Json, options: CoreOptions): VenueCore {
    return new VenueCore(options, checkpoint);
  }

  /** Private REST; `handle` journals by itself, with the quotes that it used. */
  endpoints(): readonly Endpoint[] {
    return this.#endpoints;
  }

  /** A market input, or (with an account) one that concerns that account alone. Journals only what has an effect. */
  feed(input: EngineInput, account?: string): void {
    const concerned = this.#concerned(input, account);
    if (sleepThrough(concerned, input)) {
      if (input.type === 'BOOK') this.#books.set(input.symbol, input);
      return;
    }
    if (input.type === 'BOOK') this.#books.delete(input.symbol);
    else if ('symbol' in input && input.symbol !== undefined) this.#wakeBook(input.symbol);
    else if (input.type === 'BAR') this.#wakeBook(input.bar.symbol);
    this.#record(account === undefined ? { type: 'feed', input } : { type: 'feed', input, account }, () =>
      this.#apply(input, account),
    );
  }

  /** Does what has fallen due: listen keys, good-till dates, countdowns. */
  tick(at: number): void {
    if ((this.nextDeadline() ?? Number.POSITIVE_INFINITY) > at) return;
    this.#record({ type: 'tick', at }, () => this.#tick(at));
  }

  nextDeadline(): number | undefined {
    let next: number | undefined;
    for (const account of this.#accounts) {
      const due = account.nextDeadline();
      if (due !== undefined && (next === undefined || due < next)) next = due;
    }
    return next;
  }

  /** The same again: nothing is pushed and nothing journaled. */
  replay(entry: CoreEntry): void {
    this.#replaying = true;
    try {
      this.#redo(entry);
    } finally {
      this.#replaying = false;
      this.#pushes = [];
      this.#forced = [];
    }
  }

  checkpoint(): Json {
    const accounts: Record<string, Json> = {};
    for (const account of this.#accounts) accounts[account.id] = account.checkpoint();
    return { version: 1, accounts };
  }

  accountOf(apiKey: string): string | undefined {
    return this.#accounts.find((account) => account.settings.apiKey === apiKey)?.id;
  }

  listenKeyAccount(key: string): string | undefined {
    return this.#accounts.find((one) => one.books.listenKeyUntil > 0 && one.listenKey() === key)?.id;
  }

  /** Ends an account's listen key, with or without the event that says so. */
  expireListenKey(account: string, at: number, announce: boolean): void {
    const known = this.#account(account);
    if (known.books.listenKeyUntil === 0) return;
    this.#record({ type: 'expire-key', account, at, announce }, () => known.closeListenKey(at, announce));
  }

  /** Lets an account open nothing any more, or lifts that. */
  restrict(account: string, at: number, as: Restriction | undefined): void {
    const known = this.#account(account);
    this.#record({ type: 'restrict', account, at, ...(as ? { as } : {}) }, () => known.restrict(as));
  }

  violations(): string[] {
    return this.#accounts.flatMap((account) => violationsOf(account).map((text) => `${account.id}: ${text}`));
  }

  ledger(account: string): AccountLedger | undefined {
    const known = this.#accounts.find(({ id }) => id === account);
    return known && ledgerOf(known);
  }

  /** An account's own records, to look at and never to change. */
  records(account: string): Readonly<Books> {
    return this.#account(account).books;
  }

  #account(id: string): Account {
    const account = this.#accounts.find((one) => one.id === id);
    assert(account !== undefined, `no account ${id}`);
    return account;
  }

  #concerned(input: EngineInput, account: string | undefined): readonly Account[] {
    if (account !== undefined) return [this.#account(account)];
    return PERSONAL.has(input.type) ? this.#accounts.slice(0, 1) : this.#accounts;
  }

  #apply(input: EngineInput, account: string | undefined): void {
    // A book is there for all or for none, whomever it woke.
    if (input.type === 'BOOK') for (const one of this.#concerned(input, account)) one.apply(input);
    else
      for (const one of this.#concerned(input, account))
        if (!one.engine.sleepsThrough(input)) one.apply(input);
  }

  #tick(at: number): void {
    for (const account of this.#accounts) account.tick(at);
  }

  /** A book laid aside is taken up before anything that could trade against it. */
  #wakeBook(symbol: SymbolName): void {
    const input = this.#books.get(symbol);
    if (!input || this.#replaying) return;
    this.#books.delete(symbol);
    this.#record({ type: 'feed', input }, () => this.#apply(input, undefined));
  }

  /** Acts, journals, and only then lets the pushes out. */
  #record(entry: CoreEntry, act: () => void): void {
    act();
    this.#options.journal.append(entry);
    this.#flush();
  }

  #flush(): void {
    const pushes = this.#pushes;
    this.#pushes = [];
    const forced = this.#forced;
    this.#forced = [];
    for (const push of pushes) this.#options.push(push);
    for (const order of forced) this.#options.forced?.(order);
  }

  #serve(route: Route, request: WireRequest): Json {
    const { at, params } = request;
    const account = this.#accounts.find(({ settings }) => settings.apiKey === request.apiKey);
    if (!account) throw new WireError(-2015, 'Invalid API-key, IP, or permissions for action.', 401);
    // No change comes before what was due earlier. A copy that lags must not act on its own, so reads wait for nothing.
    if (route.changes) this.tick(at);
    const quotes: Record<SymbolName, MarketQuote> = {};
    const quote = (symbol: SymbolName): MarketQuote | undefined => {
      if (route.changes) this.#wakeBook(symbol);
      const known = quotes[symbol] ?? this.#options.market.quote(symbol);
      if (known) quotes[symbol] = known;
      return known;
    };
    account.touched = false;
    try {
      return this.#handle(route, { at, params, account, quote });
    } finally {
      if (route.changes && account.touched) {
        account.forget(at);
        const { method, path } = route;
        const said = Object.fromEntries(params);
        this.#options.journal.append({
          type: 'request',
          method,
          path,
          params: said,
          at,
          account: account.id,
          quotes,
        });
        this.#flush();
      }
    }
  }

  #handle(route: Route, given: Pick<Context, 'at' | 'params' | 'account' | 'quote'>): Json {
    if (route.changes && !given.account.permissions.enableFutures)
      throw new WireError(-2015, 'Invalid API-key, IP, or permissions for action.', 401);
    const { market } = this.#options;
    return route.handle({
      ...given,
      visibleUntil: given.at - this.readLagMs,
      funding: (symbol) => market.funding(symbol),
      symbols: () => market.instruments().map(({ symbol }) => symbol),
    });
  }

  #redo(entry: CoreEntry): void {
    switch (entry.type) {
      case 'feed':
        this.#apply(entry.input, entry.account);
        break;
      case 'tick':
        this.#tick(entry.at);
        break;
      case 'expire-key':
        this.#account(entry.account).closeListenKey(entry.at, entry.announce);
        break;
      case 'restrict':
        this.#account(entry.account).restrict(entry.as);
        break;
      case 'request':
        this.#redoRequest(entry);
        break;
    }
  }

  #redoRequest(entry: RequestEntry): void {
    const route = ROUTES.find(({ method, path }) => method === entry.method && path === entry.path);
    assert(route !== undefined, `no endpoint ${entry.method} ${entry.path}`);
    const account = this.#account(entry.account);
    const params = new Map(Object.entries(entry.params));
    const { at } = entry;
    try {
      this.#handle(route, { at, params, account, quote: (symbol) => entry.quotes[symbol] });
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
    account.forget(at);
  }
}
