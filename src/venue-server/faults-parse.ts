/**
 * A script of faults from its written form, a file's or the admin's:
 *
 *     seed: 7
 *     latency: { gatewayMs: [1, 20], answerMs: [1, 30], streamMs: [1, 40] }
 *     rules:
 *       - { request: POST /fapi/v1/order, probability: 0.01, do: drop-after }
 *       - { event: ORDER_TRADE_UPDATE, where: { o.X: PARTIALLY_FILLED }, nth: 1, do: close, code: 1001 }
 *
 * Invariant: nothing is ignored. An unknown key, a value out of range or an action that does not fit its place is
 * an error that names the rule.
 */
import { BulkheadError } from '../core/errors.ts';
import { didYouMean } from '../core/suggest.ts';
import { VENUE_ERRORS } from '../exchange/venue-errors.ts';
import type {
  BodyFault,
  FaultAction,
  FaultCondition,
  FaultPlace,
  FaultRule,
  FaultScript,
  Latency,
  Span,
} from './faults.ts';
import { NO_LATENCY } from './faults.ts';
import { TROUBLED_ANSWERS } from './faults-answers.ts';

/** A mapping whose keys are taken one by one; what is left over at the end is a mistake. */
class Fields {
  readonly where: string;
  readonly #left: Map<string, unknown>;

  constructor(value: unknown, where: string) {
    this.where = where;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw wrong(`${where} is not a mapping of keys to values.`);
    this.#left = new Map(Object.entries(value));
  }

  has(name: string): boolean {
    return this.#left.has(name);
  }

  take(name: string): unknown {
    const value = this.#left.get(name);
    this.#left.delete(name);
    return value ?? undefined;
  }

  text(name: string): string | undefined {
    const value = this.take(name);
    if (value === undefined || typeof value === 'string') return value;
    if (typeof value === 'number') return String(value);
    throw wrong(`${this.where}: ${name} must be a text.`);
  }

  flag(name: string): boolean | undefined {
    const value = this.take(name);
    if (value === undefined || typeof value === 'boolean') return value;
    throw wrong(`${this.where}: ${name} must be true or false.`);
  }

  number(name: string, from: number, to = Number.MAX_SAFE_INTEGER): number | undefined {
    const value = this.take(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && value >= from && value <= to) return value;
    const range = to === Number.MAX_SAFE_INTEGER ? `a number from ${from}` : `a number from ${from} to ${to}`;
    throw wrong(`${this.where}: ${name} must be ${range}.`);
  }

  need<T>(name: string, value: T | undefined): T {
    if (value !== undefined) return value;
    throw wrong(`${this.where}: ${name} is missing.`);
  }

  /** A time of the venue: epoch ms, or ISO 8601 with its zone. */
  moment(name: string): number | undefined {
    const value = this.take(name);
    if (value === undefined || typeof value === 'number') return value;
    const at = value instanceof Date ? value.getTime() : Date.parse(String(value));
    if (!Number.isNaN(at)) return at;
    throw wrong(`${this.where}: ${name} is not a time such as 2025-05-04T12:00:00Z.`);
  }

  span(name: string): Span | undefined {
    const value = this.take(name);
    if (value === undefined) return undefined;
    const [min, max] = Array.isArray(value) ? value : [value, value];
    if (typeof min === 'number' && typeof max === 'number' && min >= 0 && max >= min) return [min, max];
    throw wrong(`${this.where}: ${name} must be milliseconds, or [least, most].`);
  }

  texts(name: string): string[] | undefined {
    const value = this.take(name);
    if (value === undefined) return undefined;
    const list = Array.isArray(value) ? value : [value];
    if (list.length > 0 && list.every((item) => typeof item === 'string')) return list as string[];
    throw wrong(`${this.where}: ${name} must be a text or a list of texts.`);
  }

  done(known: readonly string[]): void {
    const [left] = this.#left.keys();
    if (left === undefined) return;
    throw wrong(`${this.where}: there is no key "${left}" here. ${didYouMean(left, known)}`.trim());
  }
}

const wrong = (message: string): BulkheadError =>
  new BulkheadError('CONFIG_INVALID', `Faults: ${message}`, {
    hint: 'docs/EXCHANGE.md lists every fault with its keys.',
  });

