/**
 * What each synthetic symbol is like: its price to start from, how much it moves, how closely it follows the
 * market, how much of it is traded. Orders of magnitude of the real perpetuals in mid-2025; nothing is copied.
 */
import { seededRandom } from '../../core/random.ts';
import type { SymbolName } from '../../domain/instrument.ts';

export interface SymbolProfile {
  readonly symbol: SymbolName;
  readonly startPrice: number;
  /** Standard deviation of a quiet-to-busy average minute, in basis points. */
  readonly volatilityBps: number;
  /** Correlation with the common factor; two symbols correlate by the product of theirs. */
  readonly loading: number;
  /** Base asset traded in an average minute. */
  readonly minuteVolume: number;
  /** Ordinary spread, in basis points; never below one tick. */
  readonly spreadBps: number;
}

type Row = readonly [
  startPrice: number,
  volatilityBps: number,
  loading: number,
  minuteVolume: number,
  spreadBps: number,
];

const PROFILES: Readonly<Record<SymbolName, Row>> = {
  BTCUSDT: [104_000, 5.1, 0.86, 80, 0.01],
  ETHUSDT: [2_500, 9.2, 0.88, 3_000, 0.04],
  SOLUSDT: [160, 9.8, 0.9, 11_000, 0.6],
  XRPUSDT: [2.3, 8.6, 0.86, 300_000, 0.5],
  BNBUSDT: [650, 5.2, 0.82, 300, 0.2],
  LINKUSDT: [15, 10, 0.88, 14_000, 0.7],
  DOGEUSDT: [0.2, 10, 0.89, 2_700_000, 0.5],
  ADAUSDT: [0.72, 9.6, 0.87, 500_000, 1.4],
  AVAXUSDT: [21, 10.2, 0.88, 18_000, 0.6],
  DOTUSDT: [4.2, 9.4, 0.87, 50_000, 2.4],
  LTCUSDT: [92, 8, 0.84, 2_200, 1.1],
  SUIUSDT: [3.4, 11.6, 0.85, 160_000, 0.4],
};

export const SYNTHETIC_SYMBOLS: readonly SymbolName[] = Object.keys(PROFILES);

/** A symbol of the table, or a plausible alternative coin fixed by its name. */
export function profileOf(symbol: SymbolName): SymbolProfile {
  const [startPrice, volatilityBps, loading, minuteVolume, spreadBps] = PROFILES[symbol] ?? invented(symbol);
  return { symbol, startPrice, volatilityBps, loading, minuteVolume, spreadBps };
}

function invented(symbol: SymbolName): Row {
  const random = seededRandom(`profile/${symbol}`);
  const startPrice = Number((10 ** (random.next() * 4 - 1.5)).toPrecision(3));
  const turnover = 20_000 + 80_000 * random.next();
  return [
    startPrice,
    8 + 6 * random.next(),
    0.7 + 0.2 * random.next(),
    turnover / startPrice,
    1 + 2 * random.next(),
  ];
}
