/**
 * What trades at the venue and under which rules: exchangeInfo, leverageBracket, fundingInfo and the account's fees,
 * read exactly (ccxt's markets hold floats).
 *
 * Invariants: filters are the venue's own decimals; a symbol without the filters that an order needs is no
 * instrument; a status that we do not know counts as halted.
 */
import { type Decimal, decimal, fromNumber, isZero } from '../../core/decimal.ts';
import type { Instrument, InstrumentStatus, LeverageBracket } from '../../domain/instrument.ts';
import { classifyFailure } from '../call-outcome.ts';
import { DEFAULT_LIMITS, type RateLimits } from '../rate-budget.ts';
import type { VenueCaller } from './ccxt-caller.ts';
import { amount, asRow, asRows, count, type Row, size, text, UnreadableRow, whole } from './ccxt-rows.ts';

export interface Fees {
  readonly maker: Decimal;
  readonly taker: Decimal;
}

export interface ExchangeInfo {
  readonly limits: RateLimits;
  /** Of perpetual contracts margined in a quote currency, by symbol. */
  readonly symbols: ReadonlyMap<string, Row>;
}

/** So many symbols may be asked for their own fees; the account's tier is the same for all of a quote currency. */
const MOST_FEE_QUESTIONS = 25;
const DEFAULT_FEES: Fees = { maker: '0.0002', taker: '0.0005' };
const DEFAULT_FUNDING_HOURS = 8;
const STATUSES: readonly InstrumentStatus[] = ['TRADING', 'TRADING_HALT', 'SETTLING', 'CLOSE'];

export async function readExchangeInfo(caller: VenueCaller, signal: AbortSignal): Promise<ExchangeInfo> {
  const info = asRow(await caller.read('exchangeInfo', {}, 'data', signal), 'exchangeInfo');
  const symbols = new Map<string, Row>();
  for (const row of asRows(info.symbols, 'symbols')) {
    if (row.contractType === 'PERPETUAL' || row.contractType === undefined)
      symbols.set(text(row, 'symbol'), row);
  }
  return { limits: limitsOf(asRows(info.rateLimits ?? [], 'rateLimits')), symbols };
}

function limitsOf(rows: readonly Row[]): RateLimits {
  const find = (type: string, interval: string, count: number): number | undefined => {
    const row = rows.find(
      (candidate) =>
        candidate.rateLimitType === type &&
        candidate.interval === interval &&
        whole(candidate, 'intervalNum') === count,
    );
    const limit = row && whole(row, 'limit');
    return limit === 0 ? undefined : limit;
  };
  return {
    weightPerMinute: find('REQUEST_WEIGHT', 'MINUTE', 1) ?? DEFAULT_LIMITS.weightPerMinute,
    ordersPer10Seconds: find('ORDERS', 'SECOND', 10) ?? DEFAULT_LIMITS.ordersPer10Seconds,
    ordersPerMinute: find('ORDERS', 'MINUTE', 1) ?? DEFAULT_LIMITS.ordersPerMinute,
  };
}

/** What of each filter no order can do without: a grid of nothing is none. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  PRICE_FILTER: ['tickSize'],
  LOT_SIZE: ['stepSize', 'maxQty'],
  MIN_NOTIONAL: [],
};

/** Filters that are missing for an order; empty when the symbol can be traded. */
export function missingFilters(row: Row): readonly string[] {
  const filters = filtersOf(row);
  return Object.entries(NEEDED).flatMap(([name, fields]) => {
    const filter = filters.get(name);
    return filter && fields.every((field) => !isZero(size(filter, field))) ? [] : [name];
  });
}

function filtersOf(row: Row): ReadonlyMap<string, Row> {
  return new Map(asRows(row.filters ?? [], 'filters').map((filter) => [text(filter, 'filterType'), filter]));
}

/** A perpetual's delivery lies in the year 2100; one that is to be delisted has a nearer one. */
const NO_DELIVERY_AT = 4_102_444_800_000;
const isAnnounced = (deliveryDate: unknown): deliveryDate is number =>
  Number.isSafeInteger(deliveryDate) &&
  (deliveryDate as number) > 0 &&
  (deliveryDate as number) < NO_DELIVERY_AT;

const statusOf = (row: Row): InstrumentStatus =>
  STATUSES.find((status) => status === row.status) ?? (row.status === 'DELIVERED' ? 'CLOSE' : 'TRADING_HALT');

export function readInstrument(
  row: Row,
  brackets: readonly LeverageBracket[],
  fees: Fees,
  fundingIntervalHours: number,
): Instrument {
  const filters = filtersOf(row);
  const filter = (name: string): Row => {
    const found = filters.get(name);
    if (found === undefined) throw new UnreadableRow(`${text(row, 'symbol')} has no ${name}`);
    return found;
  };
  const price = filter('PRICE_FILTER');
  const lot = filter('LOT_SIZE');
  const market = filters.get('MARKET_LOT_SIZE') ?? lot;
  const percent = filters.get('PERCENT_PRICE');
  const exact = (from: Row, field: string): Decimal => decimal(size(from, field));
  const exactOr = (field: string, otherwise: Decimal): Decimal =>
    row[field] === undefined ? otherwise : exact(row, field);
  return {
    symbol: text(row, 'symbol'),
    base: text(row, 'baseAsset'),
    quote: text(row, 'quoteAsset'),
    status: statusOf(row),
    tickSize: exact(price, 'tickSize'),
    minPrice: exact(price, 'minPrice'),
    maxPrice: exact(price, 'maxPrice'),
    stepSize: exact(lot, 'stepSize'),
    minQuantity: exact(lot, 'minQty'),
    maxQuantity: exact(lot, 'maxQty'),
    marketMaxQuantity: exact(market, 'maxQty'),
    minNotional: exact(filter('MIN_NOTIONAL'), 'notional'),
    multiplierUp: percent ? exact(percent, 'multiplierUp') : '1.05',
    multiplierDown: percent ? exact(percent, 'multiplierDown') : '0.95',
    triggerProtectRate: exactOr('triggerProtect', '0.05'),
    liquidationFeeRate: exactOr('liquidationFee', '0.0125'),
    marketTakeBoundRate: exactOr('marketTakeBound', '0.05'),
    makerFeeRate: fees.maker,
    takerFeeRate: fees.taker,
    fundingIntervalHours,
    ...(isAnnounced(row.deliveryDate) && { deliversAt: row.deliveryDate }),
    ...(row.pricePrecision !== undefined && { pricePrecision: whole(row, 'pricePrecision') }),
    ...(row.quantityPrecision !== undefined && { quantityPrecision: whole(row, 'quantityPrecision') }),
    brackets,
  };
}

