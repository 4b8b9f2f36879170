/** The keys of the exits by rule, beneath `position.exits`. */
import { lt, lte } from '../core/decimal.ts';
import { exact, flag, group, number, whole } from './leaf.ts';

export const exitsSchema = group({
  hardCap: group({
    enabled: flag().default(true),
    loss: exact('0.1', '100').default('10'),
  }).prefault({}),
  fallback: group({
    enabled: flag().default(true),
    lossWhenConfident: exact('0.1', '100').default('5'),
    minConfidence: number(0, 1).default(0.6),
    loss: exact('0.1', '100').default('8'),
  })
    .refine(({ lossWhenConfident, loss }) => lte(lossWhenConfident, loss), {
      error: 'a lossWhenConfident of at most loss',
    })
    .prefault({}),
  model: group({
    enabled: flag().default(true),
    minConfidence: number(0, 1).default(0.8),
    maxAgeMs: whole(60_000, 604_800_000).default(7_200_000),
  }).prefault({}),
  opposite: group({ enabled: flag().default(true) }).prefault({}),
  regime: group({ enabled: flag().default(true) }).prefault({}),
  delisting: group({ enabled: flag().default(true) }).prefault({}),
  funding: group({
    enabled: flag().default(true),
    withinMs: whole(60_000, 86_400_000).default(1_800_000),
    // Smaller rates are told to nobody.
    maxCostRate: exact('0.0005', '1').default('0.001'),
    keepAboveMultiple: exact('0', '1000').default('10'),
  }).prefault({}),
}).refine(
  ({ hardCap, fallback }) => !hardCap.enabled || !fallback.enabled || lt(fallback.loss, hardCap.loss),
  { error: 'a fallback.loss below hardCap.loss, as it could never act beyond it' },
);
