/**
 * One pass over the bytes of a flat JSON event with one-letter keys, remembering where each value stands.
 *
 * Invariant: `read` says true only for a complete, unescaped, flat object (bare, or as the `data` of a
 * {stream, data} wrapper) with a string "e"; anything else is for a real JSON parser. Numbers are read as the
 * doubles that JSON.parse would give.
 */
import type { SymbolName } from '../../domain/instrument.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const KEYS = 128;
const EVENT = 0x65;
const SYMBOL = 0x73;
/** Of the letters' slots, the start of a value is negative when absent. */
const ABSENT = -1;
const LONGEST_SYMBOL = 32;
const MOST_SYMBOLS = 4096;
const STREAM_PREFIX = Buffer.from('{"stream":"');
const DATA_INFIX = Buffer.from('","data":');
const EVENT_NAMES = ['bookTicker', 'aggTrade', 'trade', 'markPriceUpdate'] as const;
const POWERS = Array.from({ length: 23 }, (_, k) => 10 ** k);

export type FlatEvent = (typeof EVENT_NAMES)[number];
type Key = 'E' | 'T' | 'u' | 'b' | 'B' | 'a' | 'A' | 'p' | 'q' | 'r' | 'm';

/** A digit, a minus sign, or the t, f, n of true, false, null. */
const startsBareValue = (c: number): boolean =>
  (c >= 0x30 && c <= 0x39) || c === 0x2d || c === 0x74 || c === 0x66 || c === 0x6e;

const matches = (bytes: Buffer, at: number, expected: Uint8Array): boolean => {
  for (let i = 0; i < expected.length; i++) if (bytes[at + i] !== expected[i]) return false;
  return true;
};

export class FlatScan {
  readonly #starts = new Int32Array(KEYS);
  readonly #ends = new Int32Array(KEYS);
  readonly #symbols = new Map<number, SymbolName>();
  #bytes: Buffer = Buffer.alloc(0);

  /** The event of the last frame read, if it is one of the flat ones. */
  event: FlatEvent | undefined;

  read(bytes: Buffer): boolean {
    this.#bytes = bytes;
    this.event = undefined;
    const end = bytes.length;
    let start = 0;
    let closing = 1;
    if (bytes[2] === 0x73 && matches(bytes, 0, STREAM_PREFIX)) {
      const name = bytes.indexOf(QUOTE, STREAM_PREFIX.length);
      if (name < 0 || !matches(bytes, name, DATA_INFIX)) return false;
      start = name + DATA_INFIX.length;
      closing = 2;
    }
    if (bytes[start] !== OPEN || bytes[end - 1] !== CLOSE || (closing === 2 && bytes[end - 2] !== CLOSE))
      return false;
    if (this.#fields(bytes, start + 1, end - closing) !== end - closing) return false;
    this.event = this.#eventName();
    return this.event !== undefined;
  }

  /** Reads the flat object that begins at `start`, an array's entry: where it ends, or −1 as `read` says false. */
  readEntry(bytes: Buffer, start: number): number {
    this.#bytes = bytes;
    this.event = undefined;
    if (bytes[start] !== OPEN) return ABSENT;
    const close = this.#fields(bytes, start + 1, bytes.length - 1);
    if (close < 0) return ABSENT;
    this.event = this.#eventName();
    return this.event === undefined ? ABSENT : close + 1;
  }

  /** Where the object's closing brace stands, at `last` or before; −1 when this is no flat object. */
  #fields(bytes: Buffer, from: number, last: number): number {
    const starts = this.#starts.fill(ABSENT);
    const ends = this.#ends;
    let p = from;
    for (;;) {
      if (bytes[p] !== QUOTE) return ABSENT;
      const key = bytes[p + 1] as number;
      let slot = key;
      if (bytes[p + 2] === QUOTE) p += 3;
      else {
        // A longer key is none of ours.
        slot = KEYS;
        p = bytes.indexOf(QUOTE, p + 1) + 1;
        if (p === 0) return ABSENT;
      }
      if (bytes[p] !== COLON) return ABSENT;
      p++;
      let c = bytes[p] as number;
      const quoted = c === QUOTE;
      if (quoted) {
        p++;
        const begin = p;
        for (c = bytes[p] as number; c !== QUOTE; c = bytes[++p] as number) {
          if (c === BACKSLASH || p >= last) return ABSENT;
        }
        if (slot < KEYS) {
          starts[slot] = begin;
          ends[slot] = p;
        }
        p++;
      } else {
        const begin = p;
        for (; c !== COMMA && c !== CLOSE && p < last; c = bytes[++p] as number) {
          if (c === OPEN || c === 0x5b || c === BACKSLASH || c === QUOTE) return ABSENT;
        }
        if (p === begin || !startsBareValue(bytes[begin] as number)) return ABSENT;
        if (slot < KEYS) {
          starts[slot] = begin;
          ends[slot] = p;
        }
      }
      if (bytes[p] === CLOSE) return p;
      if (bytes[p] !== COMMA) return ABSENT;
      p++;
    }
  }

