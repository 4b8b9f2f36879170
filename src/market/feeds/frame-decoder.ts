/**
 * Bytes of Binance market frames into typed ticks: bookTicker, trade and aggTrade, markPriceUpdate (single or the
 * array of all symbols), kline, depthUpdate, contractInfo; bare, or wrapped as {stream, data}.
 *
 * Invariants: never throws; a frame it cannot read is counted and yields nothing; fields it does not know are
 * skipped, wherever they stand; a price is a positive finite number or the frame is a fault.
 *
 * The three frequent flat events are read straight from the bytes, without building the object (JSON.parse would
 * be the floor otherwise). Whatever that scan does not find quite regular goes through JSON.parse instead, so
 * that it only ever has to be fast, not forgiving.
 */
import type { Timeframe } from '../../domain/candle.ts';
import type { SymbolName } from '../../domain/instrument.ts';
import type { DepthDiff, RawLevel } from '../order-book.ts';
import { FlatScan } from './flat-scan.ts';

export interface BookTick {
  readonly kind: 'book';
  readonly symbol: SymbolName;
  readonly at: number;
  readonly updateId: number;
  readonly bid: number;
  readonly bidQuantity: number;
  readonly ask: number;
  readonly askQuantity: number;
}

export interface TradeTick {
  readonly kind: 'trade';
  readonly symbol: SymbolName;
  readonly at: number;
  readonly price: number;
  readonly quantity: number;
  /** True when the buyer was the maker: the trade was a sale. */
  readonly buyerIsMaker: boolean;
}

export interface MarkTick {
  readonly kind: 'mark';
  readonly symbol: SymbolName;
  readonly at: number;
  readonly price: number;
  readonly fundingRate: number;
  readonly nextFundingAt: number;
}

export interface CandleTick {
  readonly kind: 'candle';
  readonly symbol: SymbolName;
  readonly at: number;
  readonly timeframe: Timeframe | string;
  readonly openTime: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
  readonly closed: boolean;
}

export interface DepthTick extends DepthDiff {
  readonly kind: 'depth';
  readonly symbol: SymbolName;
  readonly at: number;
}

/** A contract's terms have changed; which ones, REST tells in one form for all. */
export interface ContractTick {
  readonly kind: 'contract';
  readonly symbol: SymbolName;
  readonly at: number;
}

export type Tick = BookTick | TradeTick | MarkTick | CandleTick | DepthTick | ContractTick;

export interface DecoderCounts {
  readonly frames: number;
  readonly ticks: number;
  /** Well-formed, but nothing for us: replies to requests, events we do not use. */
  readonly ignored: number;
  readonly faults: number;
}

type Fields = { readonly [key: string]: unknown };

const ARRAY_START = 0x5b;
const ARRAY_END = 0x5d;
const COMMA = 0x2c;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const numberOf = (value: unknown): number =>
  typeof value === 'number' ? value : typeof value === 'string' && value !== '' ? Number(value) : Number.NaN;
const isPrice = (value: number): boolean => value > 0 && value < Infinity;
const isAmount = (value: number): boolean => value >= 0 && value < Infinity;

export class FrameDecoder {
  readonly #sink: (tick: Tick) => void;
  readonly #scan = new FlatScan();
  #frames = 0;
  #ticks = 0;
  #ignored = 0;
  #faults = 0;
  #lastFault: string | undefined;

  /** `sink` gets every tick, in the order of the bytes, before `decode` returns. */
  constructor(sink: (tick: Tick) => void) {
    this.#sink = sink;
  }

  get counts(): DecoderCounts {
    return { frames: this.#frames, ticks: this.#ticks, ignored: this.#ignored, faults: this.#faults };
  }

  /** What was wrong with the last frame that could not be read. */
  get lastFault(): string | undefined {
    return this.#lastFault;
  }

  decode(bytes: Buffer): void {
    this.#frames++;
    if (bytes[0] === ARRAY_START) {
      if (!this.#fastArray(bytes)) this.#slow(bytes);
      return;
    }
    const tick = this.#scan.read(bytes) ? this.#scanned() : undefined;
    if (tick) this.#emit(tick);
    else this.#slow(bytes);
  }

  /**
   * The marks of all symbols come as one array each second, a hundred kilobytes of it: its entries are read like
   * single frames. Nothing is handed on before the whole array has turned out to be regular.
   */
  #fastArray(bytes: Buffer): boolean {
    const ticks: Tick[] = [];
    for (let at = 1; ; ) {
      const end = this.#scan.readEntry(bytes, at);
      const tick = end < 0 ? undefined : this.#scanned();
      if (!tick) return false;
      ticks.push(tick);
      if (bytes[end] === ARRAY_END && end === bytes.length - 1) break;
      if (bytes[end] !== COMMA) return false;
      at = end + 1;
    }
    for (const tick of ticks) this.#emit(tick);
    return true;
  }

  #emit(tick: Tick): void {
    this.#ticks++;
    this.#sink(tick);
  }

