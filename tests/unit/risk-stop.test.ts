import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Entry, Learned, PortfolioView, RiskDecision, RiskLimits } from '../../src/domain/risk.ts';
import { NO_RESULTS, NOTHING_LEARNED } from '../../src/domain/risk.ts';
import { learnFromTrade } from '../../src/risk/learning.ts';
import { DEFAULT_LIMITS } from '../../src/risk/limits.ts';
import { assessEntry } from '../../src/risk/risk-manager.ts';
import { adaptivePercent, winRateOf } from '../../src/risk/stop.ts';
import { entry, INSTRUMENT } from '../support/machine-bench.ts';

const VIEW: PortfolioView = { equity: '10000', exposures: [], tradingState: 'active', at: 1_000 };

const won = (wins: number, losses: number): Learned => ({
  ...NOTHING_LEARNED,
  at: 1_000,
  sides: { 'BTCUSDT/long': { ...NO_RESULTS, trades: wins + losses, wins } },
});

const decide = (
  more: Partial<Entry> = {},
  view: Partial<PortfolioView> = {},
  limits: Partial<RiskLimits> = {},
): RiskDecision =>
  assessEntry(entry(more), INSTRUMENT, { ...VIEW, ...view }, { ...DEFAULT_LIMITS, ...limits });

const stopOf = (decision: RiskDecision): string => {
  assert.ok(decision.approved, JSON.stringify(decision));
  return decision.entry.stopPrice;
};

describe('the adaptive stop', () => {
  const { stop } = DEFAULT_LIMITS;
  /** Win rate, ATR in percent, distance in percent. */
  const table = [
    [0, 1, 6],
    [0.3, 1, 6],
    [0.5, 1, 8.75],
    [0.7, 1, 11.5],
    [1, 1, 11.5],
    // No nearer than two ATRs, no farther than twelve, and always between six and eleven and a half.
    [0.3, 4, 8],
    [0.3, 10, 11.5],
    [0.7, 0.7, 8.4],
    [0.7, 0.1, 6],
  ] as const;
  for (const [rate, atr, percent] of table)
    test(`win rate ${rate}, ATR ${atr} %: ${percent} %`, () =>
      assert.ok(Math.abs(adaptivePercent(rate, atr, stop) - percent) < 1e-9));

  test('few trades say little: the rate is drawn towards one half', () => {
    assert.equal(winRateOf(undefined, 10), 0.5);
    assert.equal(winRateOf({ ...NO_RESULTS, trades: 10, wins: 10 }, 10), 0.75);
    assert.equal(winRateOf({ ...NO_RESULTS, trades: 90, wins: 0 }, 10), 0.05);
  });

  test('it takes the strategy’s place, on a tick, and says with which numbers', () => {
    const decision = decide();
    assert.equal(stopOf(decision), '91.3', '8.75 % of 100, rounded towards the entry');
    assert.ok(decision.approved);
    assert.match(
      decision.notes[0] ?? '',
      /^stop 91\.3: adaptive 8\.75 % \(no long trades in \w+ yet, 50 % assumed/,
    );
    assert.deepEqual(decision.entry.notes, decision.notes);
    assert.equal(stopOf(decide({ direction: 'short', stopPrice: '105' })), '108.7');
  });

  test('it follows the results of this symbol and this side, as they weigh now', () => {
    assert.equal(stopOf(decide({}, { learned: won(0, 90) })), '94', 'who loses gets little room');
    assert.equal(stopOf(decide({}, { learned: won(90, 0) })), '90', 'and who wins the hard cap at most');
    assert.equal(stopOf(decide({ direction: 'short', stopPrice: '105' }, { learned: won(90, 0) })), '108.7');
    const later = { learned: won(0, 90), at: 1_000 + 365 * 86_400_000 };
    assert.equal(stopOf(decide({}, later)), '91.3', 'a year later it is as good as forgotten');
  });

  test('trades teach the sides of a symbol apart', () => {
    const learned = learnFromTrade(
      NOTHING_LEARNED,
      { symbol: 'BTCUSDT', direction: 'short', netReturn: 0.01, openedAt: 1, closedAt: 2 },
      DEFAULT_LIMITS.learning,
    );
    assert.deepEqual(Object.keys(learned.sides), ['BTCUSDT/short']);
    assert.equal(learned.sides['BTCUSDT/short']?.wins, 1);
  });
});

describe('what bounds it', () => {
  test('the hard cap holds the strategy’s own stop, too', () => {
    const stop = { ...DEFAULT_LIMITS.stop, adaptive: false };
    assert.equal(stopOf(decide({ stopPrice: '95' }, {}, { stop })), '95');
    const decision = decide({ stopPrice: '80' }, {}, { stop });
    assert.equal(stopOf(decision), '90');
    assert.ok(decision.approved);
    assert.match(decision.notes[0] ?? '', /the strategy’s, capped at 10 %/);
  });

  test('an add keeps the stop of what it adds to', () => {
    const exposures = [{ symbol: 'BTCUSDT', direction: 'long' as const, notional: '100' }];
    assert.equal(stopOf(decide({ add: true, stopPrice: '99' }, { exposures })), '99');
  });

  test('a liquidation price that is nearer draws it in, as long as it stays wide enough', () => {
    // Little balance behind a large position: liquidation comes before 8.75 %.
    const small = { equity: '1000', available: '84' };
    const limits = { baseNotional: '1000', maxLeverage: 20 };
    const decision = decide({}, small, limits);
    assert.ok(decision.approved, JSON.stringify(decision));
    const { stopPrice } = decision.entry;
    assert.ok(Number(stopPrice) > 91.3 && Number(stopPrice) <= 94, stopPrice);
    assert.ok(decision.notes.some((note) => note.includes(`drawn in to ${stopPrice}`)));
    const tight = decide({}, { equity: '1000', available: '20' }, limits);
    if (tight.approved) assert.ok(Number(tight.entry.quantity) < Number(decision.entry.quantity));
    else assert.ok(tight.refusals.some(({ rule }) => rule === 'liquidation'));
  });

  test('no tick left behind the price: refused, with the numbers', () => {
    const decision = decide({ referencePrice: '0.1', stopPrice: '0.09' });
    assert.ok(!decision.approved);
    assert.equal(decision.refusals[0]?.rule, 'stop');
  });
});

test('the last conditional orders are kept for replacements', () => {
  const held = (n: number) => ({
    equity: '1000000',
    exposures: Array.from({ length: n }, (_, i) => ({
      symbol: `S${i}USDT`,
      direction: 'long' as const,
      notional: '1',
    })),
  });
  assert.ok(decide({}, held(159)).approved);
  const decision = decide({}, held(160));
  assert.ok(!decision.approved);
  assert.deepEqual(decision.refusals, [
    { rule: 'conditional-orders', detail: '160 stops stand already; 200 less 40 for replacements' },
  ]);
  assert.ok(decide({}, { ...held(100), foreignConditionals: 59 }).approved);
  const crowded = decide({}, { ...held(100), foreignConditionals: 60 });
  assert.ok(!crowded.approved, 'whoever placed them: the venue counts all');
  assert.match(
    crowded.refusals[0]?.detail ?? '',
    /^100 stops stand already and 60 conditional orders that nobody/,
  );
});