export function parseFaults(value: unknown): FaultScript {
  const fields = new Fields(Array.isArray(value) ? { rules: value } : value, 'the script');
  const rules = fields.take('rules') ?? [];
  if (!Array.isArray(rules)) throw wrong('rules must be a list.');
  const latency = fields.has('latency') ? parseLatency(fields.take('latency')) : NO_LATENCY;
  const seed = fields.number('seed', 0);
  fields.done(['rules', 'latency', 'seed']);
  return { rules: rules.map(parseRule), latency, seed };
}

function parseLatency(value: unknown): Latency {
  const fields = new Fields(value, 'latency');
  const latency = {
    gatewayMs: fields.span('gatewayMs') ?? [0, 0],
    answerMs: fields.span('answerMs') ?? [0, 0],
    streamMs: fields.span('streamMs') ?? [0, 0],
  } as const;
  fields.done(Object.keys(latency));
  return latency;
}

const CONDITION_KEYS = ['where', 'nth', 'every', 'probability', 'from', 'to', 'times'] as const;
const PLACE_KEYS = ['request', 'event', 'connect', 'time'] as const;

function parseRule(value: unknown, index: number): FaultRule {
  const fields = new Fields(value, `rule ${index + 1}`);
  const name = fields.text('name');
  const place = parsePlace(fields);
  const when = parseCondition(fields);
  const verb = fields.need('do', fields.text('do'));
  const build = Object.hasOwn(ACTIONS, verb) ? ACTIONS[verb] : undefined;
  if (!build)
    throw wrong(
      `${fields.where}: there is no fault "${verb}". ${didYouMean(verb, Object.keys(ACTIONS))}`.trim(),
    );
  if (!build.places.includes(place.at))
    throw wrong(`${fields.where}: ${verb} does not fit ${place.at}; it fits ${build.places.join(', ')}.`);
  const action = build.read(fields);
  fields.done([...PLACE_KEYS, ...CONDITION_KEYS, 'name', 'do', ...build.keys]);
  return { name: name ?? `${index + 1} ${verb}`, place, when, action };
}

function parsePlace(fields: Fields): FaultPlace {
  const given = PLACE_KEYS.filter((key) => fields.has(key));
  const [kind] = given;
  if (kind === undefined || given.length > 1)
    throw wrong(`${fields.where} needs exactly one of ${PLACE_KEYS.join(', ')}.`);
  if (kind !== 'time') return { at: kind, pattern: fields.need(kind, fields.texts(kind)) };
  if (fields.take('time') !== true) throw wrong(`${fields.where}: time must be true.`);
  return { at: 'time' };
}

