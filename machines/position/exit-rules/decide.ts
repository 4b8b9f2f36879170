/**
 * One decision an event: every rule judges, the first by precedence wins, the others are recorded as suppressed.
 *
 * Invariants: no verdict opens anything (an add asks risk first); what a signal wanted and no rule took up is
 * recorded, too; the decision that closes stands in the context with its numbers, and in the row as a notification.
 */
import { fromNumber } from '../../../src/core/decimal.ts';
import { bounded, notify, type Step, step, timeOf } from '../../step.ts';
import type { PositionContext, PositionEvent } from '../context.ts';
import { demandEmergency } from '../ledger.ts';
import { delisting } from './delisting.ts';
import { pyramid, scaleOut, stopOverrun } from './levels.ts';
import { emergencyFallback, hardCap } from './loss.ts';
import { modelExit } from './opinion.ts';
import type { RuleName, Suppressed } from './records.ts';
import type { ExitRule, Moment, Verdict } from './rule.ts';
import { fundingAhead, oppositeSignal, regimeChange, timeStop } from './signals.ts';

/** In the order of `RULE_NAMES`. */
const RULES: readonly ExitRule[] = [
  stopOverrun,
  hardCap,
  emergencyFallback,
  scaleOut,
  delisting,
  timeStop,
  modelExit,
  oppositeSignal,
  regimeChange,
  fundingAhead,
  pyramid,
];

const SUPPRESSED_KEPT = 8;

export const momentOf = (event: PositionEvent): Moment => {
  const mark = 'mark' in event ? event.mark : undefined;
  return { event, mark: mark !== undefined && mark > 0 ? fromNumber(mark) : null };
};

/** Everything that is due, the winner first. */
export const verdicts = (context: PositionContext, moment: Moment): readonly Verdict[] =>
  RULES.flatMap((rule) => rule(context, moment) ?? []);

export interface Decided {
  /** With what was suppressed in it. */
  readonly context: PositionContext;
  readonly verdict: Verdict | null;
}

export function decide(context: PositionContext, moment: Moment): Decided {
  const [verdict = null, ...losers] = verdicts(context, moment);
  const lost: Suppressed[] = losers.map(({ rule, reason }) => ({
    at: context.at,
    rule,
    by: verdict?.rule ?? rule,
    reason,
  }));
  const ignored = unheard(context, moment.event, verdict === null ? losers : [verdict, ...losers]);
  const suppressed = [...lost, ...ignored].reduce<readonly Suppressed[]>(
    (list, one) => bounded(list, one, SUPPRESSED_KEPT),
    context.suppressed,
  );
  return { context: suppressed === context.suppressed ? context : { ...context, suppressed }, verdict };
}

/** A signal whose rule is off, or that was not enough for it: nobody shall wonder why nothing happened. */
function unheard(
  context: PositionContext,
  event: PositionEvent,
  due: readonly Verdict[],
): readonly Suppressed[] {
  const said = signalOf(context, event);
  return said === null || due.some(({ rule }) => rule === said.rule)
    ? []
    : [{ at: context.at, by: 'configuration', ...said }];
}

function signalOf(
  context: PositionContext,
  event: PositionEvent,
): { readonly rule: RuleName; readonly reason: string } | null {
  if (event.type === 'EXIT_SIGNAL')
    return { rule: event.signal === 'opposite' ? 'opposite' : 'model', reason: event.reason };
  if (event.type === 'REGIME' && !event.suits.includes(context.direction))
    return { rule: 'regime', reason: event.regime };
  return null;
}

/** The position closes by this verdict: whatever carries it out finds it in the context. */
export function closeBy(context: PositionContext, verdict: Verdict): Step<PositionContext> {
  const { rule, act, reason, numbers } = verdict;
  // An emergency may still take over a polite close, and nothing takes over an emergency.
  if (context.emergency !== null || (act !== 'emergency' && context.decision !== null)) return step(context);
  const decided = { ...context, decision: { at: context.at, rule, reason, numbers } };
  const also = context.suppressed.filter(({ at, by }) => at === context.at && by === rule);
  const told = notify('info', `${context.actor}: ${rule} decides to close: ${reason}`, {
    rule,
    reason,
    numbers,
    suppressed: also.map((one) => one.rule),
  });
  if (act !== 'emergency') return step({ ...decided, closeReason: context.closeReason ?? reason }, told);
  const demanded = demandEmergency(decided, reason);
  return step(demanded.context, told, ...demanded.intents);
}

/** What is judged without a price of its own: signals, opinions, the time that is up. */
export function decideOn(context: PositionContext, event: PositionEvent): Step<PositionContext> {
  const heard = hear(context, event);
  const { context: noted, verdict } = decide(heard, momentOf(event));
  return verdict === null ? step(noted) : closeBy(noted, verdict);
}

/** An opinion stands until it is too old, whatever follows from it now. */
export const hear = (context: PositionContext, event: PositionEvent): PositionContext =>
  event.type === 'EXIT_OPINION'
    ? { ...context, opinion: { at: context.at, confidence: event.confidence, reason: event.reason } }
    : context;

/** Whether this event closes: for the chart, where an entry is still on its way. */
export const isExitDue = (context: PositionContext, event: PositionEvent): boolean =>
  verdicts({ ...context, at: timeOf(context, event) }, momentOf(event)).length > 0;
