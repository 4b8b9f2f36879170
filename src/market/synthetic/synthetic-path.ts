/**
 * The hidden paths under a synthetic market, a day at a time: one common factor with regimes, and what each
 * symbol adds of its own. Bars are drawn on top of them (synthetic-bars.ts).
 *
 * Invariants: a day is a function of the seed, the day's number and the state carried from the day before;
 * every day and symbol has its own fork of the dice, so a symbol's path does not depend on which others are
 * asked for. Paths are in standard minutes: a symbol's log price is its volatility times its path.
 */
import type { Random } from '../../core/random.ts';
import type { SymbolProfile } from './synthetic-symbols.ts';
import { Volatility } from './synthetic-volatility.ts';

export const DAY_MINUTES = 1440;

export type Regime = 'range' | 'up' | 'down' | 'crash';

/** Carried from day to day; plain data. */
export interface FactorState {
  readonly level: number;
  readonly volatility: readonly number[];
  readonly regime: Regime;
  readonly minutesLeft: number;
  readonly drift: number;
  /** Where a ranging market is drawn back to. */
  readonly anchor: number;
}

export interface SymbolState {
  readonly level: number;
  readonly volatility: readonly number[];
  /** Premium of the perpetual over its index; funding follows it. */
  readonly premium: number;
}

/** One day of the common factor. Index m is the end of minute m. */
export interface FactorDay {
  readonly level: Float64Array;
  readonly volatility: Float64Array;
  /** A flash crash's displacement, in log price of a symbol of loading one; back at zero before midnight. */
  readonly displacement: Float64Array;
  readonly after: FactorState;
}

/** One day of one symbol, in log price relative to its start price, without the displacement. */
export interface SymbolDay {
  readonly fair: Float64Array;
  readonly displacement: Float64Array;
  /** Standard deviation of each minute's return. */
  readonly volatility: Float64Array;
  /** Premium at the end of each hour. */
  readonly premium: Float64Array;
  readonly after: SymbolState;
}

const FACTOR_VOLATILITY = [
  { memory: 8, spread: 0.18, leverage: 0.08 },
  { memory: 150, spread: 0.28, leverage: 0.16 },
  { memory: 3600, spread: 0.28, leverage: 0 },
];
const OWN_VOLATILITY = [
  { memory: 6, spread: 0.22, leverage: 0 },
  { memory: 1200, spread: 0.34, leverage: 0 },
];

/** Relative activity of the hours of the UTC day: Asia's morning, Europe's lull, America's opening. */
const HOURS = [
  1.2, 1.12, 0.96, 0.82, 0.72, 0.68, 0.72, 0.81, 0.83, 0.8, 0.76, 0.76, 0.9, 1.28, 1.5, 1.34, 1.25, 1.2, 1.15,
  1.1, 1.01, 0.99, 1.08, 1.03,
];
const HOURS_SCALE = Math.sqrt(HOURS.length / HOURS.reduce((sum, hour) => sum + hour * hour, 0));

/** Activity of the minute, between the hours' middles. */
export function season(minute: number): number {
  const hour = (minute - 30 + DAY_MINUTES) / 60;
  const whole = Math.floor(hour);
  const share = hour - whole;
  return (
    HOURS_SCALE * ((1 - share) * (HOURS[whole % 24] as number) + share * (HOURS[(whole + 1) % 24] as number))
  );
}

/** Prices are drawn back to where they started with this memory: an endless run must not end in dust. */
const REVERSION = 1 / (120 * DAY_MINUTES);
const RANGE_REVERSION = 1 / 300;
/** Now and then a minute is several times as wild as its neighbours. */
const WILD_SHARE = 0.018;
const WILD_SCALE = 2.9;
const WILD_NORM = 1 / Math.sqrt(1 - WILD_SHARE + WILD_SHARE * WILD_SCALE ** 2);

/** What a minute's standard normal shock becomes: sometimes wild, with a variance of one all the same. */
const wilder = (z: number, random: Random): number =>
  random.next() < WILD_SHARE ? z * WILD_NORM * WILD_SCALE : z * WILD_NORM;

/** Perpetuals of quiet times trade a little under their index, which makes funding less than its base rate. */
const USUAL_PREMIUM = -0.00025;

export const FACTOR_START: FactorState = {
  level: 0,
  volatility: [0, 0, 0],
  regime: 'range',
  minutesLeft: 720,
  drift: 0,
  anchor: 0,
};
export const SYMBOL_START: SymbolState = { level: 0, volatility: [0, 0], premium: USUAL_PREMIUM };

interface RegimeTurn {
  readonly regime: Regime;
  readonly minutesLeft: number;
  readonly drift: number;
}

