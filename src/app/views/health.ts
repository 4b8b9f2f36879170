/** Is the run well? Pure: what is known in, checks out, each with what it found; what is over for a while is well. */

import { duration } from '../../core/amounts.ts';
import type { StatusDocument } from '../../operator/status-document.ts';
import type { VenueStatus } from '../../operator/venue-view.ts';
import type { HealthCheck, HealthView } from '../../operator/views.ts';
import { RECENT_MS } from '../status/recent-histogram.ts';

export interface Vitals {
  readonly status: StatusDocument;
  /** Of the journal's writer; null before there is one. */
  readonly journal: string | null;
  readonly isLeaseValid: boolean;
  /** Rows that wait for the journal. */
  readonly pendingRows: number;
  readonly deadLetters: number;
  /** Since the newest of them; null: there was none. */
  readonly deadLetterAgoMs: number | null;
  readonly eventLoopDelayMs: number;
  /** Less than this on the store's disk is too little. */
  readonly minFreeBytes: number;
}

const MANY_ROWS = 5_000;
const SLOW_LOOP_MS = 500;
const LONG_UNPROTECTED_MS = 10_000;

export function healthOf(vitals: Vitals): HealthView {
  const { status } = vitals;
  const vital = vitalChecks(vitals);
  const other = [
    ...softChecks(vitals),
    ...diskChecks(vitals),
    ...venueChecks(status),
    ...secretChecks(status),
  ];
  const down = vital.some(({ ok }) => !ok);
  const degraded = other.some(({ ok }) => !ok);
  return {
    state: down ? 'down' : degraded ? 'degraded' : 'ok',
    ready: !down && status.state === 'running' && (status.venue?.waitingFor ?? null) === null,
    checks: [...vital, ...other],
  };
}

function secretChecks({ secrets }: StatusDocument): HealthCheck[] {
  if (!secrets) return [];
  return [check('secrets', secrets.trouble.length === 0, secrets.trouble[0] ?? `from ${secrets.from}`)];
}

const check = (name: string, ok: boolean, detail: string): HealthCheck => ({ check: name, ok, detail });

const LIVES: readonly string[] = ['starting', 'recovering', 'standby', 'connecting', 'running', 'stopping'];

/** Whether what nothing works without is well; of health's checks the part that costs nothing to ask for. */
export const isUp = ({
  state,
  journal,
  isLeaseValid,
}: Pick<Vitals, 'journal' | 'isLeaseValid'> & Pick<StatusDocument, 'state'>): boolean =>
  LIVES.includes(state) && (journal === null || journal === 'ok') && isLeaseValid;

function vitalChecks({ status, journal, isLeaseValid }: Vitals): HealthCheck[] {
  return [
    check('run', LIVES.includes(status.state), status.error ?? status.state),
    check('journal', journal === null || journal === 'ok', journal ?? 'not open yet'),
    check('lease', isLeaseValid, isLeaseValid ? 'held' : 'another process may own the account'),
  ];
}

function softChecks(vitals: Vitals): HealthCheck[] {
  const { status, pendingRows, deadLetters, deadLetterAgoMs: ago, eventLoopDelayMs } = vitals;
  const named = (wanted: string): string[] =>
    status.breakers.filter(({ state }) => state === wanted).map(({ name }) => name);
  const open = named('open');
  const not = [`open: ${open.join(', ')}`, `half-open: ${named('half-open').join(', ')}`].filter(
    (words) => !words.endsWith(': '),
  );
  return [
    check('trading', status.tradingState === 'active', status.tradingState),
    check('breakers', open.length === 0, not.length === 0 ? 'all closed' : not.join('; ')),
    check('journal queue', pendingRows < MANY_ROWS, `${pendingRows} rows wait`),
    check(
      'dead letters',
      ago === null || ago > RECENT_MS,
      `${deadLetters} in this process${ago === null ? '' : `, the newest ${duration(ago)} ago`}`,
    ),
    check('event loop', eventLoopDelayMs < SLOW_LOOP_MS, `${Math.round(eventLoopDelayMs)} ms behind at p99`),
    check(
      'store',
      status.store.durable,
      `${status.store.engine}, ${status.store.durable ? 'durable' : 'NOT durable'}`,
    ),
    ...(status.alerts?.sinks ?? []).map(({ name, state, reason, waiting }) =>
      check(`alerts to ${name}`, state === 'up', reason === null ? `${waiting} wait` : reason),
    ),
  ];
}

/** Only where the store can see its disk. */
function diskChecks({ status, minFreeBytes }: Vitals): HealthCheck[] {
  const { freeBytes } = status.store;
  if (freeBytes === undefined || minFreeBytes === 0) return [];
  const mib = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MiB`;
  const detail = `${mib(freeBytes)} left, ${mib(minFreeBytes)} wanted (retention.minFreeMb)`;
  return [check('disk', freeBytes >= minFreeBytes, detail)];
}

function venueChecks({ venue }: StatusDocument): HealthCheck[] {
  if (!venue) return [];
  const { waitingFor, stream, reconcile, protection, unknownOrders } = venue;
  return [
    check('venue', waitingFor === null && !reconcile.isFailing, waitingFor ?? reachWords(venue)),
    check('private stream', stream.state === 'up', stream.reason ?? stream.state),
    check(
      'reconciliation',
      reconcile.ready,
      reconcile.findings[0] ??
        (reconcile.ageMs === null ? 'never read' : `read ${duration(reconcile.ageMs)} ago`),
    ),
    check(
      'protection',
      protection.longestNowMs < LONG_UNPROTECTED_MS,
      `${protection.unprotectedNow} without a stop, the longest for ${duration(protection.longestNowMs)}`,
    ),
    check('unknown orders', unknownOrders.length === 0, `${unknownOrders.length}`),
  ];
}

/** The stream's trouble is most often that of the readings, too. */
function reachWords({ name, reconcile, stream }: VenueStatus): string {
  if (!reconcile.isFailing) return name;
  return `the account at ${name} cannot be read${stream.state === 'up' || stream.reason === null ? '' : `: ${stream.reason}`}`;
}
