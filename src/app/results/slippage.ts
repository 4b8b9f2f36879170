/**
 * What a position's fills cost or gained against the prices at which it meant to trade. Pure.
 *
 * A reference is what the order itself names: a stop's trigger, a limit's price, the signal's price of an entry.
 * A market exit names none; the mark at which it was decided stands in, where there was one.
 *
 * Invariant: price + slippage = the venue's realised P&L of a closed position, to the last digit: had every
 * fill been at its reference, `price` would have been made.
 */
import { add, type Decimal, fromNumber, mul, sub, ZERO } from '../../core/decimal.ts';
import type { ActorEvent, Intent } from '../../domain/events.ts';
import type { IdentifiedOrder, VenueEvent } from '../../domain/order.ts';

type Fill = Extract<VenueEvent, { type: 'ORDER_FILLED' }>;

export class SlippageBook {
  readonly #references = new Map<string, Decimal>();
  readonly #filled = new Map<string, Set<string>>();
  #entryReference: Decimal | undefined;
  #mark: Decimal | undefined;
  #total: Decimal = ZERO;

  /** Positive: better than meant. */
  get total(): Decimal {
    return this.#total;
  }

  referenceOf(ref: string): Decimal | undefined {
    return this.#references.get(ref);
  }

  /** One consumed event of the position with the intents of its row; gives a fill's slippage. */
  take(event: ActorEvent, intents: readonly Intent[]): Decimal | undefined {
    if (event.type === 'actor.start') this.#begin(event);
    if (event.type === 'PRICE' && typeof event.mark === 'number') this.#mark = fromNumber(event.mark);
    const slipped = event.type === 'ORDER_FILLED' ? this.#fill(event as unknown as Fill) : undefined;
    for (const intent of intents) if (intent.type === 'order.submit') this.#sent(intent.order);
    return slipped;
  }

  #begin({ input }: ActorEvent): void {
    const { entry } = (input ?? {}) as { readonly entry?: { readonly referencePrice?: Decimal } };
    this.#entryReference = entry?.referencePrice;
  }

  #sent(order: IdentifiedOrder): void {
    const meant =
      order.triggerPrice ?? order.price ?? (order.ref === 'entry-1' ? this.#entryReference : this.#mark);
    if (meant !== undefined) this.#references.set(order.ref, meant);
  }

  #fill({ ref, tradeId, side, price, quantity }: Fill): Decimal | undefined {
    const seen = this.#filled.get(ref) ?? new Set<string>();
    this.#filled.set(ref, seen);
    const meant = this.#references.get(ref);
    if (meant === undefined || seen.has(tradeId)) return undefined;
    seen.add(tradeId);
    const slipped = mul(side === 'BUY' ? sub(meant, price) : sub(price, meant), quantity);
    this.#total = add(this.#total, slipped);
    return slipped;
  }
}
