/** What plain and conditional orders have in common on the wire. */
import type { Decimal } from '../../core/decimal.ts';
import * as D from '../../core/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import type { PositionSide, Side } from '../../domain/order.ts';
import type { SelfTradePrevention } from '../../exchange/engine/engine-types.ts';
import { optional, type Params, required, WireError } from '../protocol.ts';
import type { Context } from './context.ts';
import { choiceOf, integerOf } from './params.ts';

const TIME_IN_FORCE = ['GTC', 'IOC', 'FOK', 'GTX', 'GTD', 'GTE_GTC'] as const;
export type WireTimeInForce = (typeof TIME_IN_FORCE)[number];

const STP = ['NONE', 'EXPIRE_TAKER', 'EXPIRE_MAKER', 'EXPIRE_BOTH'] as const;

const LATEST_DATE = 253_402_300_799_000;
const SHORTEST_LIFE_MS = 600_000;

export function sideOf(params: Params): Side {
  required(params, 'side');
  const side = choiceOf(params, 'side', ['BUY', 'SELL'], () => new WireError(-1117, 'Invalid side.'));
  return side ?? 'BUY';
}

export function positionSideOf(params: Params): PositionSide {
  const wrong = () => new WireError(-4060, 'Invalid position side.');
  return choiceOf(params, 'positionSide', ['BOTH', 'LONG', 'SHORT'], wrong) ?? 'BOTH';
}

export const timeInForceOf = (params: Params): WireTimeInForce | undefined =>
  choiceOf(params, 'timeInForce', TIME_IN_FORCE, () => new WireError(-1115, 'Invalid timeInForce.'));

/** What the engine knows of it: dates and positions are watched from outside. */
export const engineTimeInForce = (
  tif: WireTimeInForce | undefined,
): 'GTC' | 'IOC' | 'FOK' | 'GTX' | undefined => (tif === 'GTD' || tif === 'GTE_GTC' ? 'GTC' : tif);

export const stpOf = (params: Params): SelfTradePrevention =>
  choiceOf(
    params,
    'selfTradePreventionMode',
    STP,
    () => new WireError(-5039, 'Invalid self trade prevention mode.'),
  ) ?? 'EXPIRE_MAKER';

export function goodTillOf(params: Params, tif: WireTimeInForce | undefined, at: number): number {
  if (tif !== 'GTD') return 0;
  required(params, 'goodTillDate');
  const date = integerOf(params, 'goodTillDate') ?? 0;
  if (date <= at + SHORTEST_LIFE_MS || date >= LATEST_DATE)
    throw new WireError(
      -5040,
      'The goodTillDate timestamp must be greater than the current time plus 600 seconds and smaller than 253402300799000.',
    );
  // Whole seconds, as the venue takes it.
  return Math.floor(date / 1000) * 1000;
}

export const wantsResult = (params: Params): boolean =>
  choiceOf(
    params,
    'newOrderRespType',
    ['ACK', 'RESULT'],
    () => new WireError(-1136, 'Invalid newOrderRespType.'),
  ) === 'RESULT';

const MATCHES = /^(OPPONENT|QUEUE)(_(5|10|20))?$/;

/**
 * A price taken from the book by its place in it. Without the book's depth the levels are one tick apart.
 */
export function matchedPrice(
  context: Context,
  params: Params,
  instrument: Instrument,
  side: Side,
): { readonly priceMatch: string; readonly price?: Decimal } {
  const match = optional(params, 'priceMatch')?.toUpperCase() ?? 'NONE';
  if (match === 'NONE') return { priceMatch: 'NONE' };
  const parts = MATCHES.exec(match);
  if (!parts) throw new WireError(-5037, 'Invalid price match.');
  if (optional(params, 'price') !== undefined)
    throw new WireError(-1106, "Parameter 'price' sent when not required.");
  const quote = context.quote(instrument.symbol);
  const opponent = parts[1] === 'OPPONENT';
  const atAsk = (side === 'BUY') === opponent;
  const touch = atAsk ? quote?.ask : quote?.bid;
  if (touch === undefined || touch <= 0) throw new WireError(-5041, 'No depth matches this BBO order.');
  const levels = D.mul(instrument.tickSize, String(Number(parts[3] ?? '1') - 1));
  const best = D.roundTo(D.fromNumber(touch), instrument.tickSize);
  return {
    priceMatch: match,
    price: atAsk ? D.add(best, levels) : D.max(D.sub(best, levels), instrument.tickSize),
  };
}
