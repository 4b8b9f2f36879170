/**
 * Which faults a seed's world meets, and how often. Each kind is in or out by a coin, so that worlds differ in kind
 * and not only in order; those that are in strike at exponentially spaced moments.
 */
import type { Random } from '../../core/random.ts';
import type { MarginMode } from '../../exchange/engine/engine-types.ts';

export const FAULT_SETS = [
  'process',
  'disk',
  'database',
  'network',
  'venue',
  'data',
  'time',
  'actor',
] as const;
export type FaultSet = (typeof FAULT_SETS)[number];

/** Something that is done to the world at a moment. */
export interface Strike {
  readonly kind: string;
  readonly set: FaultSet;
  /** Mean time between two. */
  readonly everyMs: number;
  /** In so many of the worlds; USUAL_SHARE where absent. */
  readonly share?: number;
}

const MINUTE = 60_000;
const USUAL_SHARE = 0.6;
const LIQUIDATION = 'venue:liquidation';

/** Every kind that strikes at moments; the names are what the report and the coverage show. */
export const STRIKES: readonly Strike[] = [
  { kind: 'process:crash', set: 'process', everyMs: 13 * MINUTE },
  { kind: 'process:crash-in-recovery', set: 'process', everyMs: 30 * MINUTE },
  { kind: 'process:pause', set: 'process', everyMs: 10 * MINUTE },
  { kind: 'process:pause-before-send', set: 'process', everyMs: 10 * MINUTE },
  { kind: 'process:crash-before-send', set: 'process', everyMs: 15 * MINUTE },
  { kind: 'process:two-owners', set: 'process', everyMs: 40 * MINUTE },
  { kind: 'process:sigterm', set: 'process', everyMs: 60 * MINUTE },
  { kind: 'disk:full', set: 'disk', everyMs: 20 * MINUTE },
  { kind: 'disk:fsync-error', set: 'disk', everyMs: 30 * MINUTE },
  { kind: 'disk:bit-flip', set: 'disk', everyMs: 40 * MINUTE },
  { kind: 'database:down', set: 'database', everyMs: 15 * MINUTE },
  { kind: 'network:rest-silent', set: 'network', everyMs: 13 * MINUTE },
  { kind: 'network:rest-refused', set: 'network', everyMs: 13 * MINUTE },
  { kind: 'network:stream-silent', set: 'network', everyMs: 13 * MINUTE },
  { kind: 'network:sockets-break', set: 'network', everyMs: 8 * MINUTE },
  { kind: 'network:dns', set: 'network', everyMs: 25 * MINUTE },
  { kind: 'network:tls', set: 'network', everyMs: 25 * MINUTE },
  { kind: 'network:partition', set: 'network', everyMs: 20 * MINUTE },
  { kind: 'venue:foreign-trade', set: 'venue', everyMs: 20 * MINUTE },
  { kind: 'venue:foreign-order', set: 'venue', everyMs: 30 * MINUTE },
  { kind: 'venue:adl', set: 'venue', everyMs: 20 * MINUTE },
  { kind: 'venue:filters', set: 'venue', everyMs: 40 * MINUTE },
  { kind: 'venue:transfer', set: 'venue', everyMs: 40 * MINUTE },
  { kind: 'venue:shock', set: 'venue', everyMs: 20 * MINUTE },
  { kind: 'venue:thin-book', set: 'venue', everyMs: 10 * MINUTE },
  // Where it is in, the whole world is another: isolated margin, as much leverage as the stop allows.
  { kind: LIQUIDATION, set: 'venue', everyMs: 12 * MINUTE, share: 0.35 },
  { kind: 'data:silence', set: 'data', everyMs: 15 * MINUTE },
  { kind: 'time:jump', set: 'time', everyMs: 20 * MINUTE },
  { kind: 'time:late-timers', set: 'time', everyMs: 20 * MINUTE },
  { kind: 'actor:poison', set: 'actor', everyMs: 8 * MINUTE },
  { kind: 'actor:flood', set: 'actor', everyMs: 20 * MINUTE },
  { kind: 'actor:slow', set: 'actor', everyMs: 4 * MINUTE },
];

/** Kinds that are probabilities all the time. */
export interface Rates {
  readonly commitUnknown: number;
  readonly lostBefore: number;
  readonly serialization: number;
  readonly slowStore: number;
  readonly loseRequest: number;
  readonly loseAnswer: number;
  readonly slowNetwork: number;
  readonly nan: number;
  readonly zero: number;
  readonly absurd: number;
  readonly crossed: number;
  readonly lostBar: number;
  readonly doubleBar: number;
  readonly history: number;
}

export interface FaultPlan {
  readonly strikes: readonly Strike[];
  readonly rates: Rates;
  /** Of the venue's own rules, each kept with this probability. */
  readonly venueShare: number;
  readonly venuePreset: 'none' | 'realistic' | 'storm';
}

/** Cross margin answers with the whole account, which these worlds never lose. */
export const marginModeOf = ({ strikes }: FaultPlan): MarginMode =>
  strikes.some(({ kind }) => kind === LIQUIDATION) ? 'isolated' : 'cross';

export function drawPlan(random: Random, sets: readonly FaultSet[]): FaultPlan {
  const has = (set: FaultSet): boolean => sets.includes(set);
  // As many dice whatever is wanted: leaving a set out must not change the others.
  const coin = (set: FaultSet, most: number): number => {
    const [isIn, rate] = [random.next() < 0.5, random.next() * most];
    return isIn && has(set) ? rate : 0;
  };
  const strikes = STRIKES.filter(({ set, share = USUAL_SHARE }) => random.next() < share && has(set));
  const rates: Rates = {
    commitUnknown: coin('database', 0.02),
    lostBefore: coin('database', 0.02),
    serialization: coin('database', 0.02),
    slowStore: coin('disk', 0.02),
    loseRequest: coin('network', 0.05),
    loseAnswer: coin('network', 0.05),
    slowNetwork: coin('network', 0.02),
    nan: coin('data', 0.001),
    zero: coin('data', 0.001),
    absurd: coin('data', 0.0005),
    crossed: coin('data', 0.001),
    lostBar: coin('data', 0.1),
    doubleBar: coin('data', 0.1),
    history: coin('data', 0.2),
  };
  const dice = random.next();
  const venuePreset = !has('venue') ? 'none' : dice < 0.2 ? 'none' : dice < 0.7 ? 'realistic' : 'storm';
  return { strikes, rates, venueShare: 0.3 + random.next() * 0.7, venuePreset };
}
