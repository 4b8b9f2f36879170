/** The breaker on a market that is suddenly wilder: what the portfolio measures, and what the breaker makes of it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createBreakerMachine } from '../../machines/breaker.ts';
import { createPortfolioMachine, type PortfolioContext } from '../../machines/portfolio.ts';
import { riskJudge } from '../../src/risk/learning.ts';
import { DEFAULT_LIMITS } from '../../src/risk/limits.ts';
import { MachineBench, told } from '../support/machine-bench.ts';

const QUARTER_MS = 900_000;
const BREAKER = 'breaker/volatility';

const breaker = () => new MachineBench(createBreakerMachine(), { kind: 'volatility', settings: {} });
const word = (bench: MachineBench) => told(bench).find(([to]) => to === 'portfolio')?.[1];
const swing = (ratio: number, percent = 2) => ({ ratio, percent });

describe('the rule', () => {
  test('a symbol that spikes is shut alone, others join, a market that spikes shuts all', () => {
    const bench = breaker();
    const say = (market: number, symbols: Record<string, number>) =>
      bench.send('VOLATILITY', {
        market: swing(market),
        symbols: Object.fromEntries(Object.entries(symbols).map(([symbol, ratio]) => [symbol, swing(ratio)])),
      });
    say(3.9, { BTCUSDT: 5.9 });
    assert.equal(bench.value, 'closed');
    say(2, { BTCUSDT: 6 });
    assert.deepEqual([word(bench)?.state, word(bench)?.scope], ['reducing', { symbols: ['BTCUSDT'] }]);
    say(2, { ETHUSDT: 7 });
    assert.deepEqual(word(bench)?.scope, { symbols: ['BTCUSDT', 'ETHUSDT'] });
    say(4, {});
    assert.deepEqual([word(bench)?.state, word(bench)?.scope], ['reducing', undefined]);
    assert.match(String(word(bench)?.cause), /the market moves 4\.0 times as much as usual/);
  });

  test('it closes after its pause, and only when all is calm again', () => {
    const bench = breaker();
    bench.send('VOLATILITY', { market: swing(2), symbols: { BTCUSDT: swing(9) } });
    bench.wait(2 * 3_600_000);
    assert.equal(bench.value, 'halfOpen');
    bench.send('VOLATILITY', { market: swing(2), symbols: { BTCUSDT: swing(5) } });
    assert.equal(bench.value, 'halfOpen', 'not a spike any more, and not calm either');
    bench.send('VOLATILITY', { market: swing(1), symbols: {} });
    assert.equal(word(bench)?.state, 'closed');
  });

  test('what moves hardly at all does not spike, however calm it was before', () => {
    const bench = breaker();
    bench.send('VOLATILITY', { market: swing(50, 0.49), symbols: { BTCUSDT: swing(50, 0.49) } });
    assert.equal(bench.value, 'closed');
  });
});

describe('what the portfolio measures', () => {
  const portfolio = () =>
    new MachineBench(createPortfolioMachine(riskJudge), {
      ...{ wallet: '1000', limits: DEFAULT_LIMITS, equityBreakers: [], tradeBreakers: [] },
    });
  const prices = { BTCUSDT: 100, ETHUSDT: 100 };
  /** So many quarters of an hour in which each symbol swings by so many percent. */
  function swings(bench: MachineBench, quarters: number, percent: Record<string, number>) {
    const heard: Record<string, unknown>[] = [];
    for (let i = 0; i < quarters; i++) {
      for (const [symbol, size] of Object.entries(percent)) {
        const known = prices[symbol as keyof typeof prices];
        prices[symbol as keyof typeof prices] = known > 100 ? 100 : 100 * (1 + size / 100);
      }
      for (let third = 0; third < 3; third++) {
        bench.send('MARK', { prices }, QUARTER_MS / 3);
        heard.push(...told(bench).flatMap(([to, event]) => (to === BREAKER ? [{ ...event }] : [])));
      }
    }
    return heard;
  }

  test('nothing is said before eight hours are known, nor of a market that goes on as it did', () => {
    const bench = portfolio();
    assert.deepEqual(swings(bench, 20, { BTCUSDT: 0.2, ETHUSDT: 5 }), []);
    const calm = portfolio();
    assert.deepEqual(swings(calm, 60, { BTCUSDT: 0.2, ETHUSDT: 3 }), []);
  });

  test('a spike is told with how much it is, while it lasts', () => {
    const bench = portfolio();
    swings(bench, 60, { BTCUSDT: 0.2, ETHUSDT: 0.2 });
    const [first] = swings(bench, 4, { BTCUSDT: 0.2, ETHUSDT: 4 });
    assert.ok(first);
    const symbols = first.symbols as Record<string, { ratio: number; percent: number }>;
    assert.deepEqual(Object.keys(symbols), ['ETHUSDT']);
    assert.ok((symbols.ETHUSDT?.ratio ?? 0) > 4 && (symbols.ETHUSDT?.percent ?? 0) > 1);
    const later = swings(bench, 40, { BTCUSDT: 0.2, ETHUSDT: 0.2 });
    assert.ok(later.length < 10, 'it is over within hours');
  });

  test('while the breaker is open it hears that it is calm', () => {
    const bench = portfolio();
    swings(bench, 60, { BTCUSDT: 0.2, ETHUSDT: 0.2 });
    bench.send('BREAKER_CHANGED', { breaker: 'volatility', state: 'half-open', cause: 'x' });
    const [said] = swings(bench, 1, { BTCUSDT: 0.2, ETHUSDT: 0.2 });
    assert.deepEqual([said?.type, said?.symbols], ['VOLATILITY', {}]);
  });

  test('a step over a silence teaches nothing', () => {
    const bench = portfolio();
    swings(bench, 40, { BTCUSDT: 0.2 });
    const before = bench.context<PortfolioContext>().swings;
    bench.send('MARK', { prices: { BTCUSDT: 150 } }, 4 * 3_600_000);
    assert.deepEqual(bench.context<PortfolioContext>().swings, before);
  });
});
