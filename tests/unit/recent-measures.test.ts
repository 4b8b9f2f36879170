/** What is looked at of late: trouble that is over is not told for ever. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RowMetrics } from '../../src/app/metrics/row-metrics.ts';
import { RecentHistogram } from '../../src/app/status/recent-histogram.ts';
import { healthOf, type Vitals } from '../../src/app/views/health.ts';
import { Metrics } from '../../src/http/metrics-registry.ts';
import type { CommittedRow } from '../../src/operator/feed.ts';

const MINUTE = 60_000;

describe('what was measured of late', () => {
  test('a slow hour is forgotten ten minutes after it ended', () => {
    let now = 5_000;
    const recent = new RecentHistogram({ now: () => now });
    assert.equal(recent.status().p95Ms, null);
    for (let i = 0; i < 60; i++) {
      now += MINUTE;
      recent.add(900);
    }
    assert.equal(recent.status().count, 10, 'one a minute');
    assert.equal(recent.status().p95Ms, 900);
    for (let i = 0; i < 10; i++) {
      now += MINUTE;
      for (let j = 0; j < 30; j++) recent.add(20);
    }
    const { count, p95Ms, maxMs } = recent.status();
    assert.deepEqual([count, p95Ms, maxMs], [300, 20, 20]);
    now += 11 * MINUTE;
    assert.deepEqual([recent.status().count, recent.status().p95Ms], [0, null], 'nothing is known any more');
  });

  test('an event that nobody could take makes a run unwell for ten minutes, and is counted for ever', () => {
    let now = 0;
    const rows = new RowMetrics(new Metrics(), { now: () => now });
    const lost = () => {
      const vitals = {
        status: { state: 'running', breakers: [], store: {}, tradingState: 'active' },
        ...{ journal: 'ok', isLeaseValid: true, pendingRows: 0, eventLoopDelayMs: 0, minFreeBytes: 0 },
        ...{ deadLetters: 1, deadLetterAgoMs: rows.deadLetterAgoMs },
      } as unknown as Vitals;
      return healthOf(vitals).checks.find(({ check }) => check === 'dead letters');
    };
    assert.deepEqual([lost()?.ok, lost()?.detail], [true, '1 in this process']);
    const row = { n: 1, actor: 'dead-letters', kind: 'dead-letter', at: 0 };
    const event = { type: 'dead-letter' };
    rows.observe({
      row,
      event,
      cause: { kind: 'external', id: 'x' },
      intents: [],
    } as unknown as CommittedRow);
    now = 9 * MINUTE;
    assert.deepEqual([lost()?.ok, lost()?.detail], [false, '1 in this process, the newest 9m 0s ago']);
    now = 11 * MINUTE;
    assert.equal(lost()?.ok, true);
  });
});
