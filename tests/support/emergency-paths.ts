/**
 * The ways out of a position in an emergency, and the API faults under which each has to be gone: what brings the
 * path about, what strikes meanwhile, and how the trade must then read.
 */

type Rule = Readonly<Record<string, unknown>>;

const ORDERS = ['POST /fapi/v1/order', 'POST /fapi/v1/algoOrder'];
const CHANGES = [...ORDERS, 'DELETE /fapi/v1/order', 'DELETE /fapi/v1/algoOrder'];
const MARKET_ORDERS = ['POST /fapi/v1/order'];

/** What the test can do to the world. */
export interface Hand {
  /** A model's opinion of what is open. */
  opinion(symbol: string, confidence: number): void;
  /** The price moves by this share, and stays there. */
  move(symbol: string, share: number): void;
  /** The venue takes half of it. */
  deleverage(symbol: string): void;
  /** Maintenance takes nearly all of its margin, and the price falls by less than its stop: the venue liquidates. */
  withoutMargin(symbol: string): void;
  /** A person asks for it, by a file in the data folder. */
  operatorClose(symbol: string): void;
}

export interface EmergencyPath {
  readonly name: string;
  readonly symbol: string;
  /** How far behind the entry its stop lies, as a share. */
  readonly stop: number;
  /** Its own faults, armed before it is entered. */
  readonly own?: (symbol: string) => readonly Rule[];
  /** The requests that the day's faults strike; others are left to its own. */
  readonly struck?: readonly string[];
  /** Brings it about; absent: its own faults do, as it is entered. */
  readonly begin?: (hand: Hand, symbol: string) => void;
  /** How the trade reads; null: it is not over by itself, what is left is protected. */
  readonly reason: RegExp | null;
}

/** What ends a single position. Two more, the margin and the kill switch, are about the whole account. */
export const PATHS: readonly EmergencyPath[] = [
  {
    name: 'model sure of an exit, −$5',
    symbol: 'BTCUSDT',
    stop: 0.2,
    begin: (hand, symbol) => {
      hand.opinion(symbol, 0.7);
      hand.move(symbol, -0.055);
    },
    reason: /^emergency-fallback: .*where the model would exit/,
  },
  {
    name: 'model silent, −$8',
    symbol: 'ETHUSDT',
    stop: 0.2,
    begin: (hand, symbol) => hand.move(symbol, -0.085),
    reason: /^emergency-fallback: .*whatever the model says/,
  },
  {
    name: 'hard cap, −$10',
    symbol: 'SOLUSDT',
    stop: 0.2,
    begin: (hand, symbol) => hand.move(symbol, -0.11),
    reason: /^hard-cap: /,
  },
  {
    name: 'stop refused, would trigger at once',
    symbol: 'XRPUSDT',
    stop: 0.06,
    own: (symbol) => [
      {
        request: 'POST /fapi/v1/algoOrder',
        where: { symbol },
        nth: 1,
        do: 'answer',
        status: 400,
        code: -2021,
        msg: 'Order would immediately trigger.',
        executed: false,
      },
    ],
    struck: MARKET_ORDERS,
    reason: /^stop would trigger at once/,
  },
  {
    name: 'stop rejected when it triggers',
    symbol: 'BNBUSDT',
    stop: 0.06,
    own: (symbol) => [{ time: true, times: 1, do: 'reject-at-trigger', symbol }],
    begin: (hand, symbol) => hand.move(symbol, -0.065),
    reason: /^stop would trigger at once: rejected-at-trigger|^stop-overrun/,
  },
  {
    name: 'deleveraged by half (ADL)',
    symbol: 'LINKUSDT',
    stop: 0.06,
    begin: (hand, symbol) => hand.deleverage(symbol),
    reason: null,
  },
  {
    name: 'liquidated by the venue',
    symbol: 'DOGEUSDT',
    stop: 0.06,
    begin: (hand, symbol) => hand.withoutMargin(symbol),
    reason: /^liquidation/,
  },
  {
    name: 'operator’s close',
    symbol: 'ADAUSDT',
    stop: 0.06,
    begin: (hand, symbol) => hand.operatorClose(symbol),
    reason: /^operator/,
  },
];

/** The first of these is closed when the account's margin is short. */
export const MARGINED = ['AVAXUSDT', 'DOTUSDT'] as const;
export const MARGIN_PATH = 'margin ratio: deleveraging';
export const KILL_PATH = 'kill switch';

export interface DayOfFaults {
  readonly name: string;
  readonly what: string;
  /** Strikes each symbol's own requests. */
  readonly rules: readonly Rule[];
  /** Strikes everybody, once. */
  readonly weather?: Rule;
}

export const DAYS: readonly DayOfFaults[] = [
  {
    name: 'lost answers',
    what: 'the first two requests are carried out, and the connection is reset',
    rules: [{ request: CHANGES, times: 2, do: 'reset-after' }],
  },
  {
    name: 'timeouts',
    what: 'the first is carried out and answered after our deadline, the second never arrives',
    rules: [
      { request: CHANGES, nth: 1, do: 'delay-after', ms: [1_500, 1_500] },
      { request: CHANGES, nth: 2, do: 'drop-before' },
    ],
  },
  {
    name: '502, 504',
    what: 'a proxy answers with its HTML page: the first is carried out (502), the second never arrives (504)',
    rules: [
      { request: CHANGES, nth: 1, do: 'answer', as: 'html-502', executed: true },
      { request: CHANGES, nth: 2, do: 'answer', as: 'html-504', executed: false },
    ],
  },
  {
    name: '504',
    what: 'the first two orders that close or protect are answered with a proxy\u2019s HTML page, and never arrive',
    rules: [
      {
        request: ORDERS,
        where: { reduceOnly: 'true' },
        times: 2,
        do: 'answer',
        as: 'html-504',
        executed: false,
      },
    ],
  },
  {
    name: '−1008',
    what: 'the first three requests are throttled, those that reduce too',
    rules: [
      {
        request: CHANGES,
        times: 3,
        do: 'answer',
        status: 503,
        code: -1008,
        msg: 'Request throttled by system-level protection.',
        executed: false,
      },
    ],
  },
  {
    name: '429',
    what: 'to everything for a second',
    rules: [],
    weather: { time: true, times: 1, do: 'storm', forMs: 1_000 },
  },
  {
    name: 'stream down',
    what: 'the private stream is open and silent for three seconds',
    rules: [],
    weather: { time: true, times: 1, do: 'mute', sockets: 'private', forMs: 3_000 },
  },
  {
    name: 'maintenance',
    what: '503 to everything and no sockets for a second',
    rules: [],
    weather: { time: true, times: 1, do: 'maintenance', forMs: 1_000 },
  },
];

/** The day's faults for one symbol, on those requests. */
export const faultsFor = (
  day: DayOfFaults,
  symbol: string,
  struck: readonly string[] | undefined,
): readonly Rule[] =>
  day.rules.map((rule) => ({
    ...rule,
    where: { ...(rule.where as object | undefined), symbol },
    ...(struck ? { request: struck } : {}),
  }));

/** Bounds of each path under each fault, real ms: two call deadlines, a question, a pause, and a slow machine. */
export const FLAT_BOUND_MS = 20_000;
export const BARE_BOUND_MS = 10_000;
