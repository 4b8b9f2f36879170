/**
 * A full reading of the account: the venue's time first, then everything. Complete, or it failed as a whole.
 *
 * Invariants: nothing older than `at` is missing of what was open; fills and ledger rows since `since` are all there,
 * each once, oldest first, however many pages that takes, with their orders' client ids as far as the venue knows
 * them: without one, nobody can tell a liquidation from a hand; the parts are read together, a few at a time, so that a
 * reading does not take as long as the sum of its parts.
 */
import { isZero } from '../../core/decimal.ts';
import type { RemoteFill, RemoteIncome, RemoteReport } from '../../domain/remote.ts';
import { classifyFailure, NOT_FOUND } from '../call-outcome.ts';
import type { OrderNames } from '../order-names.ts';
import type { WireParams } from '../venue-client.ts';
import type { VenueCaller } from './ccxt-caller.ts';
import {
  amount,
  asRow,
  asRows,
  moment,
  type Row,
  readAlgo,
  readFill,
  readIncome,
  readOrder,
  readPosition,
  UnreadableRow,
} from './ccxt-rows.ts';
import type { ReadVerb } from './ccxt-verbs.ts';

export interface ReadingOptions {
  readonly caller: VenueCaller;
  /** The asset of the wallet: USD-M margin. */
  readonly asset: string;
  readonly names: OrderNames;
}

const DAY_MS = 86_400_000;
/** The longest stretch that the venue gives trades for in one question. */
const TRADES_WINDOW_MS = 7 * DAY_MS - 1;
/** How far back the venue keeps trades and its ledger at least. */
const TRADES_KEPT_MS = 180 * DAY_MS;
const INCOME_KEPT_MS = 89 * DAY_MS;
const PAGE = 1000;
const AT_ONCE = 6;
/** So many client ids are asked for in one reading; of more, the newest. */
const MOST_NAMES = 60;

export class VenueReadings {
  readonly #options: ReadingOptions;

  constructor(options: ReadingOptions) {
    this.#options = options;
  }

