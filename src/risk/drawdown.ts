/** Smaller sizes in a drawdown. Invariant: the factor falls from 1 to its minimum and never rises with the loss. */
import { type Decimal, toNumber } from '../core/decimal.ts';
import type { DrawdownScaling } from '../domain/risk.ts';

export function drawdownPercent(equity: Decimal, peak: Decimal): number {
  const [now, best] = [toNumber(equity), toNumber(peak)];
  return best > 0 ? Math.max(0, (100 * (best - now)) / best) : 0;
}

export function drawdownFactor(percent: number, limits: DrawdownScaling): number {
  if (!limits.enabled || percent <= limits.fromPercent) return 1;
  if (percent >= limits.toPercent) return limits.minFactor;
  const share = (percent - limits.fromPercent) / (limits.toPercent - limits.fromPercent);
  return 1 - share * (1 - limits.minFactor);
}
