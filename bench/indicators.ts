/**
 * Nanoseconds a bar for the nine hot indicators and VWAP, own kernels against trading-signals in the same run, on
 * the same synthetic bars; medians over rounds. Also a strategy step with its state through JSON, as a row has it.
 */
import * as signals from 'trading-signals';
import type { Json } from '../src/core/json.ts';
import type { Candle } from '../src/domain/candle.ts';
import { Ema, Sma } from '../src/indicators/averages.ts';
import { Macd, Rsi, Stochastic } from '../src/indicators/momentum.ts';
import { Adx } from '../src/indicators/trend.ts';
import { Atr, Bollinger } from '../src/indicators/volatility.ts';
import { Obv, Vwap } from '../src/indicators/volume.ts';
import { SyntheticMarketData } from '../src/market/synthetic/synthetic-market-data.ts';
import { strategyByName } from '../src/strategy/strategy.ts';
import { median, report, timed } from './measure.ts';

const ROUNDS = 5;
const DAYS = 70;

const bars: Candle[] = [];
for await (const chunk of new SyntheticMarketData({ seed: 42, days: DAYS, symbols: ['ETHUSDT'] }).steps(
  undefined,
))
  for (const step of chunk) bars.push(...step.bars);

type Feed = (bar: Candle) => void;

const onPrices = (...indicators: { update(price: number): unknown }[]): Feed[] =>
  indicators.map((indicator) => (bar) => indicator.update(bar.close));
const onBars = (...indicators: { update(bar: Candle): unknown }[]): Feed[] =>
  indicators.map((indicator) => (bar) => indicator.update(bar));

const NAMES = ['sma', 'ema', 'rsi', 'macd', 'bollinger', 'atr', 'adx', 'stochastic', 'obv', 'vwap'] as const;

const own = (): Feed[] => [
  ...onPrices(new Sma(20), new Ema(20), new Rsi(14), new Macd(), new Bollinger(20, 2)),
  ...onBars(new Atr(14), new Adx(14), new Stochastic(), new Obv(), new Vwap()),
];

const theirs = (): Feed[] => {
  const prices = [
    new signals.SMA(20),
    new signals.EMA(20),
    new signals.RSI(14),
    new signals.MACD(new signals.EMA(12), new signals.EMA(26), new signals.EMA(9)),
    new signals.BollingerBands(20, 2),
  ].map(
    (indicator): Feed =>
      (bar) =>
        indicator.update(bar.close, false),
  );
  const atr = new signals.ATR(14);
  const adx = new signals.ADX(14);
  const stochastic = new signals.StochasticOscillator({ kPeriod: 14, kSlowingPeriod: 3, dPeriod: 3 });
  const obv = new signals.OBV(20);
  const vwap = new signals.VWAP();
  return [
    ...prices,
    (bar) => atr.update(bar, false),
    (bar) => adx.update(bar, false),
    (bar) => stochastic.update(bar, false),
    (bar) => obv.update(bar, false),
    (bar) => vwap.update(bar, false),
  ];
};

/** Nanoseconds a bar of one indicator, each round on a fresh one. */
function cost(make: () => Feed[], which: number): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const feed = make()[which];
    return timed(() => {
      for (const bar of bars) feed?.(bar);
    });
  });
  return (median(rounds) * 1e9) / bars.length;
}

const costs = Object.fromEntries(
  NAMES.map((name, i) => [
    name,
    { own: Math.round(cost(own, i)), tradingSignals: Math.round(cost(theirs, i)) },
  ]),
);
const total = (library: 'own' | 'tradingSignals'): number =>
  NAMES.reduce((sum, name) => sum + (costs[name]?.[library] ?? 0), 0);

/** Quarter-hour candles are enough: a step costs the same whatever the bar. */
function stepCost(): number {
  const strategy = strategyByName('trend-breakout');
  let state: Json = strategy.initial('ETHUSDT');
  const quarters = bars.slice(0, 20_000).map((bar): Candle => ({ ...bar, timeframe: '15m' }));
  const seconds = timed(() => {
    for (const quarter of quarters)
      state = JSON.parse(JSON.stringify(strategy.step(state, { '15m': quarter, '1h': quarter }).state));
  });
  return (seconds * 1e9) / quarters.length;
}
stepCost();

report({
  bench: 'indicators',
  bars: bars.length,
  rounds: ROUNDS,
  nsPerBar: costs,
  ownNs: total('own'),
  tradingSignalsNs: total('tradingSignals'),
  ratio: total('tradingSignals') / total('own'),
  strategyStepNs: Math.round(median(Array.from({ length: ROUNDS }, stepCost))),
});
