/**
 * Filters and margin tiers of the USD-M perpetuals most often traded here, for markets that bring none of their
 * own (recordings, synthetic data). A live run reads the venue's exchangeInfo and leverageBracket instead.
 * A symbol that is not in the table gets filters that fit the magnitude of its price.
 */
import { add, type Decimal, mul, sub } from '../core/decimal.ts';
import type { Instrument, LeverageBracket, SymbolName } from '../domain/instrument.ts';

/**
 * Tick, step, minimum notional, greatest quantity, greatest at market, greatest price, PERCENT_PRICE band around
 * the mark price, funding hours; then the margin tiers as leverage:notionalCap:maintMarginRate.
 */
type Row = readonly [filters: string, tiers: string];

const TABLE: Readonly<Record<SymbolName, Row>> = {
  BTCUSDT: [
    '0.1 0.001 50 1000 120 4529764 0.05 8',
    '150:300000:0.004 100:800000:0.005 75:3000000:0.0065 50:12000000:0.01 25:70000000:0.02 20:100000000:0.025 10:230000000:0.05 5:480000000:0.1 4:600000000:0.125 3:800000000:0.15 2:1200000000:0.25 1:1800000000:0.5',
  ],
  ETHUSDT: [
    '0.01 0.001 20 10000 2000 306177 0.05 8',
    '150:300000:0.004 100:800000:0.005 75:3000000:0.0065 50:12000000:0.01 25:50000000:0.02 20:65000000:0.025 10:150000000:0.05 5:320000000:0.1 4:400000000:0.125 3:530000000:0.15 2:800000000:0.25 1:1200000000:0.5',
  ],
  SOLUSDT: [
    '0.01 0.01 5 1000000 5000 6857 0.05 8',
    '100:50000:0.005 75:400000:0.0065 50:1000000:0.01 25:4000000:0.02 20:8000000:0.025 10:40000000:0.05 5:80000000:0.1 4:100000000:0.125 2:200000000:0.25 1:400000000:0.5',
  ],
  XRPUSDT: [
    '0.0001 0.1 5 10000000 2000000 100000 0.05 8',
    '100:40000:0.005 75:80000:0.006 50:150000:0.01 40:400000:0.0125 25:1000000:0.02 20:2000000:0.025 10:10000000:0.05 5:20000000:0.1 4:25000000:0.125 2:50000000:0.25 1:100000000:0.5',
  ],
  BNBUSDT: [
    '0.01 0.01 5 100000 2000 100000 0.05 8',
    '75:10000:0.005 50:200000:0.006 40:400000:0.01 25:1500000:0.02 20:3000000:0.025 10:15000000:0.05 5:30000000:0.1 4:37500000:0.125 2:75000000:0.25 1:150000000:0.5',
  ],
  LINKUSDT: [
    '0.001 0.01 20 100000 20000 100000 0.05 8',
    '75:10000:0.005 50:200000:0.01 40:400000:0.015 25:800000:0.02 20:1600000:0.025 10:8000000:0.05 5:16000000:0.1 4:20000000:0.125 2:40000000:0.25 1:80000000:0.5',
  ],
  DOGEUSDT: [
    '0.00001 1 5 50000000 30000000 30 0.05 8',
    '75:80000:0.0065 50:150000:0.01 40:750000:0.0125 25:2000000:0.02 20:4000000:0.025 10:20000000:0.05 5:40000000:0.1 4:50000000:0.125 2:100000000:0.25 1:200000000:0.5',
  ],
  ADAUSDT: [
    '0.0001 1 5 2000000 300000 100 0.1 8',
    '75:10000:0.005 50:50000:0.01 40:200000:0.015 25:1000000:0.02 20:2000000:0.025 10:10000000:0.05 5:20000000:0.1 4:25000000:0.125 2:50000000:0.25 1:100000000:0.5',
  ],
  LTCUSDT: [
    '0.01 0.001 20 10000 5000 100000 0.1 8',
    '75:10000:0.005 50:50000:0.01 40:160000:0.015 25:800000:0.02 20:1600000:0.025 10:8000000:0.05 5:16000000:0.1 4:20000000:0.125 2:40000000:0.25 1:80000000:0.5',
  ],
  SUIUSDT: [
    '0.0001 0.1 5 5000000 100000 2000 0.1 8',
    '75:20000:0.01 50:200000:0.015 25:1000000:0.02 20:2000000:0.025 10:10000000:0.05 5:20000000:0.1 4:25000000:0.125 2:50000000:0.25 1:100000000:0.5',
  ],
  ENAUSDT: [
    '0.0001 1 5 8000000 2000000 200 0.15 4',
    '75:20000:0.01 50:160000:0.015 25:800000:0.02 20:1600000:0.025 10:8000000:0.05 5:16000000:0.1 4:20000000:0.125 2:40000000:0.25 1:80000000:0.5',
  ],
  LAYERUSDT: [
    '0.0001 0.1 5 1000000 40000 200 0.15 4',
    '50:5000:0.015 20:10000:0.025 10:20000:0.05 5:50000:0.1 4:250000:0.125 3:500000:0.1667 2:7500000:0.25 1:12500000:0.5',
  ],
  AVAXUSDT: [
    '0.001 1 5 1000000 5000 100000 0.1 8',
    '75:25000:0.005 50:80000:0.01 40:160000:0.015 25:800000:0.02 20:1600000:0.025 10:8000000:0.05 5:16000000:0.1 4:20000000:0.125 2:40000000:0.25 1:80000000:0.5',
  ],
  DOTUSDT: [
    '0.001 0.1 5 1000000 50000 100000 0.1 8',
    '75:10000:0.0065 50:50000:0.01 40:100000:0.015 25:500000:0.02 20:800000:0.025 10:4000000:0.05 5:8000000:0.1 4:10000000:0.125 2:30000000:0.25 1:50000000:0.5',
  ],
  APEUSDT: [
    '0.0001 1 5 800000 200000 10000 0.15 8',
    '50:5000:0.015 25:10000:0.02 20:25000:0.025 10:62500:0.05 5:125000:0.1 4:250000:0.125 3:500000:0.1667 2:7500000:0.25 1:12500000:0.5',
  ],
  WIFUSDT: [
    '0.0001 0.1 5 2000000 300000 2000 0.15 4',
    '75:5000:0.01 50:10000:0.015 25:50000:0.02 20:100000:0.025 15:175000:0.0333 10:250000:0.05 5:750000:0.1 4:1500000:0.125 3:4500000:0.1667 2:7500000:0.25 1:12500000:0.5',
  ],
};

