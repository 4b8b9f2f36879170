/**
 * Commands from untrusted input: JSON as it comes over HTTP, words as people type them at a prompt or in a chat.
 *
 * Invariant: what is not exactly one command is refused with a hint that shows how it is written; what comes out
 * holds no field that was not asked for.
 */
import { decimal, gt, lt, ZERO } from '../core/decimal.ts';
import { BulkheadError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import { didYouMean } from '../core/suggest.ts';
import { type Command, type CommandKind, MARKET_DIRECTIONS, type TestEvent } from '../domain/command.ts';
import type { Direction } from '../domain/order.ts';
import { COMMAND_KINDS, COMMAND_RULES } from './command.ts';

type Fields = Readonly<Record<string, unknown>>;

const SYMBOL = /^[A-Z0-9]{2,30}$/;
const BREAKER = /^[a-z0-9]+(?:[-/][A-Za-z0-9]+)*$/;
const ACTOR = /^[a-z][a-z-]*(?:\/[A-Za-z0-9_.-]+)*$/;
const EVENT = /^[A-Z][A-Z0-9_]*$/;
const KEY = /^[A-Za-z]+(?:\.[A-Za-z]+)*$/;
const MAX_TEXT = 200;
const MAX_JSON = 4_000;
const MAX_SYMBOLS = 500;
const MAX_KEYS = 100;
const MAX_VALUE = 4_000;
const MAX_MINUTES = 366 * 24 * 60;
/** What a chat or a log must not be made to show. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
const CONTROL = /[\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g;

function wrong(kind: CommandKind, what: string): BulkheadError {
  return new BulkheadError('USAGE', `${kind}: ${what}`, { hint: `Write: ${COMMAND_RULES[kind].usage}` });
}

/** An object may have a toString of its own, which is no function. */
const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';

/** One reader of fields for a command, so that every complaint names the command and shows its form. */
class Reader {
  readonly kind: CommandKind;
  readonly #fields: Fields;
  readonly #read = new Set(['kind']);

  constructor(kind: CommandKind, fields: Fields) {
    this.kind = kind;
    this.#fields = fields;
  }

  raw(name: string): unknown {
    this.#read.add(name);
    return this.#fields[name];
  }

  has(name: string): boolean {
    const value = this.raw(name);
    return value !== undefined && value !== null;
  }

  text(name: string): string {
    const value = this.raw(name);
    if (typeof value !== 'string' || value.trim() === '') throw wrong(this.kind, `${name} is missing`);
    return value.replace(CONTROL, ' ').trim().slice(0, MAX_TEXT);
  }

  optionalText(name: string): string | undefined {
    return this.has(name) && this.raw(name) !== '' ? this.text(name) : undefined;
  }

  matching(name: string, pattern: RegExp, example: string): string {
    const value = this.text(name);
    if (!pattern.test(value)) throw wrong(this.kind, `${name} "${value}" is not such as ${example}`);
    return value;
  }

  symbol(): string {
    const value = this.text('symbol').toUpperCase();
    if (!SYMBOL.test(value)) throw wrong(this.kind, `"${value}" is no symbol such as BTCUSDT`);
    return value;
  }

  symbols(): readonly string[] {
    const value = this.raw('symbols');
    const list = Array.isArray(value) ? value : [];
    const symbols = [...new Set(list.map((each) => textOf(each).trim().toUpperCase()))];
    const odd = symbols.find((symbol) => !SYMBOL.test(symbol));
    if (odd !== undefined) throw wrong(this.kind, `"${odd}" is no symbol such as BTCUSDT`);
    if (symbols.length > MAX_SYMBOLS) throw wrong(this.kind, `at most ${MAX_SYMBOLS} symbols at once`);
    return symbols;
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    const value = textOf(this.raw(name)).toLowerCase();
    const found = allowed.find((each) => each === value);
    if (!found) throw wrong(this.kind, `${name} must be one of ${allowed.join(', ')}`);
    return found;
  }

  /** A positive decimal; a JSON number is taken by its shortest form. */
  decimal(name: string, allowed = 'a number greater than 0, such as 101.5'): string {
    const value = this.raw(name);
    const text = typeof value === 'number' ? String(value) : value;
    if (typeof text !== 'string' || !/^\d{1,15}(\.\d{1,15})?$/.test(text.trim()) || !gt(text.trim(), ZERO))
      throw wrong(this.kind, `${name} must be ${allowed}`);
    return decimal(text.trim());
  }

  whole(name: string, max: number): number {
    const value = Number(textOf(this.raw(name)));
    if (!Number.isInteger(value) || value < 1 || value > max)
      throw wrong(this.kind, `${name} must be a whole number from 1 to ${max}`);
    return value;
  }

  /** Nothing that was said may be passed over. */
  end(): void {
    const unknown = Object.keys(this.#fields).find((name) => !this.#read.has(name));
    if (unknown !== undefined) throw wrong(this.kind, `there is no field "${unknown.slice(0, 40)}"`);
  }
}

type Read = (reader: Reader) => Command;

const SIDES = ['long', 'short'] as const;
const CHANGES = ['add', 'remove', 'clear'] as const;

const share = (reader: Reader): { share?: string } => {
  if (!reader.has('share')) return {};
  const value = reader.decimal(
    'share',
    'more than 0 and less than 1, such as 0.5 or 50%; without one all is closed',
  );
  if (!lt(value, '1')) throw wrong(reader.kind, 'share must be less than 1; without one all is closed');
  return { share: value };
};

const side = (reader: Reader): { direction?: Direction } =>
  reader.has('direction') ? { direction: reader.oneOf('direction', SIDES) } : {};

const reason = (reader: Reader): { reason?: string } => {
  const text = reader.optionalText('reason');
  return text === undefined ? {} : { reason: text };
};

const listed =
  (kind: 'blacklist' | 'whitelist'): Read =>
  (reader) => {
    const change = reader.oneOf('change', CHANGES);
    const symbols = reader.symbols();
    if ((change === 'clear') !== (symbols.length === 0))
      throw wrong(kind, change === 'clear' ? 'clear takes no symbols' : `name the symbols to ${change}`);
    return { kind, change, symbols };
  };

const READ: Readonly<Record<CommandKind, Read>> = {
  start: () => ({ kind: 'start' }),
  stop: (reader) => ({ kind: 'stop', ...reason(reader) }),
  pause: (reader) => ({
    kind: 'pause',
    ...(reader.has('minutes') ? { minutes: reader.whole('minutes', MAX_MINUTES) } : {}),
    ...reason(reader),
  }),
  resume: () => ({ kind: 'resume' }),
  close: (reader) => ({ kind: 'close', symbol: reader.symbol(), ...side(reader), ...share(reader) }),
  'close-all': () => ({ kind: 'close-all' }),
  'move-stop': (reader) => ({
    kind: 'move-stop',
    symbol: reader.symbol(),
    ...side(reader),
    price: reader.decimal('price'),
    ...(reader.raw('loosen') === true ? { loosen: true } : {}),
  }),
  'force-entry': (reader) => ({
    kind: 'force-entry',
    symbol: reader.symbol(),
    direction: reader.oneOf('direction', SIDES),
    ...(reader.has('stopPrice') ? { stopPrice: reader.decimal('stopPrice') } : {}),
  }),
  blacklist: listed('blacklist'),
  whitelist: listed('whitelist'),
  direction: (reader) => ({ kind: 'direction', direction: reader.oneOf('direction', MARKET_DIRECTIONS) }),
  lock: (reader) => ({
    kind: 'lock',
    symbol: reader.symbol(),
    minutes: reader.whole('minutes', MAX_MINUTES),
    ...side(reader),
    reason: reader.text('reason'),
  }),
  unlock: (reader) => ({ kind: 'unlock', symbol: reader.symbol() }),
  trip: (reader) => ({ kind: 'trip', ...breaker(reader) }),
  release: (reader) => ({ kind: 'release', ...breaker(reader) }),
  kill: (reader) => ({
    kind: 'kill',
    reason: reader.optionalText('reason') ?? 'no reason given',
    ...(reader.raw('accountWide') === true ? { accountWide: true } : {}),
  }),
  'release-kill': (reader) => ({ kind: 'release-kill', reason: reader.text('reason') }),
  adopt: (reader) => ({ kind: 'adopt', symbol: reader.symbol() }),
  ignore: (reader) => ({ kind: 'ignore', symbol: reader.symbol() }),
  'test-event': (reader) => ({
    kind: 'test-event',
    actor: reader.matching('actor', ACTOR, 'position/BTCUSDT/BOTH/1'),
    event: testEvent(reader),
  }),
  'config-set': (reader) => ({
    kind: 'config-set',
    changes: changesOf(reader),
    reason: reader.text('reason'),
  }),
  'config-rollback': (reader) => ({
    kind: 'config-rollback',
    version: reader.whole('version', 1_000_000),
    reason: reader.text('reason'),
  }),
  'config-reload': (reader) => ({
    kind: 'config-reload',
    reason: reader.optionalText('reason') ?? 'no reason given',
  }),
};

const breaker = (reader: Reader) => ({
  breaker: reader.matching('breaker', BREAKER, 'drawdown'),
  reason: reader.text('reason'),
});

/** Its type and fields, as the actor will be told them; when it happened is the runtime's to say. */
function testEvent(reader: Reader): TestEvent {
  const event = reader.raw('event');
  const fields =
    typeof event === 'object' && event !== null && !Array.isArray(event) ? (event as Fields) : {};
  const { type } = fields;
  if (typeof type !== 'string' || !EVENT.test(type))
    throw wrong(reader.kind, 'event must be an object with a type such as MARK');
  if ('at' in fields) throw wrong(reader.kind, 'the runtime says when it happened: leave out "at"');
  if (JSON.stringify(event).length > MAX_JSON) throw wrong(reader.kind, 'the event is too long');
  return fields as TestEvent;
}

/** One key with its value, or several. */
function changesOf(reader: Reader): { readonly [key: string]: Json } {
  const several = reader.raw('changes');
  const one = reader.has('key') ? [[reader.raw('key'), reader.raw('value')] as const] : [];
  const isTree = typeof several === 'object' && several !== null && !Array.isArray(several);
  if (several !== undefined && (!isTree || one.length > 0))
    throw wrong(reader.kind, 'changes is a mapping of keys to values, instead of key and value');
  const given = isTree ? Object.entries(several) : one;
  if (given.length === 0) throw wrong(reader.kind, 'no key is named');
  if (given.length > MAX_KEYS) throw wrong(reader.kind, `at most ${MAX_KEYS} keys at once`);
  for (const [key, value] of given) {
    if (typeof key !== 'string' || !KEY.test(key))
      throw wrong(reader.kind, `key "${String(key).slice(0, 60)}" is not such as risk.maxLeverage`);
    if (value === undefined) throw wrong(reader.kind, `value of ${key} is missing`);
    if (JSON.stringify(value).length > MAX_VALUE) throw wrong(reader.kind, `the value of ${key} is too long`);
  }
  return Object.fromEntries(given) as { readonly [key: string]: Json };
}

/** A command as JSON: an object with its kind and its fields, and nothing else. */
export function parseCommand(input: unknown): Command {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw new BulkheadError('USAGE', 'A command is an object such as {"kind":"pause"}.', {
      hint: `Kinds: ${COMMAND_KINDS.join(', ')}.`,
    });
  const fields = input as Fields;
  const kind = knownKind(fields.kind);
  const reader = new Reader(kind, fields);
  const command = READ[kind](reader);
  reader.end();
  return command;
}

function knownKind(value: unknown): CommandKind {
  const named = typeof value === 'string' ? value.slice(0, 40) : '';
  const kind = COMMAND_KINDS.find((known) => known === named);
  if (kind) return kind;
  throw new BulkheadError(
    'USAGE',
    `There is no command "${named}". ${didYouMean(named, COMMAND_KINDS)}`.trim(),
    { hint: `Commands: ${COMMAND_KINDS.join(', ')}.` },
  );
}

/** A command as it is typed: "close BTCUSDT 50%", "lock ETHUSDT 60 short news". */
export function parseWords(words: readonly string[]): Command {
  const [first = '', ...rest] = words.filter((word) => word !== '');
  const kind = knownKind(first.toLowerCase());
  return parseCommand({ kind, ...fieldsOf(kind, rest) });
}

function fieldsOf(kind: CommandKind, words: readonly string[]): Fields {
  const [one, two, three] = words;
  const from = (index: number): { reason?: string } =>
    words.length > index ? { reason: words.slice(index).join(' ') } : {};
  const only = (count: number, fields: Fields): Fields => {
    if (words.length > count) throw wrong(kind, `"${words[count]}" is one word too many`);
    return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  };
  switch (kind) {
    case 'stop':
    case 'config-reload':
      return from(0);
    case 'pause':
      // Anything that is meant as a number is one: read as a reason, "-1" would pause without an end.
      return /^[-+]?\d[\d.,]*$/.test(one ?? '') ? { minutes: Number(one), ...from(1) } : from(0);
    case 'close':
    case 'move-stop':
      return ofPosition(kind, words);
    case 'force-entry':
      return only(3, { symbol: one, direction: two, stopPrice: three });
    case 'blacklist':
    case 'whitelist':
      return { change: one, symbols: words.slice(1).flatMap((word) => word.split(',').filter(Boolean)) };
    case 'direction':
      return only(1, { direction: one });
    case 'lock': {
      const sided = three === 'long' || three === 'short';
      return { symbol: one, minutes: two, ...(sided ? { direction: three, ...from(3) } : from(2)) };
    }
    case 'unlock':
    case 'adopt':
    case 'ignore':
      return only(1, { symbol: one });
    case 'trip':
    case 'release':
      return { breaker: one, ...from(1) };
    case 'kill':
      return one === 'account-wide' ? { accountWide: true, ...from(1) } : from(0);
    case 'release-kill':
      return from(0);
    case 'test-event':
      return { actor: one, event: { type: two, ...eventFields(kind, words.slice(2).join(' ')) } };
    case 'config-set':
      return isPair(one) ? pairsOf(words) : { key: one, value: two && jsonWord(two), ...from(2) };
    case 'config-rollback':
      return { version: one, ...from(1) };
    default:
      return only(0, {});
  }
}

/** The side may stand behind the symbol. */
function ofPosition(kind: 'close' | 'move-stop', [symbol, ...words]: readonly string[]): Fields {
  const named = SIDES.find((each) => each === words[0]?.toLowerCase());
  const [what, more, odd] = named ? words.slice(1) : words;
  const tooMany = kind === 'close' ? more : odd;
  if (tooMany !== undefined) throw wrong(kind, `"${tooMany}" is one word too many`);
  return {
    ...(symbol === undefined ? {} : { symbol }),
    ...(named ? { direction: named } : {}),
    ...(what === undefined ? {} : kind === 'close' ? { share: shareOf(what) } : { price: what }),
    ...(kind === 'close' || more === undefined ? {} : { loosen: more === 'loosen' }),
  };
}

/** "50%" as a share; everything else is judged as it stands. */
function shareOf(word: string): string | undefined {
  const percent = /^(\d{1,2})(?:\.(\d{1,6}))?%$/.exec(word);
  if (!percent) return word === '100%' ? undefined : word;
  const digits = `${percent[1]?.padStart(2, '0')}${percent[2] ?? ''}`;
  return decimal(`0.${digits}`);
}

function eventFields(kind: CommandKind, text: string): Fields {
  const value = text === '' ? {} : jsonWord(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(kind, 'the fields of the event are a JSON object such as {"price": "100"}');
  return value as Fields;
}

const isPair = (word: string | undefined): word is string => /^[A-Za-z.]+=/.test(word ?? '');

/** "risk.maxLeverage=3 log.level=debug calmer": pairs first, then the reason. */
function pairsOf(words: readonly string[]): Fields {
  const end = words.findIndex((word) => !isPair(word));
  const pairs = end === -1 ? words : words.slice(0, end);
  const entries = pairs.map((pair) => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at), jsonWord(pair.slice(at + 1))] as const;
  });
  return {
    changes: Object.fromEntries(entries),
    ...(end === -1 ? {} : { reason: words.slice(end).join(' ') }),
  };
}

/** A value as it would stand in the file: JSON where it is JSON, else the text itself. */
function jsonWord(word: string): Json {
  try {
    return JSON.parse(word) as Json;
  } catch {
    return word;
  }
}
