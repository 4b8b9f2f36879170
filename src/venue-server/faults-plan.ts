/**
 * Decides which faults strike.
 *
 * Invariants: the same rules, seed and sequence of requests and events give the same faults; each rule throws its
 * own dice, so that adding one does not move the others; nobody is struck outside a rule's window of time.
 */
import type { Random } from '../core/random.ts';
import type { FaultAction, FaultPlace, FaultRule, FaultScript, Latency, Span } from './faults.ts';
import { NO_LATENCY } from './faults.ts';

interface Armed {
  readonly rule: FaultRule;
  readonly fits: (name: string) => boolean;
  readonly random: Random;
  /** How many fitted so far, and how many were struck. */
  seen: number;
  hits: number;
}

export interface FaultReport {
  readonly name: string;
  readonly place: FaultPlace['at'];
  readonly action: FaultAction['do'];
  readonly seen: number;
  readonly hits: number;
}

/** Reads a field of what is struck, for `where`. */
export type FieldReader = (field: string) => string | undefined;

export interface Strike {
  readonly rule: string;
  readonly action: FaultAction;
}

const NOTHING: readonly Strike[] = [];
const NO_FIELDS: FieldReader = () => undefined;

export class FaultPlan {
  readonly #random: Random;
  readonly #onStrike: (strike: Strike, what: string, field: FieldReader) => void;
  #dice: Random;
  #armed: Armed[] = [];
  #latency: Latency = NO_LATENCY;
  #loads = 0;

  constructor(
    random: Random,
    onStrike: (strike: Strike, what: string, field: FieldReader) => void = () => {},
  ) {
    this.#random = random;
    this.#dice = random.fork('latency');
    this.#onStrike = onStrike;
  }

  /** Adds the script's rules to those there are; its latency replaces the former. */
  add(script: FaultScript): void {
    const load = this.#loads++;
    const random = script.seed === undefined ? this.#random : this.#random.fork(`seed/${script.seed}`);
    this.#latency = script.latency;
    script.rules.forEach((rule, i) => {
      const random_ = random.fork(`${load}/${i}`);
      this.#armed.push({ rule, fits: globs(rule.place), random: random_, seen: 0, hits: 0 });
    });
  }

  clear(): void {
    this.#armed = [];
    this.#latency = NO_LATENCY;
  }

  report(): readonly FaultReport[] {
    return this.#armed.map(({ rule, seen, hits }) => ({
      name: rule.name,
      place: rule.place.at,
      action: rule.action.do,
      seen,
      hits,
    }));
  }

  /** False: `strike` need not be asked about such places. */
  watches(place: FaultPlace['at']): boolean {
    return this.#armed.some(({ rule }) => rule.place.at === place);
  }

  strike(
    place: FaultPlace['at'],
    what: string,
    at: number,
    field: FieldReader = NO_FIELDS,
  ): readonly Strike[] {
    let strikes: Strike[] | undefined;
    for (const armed of this.#armed) {
      if (armed.rule.place.at !== place || !armed.fits(what) || !applies(armed, at, field)) continue;
      const strike = { rule: armed.rule.name, action: armed.rule.action };
      strikes ??= [];
      strikes.push(strike);
      this.#onStrike(strike, what, field);
    }
    return strikes ?? NOTHING;
  }

  latency(of: keyof Latency): number {
    return this.draw(this.#latency[of]);
  }

  draw([min, max]: Span): number {
    return max === 0 ? 0 : min + (max - min) * this.#dice.next();
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[this.#dice.int(items.length)];
  }
}

function applies(armed: Armed, at: number, field: FieldReader): boolean {
  const { where, nth, every, probability, from, to, times } = armed.rule.when;
  if (from !== undefined && at < from) return false;
  if (to !== undefined && at >= to) return false;
  if (where && !Object.entries(where).every(([name, wanted]) => field(name) === wanted)) return false;
  armed.seen++;
  if (times !== undefined && armed.hits >= times) return false;
  if (nth !== undefined && armed.seen !== nth) return false;
  if (every !== undefined && armed.seen % every !== 0) return false;
  if (probability !== undefined && armed.random.next() >= probability) return false;
  armed.hits++;
  return true;
}

function globs(place: FaultPlace): (name: string) => boolean {
  if (place.at === 'time') return () => true;
  const patterns = place.pattern.map(glob);
  return (name) => patterns.some((pattern) => pattern.test(name));
}

export const glob = (pattern: string): RegExp =>
  new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);
