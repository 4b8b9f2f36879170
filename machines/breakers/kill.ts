/**
 * The kill switch as a breaker: opened and closed by people alone, and it closes everything that is open. It also
 * takes the emergency log into the journal, each intent once.
 */
import { type BreakerRule, nothing } from './rule.ts';

export const killRule: BreakerRule = {
  kind: 'kill',
  coolDownMs: null,
  reset: (counters) => counters,
  observe(counters, event) {
    if (event.type !== 'EMERGENCY') return nothing(counters);
    const { merged } = counters;
    const isKnown = merged !== null && merged.kill === event.kill && event.seq <= merged.seq;
    return {
      counters: isKnown ? counters : { ...counters, merged: { kill: event.kill, seq: event.seq } },
      verdict: null,
    };
  },
};
