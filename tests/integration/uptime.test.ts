/** Uptime from the journal: what runs, stops, crashes and silences leave in it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sloLines } from '../../src/app/metrics/slo.ts';
import { UPTIME_WINDOW_MS, Uptime } from '../../src/app/metrics/uptime.ts';
import { compact } from '../../src/app/store/compaction.ts';
import { systemTime } from '../../src/core/clock.ts';
import type { JournalRow, JournalStore } from '../../src/journal/journal.ts';
import { MemoryJournal } from '../../src/journal/memory-journal.ts';
import { pausesIn } from '../../src/journal/row-scan.ts';
import type { StatusDocument } from '../../src/operator/status-document.ts';
import { LiveWorld } from '../support/live-world.ts';

const { timers } = systemTime();
const DAY = 86_400_000;
const MINUTE = 60_000;
const BEAT = 15_000;
const QUIET = 3 * BEAT + 15_000;
const T0 = Date.UTC(2026, 0, 1);

type Row = Pick<JournalRow, 'seq' | 'at' | 'epoch' | 'actor'>;

const storeOf = (rows: readonly Row[]): Pick<JournalStore, 'pauses' | 'rowsOf'> => ({
  pauses: async (query) => pausesIn(rows as unknown as readonly JournalRow[], query),
  rowsOf: async (_actor, after, limit) =>
    rows.slice(after, after + limit) as unknown as readonly JournalRow[],
});

/** Lives of the portfolio, each [from, to, epoch], a row every beat. */
function heart(...lives: readonly (readonly [from: number, to: number, epoch: number])[]): Row[] {
  const rows: Row[] = [];
  for (const [from, to, epoch] of lives)
    for (let at = from; at <= to; at += BEAT)
      rows.push({ seq: rows.length + 1, at, epoch, actor: 'portfolio' });
  return rows;
}

async function read(rows: readonly Row[], uptime: Uptime, now: number): Promise<void> {
  const { seq = 0, at: headAt = 0 } = rows.at(-1) ?? {};
  await uptime.load({ store: storeOf(rows), seq, headAt, longestQuietMs: QUIET, timers, now });
}

const percent = (uptime: Uptime): number => Math.round((uptime.share ?? Number.NaN) * 1e6) / 1e4;

