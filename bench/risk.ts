/**
 * One decision of risk with 100 open positions over 35 symbols and a week of hourly returns of each: every rule
 * on, correlation and value at risk among them, from the portfolio's books to the answer. The baseline is the same
 * decision without market conditions, so the ratio is what the portfolio rules cost.
 */
import {
  type HeldExposure,
  initialPortfolio,
  type PortfolioContext,
  portfolioView,
} from '../machines/portfolio-account.ts';
import { fromNumber } from '../src/core/decimal.ts';
import { seededRandom } from '../src/core/random.ts';
import type { Instrument } from '../src/domain/instrument.ts';
import type { Entry, MarketConditions } from '../src/domain/risk.ts';
import { DEFAULT_LIMITS } from '../src/risk/limits.ts';
import { assessEntry } from '../src/risk/risk-manager.ts';
import { median, report } from './measure.ts';

const SYMBOLS = 35;
const POSITIONS = 100;
const HOURS = 168;
const DECISIONS = 3_000;

const random = seededRandom(42);
const symbols = Array.from({ length: SYMBOLS }, (_, i) => `S${i}USDT`);
const common = Array.from({ length: HOURS }, () => random.normal());
const returns = Object.fromEntries(
  symbols.map((symbol) => [
    symbol,
    common.map((move) => Math.round(500 * (0.6 * move + 0.8 * random.normal()))),
  ]),
);

const instrument = (symbol: string): Instrument => ({
  symbol,
  base: symbol.slice(0, -4),
  quote: 'USDT',
  status: 'TRADING',
  tickSize: '0.01',
  minPrice: '0.01',
  maxPrice: '1000000',
  stepSize: '0.001',
  minQuantity: '0.001',
  maxQuantity: '100000',
  marketMaxQuantity: '10000',
  minNotional: '5',
  multiplierUp: '1.05',
  multiplierDown: '0.95',
  triggerProtectRate: '0.05',
  liquidationFeeRate: '0.0125',
  marketTakeBoundRate: '0.05',
  makerFeeRate: '0.0002',
  takerFeeRate: '0.0005',
  fundingIntervalHours: 8,
  brackets: [1, 2, 3, 4, 5].map((bracket) => ({
    bracket,
    initialLeverage: 100 / 2 ** bracket,
    notionalFloor: String((bracket - 1) * 50_000),
    notionalCap: String(bracket * 50_000),
    maintMarginRate: String(0.005 * bracket),
    cum: String((bracket - 1) * bracket * 125),
  })),
});

const entries = symbols.map(
  (symbol, i): Entry => ({
    symbol,
    direction: i % 2 === 0 ? 'long' : 'short',
    referencePrice: '100',
    stopPrice: i % 2 === 0 ? '97' : '103',
    trailDistance: '2',
    atrPercent: 1.7,
    reason: 'bench',
    add: true,
  }),
);
const instruments = new Map(symbols.map((symbol) => [symbol, instrument(symbol)]));

function account(): PortfolioContext {
  const held = Array.from({ length: POSITIONS }, (_, i): [string, HeldExposure] => {
    const symbol = symbols[i % SYMBOLS] ?? '';
    const direction = (i % SYMBOLS) % 2 === 0 ? 'long' : 'short';
    const quantity = fromNumber(50 + random.int(100));
    return [
      `position/${symbol}/BOTH/${i}`,
      { symbol, direction, notional: quantity, quantity, entryPrice: '1', unknown: false },
    ];
  });
  const each = { trades: 12, wins: 7, won: 0.3, lost: 0.2 };
  const of = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, each]));
  const learned = {
    at: 1_735_600_000_000,
    all: { trades: 400, wins: 220, won: 9, lost: 6 },
    symbols: of(symbols),
    sides: of(symbols.flatMap((symbol) => [`${symbol}/long`, `${symbol}/short`])),
    hours: of(Array.from({ length: 24 }, (_, hour) => String(hour))),
  };
  const begun = { at: 1_735_689_600_000, wallet: '100000', equityBreakers: [], tradeBreakers: [] };
  const portfolio = initialPortfolio({ ...begun, limits: DEFAULT_LIMITS });
  return { ...portfolio, peakEquity: '104000', exposures: Object.fromEntries(held), learned };
}

/**
 * Milliseconds, ascending: of all decisions, and of those in which nobody else was given the processor, which is what
 * a decision takes when the machine is not overloaded.
 */
function decide(context: PortfolioContext, conditions: MarketConditions | undefined) {
  const took = { all: [] as number[], undisturbed: [] as number[] };
  for (let i = 0; i < DECISIONS; i++) {
    const entry = entries[i % SYMBOLS];
    const traded = entry && instruments.get(entry.symbol);
    if (!entry || !traded) continue;
    const switches = process.resourceUsage().involuntaryContextSwitches;
    const start = performance.now();
    const { approved } = assessEntry(entry, traded, portfolioView(context, conditions), DEFAULT_LIMITS);
    const ms = performance.now() - start;
    if (!approved) throw new Error('a refusal is no measure of a whole decision');
    took.all.push(ms);
    if (process.resourceUsage().involuntaryContextSwitches === switches) took.undisturbed.push(ms);
  }
  for (const values of Object.values(took)) values.sort((a, b) => a - b);
  return took;
}

const portfolio = account();
const market: MarketConditions = {
  returns,
  spreadRate: 0.0001,
  depth: 500_000,
  fundingRate: 0.0001,
  nextFundingAt: 0,
};
decide(portfolio, market);
decide(portfolio, undefined);
const took = decide(portfolio, market);
const baseline = decide(portfolio, undefined);
const at = (values: readonly number[], share: number): number =>
  values[Math.min(values.length - 1, Math.floor(share * values.length))] ?? Number.NaN;
report({
  bench: 'risk-decision',
  positions: POSITIONS,
  symbols: SYMBOLS,
  decisions: DECISIONS,
  p50Ms: median(took.all),
  p99Ms: at(took.all, 0.99),
  undisturbed: took.undisturbed.length,
  undisturbedP99Ms: at(took.undisturbed, 0.99),
  withoutConditionsP50Ms: median(baseline.all),
  ratio: median(took.all) / median(baseline.all),
  target: 'p99 < 1 ms',
  met: at(took.undisturbed, 0.99) < 1,
});