function parseCondition(fields: Fields): FaultCondition {
  const where = fields.take('where');
  const given = {
    where: where === undefined ? undefined : texts(where, `${fields.where}: where`),
    nth: fields.number('nth', 1),
    every: fields.number('every', 1),
    probability: fields.number('probability', 0, 1),
    from: fields.moment('from'),
    to: fields.moment('to'),
    times: fields.number('times', 1),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function texts(value: unknown, where: string): Record<string, string> {
  if (typeof value !== 'object' || value === null) throw wrong(`${where} must map names to values.`);
  return Object.fromEntries(Object.entries(value).map(([name, wanted]) => [name, String(wanted)]));
}

interface ActionForm {
  readonly places: readonly FaultPlace['at'][];
  readonly keys: readonly string[];
  readonly read: (fields: Fields) => FaultAction;
}

const REQUEST = ['request'] as const;
const EVENT = ['event'] as const;
const ANYWHERE = ['request', 'event', 'connect', 'time'] as const;
/** What a market order meets where the book has run away from the mark price. */
const BEST_PRICE_OUT_OF_BOUNDS = VENUE_ERRORS.MARKET_PERCENT_PRICE;
const HALF_MINUTE_MS = 30_000;
const REORDER_MS = 250;

const forMs = (fields: Fields): number => fields.number('forMs', 0) ?? HALF_MINUTE_MS;

const drop = (executed: boolean, reset: boolean): ActionForm => ({
  places: REQUEST,
  keys: [],
  read: () => ({ do: 'drop', executed, reset }),
});
const delay = (executed: boolean): ActionForm => ({
  places: REQUEST,
  keys: ['ms'],
  read: (fields) => ({ do: 'delay', executed, ms: fields.need('ms', fields.span('ms')) }),
});
const lasting = (name: 'refuse' | 'ban' | 'storm' | 'maintenance'): ActionForm => ({
  places: ANYWHERE,
  keys: ['forMs'],
  read: (fields) => ({ do: name, forMs: forMs(fields) }),
});

const BODIES: readonly BodyFault[] = ['truncated', 'stalled', 'html', 'empty', 'slow'];

/** Every fault by the name it is written with. */
export const ACTIONS: Readonly<Record<string, ActionForm>> = {
  'drop-before': drop(false, false),
  'drop-after': drop(true, false),
  'reset-before': drop(false, true),
  'reset-after': drop(true, true),
  'delay-before': delay(false),
  'delay-after': delay(true),
  answer: { places: REQUEST, keys: ['as', 'executed', 'status', 'code', 'msg'], read: readAnswer },
  body: { places: REQUEST, keys: ['as'], read: readBody },
  stale: {
    places: REQUEST,
    keys: ['ms'],
    read: (fields) => ({ do: 'stale', ms: fields.need('ms', fields.number('ms', 1)) }),
  },
  'fill-first': {
    places: REQUEST,
    keys: ['share'],
    read: (fields) => ({ do: 'fill-first', share: fields.number('share', 0, 1) ?? 1 }),
  },
  miss: { places: EVENT, keys: [], read: () => ({ do: 'miss' }) },
  duplicate: { places: EVENT, keys: [], read: () => ({ do: 'duplicate' }) },
  reorder: {
    places: EVENT,
    keys: ['ms'],
    read: (fields) => ({ do: 'reorder', ms: fields.number('ms', 0) ?? REORDER_MS }),
  },
  late: {
    places: EVENT,
    keys: ['ms'],
    read: (fields) => ({ do: 'late', ms: fields.need('ms', fields.span('ms')) }),
  },
  close: {
    places: ANYWHERE,
    keys: ['sockets', 'code'],
    read: (fields) => ({
      do: 'close',
      sockets: fields.text('sockets') ?? '*',
      code: fields.number('code', 1000, 4999) ?? 1006,
    }),
  },
  mute: {
    places: ANYWHERE,
    keys: ['sockets', 'forMs'],
    read: (fields) => ({ do: 'mute', sockets: fields.text('sockets') ?? '*', forMs: forMs(fields) }),
  },
  refuse: lasting('refuse'),
  ban: lasting('ban'),
  storm: lasting('storm'),
  maintenance: lasting('maintenance'),
  skew: {
    places: ANYWHERE,
    keys: ['ms', 'forMs'],
    read: (fields) => ({
      do: 'skew',
      ms: fields.need('ms', fields.number('ms', -Number.MAX_SAFE_INTEGER)),
      forMs: forMs(fields),
    }),
  },
  'expire-key': {
    places: ANYWHERE,
    keys: ['announce'],
    read: (fields) => ({ do: 'expire-key', announce: fields.flag('announce') ?? true }),
  },
  halt: {
    places: ANYWHERE,
    keys: ['symbol', 'forMs'],
    read: (fields) => ({ do: 'halt', symbol: fields.text('symbol'), forMs: forMs(fields) }),
  },
  'reject-at-trigger': {
    places: ['request', 'time'],
    keys: ['symbol', 'code', 'msg'],
    read: (fields) => ({
      do: 'reject-at-trigger',
      symbol: fields.text('symbol'),
      code: fields.number('code', -100_000, 100_000) ?? BEST_PRICE_OUT_OF_BOUNDS[0],
      msg: fields.text('msg') ?? BEST_PRICE_OUT_OF_BOUNDS[1],
    }),
  },
};

function readBody(fields: Fields): FaultAction {
  const as = fields.text('as');
  const known = BODIES.find((body) => body === as);
  if (!known) throw wrong(`${fields.where}: as must be one of ${BODIES.join(', ')}.`);
  return { do: 'body', as: known };
}

function readAnswer(fields: Fields): FaultAction {
  const as = fields.text('as');
  const executed = fields.flag('executed');
  if (as !== undefined) {
    const known = Object.hasOwn(TROUBLED_ANSWERS, as) ? TROUBLED_ANSWERS[as] : undefined;
    if (!known)
      throw wrong(`${fields.where}: as must be one of ${Object.keys(TROUBLED_ANSWERS).join(', ')}.`);
    const { status, body, html, spareProtective = false } = known;
    return { do: 'answer', executed: executed ?? known.executed, status, body, html, spareProtective };
  }
  const status = fields.need('as, or status,', fields.number('status', 200, 599));
  const code = fields.number('code', -100_000, 100_000);
  const body = JSON.stringify({ ...(code === undefined ? {} : { code }), msg: fields.text('msg') ?? '' });
  return {
    do: 'answer',
    executed: executed ?? false,
    status,
    body,
    html: false,
    spareProtective: false,
  };
}