const FALLBACK_TIERS =
  '50:5000:0.015 25:10000:0.02 20:25000:0.025 10:62500:0.05 5:125000:0.1 4:250000:0.125 2:7500000:0.25 1:12500000:0.5';
const QUOTES = ['USDT', 'USDC', 'BUSD', 'USD'];

/** 10^exponent as a decimal. */
const powerOfTen = (exponent: number): Decimal =>
  exponent >= 0 ? `1${'0'.repeat(exponent)}` : `0.${'0'.repeat(-exponent - 1)}1`;

/** Filters like Binance's for a coin of this price: a tick near a basis point, a lot worth cents to some dollars. */
function fallback(price: number): Row {
  const magnitude = Math.floor(Math.log10(price));
  const step = powerOfTen(Math.min(0, -magnitude));
  const lots = (exponent: number): Decimal => mul(step, powerOfTen(exponent));
  const tick = powerOfTen(magnitude - 4);
  const maxPrice = powerOfTen(magnitude + 3);
  return [`${tick} ${step} 5 ${lots(7)} ${lots(6)} ${maxPrice} 0.15 8`, FALLBACK_TIERS];
}

function parseTiers(text: string): LeverageBracket[] {
  const brackets: LeverageBracket[] = [];
  for (const part of text.split(' ')) {
    const [leverage = '', notionalCap = '', maintMarginRate = ''] = part.split(':');
    const before = brackets.at(-1);
    const notionalFloor = before?.notionalCap ?? '0';
    brackets.push({
      bracket: brackets.length + 1,
      initialLeverage: Number(leverage),
      notionalFloor,
      notionalCap,
      maintMarginRate,
      // The maintenance amount keeps the margin continuous from one bracket to the next.
      cum: before ? add(mul(notionalFloor, sub(maintMarginRate, before.maintMarginRate)), before.cum) : '0',
    });
  }
  return brackets;
}

/**
 * The instrument as far as it is known without the venue. `referencePrice`: any price the symbol has traded at,
 * used only for symbols outside the table.
 */
export function instrumentFor(symbol: SymbolName, referencePrice: number): Instrument {
  const quote = QUOTES.find((candidate) => symbol.endsWith(candidate)) ?? 'USDT';
  const row = TABLE[symbol] ?? fallback(referencePrice);
  const [filters, tiers] = row;
  const [tickSize, stepSize, minNotional, maxQuantity, marketMaxQuantity, maxPrice, band, hours] =
    filters.split(' ') as [Decimal, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal, string];
  const major = band === '0.05';
  return {
    symbol,
    base: symbol.slice(0, symbol.length - quote.length),
    quote,
    status: 'TRADING',
    tickSize,
    minPrice: tickSize,
    maxPrice,
    stepSize,
    minQuantity: stepSize,
    maxQuantity,
    marketMaxQuantity,
    minNotional,
    multiplierUp: add('1', band),
    multiplierDown: sub('1', band),
    triggerProtectRate: major ? '0.05' : '0.1',
    liquidationFeeRate: '0.0125',
    marketTakeBoundRate: '0.05',
    makerFeeRate: '0.0002',
    takerFeeRate: '0.0005',
    fundingIntervalHours: Number(hours),
    brackets: parseTiers(tiers),
  };
}

/** The symbols of the table, in its order. */
export const KNOWN_SYMBOLS: readonly SymbolName[] = Object.keys(TABLE);
