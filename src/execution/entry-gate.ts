/**
 * The last door before the venue: while a breaker is open, nothing that it forbids is opened. The venue's actor
 * hears breakers from their own rows; the host adds what it knows of rows that were written but not yet heard of.
 *
 * Invariants: only what opens is ever stopped (a stop and an exit pass whatever is open); a half-open breaker
 * bars nothing here, for the portfolio gave its one trial leave; plain JSON, so that a checkpoint can hold it.
 */
import { type BreakerChanged, type BreakerScope, barText, isInScope } from '../../machines/messages.ts';
import { type Direction, type IdentifiedOrder, opensPosition, type VenueEvent } from '../domain/order.ts';

export interface OpenBreaker {
  readonly state: 'reducing' | 'halted';
  readonly cause: string;
  readonly scope?: BreakerScope;
}

/** By name; absent where none is open, so that a checkpoint from before there was a gate is one without. */
export type OpenBreakers = Readonly<Record<string, OpenBreaker>>;

type OpeningOrder = Pick<
  IdentifiedOrder,
  'symbol' | 'side' | 'positionSide' | 'reduceOnly' | 'closePosition'
>;

const directionOf = ({ side }: Pick<OpeningOrder, 'side'>): Direction => (side === 'BUY' ? 'long' : 'short');

/** Undefined: no breaker is open any more. */
export function hearBreaker(
  open: OpenBreakers | undefined,
  { breaker, state, cause, scope }: BreakerChanged,
): OpenBreakers | undefined {
  const { [breaker]: _, ...others } = open ?? {};
  if (state === 'reducing' || state === 'halted')
    return { ...others, [breaker]: { state, cause, ...(scope ? { scope } : {}) } };
  return Object.keys(others).length === 0 ? undefined : others;
}

/** Why the order may not go out; undefined when it may. */
export function gateReason(open: OpenBreakers | undefined, order: OpeningOrder): string | undefined {
  if (open === undefined || !opensPosition(order)) return undefined;
  const entry = { symbol: order.symbol, direction: directionOf(order) };
  for (const [name, { state, cause, scope }] of Object.entries(open))
    if (isInScope(scope, entry)) return barText(name, { state, cause });
  return undefined;
}

/** Nothing left the house. */
const NEVER_SENT = 0;

/** What the owner of such an order hears. */
export const refusedAtGate = (
  { ref, clientOrderId, symbol }: Pick<IdentifiedOrder, 'ref' | 'clientOrderId' | 'symbol'>,
  reason: string,
): VenueEvent => ({ type: 'ORDER_REJECTED', ref, clientOrderId, symbol, code: NEVER_SENT, reason });
