/** The operator with what people say to it, for the table test and the path coverage. */
import { createOperatorMachine } from '../../machines/operator.ts';
import type { MachineCase } from './machine-cases.ts';

const AT = 1_750_000_000_000;
const ADMIN = { name: 'alice', role: 'admin', channel: 'cli' };
const operatorCommands = [
  { kind: 'start' },
  { kind: 'stop' },
  { kind: 'pause' },
  { kind: 'pause', minutes: 5 },
  { kind: 'resume' },
  { kind: 'direction', direction: 'long' },
  { kind: 'blacklist', change: 'add', symbols: ['BTCUSDT'] },
  { kind: 'whitelist', change: 'clear', symbols: [] },
  { kind: 'lock', symbol: 'BTCUSDT', minutes: 5, reason: 'news' },
  { kind: 'unlock', symbol: 'BTCUSDT' },
  { kind: 'close-all' },
  { kind: 'adopt', symbol: 'BTCUSDT' },
];

export const operatorCase: MachineCase = {
  name: 'operator',
  definition: createOperatorMachine(),
  input: { symbols: ['BTCUSDT', 'ETHUSDT'], at: AT },
  events: () => [
    ...operatorCommands.map((command, i) => ({
      type: 'COMMAND',
      id: `c${i}`,
      command,
      who: ADMIN,
      issuedAt: AT,
      at: AT,
    })),
    { type: 'PAUSE_OVER', until: AT + 300_000, at: AT + 300_000 },
    { type: 'LOCK_OVER', symbol: 'BTCUSDT', until: AT + 300_000, at: AT + 300_000 },
  ],
  answers: {},
  essence: ({ context }) => [
    context.paused?.until ?? null,
    context.answered.length,
    Object.keys(context.locks).length,
  ],
  deepEnough: ({ context }) => context.answered.length >= 3,
};
