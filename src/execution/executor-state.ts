/** The executor's memory at its beginning. */
import { decimal } from '../core/decimal.ts';
import type { ExecutorOptions, ExecutorState } from './executor-types.ts';

export function initialState(options: ExecutorOptions): ExecutorState {
  return {
    version: 1,
    at: 0,
    venueAt: 0,
    nextCall: 1,
    calls: {},
    orders: {},
    byOrderId: {},
    stream: 'down',
    streamReason: 'not connected yet',
    ready: false,
    baseline: null,
    cursor: 0,
    report: { inFlight: null, dueAt: 0, failures: 0, why: 'start' },
    income: { inFlight: null, dueAt: null, tries: 0 },
    holdings: {},
    foreign: {},
    positions: {},
    limbo: [],
    trades: {},
    rows: {},
    touched: {},
    wallet: decimal(options.initialWallet ?? '0'),
    walletDrift: null,
    drifts: {},
    findings: {},
    timerDue: null,
  };
}
