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
import { keysOn, POSITION_MODES } from '../domain/position-key.ts';

export function newPlans(
  { live }: Pick<Recovered, 'live'>,
  instruments: readonly Instrument[],
  plan: PositionPlan,
  epoch: number,
): Message[] {
  const places = instruments.flatMap(({ symbol }) => POSITION_MODES.flatMap((mode) => keysOn(symbol, mode)));
  return places.flatMap((place) => {
    const desk = entryDeskOf(place);
    const snapshot = live.get(desk)?.row.snapshot;
    if (!snapshot || jsonDifferences(planIn(snapshot), plan).length === 0) return [];
    const cause = { kind: 'external', id: `plan:${epoch}:${place}` } as const;
    return [{ to: desk, event: { type: 'PLANNED', plan }, cause }];
  });
}

/** As the desk will have it once its snapshot is taken up: an older version may have written it. */
const planIn = (snapshot: string): PositionPlan =>
  upgradedPlan((JSON.parse(snapshot) as { context: { plan: object } }).context.plan);
