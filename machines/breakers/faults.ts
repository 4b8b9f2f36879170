/** Breakers on what we stand on: the venue's interface, the journal, the market's data, the clocks, the books. */
import { type BreakerRule, inWindow, nothing } from './rule.ts';

/** Counts faults in a sliding window: the venue's interface, or the journal with a limit of one. */
export const faultRule = (
  kind: 'api-errors' | 'journal',
  limit: number,
  windowMs: number,
  coolDownMs: number,
): BreakerRule => ({
  kind,
  coolDownMs,
  reset: (counters) => ({ ...counters, faultTimes: [] }),
  observe(counters, event, trial) {
    if (event.type === 'OK') return { counters, verdict: 'fine' };
    if (event.type !== 'FAULT') return nothing(counters);
    const faultTimes = inWindow(counters.faultTimes, event.at, windowMs);
    return {
      counters: { ...counters, faultTimes },
      verdict:
        faultTimes.length >= (trial ? 1 : limit)
          ? { trip: 'halted', cause: `${faultTimes.length} × in ${windowMs} ms, last: ${event.reason}` }
          : null,
    };
  },
});

/** Opens when too many symbols are without data at once: then it is not one symbol's trouble. */
export const staleDataRule = (symbols: number, maxShare: number): BreakerRule => ({
  kind: 'stale-data',
  coolDownMs: null,
  reset: (counters) => ({ ...counters, stale: [] }),
  observe(counters, event) {
    if (event.type !== 'STALE' && event.type !== 'LIVE') return nothing(counters);
    const others = counters.stale.filter((symbol) => symbol !== event.symbol);
    const stale = event.type === 'STALE' ? [...others, event.symbol] : others;
    const tooMany = stale.length > 0 && stale.length >= symbols * maxShare;
    return {
      counters: { ...counters, stale },
      verdict: tooMany
        ? { trip: 'reducing', cause: `${stale.length} of ${symbols} symbols have no data` }
        : 'over',
    };
  },
});

/** The venue says how long; a margin goes on top, as its clock is not ours. Half-open until a call has gone well. */
export const rateLimitRule = (marginMs: number): BreakerRule => ({
  kind: 'rate-limit',
  coolDownMs: marginMs,
  reset: (counters) => counters,
  observe(counters, event) {
    if (event.type === 'OK') return { counters, verdict: 'fine' };
    if (event.type !== 'THROTTLED') return nothing(counters);
    const until = Math.max(event.until, event.at) + marginMs;
    const cause = event.banned ? `banned until ${event.until}` : `throttled until ${event.until}`;
    return { counters, verdict: { trip: event.banned ? 'halted' : 'reducing', cause, until } };
  },
});

/** Books that the venue contradicts decide nothing; the first clean reading tries, the second one closes. */
export const reconciliationRule: BreakerRule = {
  kind: 'reconciliation',
  coolDownMs: null,
  reset: (counters) => counters,
  observe(counters, event, trial) {
    if (event.type === 'CLEAN') return { counters, verdict: trial ? 'fine' : 'easing' };
    if (event.type !== 'FINDINGS') return nothing(counters);
    if (event.count <= 0) return { counters, verdict: trial ? 'fine' : 'easing' };
    return { counters, verdict: { trip: 'halted', cause: `${event.count} findings: ${event.detail}` } };
  },
};

/** Orders with a wrong time are refused, or worse, late ones taken. Over at half the bound, so that it does not flap. */
export const clockRule = (maxSkewMs: number): BreakerRule => ({
  kind: 'clock',
  coolDownMs: null,
  reset: (counters) => counters,
  observe(counters, event) {
    if (event.type !== 'SKEW') return nothing(counters);
    const skewMs = Math.abs(event.ms);
    if (skewMs > maxSkewMs)
      return { counters, verdict: { trip: 'halted', cause: `clocks differ by ${event.ms} ms` } };
    return { counters, verdict: skewMs * 2 <= maxSkewMs ? 'over' : null };
  },
});

/** Slow calls in a sliding window: an entry would be sent into a market that has moved on. */
export const latencyRule = (
  maxLatencyMs: number,
  limit: number,
  windowMs: number,
  coolDownMs: number,
): BreakerRule => ({
  kind: 'latency',
  coolDownMs,
  reset: (counters) => ({ ...counters, faultTimes: [] }),
  observe(counters, event, trial) {
    if (event.type !== 'LATENCY') return nothing(counters);
    if (event.ms <= maxLatencyMs) return { counters, verdict: 'fine' };
    const faultTimes = inWindow(counters.faultTimes, event.at, windowMs);
    const trip = {
      trip: 'reducing',
      cause: `${faultTimes.length} slow calls, the last of ${event.ms} ms`,
    } as const;
    return {
      counters: { ...counters, faultTimes },
      verdict: faultTimes.length >= (trial ? 1 : limit) ? trip : null,
    };
  },
});
