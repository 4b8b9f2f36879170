/** Whether a PostgreSQL server keeps what it has committed. */
import { BulkheadError } from '../core/errors.ts';
import type { StoreHealth } from './journal.ts';

type HealthCheck = StoreHealth['checks'][number];

/** With 'local' or 'off' a failover or a power cut loses rows that we took for durable. */
const DURABLE_SETTINGS: Readonly<Record<string, readonly string[]>> = {
  fsync: ['on'],
  full_page_writes: ['on'],
  synchronous_commit: ['on', 'remote_write', 'remote_apply'],
};

/** What must be so for a committed row to survive a power cut. */
export function durabilityChecks(settings: ReadonlyMap<string, string>): HealthCheck[] {
  return Object.entries(DURABLE_SETTINGS).map(([name, allowed]) => {
    const value = settings.get(name) ?? 'unknown';
    const ok = allowed.includes(value);
    return { name, ok, detail: ok ? value : `${value}; must be ${allowed.join(' or ')}` };
  });
}

export function notDurable(checks: readonly HealthCheck[]): BulkheadError {
  const bad = checks.filter((check) => !check.ok).map((check) => `${check.name} is ${check.detail}`);
  return new BulkheadError(
    'STORE_NOT_DURABLE',
    `The store would lose rows on a power cut: ${bad.join('; ')}.`,
    {
      hint: 'Set these in postgresql.conf (or for this role and database) and restart the server.',
    },
  );
}