  async report(since: number, symbols: readonly string[], signal: AbortSignal): Promise<RemoteReport> {
    const at = moment(asRow(await this.#read('time', {}, signal), 'time'), 'serverTime');
    const covered = Math.max(since, at - INCOME_KEPT_MS, 0);
    const fills: RemoteFill[] = [];
    const jobs: Array<() => Promise<unknown>> = symbols.map((symbol) => async () => {
      // One by one into place: the order of finishing does not matter, they are sorted below.
      for (const fill of await this.fills(symbol, covered, at, signal)) fills.push(fill);
    });
    const [account, positions, orders, algos, income] = await Promise.all([
      this.#read('account', {}, signal),
      this.#read('positionRisk', {}, signal),
      this.#read('openOrders', {}, signal),
      this.#read('openAlgoOrders', {}, signal),
      this.income(covered, at, signal),
      inTurns(jobs, AT_ONCE),
    ]);
    fills.sort(byTimeThenId);
    await this.#askNames(fills, signal);
    return {
      at,
      ...this.#money(asRow(account, 'account')),
      positions: asRows(positions, 'positions')
        .map(readPosition)
        .filter((position) => !isZero(position.amount)),
      openOrders: asRows(orders, 'open orders').map(readOrder),
      openAlgoOrders: algoRows(algos).map(readAlgo),
      fills: fills.map((fill) => this.#options.names.named(fill)),
      income,
      since: covered,
    };
  }

  /** Ledger rows from `since` on, oldest first. */
  async income(since: number, now: number, signal: AbortSignal): Promise<readonly RemoteIncome[]> {
    const found = new Map<string, RemoteIncome>();
    let startTime = Math.max(since, now - INCOME_KEPT_MS, 0);
    for (let page = 1; ; ) {
      const params = { startTime, limit: PAGE, ...(page > 1 && { page }) };
      const rows = asRows(await this.#read('income', params, signal), 'ledger').map(readIncome);
      const before = found.size;
      for (const row of rows) found.set(`${row.id} ${row.type} ${row.symbol ?? ''}`, row);
      const last = rows.reduce((latest, row) => Math.max(latest, row.at), startTime);
      if (rows.length < PAGE) break;
      if (page > 1 && found.size === before) throw new UnreadableRow('the ledger\u2019s pages do not go on');
      // A whole page of one moment: only its number leads on. Else from the last moment again, which is full of
      // rows already seen and perhaps some that are not.
      if (last === startTime) page++;
      else {
        startTime = last;
        page = 1;
      }
    }
    return [...found.values()].sort((a, b) => a.at - b.at || compareIds(a.id, b.id));
  }

  /** A symbol's trades from `since` to `until`, in the windows that the venue allows. */
  async fills(
    symbol: string,
    since: number,
    until: number,
    signal: AbortSignal,
  ): Promise<readonly RemoteFill[]> {
    const found = new Map<string, RemoteFill>();
    let start = Math.max(since, until - TRADES_KEPT_MS, 0);
    do {
      const end = start + TRADES_WINDOW_MS;
      let params: WireParams = { symbol, startTime: start, endTime: end, limit: PAGE };
      for (;;) {
        const page = asRows(await this.#read('userTrades', params, signal), 'fills').map(readFill);
        const last = page.at(-1);
        if (last && params.fromId !== undefined && BigInt(last.tradeId) < BigInt(params.fromId))
          throw new UnreadableRow('the pages of trades do not go on');
        for (const fill of page) if (fill.at >= since) found.set(fill.tradeId, fill);
        if (page.length < PAGE || last === undefined || last.at > end) break;
        // Ids lead through a full window; the venue takes them only without times.
        params = { symbol, fromId: String(BigInt(last.tradeId) + 1n), limit: PAGE };
      }
      start = end + 1;
      // Trades made while we read belong to the reading: the last window ends after now.
    } while (start <= until);
    return [...found.values()];
  }

  async #askNames(fills: readonly RemoteFill[], signal: AbortSignal): Promise<void> {
    const { names } = this.#options;
    const jobs = names.unknown(fills).map((which) => async () => {
      try {
        names.heard(readOrder(asRow(await this.#read('order', { ...which }, signal), 'order')));
      } catch (error) {
        // One that the venue does not show stays nameless; anything else spoils the reading.
        const failure = classifyFailure(error);
        if (failure.outcome !== 'rejected' || !NOT_FOUND.has(failure.code)) throw error;
      }
    });
    await inTurns(jobs.slice(0, MOST_NAMES), AT_ONCE);
  }

  /** The wallet of the one asset; the totals are dollars of all assets and would hide which changed. */
  #money(account: Row): Pick<RemoteReport, 'wallet' | 'available' | 'margin'> {
    const { asset } = this.#options;
    const row = asRows(account.assets ?? [], 'assets').find((candidate) => candidate.asset === asset);
    if (row)
      return {
        wallet: amount(row, 'walletBalance'),
        available: amount(row, 'availableBalance'),
        ...(row.maintMargin === undefined || row.marginBalance === undefined
          ? {}
          : { margin: { maintenance: amount(row, 'maintMargin'), balance: amount(row, 'marginBalance') } }),
      };
    // Never funded: the venue leaves empty assets out.
    if (isZero(amount(account, 'totalWalletBalance'))) return { wallet: '0', available: '0' };
    throw new UnreadableRow(`the account has money, but no ${asset}`);
  }

  #read(verb: ReadVerb, params: WireParams, signal: AbortSignal): Promise<unknown> {
    return this.#options.caller.read(verb, params, 'resolve', signal);
  }
}

/** The list itself, or an object around it: both have been seen. */
function algoRows(value: unknown): readonly Row[] {
  if (Array.isArray(value)) return asRows(value, 'open algo orders');
  return asRows(asRow(value, 'open algo orders').orders, 'open algo orders');
}

const compareIds = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

const byTimeThenId = (a: RemoteFill, b: RemoteFill): number =>
  a.at - b.at || compareIds(a.tradeId, b.tradeId);

/** Runs the jobs, so many at once; the first failure is the failure of all. */
export async function inTurns(jobs: ReadonlyArray<() => Promise<unknown>>, atOnce: number): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let job = jobs[next++]; job !== undefined; job = jobs[next++]) await job();
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, jobs.length) }, worker));
}
