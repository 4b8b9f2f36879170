/** Ways in which Binance is said to be, or was seen, otherwise than its documents describe; each by a name. */
import type { VenueRules } from './core-types.ts';
import type { LimitRules } from './limits.ts';

export const VARIANTS = {
  'large-ids': 'ids of orders and trades beyond 2^53',
  'retry-after': '429 and 418 with Retry-After',
  'liquidation-trade': 'fills of a liquidation say TRADE, not CALCULATED',
  'trigger-reject-event': 'CONDITIONAL_ORDER_TRIGGER_REJECT beside ALGO_UPDATE',
  'orders-kept': 'orders that ended unfilled can be asked for after three days, too',
} as const;

export type Variant = keyof typeof VARIANTS;

export const isVariant = (name: string): name is Variant => Object.hasOwn(VARIANTS, name);

export interface VariantSettings {
  readonly rules: Partial<VenueRules>;
  readonly limits: Partial<LimitRules>;
  readonly largeIds: boolean;
}

export function settingsOf(variants: readonly Variant[]): VariantSettings {
  const has = (variant: Variant): boolean => variants.includes(variant);
  return {
    rules: {
      ...(has('liquidation-trade') && { liquidationExecution: 'TRADE' }),
      ...(has('trigger-reject-event') && { triggerRejectEvent: true }),
      ...(has('orders-kept') && { threeDayRule: false }),
    },
    limits: has('retry-after') ? { retryAfter: true } : {},
    largeIds: has('large-ids'),
  };
}