  #fault(detail: string): void {
    this.#faults++;
    this.#lastFault = detail;
  }

  /** The tick of the flat event that was just scanned, if its numbers are sound. */
  #scanned(): Tick | undefined {
    const scan = this.#scan;
    switch (scan.event) {
      case 'bookTicker':
        return sound({
          kind: 'book',
          symbol: scan.symbol(),
          at: scan.number('E'),
          updateId: scan.number('u'),
          bid: scan.number('b'),
          bidQuantity: scan.number('B'),
          ask: scan.number('a'),
          askQuantity: scan.number('A'),
        });
      case 'aggTrade':
      case 'trade':
        return sound({
          kind: 'trade',
          symbol: scan.symbol(),
          at: scan.number('T'),
          price: scan.number('p'),
          quantity: scan.number('q'),
          buyerIsMaker: scan.isTrue('m'),
        });
      case 'markPriceUpdate':
        return sound({
          kind: 'mark',
          symbol: scan.symbol(),
          at: scan.number('E'),
          price: scan.number('p'),
          fundingRate: scan.number('r'),
          nextFundingAt: scan.number('T'),
        });
      default:
        return undefined;
    }
  }

  #slow(bytes: Buffer): void {
    let value: unknown;
    try {
      value = JSON.parse(bytes.toString());
    } catch {
      this.#fault(`not JSON: ${bytes.toString('utf8', 0, 80)}`);
      return;
    }
    const data = isFields(value) && 'data' in value ? value.data : value;
    if (Array.isArray(data)) for (const entry of data) this.#event(entry);
    else this.#event(data);
  }

  #event(event: unknown): void {
    if (!isFields(event)) {
      this.#fault('not an event object');
      return;
    }
    const type = event.e;
    const build = typeof type === 'string' && Object.hasOwn(BUILDERS, type) ? BUILDERS[type] : undefined;
    if (!build) {
      this.#ignored++;
      return;
    }
    const tick = sound(build(event));
    if (tick) this.#emit(tick);
    else this.#fault(`unreadable ${String(type)}: ${JSON.stringify(event).slice(0, 80)}`);
  }
}

/** The tick itself when its numbers can be trusted. */
function sound<T extends Tick>(tick: T): T | undefined {
  return tick.symbol !== '' && Number.isFinite(tick.at) && hasSoundNumbers(tick) ? tick : undefined;
}

function hasSoundNumbers(tick: Tick): boolean {
  switch (tick.kind) {
    case 'book':
      return (
        isPrice(tick.bid) && isPrice(tick.ask) && isAmount(tick.bidQuantity) && isAmount(tick.askQuantity)
      );
    case 'trade':
      return isPrice(tick.price) && isAmount(tick.quantity);
    case 'mark':
      // Delivery contracts have no funding: an empty rate is NaN and no fault.
      return isPrice(tick.price);
    case 'candle':
      return [tick.open, tick.high, tick.low, tick.close].every(isPrice) && isAmount(tick.volume);
    case 'contract':
      return true;
    case 'depth':
      return Number.isSafeInteger(tick.lastId) && tick.bids.every(isLevel) && tick.asks.every(isLevel);
  }
}

const isLevel = (level: RawLevel): boolean =>
  Array.isArray(level) && isPrice(numberOf(level[0])) && isAmount(numberOf(level[1]));
const symbolOf = ({ s }: Fields): SymbolName => (typeof s === 'string' ? s : '');
const levelsOf = (value: unknown): readonly RawLevel[] => (Array.isArray(value) ? (value as RawLevel[]) : []);

const trade = (event: Fields): TradeTick => ({
  kind: 'trade',
  symbol: symbolOf(event),
  at: numberOf(event.T),
  price: numberOf(event.p),
  quantity: numberOf(event.q),
  buyerIsMaker: event.m === true,
});

const BUILDERS: Readonly<Record<string, (event: Fields) => Tick>> = {
  aggTrade: trade,
  trade,
  bookTicker: (event) => ({
    kind: 'book',
    symbol: symbolOf(event),
    at: numberOf(event.E),
    updateId: numberOf(event.u),
    bid: numberOf(event.b),
    bidQuantity: numberOf(event.B),
    ask: numberOf(event.a),
    askQuantity: numberOf(event.A),
  }),
  markPriceUpdate: (event) => ({
    kind: 'mark',
    symbol: symbolOf(event),
    at: numberOf(event.E),
    price: numberOf(event.p),
    fundingRate: numberOf(event.r),
    nextFundingAt: numberOf(event.T),
  }),
  kline: (event) => {
    const k = isFields(event.k) ? event.k : {};
    return {
      kind: 'candle',
      symbol: symbolOf(event),
      at: numberOf(event.E),
      timeframe: String(k.i),
      openTime: numberOf(k.t),
      open: numberOf(k.o),
      high: numberOf(k.h),
      low: numberOf(k.l),
      close: numberOf(k.c),
      volume: numberOf(k.v),
      closed: k.x === true,
    };
  },
  contractInfo: (event) => ({ kind: 'contract', symbol: symbolOf(event), at: numberOf(event.E) }),
  depthUpdate: (event) => ({
    kind: 'depth',
    symbol: symbolOf(event),
    at: numberOf(event.E),
    firstId: numberOf(event.U),
    lastId: numberOf(event.u),
    previousId: numberOf(event.pu),
    bids: levelsOf(event.b),
    asks: levelsOf(event.a),
  }),
};
