/** What entries met, counted from a journal, against what the portfolio itself counted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PortfolioContext } from '../../machines/portfolio.ts';
import { EntryTally } from '../../src/app/results/entry-statistics.ts';
import { storyOf } from '../../src/app/results/story.ts';
import { SyntheticMarketData } from '../../src/market/synthetic/synthetic-market-data.ts';
import { inMemory } from '../support/array-market.ts';
import { BUSY_CONFIG, startRun } from '../support/system-harness.ts';

test('approved, refused and denied are what the portfolio counted, rule by rule', async () => {
  const symbols = ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'];
  const market = await inMemory(new SyntheticMarketData({ seed: 5, days: 2, symbols }));
  // So little room that some are cut and some refused.
  const config = { ...BUSY_CONFIG, risk: { ...BUSY_CONFIG.risk, maxTotalExposure: '0.018' } };
  const run = await startRun({ market, config });
  await run.drive();
  const tally = new EntryTally();
  for (const row of run.rows()) tally.take(row);
  const entries = tally.statistics();
  const last = run.rows().findLast(({ actor, snapshot }) => actor === 'portfolio' && snapshot !== null);
  const { counts, refusedRules } = (JSON.parse(last?.snapshot ?? '') as { context: PortfolioContext })
    .context;
  assert.ok(entries.approved > 0 && entries.refused > 0, JSON.stringify(entries));
  assert.deepEqual(
    [entries.approved, entries.refused, entries.denied],
    [counts.approved ?? 0, counts.refused ?? 0, counts.denied ?? 0],
  );
  assert.equal(entries.asked, entries.approved + entries.refused);
  assert.deepEqual(
    Object.fromEntries(entries.refusedBy.map(({ rule, entries: times }) => [rule, times])),
    refusedRules,
  );
  for (const { symbols: by, entries: times, last: newest } of entries.refusedBy) {
    assert.equal(
      Object.values(by).reduce((total, each) => total + each, 0),
      times,
    );
    assert.ok(newest.detail !== '' && symbols.includes(newest.symbol));
  }
  assert.ok((entries.resizedBy.volatility ?? 0) > 0);
  // And a position's story begins with how its size came to be.
  const first = run.rows().find(({ actor }) => actor.startsWith('position/'));
  const life = run.rows().filter(({ actor }) => actor === first?.actor);
  const cause = JSON.parse(first?.cause ?? '') as { n: number };
  const approval = run.rows().find(({ n }) => n === cause.n);
  assert.match(
    storyOf(life, approval)?.lines[0]?.what ?? '',
    /, sized by .*volatility ×[\d.]+ \(ATR [\d.]+ %\)/,
  );
});
