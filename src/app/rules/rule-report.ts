/**
 * What each rule saved or cost: a run with all rules as they are, against one in which this rule alone is switched.
 * Pure.
 *
 * Invariant: `saved` is what the account has more because the rule is on (a rule that is off: would have).
 */
import { cmp, type Decimal, isZero, round, sub } from '../../core/decimal.ts';
import { columns, duration, signedMoney } from '../cli/render-text.ts';
import type { Rule } from './rule-list.ts';
import type { RuleOutcome } from './rule-run.ts';

export interface RuleEffect {
  readonly rule: string;
  readonly isOn: boolean;
  /** Quote currency; below zero: cost. */
  readonly saved: Decimal;
  /** Percentage points of the deepest drawdown, likewise. */
  readonly savedDrawdownPercent: Decimal;
  /** Whether the two runs differ in anything that is counted. */
  readonly matters: boolean;
  readonly switched: RuleOutcome;
}

export interface RuleReport {
  readonly market: string;
  readonly symbols: readonly string[];
  readonly timeframe: string;
  readonly from: string;
  readonly to: string;
  readonly balance: Decimal;
  readonly all: RuleOutcome;
  /** What saved most comes first. */
  readonly rules: readonly RuleEffect[];
}

export function effectOf(rule: Rule, all: RuleOutcome, switched: RuleOutcome): RuleEffect {
  const [withIt, without] = rule.isOn ? [all, switched] : [switched, all];
  return {
    rule: rule.name,
    isOn: rule.isOn,
    saved: sub(withIt.net, without.net),
    savedDrawdownPercent: sub(without.maxDrawdownPercent, withIt.maxDrawdownPercent),
    matters: counted(all) !== counted(switched),
    switched,
  };
}

/** A breaker that opened and kept nobody from anything changed nothing. */
const counted = ({ breakers: _, ...outcome }: RuleOutcome): string => JSON.stringify(outcome);

export const inOrder = (effects: readonly RuleEffect[]): RuleEffect[] =>
  [...effects].sort((a, b) => cmp(b.saved, a.saved) || a.rule.localeCompare(b.rule));

const HEADER = ['rule', 'saved', 'net', 'trades', 'won', 'refused', 'drawdown', 'worst', 'unprotected'];
const RIGHT = new Set(HEADER.map((_, i) => i).slice(1));

export function renderRules(report: RuleReport): string {
  const { market, symbols, timeframe, from, to, balance, all, rules } = report;
  const table = (effects: readonly RuleEffect[], whole?: RuleOutcome): string[] =>
    columns(
      HEADER,
      [
        ...(whole ? [['all as they are', '', ...cells(whole)]] : []),
        ...effects.map(({ rule, saved, switched }) => [rule, signed(saved), ...cells(switched)]),
      ],
      RIGHT,
    );
  const mattering = rules.filter(({ matters }) => matters);
  const [on, off] = [mattering.filter(({ isOn }) => isOn), mattering.filter(({ isOn }) => !isOn)];
  const idle = rules.filter(({ matters }) => !matters).map(({ rule }) => rule);
  return [
    `${market}: ${symbols.join(', ')}, ${timeframe}, ${from} to ${to}, ${balance} USDT`,
    '',
    'Rules that are on; each line is a run without that rule, "saved" what the rule saved (−: cost).',
    ...table(on, all),
    ...(off.length > 0
      ? [
          '',
          'Rules that are off; each line is a run with that rule on, "saved" what it would have saved.',
          ...table(off),
        ]
      : []),
    '',
    `Made no difference here: ${idle.length > 0 ? idle.join(', ') : 'none'}.`,
    ...opened(all),
    '',
  ].join('\n');
}

function cells(outcome: RuleOutcome): string[] {
  const { trades, wins, refused, net, maxDrawdownPercent, worstTrade, unprotectedMs } = outcome;
  return [
    signed(net),
    String(trades),
    String(wins),
    String(refused),
    `${round(maxDrawdownPercent, 2)} %`,
    worstTrade === null ? '–' : signed(worstTrade),
    duration(unprotectedMs),
  ];
}

const signed = (value: Decimal): string => (isZero(value) ? '0' : signedMoney(value));

function opened({ breakers }: RuleOutcome): string[] {
  const list = Object.entries(breakers).map(([name, times]) => `${name} ${times}×`);
  return list.length > 0 ? [`Breakers that opened: ${list.join(', ')}.`] : [];
}
