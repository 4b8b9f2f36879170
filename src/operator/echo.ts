/**
 * What became of a command at the actor that it was told to: who forces an entry wants to hear whether risk let it
 * through, who moves a stop whether it was moved. Fed from committed rows.
 */
import type { EntryContext } from '../../machines/entry/context.ts';
import type { PositionContext } from '../../machines/position/context.ts';
import type { ActorId } from '../core/ids.ts';
import { stateText } from '../core/state-text.ts';
import type { Verdict } from '../domain/command.ts';
import type { ActorEvent } from '../domain/events.ts';
import type { Refusal } from '../domain/risk.ts';
import type { JournalRow } from '../journal/journal.ts';

/** Hears the rows of one actor until it knows. */
type Ear = (
  row: { readonly value: unknown; readonly context: unknown },
  event: ActorEvent,
) => Verdict | undefined;

interface Watch {
  readonly actor: ActorId;
  readonly hear: Ear;
  readonly settle: (verdict: Verdict) => void;
}

export interface Echo {
  readonly verdict: Promise<Verdict>;
  cancel(): void;
}

export class Echoes {
  readonly #watches = new Set<Watch>();

  await(actor: ActorId, hear: Ear): Echo {
    const { promise, resolve } = Promise.withResolvers<Verdict>();
    const watch: Watch = { actor, hear, settle: resolve };
    this.#watches.add(watch);
    return { verdict: promise, cancel: () => this.#watches.delete(watch) };
  }

  observe(row: JournalRow, event: ActorEvent): void {
    for (const watch of this.#watches) {
      if (row.actor !== watch.actor || row.snapshot === null) continue;
      const verdict = watch.hear(JSON.parse(row.snapshot) as { value: unknown; context: unknown }, event);
      if (!verdict) continue;
      this.#watches.delete(watch);
      watch.settle(verdict);
    }
  }
}

/** What the desk and then risk make of a forced entry. */
export function deskEar(): Ear {
  let heard = false;
  return ({ value, context: json }, event) => {
    const context = json as EntryContext;
    if (event.type === 'SIGNAL' && isForced(event)) {
      heard = true;
      if (value === 'assessing') return undefined;
      const passed = context.passedOver.at(-1);
      // An older word is no answer to this one: what was opened meanwhile on the other side is closed by it.
      return refused(passed && passed.at === context.at ? passed.why : HOLDS);
    }
    if (!heard) return undefined;
    if (event.type === 'REFUSED') return refused(reasons(event.refusals as readonly Refusal[]));
    if (event.type !== 'APPROVED') return undefined;
    if (value !== 'starting') return refused('the desk was blocked meanwhile');
    const { quantity } = event.entry as { quantity: string };
    return accepted('ENTERING', `approved: ${context.position} enters with ${quantity}`);
  };
}

const HOLDS = 'a position is open there already';
const WORDS: readonly string[] = ['OPERATOR_CLOSE', 'PARTIAL_CLOSE', 'MOVE_STOP'];

/** What a position answers to a person's word. */
export const positionEar: Ear = ({ context: json }, event) => {
  if (!WORDS.includes(event.type)) return undefined;
  const answer = (json as PositionContext).answers.at(-1);
  if (!answer) return undefined;
  return answer.accepted ? accepted('DONE', answer.reason) : refused(answer.reason, 'POSITION');
};

/** Where a statechart stands after what it was told. */
export const testEar =
  (type: string): Ear =>
  ({ value }, event) =>
    event.type === type ? accepted('DONE', `${type} was taken; it is in ${stateText(value)} now`) : undefined;

const isForced = ({ signal }: ActorEvent): boolean =>
  (signal as { byHand?: true } | undefined)?.byHand === true;

const accepted = (code: string, text: string): Verdict => ({ outcome: 'accepted', code, text });
const refused = (why: string, code = 'RISK'): Verdict => ({
  outcome: 'refused',
  code,
  text: `refused: ${why}`,
});

const reasons = (refusals: readonly Refusal[]): string =>
  refusals.map(({ rule, detail }) => `${rule} (${detail})`).join('; ');
