/** Small machines that use every service of the host: intents, state, event and named timers, postponement. */
import { assign, emit, setup } from 'xstate';
import type { MachineDefinition } from '../../machines/definition.ts';
import type { Emitted } from '../../src/domain/events.ts';

interface Context {
  readonly count: number;
  readonly log: readonly string[];
}

type Event =
  | { type: 'ADD'; amount: number; at: number }
  | { type: 'TELL'; to: string; amount: number; at: number }
  | { type: 'BUY'; ref: string; at: number }
  | {
      type:
        | 'OPEN'
        | 'CLOSE'
        | 'END'
        | 'THROW'
        | 'LATER'
        | 'ARM'
        | 'DISARM'
        | 'BELL'
        | 'QUIET'
        | 'LOOK'
        | 'SPIN';
      at: number;
    };

const note = (text: string) =>
  assign<Context, Event, undefined, Event, never>({
    log: ({ context }) => [...context.log, text].slice(-20),
  });

export function toyMachine(version = 1, migrations: MachineDefinition['migrations'] = {}): MachineDefinition {
  const machine = setup({
    types: {
      context: {} as Context,
      events: {} as Event,
      emitted: {} as Emitted,
      input: {} as { start?: number },
    },
  }).createMachine({
    id: 'toy',
    initial: 'shut',
    context: ({ input }) => ({ count: input?.start ?? 0, log: [] }),
    on: {
      ADD: { actions: assign({ count: ({ context, event }) => context.count + event.amount }) },
      TELL: {
        actions: emit(({ event }) => ({
          type: 'send' as const,
          to: event.to,
          event: { type: 'ADD', amount: event.amount },
        })),
      },
      BUY: {
        actions: emit(({ event }) => ({
          type: 'order.submit' as const,
          order: {
            ref: event.ref,
            symbol: 'BTCUSDT',
            side: 'BUY' as const,
            positionSide: 'BOTH' as const,
            type: 'MARKET' as const,
            quantity: '1',
            reduceOnly: false,
          },
        })),
      },
      THROW: {
        actions: () => {
          throw new Error('poison');
        },
      },
      ARM: {
        actions: [
          emit({ type: 'timer.set', id: 'bell', kind: 'named', delayMs: 5_000, event: { type: 'BELL' } }),
          emit({ type: 'timer.set', id: 'quiet', kind: 'event', delayMs: 3_000, event: { type: 'QUIET' } }),
        ],
      },
      DISARM: { actions: emit({ type: 'timer.clear', id: 'bell' }) },
      BELL: { actions: note('bell') },
      QUIET: { actions: note('quiet') },
      LOOK: {},
      // Two states that chase each other.
      SPIN: '.round',
    },
    states: {
      shut: { on: { OPEN: 'open', LATER: { actions: emit({ type: 'postpone' }) } } },
      open: {
        after: { 10000: { target: 'shut', actions: note('after') } },
        on: { CLOSE: 'shut', END: 'over', LATER: { actions: note('later') } },
      },
      round: { always: 'again' },
      again: { always: 'round' },
      over: { type: 'final' },
    },
  });
  return { type: 'toy', version, machine, migrations };
}
