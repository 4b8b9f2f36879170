/**
 * What people decide, and the audit of it: each command is one row, whatever became of it. What forbids entries is
 * told to the portfolio and to the venue's door as breakers are, and so survives every restart.
 *
 * Invariants: one id is answered once; a decision and what others hear of it stand in one row; a pause or lock that
 * has run out ends by its own timer and by no other one's.
 */
import { setup } from 'xstate';
import type { Emitted } from '../src/domain/events.ts';
import type { MachineDefinition } from './definition.ts';
import { OPERATOR } from './messages.ts';
import { tellBars } from './operator/bars.ts';
import {
  type CommandGiven,
  initialOperator,
  type OperatorContext,
  type OperatorEvent,
  type OperatorInput,
} from './operator/context.ts';
import { decide } from './operator/decide.ts';
import { bounded, notify, type Step, step, timeOf, unexpected } from './step.ts';

export type { OperatorContext, OperatorEvent, OperatorInput } from './operator/context.ts';

/** More than any way of asking repeats. */
const ANSWERS_KEPT = 256;

type Next = Step<OperatorContext>;

const changed = (before: OperatorContext, after: OperatorContext, ...more: readonly Emitted[]): Next =>
  step(after, ...tellBars(before, after), ...more);

function take(context: OperatorContext, event: OperatorEvent): Next {
  if (event.type !== 'COMMAND') return step(context);
  const { id } = event;
  if (context.answered.some((answer) => answer.id === id)) return step(countUp(context, 'repeated'));
  const { context: next, intents, outcome, code, text } = decide(context, event);
  const answered = bounded(context.answered, { id, outcome, code, text }, ANSWERS_KEPT);
  return changed(
    context,
    countUp({ ...next, answered }, outcome),
    ...intents,
    notify(outcome === 'accepted' ? 'info' : 'warning', `${lineOf(event)}: ${text}`, {
      command: event.command.kind,
      by: event.who.name,
      channel: event.who.channel,
      outcome,
    }),
  );
}

const lineOf = ({ command, who }: CommandGiven): string =>
  `${command.kind}${'symbol' in command ? ` ${command.symbol}` : ''} by ${who.name} (${who.channel})`;

const countUp = (context: OperatorContext, name: string): OperatorContext => ({
  ...context,
  counts: { ...context.counts, [name]: (context.counts[name] ?? 0) + 1 },
});

function endPause(context: OperatorContext, event: OperatorEvent): Next {
  if (event.type !== 'PAUSE_OVER' || context.paused?.until !== event.until) return step(context);
  return changed(context, { ...context, paused: null }, notify('info', 'the pause is over'));
}

function endLock(context: OperatorContext, event: OperatorEvent): Next {
  if (event.type !== 'LOCK_OVER' || context.locks[event.symbol]?.until !== event.until) return step(context);
  const { [event.symbol]: _, ...locks } = context.locks;
  return changed(context, { ...context, locks }, notify('info', `the lock of ${event.symbol} is over`));
}

const base = setup({
  types: {} as {
    context: OperatorContext;
    events: OperatorEvent;
    input: OperatorInput;
    emitted: Emitted;
  },
});

const act = (behave: (context: OperatorContext, event: OperatorEvent) => Next) =>
  base.enqueueActions(({ context, event, enqueue }) => {
    const next = behave({ ...context, at: timeOf(context, event) }, event);
    enqueue.assign(() => next.context);
    for (const intent of next.intents) enqueue.emit(intent);
  });

const STATES = ['open', 'paused', 'stopped'] as const;
type Word = (typeof STATES)[number];

const wordNow = ({ stopped, paused }: OperatorContext): Word =>
  stopped ? 'stopped' : paused ? 'paused' : 'open';

const leave = (own: Word) =>
  STATES.filter((word) => word !== own).map((word) => ({
    guard: { type: 'is' as const, params: { word } },
    target: word,
  }));

const machine = base
  .extend({
    actions: {
      take: act(take),
      endPause: act(endPause),
      endLock: act(endLock),
      unexpected: act((context, event) => unexpected(OPERATOR, context, event)),
    },
    guards: { is: ({ context }, params: { word: Word }) => wordNow(context) === params.word },
  })
  .createMachine({
    id: 'operator',
    context: ({ input }) => initialOperator(input),
    initial: 'open',
    on: {
      COMMAND: { actions: 'take' },
      PAUSE_OVER: { actions: 'endPause' },
      LOCK_OVER: { actions: 'endLock' },
      '*': { actions: 'unexpected' },
    },
    states: {
      open: { always: leave('open') },
      paused: { always: leave('paused') },
      stopped: { always: leave('stopped') },
    },
  });

export const createOperatorMachine = (): MachineDefinition => ({
  type: 'operator',
  version: 1,
  machine,
  migrations: {},
});
