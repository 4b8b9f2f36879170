/** Rows and actors of a past moment, for people and for programs. Pure. */
import type { ActorMoment, RowView } from '../../../supervisors/moments.ts';
import { differenceText, type JsonDifference, jsonDifferences } from '../../core/json-diff.ts';
import type { Cause, Intent } from '../../domain/events.ts';

/** One row, and what it changed in its actor. */
export interface StepView {
  readonly row: RowView;
  readonly state: string;
  readonly changes: readonly JsonDifference[];
}

/** Of every actor that is not the same at two moments. */
export interface ActorDifference {
  readonly actor: string;
  readonly what: 'began' | 'ended' | 'changed' | 'not yet';
  readonly before: string | null;
  readonly after: string | null;
  readonly changes: readonly JsonDifference[];
}

/** Times stand in every context and say nothing of their own. */
const NOISE = /^context\.at$/;
const CHANGES_SHOWN = 12;

const essence = (moment: ActorMoment | undefined) =>
  moment && { value: moment.value, context: moment.context, timers: moment.host.timers };

export function changesBetween(
  before: ActorMoment | undefined,
  after: ActorMoment | undefined,
): readonly JsonDifference[] {
  return jsonDifferences(essence(before) ?? {}, essence(after) ?? {}).filter(({ path }) => !NOISE.test(path));
}

export function momentDifferences(
  before: readonly ActorMoment[],
  after: readonly ActorMoment[],
): readonly ActorDifference[] {
  const earlier = new Map(before.map((moment) => [moment.actor, moment]));
  const later = new Map(after.map((moment) => [moment.actor, moment]));
  return [...new Set([...earlier.keys(), ...later.keys()])].sort().flatMap((actor): ActorDifference[] => {
    const [was, is] = [earlier.get(actor), later.get(actor)];
    const states = { before: was?.state ?? null, after: is?.state ?? null };
    if (!is) return [{ actor, what: 'not yet', ...states, changes: [] }];
    if (was?.n === is.n) return [];
    const changes = changesBetween(was, is);
    const what = !was ? 'began' : is.final && !was.final ? 'ended' : 'changed';
    if (what === 'changed' && changes.length === 0 && is.value !== null) return [];
    return [{ actor, what, ...states, changes: what === 'began' ? [] : changes }];
  });
}

const time = (at: number): string => new Date(at).toISOString().replace('T', ' ').replace('Z', '');

export function causeText(cause: Cause): string {
  switch (cause.kind) {
    case 'intent':
      return `row ${cause.n}`;
    case 'input':
      return `the market (${cause.phase})`;
    case 'timer':
      return `timer ${cause.id}`;
    case 'postponed':
      return 'postponed before';
    case 'external':
      return cause.id;
  }
}

export function intentText(intent: Intent): string {
  switch (intent.type) {
    case 'send':
      return `${intent.event.type} to ${intent.to}`;
    case 'order.submit':
      return `submit ${intent.order.ref}: ${intent.order.side} ${intent.order.quantity ?? ''} ${intent.order.type}`;
    case 'order.cancel':
      return `cancel ${intent.ref}`;
    case 'actor.start':
      return `start ${intent.actor}`;
    case 'notify':
      return `say "${intent.text}"`;
    case 'leverage.set':
      return `leverage ${intent.leverage}`;
    case 'venue.call':
      return `call ${intent.call.call}`;
  }
}

export function stepLines({ row, state, changes }: StepView): string[] {
  const { n, actor, seq, at, event, cause, intents, note, kind, final } = row;
  const more = changes.length - CHANGES_SHOWN;
  return [
    `row ${n}  ${time(at)}  ${actor} #${seq}  ${kind === 'event' ? event.type : kind}  from ${causeText(cause)}`,
    `  ${state}${final ? ', and over' : ''}`,
    ...changes.slice(0, CHANGES_SHOWN).map((change) => `  ${differenceText(change)}`),
    ...(more > 0 ? [`  … ${more} more`] : []),
    ...intents.map((intent) => `  → ${intentText(intent)}`),
    ...(note === null ? [] : [`  note: ${note}`]),
  ];
}

export function differenceLines({ actor, what, before, after, changes }: ActorDifference): string[] {
  const states = before === after ? (after ?? '') : `${before ?? 'nothing'} → ${after ?? 'nothing'}`;
  const more = changes.length - CHANGES_SHOWN;
  return [
    `${actor}  ${what}  ${states}`,
    ...changes.slice(0, CHANGES_SHOWN).map((change) => `  ${differenceText(change)}`),
    ...(more > 0 ? [`  … ${more} more`] : []),
  ];
}
