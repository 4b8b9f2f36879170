/**
 * The rules of a configuration, each with what switches it: keys and the values that they then have. A group of
 * keys with an `enabled` of its own is a rule by itself; limits and breakers that have no switch are put where
 * nothing reaches them.
 *
 * Invariant: a switched configuration passes the same validation as any other.
 */
import { CONFIG_KEYS } from '../../config/keys.ts';
import { type Config, configSchema } from '../../config/schema.ts';
import { cloneJson } from '../../core/json.ts';

export interface Rule {
  /** As its keys are called, such as "position.trailing". */
  readonly name: string;
  /** Whether it holds in the configuration as it is. */
  readonly isOn: boolean;
  /** Dotted keys with the values that turn it off, or on where it is off. */
  readonly switched: Readonly<Record<string, unknown>>;
  /** Of a rule that is a breaker: which breakers it is. One that never opens changes nothing. */
  readonly breaker?: RegExp;
}

/** Groups whose rules decide about trades. */
const SWITCHED = /^(risk|position|breakers)\.(.+)\.enabled$/;

/** Without a switch of their own: out of reach is off. */
const LIMITS: Readonly<Record<string, Rule['switched']>> = {
  'risk.position-count': { 'risk.capitalPerPosition': '1' },
  'risk.symbol-exposure': { 'risk.maxSymbolExposure': '125' },
  'risk.side-exposure': { 'risk.maxSideExposure': '125' },
  'risk.cluster-exposure': { 'risk.maxClusterExposure': '125' },
  'risk.total-exposure': { 'risk.maxTotalExposure': '125' },
};

const BREAKERS: Readonly<Record<string, Rule['switched']>> = {
  'breakers.drawdown': { 'breakers.maxDrawdownPercent': '100' },
  'breakers.daily-loss': { 'breakers.maxDailyLossPercent': '100' },
  'breakers.weekly-loss': { 'breakers.maxWeeklyLossPercent': '100' },
  'breakers.consecutive-losses': { 'breakers.maxLossesInARow': 1_000 },
  'breakers.consecutive-losses-of-a-side': { 'breakers.maxSideLossesInARow': 1_000 },
  'breakers.consecutive-losses-of-a-symbol': { 'breakers.maxSymbolLossesInARow': 1_000 },
  'breakers.win-rate': { 'breakers.minWinRatePercent': 0 },
  'breakers.margin': {
    'breakers.marginReducePercent': '100',
    'breakers.marginDeleveragePercent': '100',
    'breakers.marginFlattenPercent': '100',
  },
  'breakers.flash-crash': { 'breakers.maxMovePercent': 1_000, 'breakers.maxMeanMovePercent': 1_000 },
  'breakers.volatility': {
    'breakers.maxVolatilityRatio': 1_000,
    'breakers.maxMarketVolatilityRatio': 1_000,
  },
  'breakers.funding': { 'breakers.maxFundingRate': 1 },
  'breakers.stale-data': { 'breakers.maxStaleShare': 1 },
};

/** One kind, three rules: of everything, of a side, of a symbol. */
const SCOPED: Readonly<Record<string, RegExp>> = {
  'breakers.consecutive-losses': /^consecutive-losses$/,
  'breakers.consecutive-losses-of-a-side': /^consecutive-losses\/(long|short)$/,
  'breakers.consecutive-losses-of-a-symbol': /^consecutive-losses\/(?!long$|short$)/,
};

export function rulesOf(config: Config): readonly Rule[] {
  const own = CONFIG_KEYS.filter(({ path }) => SWITCHED.test(path)).map(({ path }): Rule => {
    const isOn = at(config, path) === true;
    return { name: path.replace(/\.enabled$/, ''), isOn, switched: { [path]: !isOn } };
  });
  const limits = Object.entries(LIMITS).map(([name, switched]) => outOfReach(config, name, switched));
  const breakers = Object.entries(BREAKERS).map(([name, switched]) => ({
    ...outOfReach(config, name, switched),
    breaker: SCOPED[name] ?? new RegExp(`^${name.replace('breakers.', '')}(/|$)`),
  }));
  return [...own, ...limits, ...breakers];
}

const outOfReach = (config: Config, name: string, switched: Rule['switched']): Rule => ({
  name,
  isOn: Object.entries(switched).some(([path, value]) => at(config, path) !== value),
  switched,
});

export function withSwitched(config: Config, switched: Rule['switched']): Config {
  const changed = cloneJson(config) as unknown as Tree;
  for (const [path, value] of Object.entries(switched)) put(changed, path.split('.'), value);
  return configSchema.parse(changed);
}

interface Tree {
  [key: string]: unknown;
}

const at = (config: Config, path: string): unknown =>
  path.split('.').reduce<unknown>((node, name) => (node as Tree)[name], config);

function put(tree: Tree, [name = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) tree[name] = value;
  else put(tree[name] as Tree, rest, value);
}