/** JSON numbers: their shortest decimal form is the venue's own text, and judged as one. */
const exactNumber = (row: Row, field: string): Decimal => {
  const value = row[field];
  const isNumber = typeof value === 'number' && Number.isFinite(value);
  return decimal(size(isNumber ? { ...row, [field]: fromNumber(value) } : row, field));
};

function readBrackets(value: unknown): ReadonlyMap<string, readonly LeverageBracket[]> {
  const result = new Map<string, readonly LeverageBracket[]>();
  for (const row of asRows(value, 'leverage brackets')) {
    const brackets = asRows(row.brackets, 'brackets').map((bracket) => ({
      bracket: count(bracket, 'bracket'),
      initialLeverage: count(bracket, 'initialLeverage'),
      notionalFloor: exactNumber(bracket, 'notionalFloor'),
      notionalCap: exactNumber(bracket, 'notionalCap'),
      maintMarginRate: exactNumber(bracket, 'maintMarginRatio'),
      cum: exactNumber(bracket, 'cum'),
    }));
    result.set(
      text(row, 'symbol'),
      brackets.sort((a, b) => a.bracket - b.bracket),
    );
  }
  return result;
}

export class VenueInstruments {
  readonly #caller: VenueCaller;
  /** Fees change with a month's volume: once a run is often enough. */
  readonly #fees = new Map<string, Fees>();

  constructor(caller: VenueCaller) {
    this.#caller = caller;
  }

  /** As they are now; without names, all that can be traded. */
  async read(symbols: readonly string[] | undefined, signal: AbortSignal) {
    const [info, brackets, hours] = await Promise.all([
      readExchangeInfo(this.#caller, signal),
      this.#caller.read('leverageBracket', {}, 'data', signal).then(readBrackets),
      this.#fundingHours(signal),
    ]);
    const rows = [...info.symbols.values()].filter(
      (row) => (!symbols || symbols.includes(text(row, 'symbol'))) && missingFilters(row).length === 0,
    );
    const fees = await this.#feesOf(rows, signal);
    const instruments = rows.map((row) => {
      const symbol = text(row, 'symbol');
      return readInstrument(
        row,
        brackets.get(symbol) ?? [],
        fees(row),
        hours.get(symbol) ?? DEFAULT_FUNDING_HOURS,
      );
    });
    return { instruments, info };
  }

  /** Only symbols whose interval was adjusted are listed; a venue without the list adjusted none. */
  async #fundingHours(signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    try {
      const rows = asRows(await this.#caller.read('fundingInfo', {}, 'data', signal), 'fundingInfo');
      return new Map(rows.map((row) => [text(row, 'symbol'), count(row, 'fundingIntervalHours')]));
    } catch (error) {
      if (isAbsent(error)) return new Map();
      throw error;
    }
  }

  /** Each symbol's own where they are few, else those of one symbol for all of its quote currency. */
  async #feesOf(rows: readonly Row[], signal: AbortSignal): Promise<(row: Row) => Fees> {
    const asked = rows.length <= MOST_FEE_QUESTIONS ? rows : onePerQuote(rows);
    for (const row of asked) await this.#askFees(text(row, 'symbol'), signal);
    const general = new Map(
      asked.map((row) => [text(row, 'quoteAsset'), this.#fees.get(text(row, 'symbol')) ?? DEFAULT_FEES]),
    );
    return (row) =>
      this.#fees.get(text(row, 'symbol')) ?? general.get(text(row, 'quoteAsset')) ?? DEFAULT_FEES;
  }

  async #askFees(symbol: string, signal: AbortSignal): Promise<void> {
    if (this.#fees.has(symbol)) return;
    try {
      const row = asRow(await this.#caller.read('commissionRate', { symbol }, 'data', signal), 'fees');
      this.#fees.set(symbol, {
        maker: decimal(amount(row, 'makerCommissionRate')),
        taker: decimal(amount(row, 'takerCommissionRate')),
      });
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }
}

function onePerQuote(rows: readonly Row[]): readonly Row[] {
  const first = new Map<string, Row>();
  for (const row of rows) if (!first.has(text(row, 'quoteAsset'))) first.set(text(row, 'quoteAsset'), row);
  return [...first.values()];
}

/** The venue does not have this endpoint. */
export function isAbsent(error: unknown): boolean {
  const outcome = classifyFailure(error);
  return outcome.outcome === 'rejected' && (outcome.code === 404 || outcome.code === -5000);
}
