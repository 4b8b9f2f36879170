/**
 * A position-like machine of 17 nodes with a cycle of 12 events (state changes, assigns, intents, one event that
 * only counts), small enough that its rows compare with other engines' prototypes.
 */
import { assign, emit, setup } from 'xstate';
import type { MachineDefinition } from '../machines/definition.ts';
import type { ActorEvent, Emitted } from '../src/domain/events.ts';

interface Context {
  readonly symbol: string;
  readonly quantity: string;
  readonly entryPrice: string;
  readonly stopPrice: string;
  readonly peakPrice: string;
  readonly fees: string;
  readonly cycles: number;
}

type Event = { type: 'FILLED' | 'STOP_PLACED' | 'STOP_REPLACED' | 'PEAK'; price: string } | { type: string };

const START: Context = {
  symbol: 'BTCUSDT',
  quantity: '0',
  entryPrice: '0',
  stopPrice: '0',
  peakPrice: '0',
  fees: '0',
  cycles: 0,
};

export const CYCLE: readonly ActorEvent[] = [
  { type: 'ENTER' },
  { type: 'ACKNOWLEDGED' },
  { type: 'FILLED', price: '64123.5' },
  { type: 'STOP_PLACED', price: '62990.1' },
  { type: 'PEAK', price: '64880' },
  { type: 'ARM' },
  { type: 'STOP_REPLACED', price: '63700.4' },
  { type: 'HEARTBEAT' },
  { type: 'SCALE' },
  { type: 'SCALED' },
  { type: 'EXIT' },
  { type: 'CLOSED' },
];

const price = (event: Event): string => ('price' in event ? event.price : '0');

export function cycleMachine(): MachineDefinition {
  const machine = setup({
    types: { context: {} as Context, events: {} as Event, emitted: {} as Emitted },
    actions: {
      // An intent of an order's size that nobody has to answer: the venue's work is not measured here.
      order: emit((_, { ref, side }: { ref: string; side: 'BUY' | 'SELL' }) => ({
        type: 'notify' as const,
        level: 'info' as const,
        text: ref,
        data: { ref, symbol: 'BTCUSDT', side, positionSide: 'BOTH', type: 'MARKET', quantity: '0.012' },
      })),
    },
  }).createMachine({
    id: 'cycle',
    context: START,
    initial: 'idle',
    on: { HEARTBEAT: { actions: assign({ cycles: ({ context }) => context.cycles + 1 }) } },
    states: {
      idle: { on: { ENTER: 'entering' } },
      entering: {
        initial: 'submitted',
        entry: { type: 'order', params: { ref: 'entry', side: 'BUY' } },
        states: { submitted: { on: { ACKNOWLEDGED: 'live' } }, live: {}, unknown: {} },
        on: {
          FILLED: {
            target: 'open',
            actions: assign({ quantity: '0.012', entryPrice: ({ event }) => price(event), fees: '0.38' }),
          },
        },
      },
      open: {
        type: 'parallel',
        states: {
          protection: {
            initial: 'placing',
            states: {
              placing: {
                entry: { type: 'order', params: { ref: 'stop', side: 'SELL' } },
                on: {
                  STOP_PLACED: {
                    target: 'protected',
                    actions: assign({ stopPrice: ({ event }) => price(event) }),
                  },
                },
              },
              protected: {
                on: { STOP_REPLACED: { actions: assign({ stopPrice: ({ event }) => price(event) }) } },
              },
              unprotected: {},
            },
          },
          trailing: { initial: 'unarmed', states: { unarmed: { on: { ARM: 'armed' } }, armed: {} } },
          scaling: {
            initial: 'whole',
            states: { whole: { on: { SCALE: 'selling' } }, selling: { on: { SCALED: 'whole' } } },
          },
        },
        on: { PEAK: { actions: assign({ peakPrice: ({ event }) => price(event) }) }, EXIT: 'closing' },
      },
      closing: {
        entry: { type: 'order', params: { ref: 'exit', side: 'SELL' } },
        on: { CLOSED: { target: 'idle', actions: assign(START) } },
      },
    },
  });
  return { type: 'cycle', version: 1, machine, migrations: {} };
}
