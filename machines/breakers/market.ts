/** Breakers on what the market itself does: moves that no stop follows, and funding that eats a position. */
import type { SymbolName } from '../../src/domain/instrument.ts';
import { type BreakerRule, nothing } from './rule.ts';
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
