/** Every class of fault that the local venue has, each as a script that strikes often. */

const ORDERS = ['POST /fapi/v1/order', 'POST /fapi/v1/algoOrder'];
const CANCELS = ['DELETE /fapi/v1/order', 'DELETE /fapi/v1/algoOrder'];
const CHANGES = [...ORDERS, ...CANCELS];
const QUERIES = ['GET /fapi/v1/order', 'GET /fapi/v1/algoOrder'];
const READINGS = [
  'GET /fapi/v*/positionRisk',
  'GET /fapi/v1/open*',
  'GET /fapi/v*/account',
  'GET /fapi/v1/userTrades',
];
const PRIVATE = ['ORDER_TRADE_UPDATE', 'ACCOUNT_UPDATE', 'ALGO_UPDATE'];
const OFTEN = 0.4;
/** Each second of the venue. */
const NOW_AND_THEN = 0.006;

type Rule = Readonly<Record<string, unknown>>;

export interface FaultClass {
  readonly name: string;
  readonly what: string;
  readonly rules: readonly Rule[];
}

const strikes = (name: string, what: string, rule: Rule): FaultClass => ({
  name,
  what,
  rules: [{ probability: OFTEN, ...rule }],
});
const answer = (as: string, executed: boolean, what: string): FaultClass =>
  strikes(`${as}${executed ? ', executed' : ', not executed'}`, what, {
    request: CHANGES,
    do: 'answer',
    as,
    executed,
  });
const weather = (name: string, what: string, rule: Rule): FaultClass =>
  strikes(name, what, { time: true, probability: NOW_AND_THEN, ...rule });

export const FAULT_CLASSES: readonly FaultClass[] = [
  strikes('drop-after', 'executed, the connection ends without an answer', {
    request: CHANGES,
    do: 'drop-after',
  }),
  strikes('drop-before', 'not executed, no answer', { request: CHANGES, do: 'drop-before' }),
  strikes('reset-after', 'executed, ECONNRESET', { request: CHANGES, do: 'reset-after' }),
  strikes('reset-before', 'not executed, ECONNRESET', { request: CHANGES, do: 'reset-before' }),
  strikes('delay-after', 'executed, the answer comes after the time-out', {
    request: CHANGES,
    do: 'delay-after',
    ms: [2_000, 5_000],
  }),
  strikes('delay-before', 'executed late', { request: CHANGES, do: 'delay-before', ms: [300, 4_000] }),
  answer('unknown-503', true, 'execution status unknown'),
  answer('unknown-503', false, 'execution status unknown'),
  answer('unavailable-503', false, 'service unavailable: a failure'),
  answer('overload-503', false, '-1008, spares what reduces'),
  answer('-1001', true, 'disconnected'),
  answer('-1006', true, 'unexpected response'),
  answer('-1006', false, 'unexpected response'),
  answer('-1007', true, 'time-out at the backend'),
  answer('-1007', false, 'time-out at the backend'),
  answer('-1021', false, 'outside of recvWindow'),
  answer('-5028', false, 'too late at the matching engine'),
  answer('timeout-408', true, 'request time-out'),
  answer('html-500', true, 'a page of a proxy'),
  answer('html-502', false, 'a page of a proxy'),
  answer('html-504', true, 'a page of a proxy'),
  strikes('truncated body', 'executed, 200, half an answer', {
    request: CHANGES,
    do: 'body',
    as: 'truncated',
  }),
  strikes('stalled body', 'executed, 200, the answer never ends', {
    request: CHANGES,
    do: 'body',
    as: 'stalled',
  }),
  strikes('html body', 'executed, 200, a page', { request: CHANGES, do: 'body', as: 'html' }),
  strikes('empty body', 'executed, 200, nothing', { request: CHANGES, do: 'body', as: 'empty' }),
  strikes('fill-first, whole', 'the order fills before its cancel', {
    request: CANCELS,
    do: 'fill-first',
    share: 1,
  }),
  strikes('fill-first, half', 'half of it fills before its cancel', {
    request: CANCELS,
    do: 'fill-first',
    share: 0.5,
  }),
  strikes('stale queries', '-2013 right after placing', { request: QUERIES, do: 'stale', ms: 800 }),
  strikes('stale readings', 'positions and orders of a while ago', {
    request: READINGS,
    do: 'stale',
    ms: 800,
  }),
  strikes('missed event', 'a private event is lost', { event: PRIVATE, do: 'miss' }),
  strikes('duplicate event', 'told twice', { event: PRIVATE, do: 'duplicate' }),
  strikes('reordered event', 'told after the next', { event: PRIVATE, do: 'reorder' }),
  strikes('late event', 'told seconds later', { event: PRIVATE, do: 'late', ms: [200, 4_000] }),
  strikes('socket cut at an event', '1006 in the midst of it', {
    event: PRIVATE,
    probability: 0.05,
    do: 'close',
    sockets: 'private',
    code: 1006,
  }),
  weather('all sockets cut', '1006', { do: 'close', sockets: '*', code: 1006 }),
  weather('private socket closed', '1008', { do: 'close', sockets: 'private', code: 1008 }),
  weather('private socket mute', 'open, silent for 3 s', { do: 'mute', sockets: 'private', forMs: 3_000 }),
  weather('market mute', 'open, silent for 3 s', { do: 'mute', sockets: 'market', forMs: 3_000 }),
  weather('listen key expired', 'announced', { do: 'expire-key' }),
  weather('listen key expired silently', 'no word of it', { do: 'expire-key', announce: false }),
  weather('refused', 'nothing listens for 1.5 s', { do: 'refuse', forMs: 1_500 }),
  weather('maintenance', '503 to everything for 2 s', { do: 'maintenance', forMs: 2_000 }),
  weather('429 storm', 'for 1 s', { do: 'storm', forMs: 1_000 }),
  weather('418 ban', 'for 2 s', { do: 'ban', forMs: 2_000 }),
  weather('clock ahead', '1.5 s for 3 s', { do: 'skew', ms: 1_500, forMs: 3_000 }),
  weather('clock behind', '6 s for 3 s', { do: 'skew', ms: -6_000, forMs: 3_000 }),
  weather('symbol halted', 'for 2 s', { do: 'halt', forMs: 2_000 }),
];
