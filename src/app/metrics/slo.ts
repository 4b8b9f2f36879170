/**
 * The service levels, computed from what was measured, never claimed: uptime over the last thirty days, or as many of
 * them as the journal still tells of, the others since the process began. Each says since when it counts.
 */
import type { StatusDocument } from '../../operator/status-document.ts';
import type { SloLine } from '../../operator/views.ts';
import type { RowMetrics } from './row-metrics.ts';
import type { Uptime } from './uptime.ts';

export function sloLines(status: StatusDocument, rows: RowMetrics, uptime: Uptime): readonly SloLine[] {
  const fills = rows.fills.status();
  const calls = Object.values(status.venue?.calls.ended ?? {});
  const ended = calls.reduce((sum, { done, rejected, unknown }) => sum + done + rejected + unknown, 0);
  const failed = calls.reduce((sum, { rejected, unknown }) => sum + rejected + unknown, 0);
  // A simulated venue is not called: there an error is an order that it refused.
  const [bad, all] = status.venue ? [failed, ended] : [rows.rejected + rows.unknown, rows.orders];
  const latency = status.venue?.calls.latency;
  const begun = status.startedAt;
  return [
    {
      ...line('uptime', '> 99.5 %', percent(uptime.share), '%', (value) => value > 99.5),
      ...{ samples: Math.round(uptime.seconds), since: uptime.since },
    },
    {
      ...line('API latency p95', '< 200 ms', latency?.p95Ms ?? null, 'ms', (value) => value < 200),
      ...{ samples: latency?.count ?? 0, since: begun },
    },
    {
      ...line('fill time p95', '< 1000 ms', fills.p95Ms, 'ms', (value) => value < 1_000),
      ...{ samples: fills.count, since: begun },
    },
    {
      ...line('error rate', '< 0.1 %', all === 0 ? null : (100 * bad) / all, '%', (value) => value < 0.1),
      ...{ samples: all, since: begun },
    },
  ];
}

const percent = (share: number | null): number | null => (share === null ? null : 100 * share);

const line = (
  objective: string,
  target: string,
  value: number | null,
  unit: string,
  isMet: (value: number) => boolean,
): Omit<SloLine, 'samples' | 'since'> => ({
  ...{ objective, target, value, unit },
  met: value === null ? null : isMet(value),
});