/** `stress` multiplies how often crashes come; drift is in standard minutes a minute. */
function nextRegime(random: Random, before: Regime, stress: number): RegimeTurn {
  const exponential = (minutes: number): number => Math.ceil(-minutes * Math.log(1 - random.next()));
  if (random.next() < 0.02 * stress && before !== 'crash')
    return { regime: 'crash', minutesLeft: 30 + exponential(60), drift: -(0.5 + 0.7 * random.next()) };
  if (before !== 'range' && random.next() < 0.6)
    return { regime: 'range', minutesLeft: 180 + exponential(900), drift: 0 };
  const regime = random.next() < 0.52 ? 'up' : 'down';
  const strength = 0.02 + 0.04 * random.next();
  return { regime, minutesLeft: 180 + exponential(720), drift: regime === 'up' ? strength : -strength };
}

const FLASH_TAIL_MINUTES = 240;

/** Adds a fall within some minutes and its slow recovery; returns the minute it starts. */
function flashCrash(random: Random, depth: number, into: Float64Array): number {
  const start = 30 + random.int(DAY_MINUTES - FLASH_TAIL_MINUTES - 30);
  const fallMinutes = 2 + random.int(3);
  const recovery = 8 + 12 * random.next();
  for (let i = 0; i < FLASH_TAIL_MINUTES; i++) {
    const share = i < fallMinutes ? (i + 1) / fallMinutes : Math.exp(-(i - fallMinutes + 1) / recovery);
    into[start + i] = (into[start + i] as number) - depth * share;
  }
  return start;
}

export function factorDay(before: FactorState, random: Random, stress: number): FactorDay {
  const level = new Float64Array(DAY_MINUTES);
  const sigma = new Float64Array(DAY_MINUTES);
  const displacement = new Float64Array(DAY_MINUTES);
  const volatility = new Volatility(FACTOR_VOLATILITY, before.volatility);
  let { level: x, regime, minutesLeft, drift, anchor } = before;
  const events = random.fork('events');
  const flashAt =
    events.next() < stress / 30 ? flashCrash(events, 0.012 + 0.02 * events.next(), displacement) : -1;
  for (let m = 0; m < DAY_MINUTES; m++) {
    if (minutesLeft-- <= 0) {
      ({ regime, minutesLeft, drift } = nextRegime(events, regime, stress));
      anchor = x;
      if (regime === 'crash') volatility.raise(1, 0.8);
    }
    if (m === flashAt) volatility.raise(0, 1.2);
    const pull = regime === 'range' ? RANGE_REVERSION * (anchor - x) : drift;
    const z = random.normal();
    const now = volatility.value * season(m);
    x += pull + now * wilder(z, random) - REVERSION * x;
    volatility.shock(z);
    level[m] = x;
    sigma[m] = now;
  }
  const after = { level: x, volatility: volatility.save(), regime, minutesLeft, drift, anchor };
  return { level, volatility: sigma, displacement, after };
}

export function symbolDay(
  profile: SymbolProfile,
  before: SymbolState,
  factor: FactorDay,
  random: Random,
  stress: number,
): SymbolDay {
  const fair = new Float64Array(DAY_MINUTES);
  const sigma = new Float64Array(DAY_MINUTES);
  const premiums = new Float64Array(24);
  const scale = profile.volatilityBps / 10_000;
  const { loading } = profile;
  const own = Math.sqrt(1 - loading * loading);
  // What the whole market does to a symbol is in proportion to how it moves, against Bitcoin's size of move.
  const displacement = factor.displacement.map((value) => (value * loading * profile.volatilityBps) / 6);
  const events = random.fork('events');
  const flashAt =
    events.next() < stress / 150 ? flashCrash(events, 0.02 + 0.03 * events.next(), displacement) : -1;
  const volatility = new Volatility(OWN_VOLATILITY, before.volatility);
  let { level: x, premium } = before;
  for (let m = 0; m < DAY_MINUTES; m++) {
    if (m === flashAt) volatility.raise(0, 1.2);
    const z = random.normal();
    const now = volatility.value * season(m);
    x += now * wilder(z, random) - REVERSION * x;
    volatility.shock(z);
    const common = factor.volatility[m] as number;
    fair[m] = scale * (loading * (factor.level[m] as number) + own * x);
    sigma[m] = scale * Math.sqrt((loading * common) ** 2 + (own * now) ** 2);
    if (m % 60 === 59) {
      // Rising prices draw in leveraged buyers, who pay for it; the rest is weather with a memory of two days.
      const risen = (fair[m] as number) - (fair[m - 59] as number);
      premium += (USUAL_PREMIUM - premium) / 48 + 0.004 * risen + 0.00004 * random.normal();
      premiums[(m - 59) / 60] = premium;
    }
  }
  return {
    fair,
    displacement,
    volatility: sigma,
    premium: premiums,
    after: { level: x, volatility: volatility.save(), premium },
  };
}
