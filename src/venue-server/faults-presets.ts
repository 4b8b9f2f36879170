/**
 * Fault scripts that come along: `none`, `realistic` (every class, about as often as a bad day brings it) and
 * `storm` (everything, far too often; to see that nothing breaks for good).
 *
 * `realistic` errs on the side of too much where nobody publishes rates: a lost answer in a few hundred orders, a
 * cut socket in a few thousand events, an outage in some hours of the venue.
 */
import type { FaultScript } from './faults.ts';
import { NO_FAULTS } from './faults.ts';
import { parseFaults } from './faults-parse.ts';

type Written = Readonly<Record<string, unknown>>;

/** Requests that change something: where an answer that is lost hurts. */
const ORDERS = ['POST /fapi/v1/order', 'POST /fapi/v1/algoOrder', 'POST /fapi/v1/batchOrders'];
const CANCELS = ['DELETE /fapi/v1/order', 'DELETE /fapi/v1/algoOrder'];
const CHANGES = [...ORDERS, ...CANCELS, 'POST /fapi/v1/leverage'];
const READS = ['GET /fapi/*'];
const PRIVATE = ['ORDER_TRADE_UPDATE', 'ACCOUNT_UPDATE', 'ALGO_UPDATE', 'TRADE_LITE'];

/** Every class of fault once; `p` scales how often. */
function every(p: number): Written[] {
  return [
    { request: CHANGES, probability: 0.004 * p, do: 'drop-after' },
    { request: CHANGES, probability: 0.003 * p, do: 'drop-before' },
    { request: CANCELS, probability: 0.004 * p, do: 'reset-after' },
    { request: CHANGES, probability: 0.002 * p, do: 'delay-after', ms: [2_000, 15_000] },
    { request: CHANGES, probability: 0.002 * p, do: 'delay-before', ms: [500, 8_000] },
    { request: CHANGES, probability: 0.002 * p, do: 'answer', as: 'unknown-503' },
    { request: CHANGES, probability: 0.001 * p, do: 'answer', as: 'unknown-503', executed: false },
    { request: CHANGES, probability: 0.001 * p, do: 'answer', as: 'unknown-503-plain' },
    { request: CHANGES, probability: 0.003 * p, do: 'answer', as: 'unavailable-503' },
    { request: ORDERS, probability: 0.004 * p, do: 'answer', as: 'overload-503' },
    { request: CHANGES, probability: 0.001 * p, do: 'answer', as: '-1001' },
    { request: CHANGES, probability: 0.001 * p, do: 'answer', as: '-1006' },
    { request: CHANGES, probability: 0.001 * p, do: 'answer', as: '-1006', executed: false },
    { request: CHANGES, probability: 0.002 * p, do: 'answer', as: '-1007' },
    { request: CHANGES, probability: 0.002 * p, do: 'answer', as: '-1007', executed: false },
    { request: CHANGES, probability: 0.001 * p, do: 'answer', as: 'timeout-408' },
    { request: CHANGES, probability: 0.001 * p, do: 'answer', as: 'html-504', executed: true },
    { request: CHANGES, probability: 0.001 * p, do: 'answer', as: 'html-500', executed: true },
    { request: [...CHANGES, ...READS], probability: 0.001 * p, do: 'answer', as: 'html-502' },
    { request: CHANGES, probability: 0.001 * p, do: 'answer', as: '-5028' },
    { request: [...CHANGES, ...READS], probability: 0.001 * p, do: 'body', as: 'truncated' },
    { request: [...CHANGES, ...READS], probability: 0.0005 * p, do: 'body', as: 'stalled' },
    { request: [...CHANGES, ...READS], probability: 0.0005 * p, do: 'body', as: 'html' },
    { request: [...CHANGES, ...READS], probability: 0.0005 * p, do: 'body', as: 'empty' },
    { request: READS, probability: 0.0005 * p, do: 'body', as: 'slow' },
    { request: CANCELS, probability: 0.01 * p, do: 'fill-first', share: 1 },
    { request: CANCELS, probability: 0.01 * p, do: 'fill-first', share: 0.5 },
    {
      request: ['GET /fapi/v1/order', 'GET /fapi/v1/algoOrder'],
      probability: 0.05 * p,
      do: 'stale',
      ms: 800,
    },
    {
      request: [
        'GET /fapi/v*/positionRisk',
        'GET /fapi/v1/open*',
        'GET /fapi/v*/account',
        'GET /fapi/v1/userTrades',
      ],
      probability: 0.02 * p,
      do: 'stale',
      ms: 800,
    },
    { request: 'PUT /fapi/v1/listenKey', probability: 0.05 * p, do: 'answer', as: 'unavailable-503' },
    { event: PRIVATE, probability: 0.003 * p, do: 'miss' },
    { event: PRIVATE, probability: 0.003 * p, do: 'duplicate' },
    { event: PRIVATE, probability: 0.005 * p, do: 'reorder' },
    { event: PRIVATE, probability: 0.005 * p, do: 'late', ms: [200, 5_000] },
    {
      event: 'ORDER_TRADE_UPDATE',
      where: { 'o.X': 'PARTIALLY_FILLED' },
      probability: 0.01 * p,
      do: 'close',
      sockets: 'private',
      code: 1006,
    },
    { event: PRIVATE, probability: 0.001 * p, do: 'close', sockets: 'private', code: 1001 },
    { event: PRIVATE, probability: 0.0005 * p, do: 'close', sockets: 'private', code: 1008 },
    { event: PRIVATE, probability: 0.0005 * p, do: 'mute', sockets: 'private', forMs: 5_000 },
    { event: '*@depth*', probability: 0.0002 * p, do: 'miss' },
    { event: '*@kline*', probability: 0.0002 * p, do: 'miss' },
    { time: true, probability: 0.00005 * p, do: 'close', sockets: '*', code: 1006 },
    { time: true, probability: 0.00002 * p, do: 'mute', sockets: 'market', forMs: 5_000 },
    { time: true, probability: 0.00003 * p, do: 'expire-key' },
    { time: true, probability: 0.00002 * p, do: 'expire-key', announce: false },
    { time: true, probability: 0.00002 * p, do: 'refuse', forMs: 2_000 },
    { time: true, probability: 0.00001 * p, do: 'maintenance', forMs: 3_000 },
    { time: true, probability: 0.00001 * p, do: 'storm', forMs: 1_000 },
    { time: true, probability: 0.000005 * p, do: 'ban', forMs: 3_000 },
    { time: true, probability: 0.00003 * p, do: 'skew', ms: 1_500, forMs: 5_000 },
    { time: true, probability: 0.00003 * p, do: 'skew', ms: -6_000, forMs: 5_000 },
    { time: true, probability: 0.00002 * p, do: 'halt', forMs: 5_000 },
    { request: 'POST /fapi/v1/algoOrder', probability: 0.005 * p, do: 'reject-at-trigger' },
  ];
}

const REALISTIC_LATENCY = { gatewayMs: [0, 8], answerMs: [0, 8], streamMs: [0, 16] };

const STORM_FACTOR = 8;

const WRITTEN: Readonly<Record<string, () => unknown>> = {
  none: () => [],
  realistic: () => ({ latency: REALISTIC_LATENCY, rules: every(1) }),
  storm: () => ({ latency: REALISTIC_LATENCY, rules: every(STORM_FACTOR) }),
};

export const PRESETS: readonly string[] = Object.keys(WRITTEN);

export function presetFaults(name: string): FaultScript | undefined {
  const written = Object.hasOwn(WRITTEN, name) ? WRITTEN[name] : undefined;
  return name === 'none' ? NO_FAULTS : written && parseFaults(written());
}
