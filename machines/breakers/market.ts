/**
 * Breakers on what the market itself does: moves that no stop follows, a market wilder than the one that sizes were
 * made for, and funding that eats a position.
 */
import type { SymbolName } from '../../src/domain/instrument.ts';
import { type BreakerRule, nothing, type Swing } from './rule.ts';
import type { BreakerSettings } from './settings.ts';

/**
 * One symbol that crashes or leaps stops entries on it; a market that moves as a whole stops all. After its pause
 * it waits for a calm measure.
 */
export const flashCrashRule = (settings: BreakerSettings): BreakerRule => ({
  kind: 'flash-crash',
  coolDownMs: settings.shockCoolDownMs,
  reset: (counters) => ({ ...counters, stale: [] }),
  observe(counters, event) {
    if (event.type === 'CALM') return { counters: { ...counters, stale: [] }, verdict: 'fine' };
    if (event.type !== 'SHOCK') return nothing(counters);
    if (event.mean >= settings.maxMeanMovePercent) {
      const cause = `the market moved ${event.mean.toFixed(1)} % on average`;
      return { counters, verdict: { trip: 'reducing', cause } };
    }
    const far = Object.entries(event.moves).filter(([, move]) => Math.abs(move) >= settings.maxMovePercent);
    if (far.length === 0) return nothing(counters);
    const symbols = union(
      counters.stale,
      far.map(([symbol]) => symbol),
    );
    const cause = far.map(([symbol, move]) => `${symbol} moved ${move.toFixed(1)} %`).join(', ');
    return { counters: { ...counters, stale: symbols }, verdict: { trip: 'reducing', cause, symbols } };
  },
});

/** Below this share of its limit a spike counts as over. */
const CALM_SHARE = 0.7;

/**
 * A market several times as wild as its last day: stops are too near, sizes too large, fills far off. One symbol's
 * spike stops entries on it, the whole market's all of them. It is over when every symbol it opened for is calm again.
 */
export const volatilityRule = (settings: BreakerSettings): BreakerRule => ({
  kind: 'volatility',
  coolDownMs: settings.volatilityCoolDownMs,
  reset: (counters) => ({ ...counters, stale: [] }),
  observe(counters, event) {
    if (event.type !== 'VOLATILITY') return nothing(counters);
    const spikes = ({ ratio, percent }: Swing, limit: number): boolean =>
      ratio >= limit && percent >= settings.minVolatilityPercent;
    const said = ({ ratio, percent }: Swing): string =>
      `${ratio.toFixed(1)} times as much as usual, ${percent.toFixed(2)} % in 15 minutes`;
    if (spikes(event.market, settings.maxMarketVolatilityRatio)) {
      const cause = `the market moves ${said(event.market)}`;
      return { counters, verdict: { trip: 'reducing', cause } };
    }
    const wild = Object.entries(event.symbols).filter(([, swing]) =>
      spikes(swing, settings.maxVolatilityRatio),
    );
    if (wild.length > 0) {
      const symbols = union(
        counters.stale,
        wild.map(([symbol]) => symbol),
      );
      const cause = wild.map(([symbol, swing]) => `${symbol} moves ${said(swing)}`).join(', ');
      return { counters: { ...counters, stale: symbols }, verdict: { trip: 'reducing', cause, symbols } };
    }
    const isCalm =
      event.market.ratio < CALM_SHARE * settings.maxMarketVolatilityRatio &&
      Object.values(event.symbols).every(({ ratio }) => ratio < CALM_SHARE * settings.maxVolatilityRatio);
    return isCalm ? { counters: { ...counters, stale: [] }, verdict: 'fine' } : nothing(counters);
  },
});

const union = (known: readonly SymbolName[], more: readonly SymbolName[]): readonly SymbolName[] =>
  [...new Set([...known, ...more])].sort();

/** No entries on symbols whose next settlement is extreme, whichever side pays: such a market is not a market. */
export const fundingRule = (maxRate: number): BreakerRule => ({
  kind: 'funding',
  coolDownMs: null,
  reset: (counters) => counters,
  observe(counters, event) {
    if (event.type !== 'FUNDING') return nothing(counters);
    const extreme = Object.entries(event.rates).filter(([, rate]) => Math.abs(rate) >= maxRate);
    if (extreme.length === 0) return { counters, verdict: 'over' };
    const symbols = extreme.map(([symbol]) => symbol).sort();
    const cause = extreme.map(([symbol, rate]) => `${symbol} ${(100 * rate).toFixed(3)} %`).join(', ');
    return { counters, verdict: { trip: 'reducing', cause: `funding of ${cause}`, symbols } };
  },
});
