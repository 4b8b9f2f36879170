/**
 * Which breakers there are, and the rule of each. What a rule is stands in breakers/rule.ts.
 *
 * Invariant: a breaker with a scope (a symbol, a side) is an actor of its own with the rule of its kind.
 */
import type { Direction } from '../src/domain/order.ts';
import { dailyLossRule, drawdownRule, marginRule, weeklyLossRule } from './breakers/equity.ts';
import {
  clockRule,
  faultRule,
  latencyRule,
  rateLimitRule,
  reconciliationRule,
  staleDataRule,
} from './breakers/faults.ts';
import { killRule } from './breakers/kill.ts';
import { flashCrashRule, fundingRule, volatilityRule } from './breakers/market.ts';
import type { BreakerKind, BreakerRule } from './breakers/rule.ts';
import type { BreakerSettings } from './breakers/settings.ts';
import { consecutiveLossesRule, winRateRule } from './breakers/trades.ts';
import type { BreakerScope } from './messages.ts';

export type * from './breakers/rule.ts';
export { NO_COUNTS } from './breakers/rule.ts';
export { type BreakerSettings, DEFAULT_BREAKER_SETTINGS } from './breakers/settings.ts';

export const BREAKER_KINDS: readonly BreakerKind[] = [
  'kill',
  'drawdown',
  'daily-loss',
  'weekly-loss',
  'margin',
  'consecutive-losses',
  'flash-crash',
  'volatility',
  'funding',
  'api-errors',
  'journal',
  'stale-data',
];

/** Those that watch a remote venue's interface; a venue in the process has none to watch. */
export const REMOTE_BREAKER_KINDS: readonly BreakerKind[] = [
  'rate-limit',
  'reconciliation',
  'clock',
  'latency',
];

export interface ScopedBreaker {
  readonly kind: BreakerKind;
  /** After "breaker/". */
  readonly name: string;
  readonly scope: BreakerScope;
}

const SIDES: readonly Direction[] = ['long', 'short'];

/** One for each side, and one for each symbol. */
export const scopedBreakers = (symbols: readonly string[]): readonly ScopedBreaker[] => [
  ...SIDES.flatMap((direction) =>
    (['consecutive-losses', 'win-rate'] as const).map((kind) => ({
      kind,
      name: `${kind}/${direction}`,
      scope: { direction },
    })),
  ),
  ...symbols.map((symbol) => ({
    kind: 'consecutive-losses' as const,
    name: `consecutive-losses/${symbol}`,
    scope: { symbols: [symbol] },
  })),
];

/** What hears of closed trades; `*` stands for the trade's own symbol, `+` for its side. */
export const TRADE_BREAKERS: readonly string[] = [
  'breaker/consecutive-losses',
  'breaker/consecutive-losses/+',
  'breaker/consecutive-losses/*',
  'breaker/win-rate/+',
];

const JOURNAL_WINDOW_MS = 60_000;

export function ruleOf(kind: BreakerKind, settings: BreakerSettings, scope?: BreakerScope): BreakerRule {
  switch (kind) {
    case 'kill':
      return killRule;
    case 'drawdown':
      return drawdownRule(settings.maxDrawdownPercent);
    case 'daily-loss':
      return dailyLossRule(settings);
    case 'weekly-loss':
      return weeklyLossRule(settings.maxWeeklyLossPercent);
    case 'margin':
      return marginRule(settings);
    case 'consecutive-losses':
      return consecutiveLossesRule(lossesAllowed(settings, scope), settings.lossCoolDownMs);
    case 'win-rate':
      return winRateRule(settings);
    case 'flash-crash':
      return flashCrashRule(settings);
    case 'volatility':
      return volatilityRule(settings);
    case 'funding':
      return fundingRule(settings.maxFundingRate);
    case 'api-errors':
      return faultRule(kind, settings.maxApiErrors, settings.apiErrorWindowMs, settings.apiErrorCoolDownMs);
    case 'journal':
      return faultRule(kind, 1, JOURNAL_WINDOW_MS, settings.journalCoolDownMs);
    case 'stale-data':
      return staleDataRule(settings.symbols, settings.maxStaleShare);
    case 'rate-limit':
      return rateLimitRule(settings.throttleMarginMs);
    case 'reconciliation':
      return reconciliationRule;
    case 'clock':
      return clockRule(settings.maxClockSkewMs);
    case 'latency':
      return latencyRule(
        settings.maxLatencyMs,
        settings.maxSlowCalls,
        settings.latencyWindowMs,
        settings.latencyCoolDownMs,
      );
  }
}

function lossesAllowed(settings: BreakerSettings, scope: BreakerScope | undefined): number {
  if (scope?.symbols) return settings.maxSymbolLossesInARow;
  return scope?.direction ? settings.maxSideLossesInARow : settings.maxLossesInARow;
}