  #eventName(): FlatEvent | undefined {
    const start = this.#starts[EVENT] as number;
    if (start < 0) return undefined;
    const length = (this.#ends[EVENT] as number) - start;
    for (const name of EVENT_NAMES) {
      if (name.length === length && this.#bytes[start] === name.charCodeAt(0) && this.#spells(start, name))
        return name;
    }
    return undefined;
  }

  #spells(start: number, name: string): boolean {
    for (let i = 0; i < name.length; i++) if (this.#bytes[start + i] !== name.charCodeAt(i)) return false;
    return true;
  }

  /** The symbol, as one shared string per name; '' when there is none. Some are not ASCII. */
  symbol(): SymbolName {
    const start = this.#starts[SYMBOL] as number;
    const end = this.#ends[SYMBOL] as number;
    if (!this.#isQuoted(start) || end - start > LONGEST_SYMBOL) return '';
    let hash = 0x811c9dc5;
    for (let p = start; p < end; p++) {
      const c = this.#bytes[p] as number;
      if (c >= 0x80) return this.#bytes.toString('utf8', start, end);
      hash = Math.imul(hash ^ c, 0x01000193);
    }
    const known = this.#symbols.get(hash);
    if (known !== undefined && known.length === end - start && this.#spells(start, known)) return known;
    const name = this.#bytes.toString('latin1', start, end);
    if (this.#symbols.size < MOST_SYMBOLS) this.#symbols.set(hash, name);
    return name;
  }

  isTrue(key: Key): boolean {
    const start = this.#starts[key.charCodeAt(0)] as number;
    return this.#bytes[start] === 0x74 && !this.#isQuoted(start);
  }

  #isQuoted(start: number): boolean {
    return start > 0 && this.#bytes[start - 1] === QUOTE;
  }

  /** NaN when the field is absent or no number. */
  number(key: Key): number {
    const code = key.charCodeAt(0);
    const start = this.#starts[code] as number;
    const end = this.#ends[code] as number;
    if (start < 0 || start === end) return Number.NaN;
    const bytes = this.#bytes;
    const negative = bytes[start] === 0x2d;
    let mantissa = 0;
    let digits = 0;
    let point = -1;
    for (let p = negative ? start + 1 : start; p < end; p++) {
      const c = bytes[p] as number;
      if (c >= 0x30 && c <= 0x39) {
        mantissa = mantissa * 10 + (c - 0x30);
        digits++;
      } else if (c === 0x2e && point < 0) point = p;
      else return slowNumber(bytes, start, end);
    }
    // Up to 15 digits the mantissa is exact and the one division rounds correctly.
    if (digits === 0 || digits > 15) return slowNumber(bytes, start, end);
    const value = point < 0 ? mantissa : mantissa / (POWERS[end - 1 - point] as number);
    return negative ? -value : value;
  }
}

const slowNumber = (bytes: Buffer, start: number, end: number): number => {
  const text = bytes.toString('latin1', start, end);
  return text.trim() === '' ? Number.NaN : Number(text);
};
