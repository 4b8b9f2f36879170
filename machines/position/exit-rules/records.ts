/** What a position keeps of its rules: the newest opinion, the decision that closes it, and what was suppressed. */

/** In the order of their precedence: the first wins. */
export const RULE_NAMES = [
  'kill',
  'operator',
  'stop',
  'hard-cap',
  'emergency-fallback',
  'scale-out',
  'delisting',
  'time-stop',
  'model',
  'opposite',
  'regime',
  'funding',
  'pyramid',
] as const;
export type RuleName = (typeof RULE_NAMES)[number];

export type Numbers = { readonly [name: string]: string | number };

/** Why the position closes. */
export interface Decision {
  readonly at: number;
  readonly rule: RuleName;
  readonly reason: string;
  readonly numbers: Numbers;
}

/** A rule that would have acted on an event, and what stood in its way. */
export interface Suppressed {
  readonly at: number;
  readonly rule: RuleName;
  readonly by: RuleName | 'configuration';
  readonly reason: string;
}

/** What a model thinks of an open position. */
export interface Opinion {
  readonly at: number;
  /** That the position should be closed now: from 0 to 1. */
  readonly confidence: number;
  readonly reason: string;
}