describe('uptime', () => {
  it('counts the time between two processes, whole, and silences of one', async () => {
    const uptime = new Uptime();
    // Up for 50 minutes, away for 10, up for 20, silent for 10, up for 5; then 5 until this process looks.
    const rows = heart(
      [T0, T0 + 50 * MINUTE, 1],
      [T0 + 60 * MINUTE, T0 + 80 * MINUTE, 2],
      [T0 + 90 * MINUTE, T0 + 95 * MINUTE, 2],
    );
    const now = T0 + 100 * MINUTE;
    uptime.look(now, true);
    await read(rows, uptime, now);
    assert.equal(percent(uptime), 75);
    assert.equal(uptime.seconds, 6_000);
  });

  it('counts a restart however short, and no beat that is late by a little', async () => {
    const uptime = new Uptime();
    const rows = [
      ...heart([T0, T0 + 10 * MINUTE, 1]),
      ...heart([T0 + 10 * MINUTE + 3_000, T0 + 20 * MINUTE, 2]),
    ].map((row, i) => ({ ...row, seq: i + 1 }));
    const last = rows.at(-1)?.at ?? 0;
    uptime.look(last, true);
    await read(rows, uptime, last);
    assert.equal(Math.round((1 - (uptime.share ?? 0)) * (last - T0)), 3_000);
  });

  it('forgets what is older than thirty days, and does not count what was before the journal', async () => {
    const uptime = new Uptime();
    // A day of ruin long ago, then a month without a flaw.
    const month = UPTIME_WINDOW_MS + DAY;
    const rows = [
      { seq: 1, at: T0 - DAY, epoch: 1, actor: 'portfolio' },
      ...heart([T0, T0 + month, 1]).map((row) => ({ ...row, seq: row.seq + 1 })),
    ];
    const now = T0 + month;
    uptime.look(now, true);
    await read(rows, uptime, now);
    assert.equal(percent(uptime), 100);
    assert.equal(uptime.seconds, UPTIME_WINDOW_MS / 1_000);
    assert.equal(uptime.since, now - UPTIME_WINDOW_MS);
  });

  it('of a journal that is kept for less than thirty days speaks of what is left, and says since when', async () => {
    const world = await LiveWorld.create();
    world.begin();
    await world.advance(30 * MINUTE);
    world.life.kill();
    await world.advance(10 * MINUTE);
    world.begin();
    await world.advance(30 * MINUTE);
    await world.stop();
    const time = { ...systemTime(), clock: { now: () => world.now } };
    const store = new MemoryJournal({ account: 'main', clock: time.clock, database: world.database });
    await store.open();
    const seen = async (): Promise<Uptime> => {
      const all = world.rows().filter(({ actor }) => actor === 'portfolio');
      const { seq = 0, at: headAt = 0 } = all.at(-1) ?? {};
      const uptime = new Uptime();
      uptime.look(headAt, true);
      await uptime.load({ store, seq, headAt, longestQuietMs: QUIET, timers, now: headAt });
      return uptime;
    };
    const whole = await seen();
    const before = whole.since ?? 0;
    assert.ok((whole.share ?? 1) < 0.95, 'ten minutes of seventy');
    // All that is left is of the second life: nothing of it was down.
    const cut = await compact({ store, account: 'main', keepMs: 20 * MINUTE, time, beside: 'nothing' });
    assert.ok(cut.removed > 0);
    const left = await seen();
    assert.equal(left.share, 1);
    assert.ok((left.since ?? 0) > before + 45 * MINUTE, String(left.since));
    assert.ok(Math.abs(left.seconds - 20 * 60) < 120, `${left.seconds} s`);
    await store.close();
  });

  it('says nothing before the past is read, and nothing of an empty view', async () => {
    const uptime = new Uptime();
    assert.equal(uptime.share, null);
    assert.equal(uptime.seconds, 0);
    assert.equal(uptime.since, null);
    const rows = heart([T0, T0 + MINUTE, 1]);
    const reading = read(rows, uptime, T0 + 2 * MINUTE);
    uptime.look(T0 + 2 * MINUTE, true);
    assert.equal(uptime.share, null);
    await reading;
    assert.equal(percent(uptime), 50);
    const empty = { venue: undefined } as unknown as StatusDocument;
    const rowMetrics = {
      fills: { status: () => ({ p95Ms: null, count: 0 }) },
      rejected: 0,
      unknown: 0,
      orders: 0,
    };
    assert.deepEqual(
      sloLines(empty, rowMetrics as unknown as Parameters<typeof sloLines>[1], new Uptime()).map(
        ({ value, met, samples }) => [value, met, samples],
      ),
      [
        [null, null, 0],
        [null, null, 0],
        [null, null, 0],
        [null, null, 0],
      ],
    );
  });

  it('of this process is what it saw of itself, and what it was too busy to see is down', () => {
    const uptime = new Uptime();
    for (let s = 0; s <= 60; s++) uptime.look(T0 + s * 1_000, s < 40 || s >= 50);
    uptime.look(T0 + 90_000, true);
    for (let s = 91; s <= 100; s++) uptime.look(T0 + s * 1_000, true);
    // Ten seconds unwell, thirty without a look, of a hundred.
    assert.equal(percent(uptime), 60);
  });

  it('is found so in the rows of a real run that was killed, and slept', { timeout: 120_000 }, async () => {
    const world = await LiveWorld.create();
    const from = world.now;
    world.begin();
    await world.advance(12 * MINUTE);
    world.life.kill();
    await world.advance(20 * MINUTE);
    world.begin();
    await world.advance(12 * MINUTE);
    await world.stop();
    const rows = world.rows().filter(({ actor }) => actor === 'portfolio');
    const uptime = new Uptime();
    const { seq = 0, at: headAt = 0 } = rows.at(-1) ?? {};
    uptime.look(headAt, true);
    await uptime.load({ store: storeOf(rows), seq, headAt, longestQuietMs: QUIET, timers, now: headAt });
    const downMs = (1 - (uptime.share ?? 0)) * uptime.seconds * 1_000;
    assert.ok(Math.abs(downMs - 20 * MINUTE) < MINUTE, `${downMs} ms down`);
    assert.ok(uptime.seconds * 1_000 > world.now - from - 2 * MINUTE);
  });
});
