/**
 * The strategies by name. The port itself is `Strategy` in src/domain/signal.ts: a pure function over closed
 * candles. Add one by writing its file and its line here (docs/strategies.md).
 */
import { assert } from '../core/assert.ts';
import { BulkheadError } from '../core/errors.ts';
import { didYouMean } from '../core/suggest.ts';
import type { Strategy } from '../domain/signal.ts';
import { TREND_BREAKOUT_DEFAULTS, TrendBreakout } from './trend-breakout.ts';

/** Numbers, and groups of numbers, that override a strategy's defaults. */
export type StrategyOptions = { readonly [key: string]: number | StrategyOptions };

type Factory = (options: StrategyOptions) => Strategy;

const STRATEGIES: Record<string, Factory> = {
  'trend-breakout': (options) =>
    new TrendBreakout(withDefaults('trend-breakout', TREND_BREAKOUT_DEFAULTS, options)),
};

export const STRATEGY_NAMES: readonly string[] = Object.keys(STRATEGIES);

/** One of one's own that is not in this folder: before the program reads its configuration. */
export function registerStrategy(name: string, make: Factory): void {
  assert(!Object.hasOwn(STRATEGIES, name), `two strategies called ${name}`);
  STRATEGIES[name] = make;
}

export function strategyByName(name: string, options: StrategyOptions = {}): Strategy {
  const make = Object.hasOwn(STRATEGIES, name) ? STRATEGIES[name] : undefined;
  if (!make)
    throw new BulkheadError('CONFIG_INVALID', `There is no strategy "${name}".`, {
      hint: `Known strategies: ${STRATEGY_NAMES.join(', ')}.`,
    });
  return make(options);
}

/** The defaults with `given` laid over them; an unknown key or a value that cannot be is an error naming it. */
function withDefaults<T extends object>(path: string, defaults: T, given: StrategyOptions): T {
  const merged: Record<string, unknown> = Object.fromEntries(Object.entries(defaults));
  for (const [key, value] of Object.entries(given)) {
    const name = `${path}.${key}`;
    if (!Object.hasOwn(defaults, key)) {
      const allowed = Object.keys(defaults);
      throw new BulkheadError('CONFIG_INVALID', `Unknown strategy option ${name}.`, {
        hint: `${didYouMean(key, allowed)} Allowed here: ${allowed.join(', ')}.`.trimStart(),
      });
    }
    const standard = merged[key];
    merged[key] =
      typeof standard === 'object' && standard !== null && typeof value === 'object'
        ? withDefaults(name, standard, value)
        : checkedNumber(name, value, standard);
  }
  return merged as T;
}

/** Names that count bars; everything else is a multiple or a level. */
const COUNTS_BARS = /(^|\.)(fast|slow)$|(Period|Bars)$/;
const MAX_BARS = 500;

function checkedNumber(name: string, value: unknown, standard: unknown): number {
  const counts = COUNTS_BARS.test(name);
  const allowed = counts ? `a whole number from 2 to ${MAX_BARS}` : 'a number above 0 and up to 100';
  const usable =
    typeof standard === 'number' &&
    typeof value === 'number' &&
    (counts ? Number.isInteger(value) && value >= 2 && value <= MAX_BARS : value > 0 && value <= 100);
  if (usable) return value;
  const wanted = typeof standard === 'number' ? allowed : `a mapping like ${JSON.stringify(standard)}`;
  throw new BulkheadError('CONFIG_INVALID', `Strategy option ${name} cannot be ${JSON.stringify(value)}.`, {
    hint: `It must be ${wanted}; the default is ${JSON.stringify(standard)}.`,
  });
}
