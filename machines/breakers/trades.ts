/**
 * Breakers on how trades end. A breaker with a scope hears only the trades of its own symbol or side: long and
 * short are judged apart, because one that wins must not hide the other that loses.
 */
import { div, gt, lt, mul, toNumber, ZERO } from '../../src/core/decimal.ts';
import type { Trade } from '../messages.ts';
import { type BreakerRule, nothing } from './rule.ts';
import type { BreakerSettings } from './settings.ts';

export const consecutiveLossesRule = (limit: number, coolDownMs: number): BreakerRule => ({
  kind: 'consecutive-losses',
  coolDownMs,
  reset: (counters) => ({ ...counters, streak: 0 }),
  observe(counters, event) {
    if (event.type !== 'TRADE_CLOSED') return nothing(counters);
    if (!lt(event.trade.netPnl, ZERO)) return { counters: { ...counters, streak: 0 }, verdict: 'fine' };
    const streak = counters.streak + 1;
    return {
      counters: { ...counters, streak },
      verdict: streak >= limit ? { trip: 'reducing', cause: `${streak} losing trades in a row` } : null,
    };
  },
});

function netReturn({ netPnl, quantity, entryPrice }: Trade): number {
  const notional = mul(quantity, entryPrice);
  return gt(notional, ZERO) ? toNumber(div(netPnl, notional, 10)) : toNumber(netPnl);
}

/** The newest trades of a side win too seldom, and lose together. Tried again after its pause: one win decides. */
export const winRateRule = (settings: BreakerSettings): BreakerRule => ({
  kind: 'win-rate',
  coolDownMs: settings.winRateCoolDownMs,
  reset: (counters) => ({ ...counters, results: [] }),
  observe(counters, event, trial) {
    if (event.type !== 'TRADE_CLOSED') return nothing(counters);
    const result = netReturn(event.trade);
    if (trial) {
      // The old results would open it again at once.
      if (result > 0) return { counters: { ...counters, results: [result] }, verdict: 'fine' };
      const cause = 'the trade after its pause lost, too';
      return { counters, verdict: { trip: 'reducing', cause } };
    }
    const results = [...counters.results, result].slice(-settings.winRateTrades);
    const next = { ...counters, results };
    if (results.length < settings.winRateTrades) return { counters: next, verdict: null };
    const wins = results.filter((each) => each > 0).length;
    const percent = (100 * wins) / results.length;
    const net = results.reduce((total, each) => total + each, 0);
    if (percent >= settings.minWinRatePercent || net >= 0) return { counters: next, verdict: 'fine' };
    const cause = `${wins} of its last ${results.length} trades won, ${(100 * net).toFixed(2)} % together`;
    return { counters: next, verdict: { trip: 'reducing', cause } };
  },
});
