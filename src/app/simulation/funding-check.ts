/**
 * Funding that positions were told of against what the venue has booked, symbol by symbol, to the last digit.
 *
 * What a person at the venue opened is settled, too, and nobody here is told what it came to: symbols with something
 * of that kind at a settlement are left out.
 */
import type { PositionContext } from '../../../machines/position/context.ts';
import * as D from '../../core/decimal.ts';
import type { PositionSide, Side } from '../../domain/order.ts';
import { keyOf } from '../../domain/position-key.ts';

/** Of the venue's ledger. */
interface Paid {
  readonly symbol: string;
  readonly incomeType: string;
  readonly income: string;
  readonly time: number;
}

interface Traded {
  readonly symbol: string;
  readonly positionSide?: PositionSide;
  readonly side: Side;
  readonly qty: string;
  readonly time: number;
}

export interface ToldFunding {
  readonly positions: ReadonlyMap<string, PositionContext>;
  /** By symbol: told to positions that were over when the venue's row came. */
  readonly lateFunding: ReadonlyMap<string, D.Decimal>;
}

/** `foreign`: trades of nobody here. */
export function checkFunding(
  income: readonly Paid[],
  { positions, lateFunding }: ToldFunding,
  foreign: readonly Traded[],
): string[] {
  const settled = income.filter(({ incomeType }) => incomeType === 'FUNDING_FEE');
  const booked = new Map<string, D.Decimal>();
  for (const row of settled) addTo(booked, row.symbol, D.decimal(row.income));
  const told = new Map(lateFunding);
  for (const { symbol, funding } of positions.values()) addTo(told, symbol, funding);
  const shared = new Set(
    settled.filter(({ symbol, time }) => isOpenAt(foreign, symbol, time)).map(({ symbol }) => symbol),
  );
  return [...new Set([...booked.keys(), ...told.keys()])].flatMap((symbol) => {
    const [of, all] = [told.get(symbol) ?? D.ZERO, booked.get(symbol) ?? D.ZERO];
    if (shared.has(symbol) || D.eq(of, all)) return [];
    return [`positions in ${symbol} were told of ${of} of funding, the venue booked ${all}`];
  });
}

/** Whether these trades left anything open there, on either side. */
function isOpenAt(trades: readonly Traded[], symbol: string, at: number): boolean {
  const held = new Map<string, D.Decimal>();
  for (const trade of trades) {
    if (trade.symbol !== symbol || trade.time > at) continue;
    const quantity = D.decimal(trade.qty);
    addTo(held, keyOf(trade), trade.side === 'BUY' ? quantity : D.neg(quantity));
  }
  return [...held.values()].some((quantity) => !D.isZero(quantity));
}

export function addTo(sums: Map<string, D.Decimal>, key: string, amount: D.Decimal): void {
  sums.set(key, D.add(sums.get(key) ?? D.ZERO, amount));
}
