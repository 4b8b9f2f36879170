/**
 * What the desks of a journal are told of a configuration that plans positions otherwise than they know. Desks keep
 * the plan in their snapshots; without this word a changed `position.*` key would reach nobody. It is compared with
 * what each desk has, so that a start that died before the word was durable says it again, and nothing is said twice.
 */
import { entryDeskOf } from '../../machines/messages.ts';
import { type PositionPlan, upgradedPlan } from '../../machines/position/plan.ts';
import type { Recovered } from '../../supervisors/recovery.ts';
import { jsonDifferences } from '../core/json-diff.ts';
import type { Message } from '../domain/events.ts';
import type { Instrument } from '../domain/instrument.ts';

export function newPlans(
  { live }: Pick<Recovered, 'live'>,
  instruments: readonly Instrument[],
  plan: PositionPlan,
  epoch: number,
): Message[] {
  return instruments.flatMap(({ symbol }) => {
    const desk = entryDeskOf(symbol);
    const snapshot = live.get(desk)?.row.snapshot;
    if (!snapshot || jsonDifferences(planIn(snapshot), plan).length === 0) return [];
    const cause = { kind: 'external', id: `plan:${epoch}:${symbol}` } as const;
    return [{ to: desk, event: { type: 'PLANNED', plan }, cause }];
  });
}

/** As the desk will have it once its snapshot is taken up: an older version may have written it. */
const planIn = (snapshot: string): PositionPlan =>
  upgradedPlan((JSON.parse(snapshot) as { context: { plan: object } }).context.plan);
