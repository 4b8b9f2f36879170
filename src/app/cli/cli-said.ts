/** What is said to a run at the command line: the operator's commands, as the command line shows them. */
import type { CommandKind } from '../../domain/command.ts';
import { COMMAND_RULES } from '../../operator/command.ts';

export interface Said {
  readonly kind: CommandKind;
  readonly summary: string;
  readonly args?: string;
  readonly arity?: readonly [min: number, max: number];
  readonly detail: string;
  /** Takes --reason. */
  readonly reason: boolean;
  readonly examples: readonly string[];
}

type Row = readonly [
  kind: CommandKind,
  args: string | null,
  arity: readonly [number, number],
  reason: boolean,
  detail: string,
  ...examples: string[],
];

const LATER = 'The run takes it up within a second, or at its next start.';
const MARKET_MINUTES = 'Minutes are those of the market that the run trades.';

const ROWS: readonly Row[] = [
  [
    'start',
    null,
    [0, 0],
    false,
    `Lifts stop and pause, and what a reconciliation halted. ${LATER}`,
    'bulkhead start',
  ],
  ['stop', null, [0, 0], true, `Open positions keep their stops and their plan. ${LATER}`, 'bulkhead stop'],
  [
    'pause',
    '[MINUTES]',
    [0, 1],
    true,
    `Open positions run on with their stops. It survives restarts. ${MARKET_MINUTES}`,
    'bulkhead pause',
    'bulkhead pause 30 --reason "news at 14:30"',
  ],
  [
    'resume',
    null,
    [0, 0],
    false,
    `What was stopped is started with "bulkhead start". ${LATER}`,
    'bulkhead resume',
  ],
  [
    'close',
    'SYMBOL [long|short] [SHARE]',
    [1, 3],
    false,
    'At market, reduce-only. SHARE is a part of what is open, such as 0.5 or 50%. In hedge mode the side may be named; without one both are closed.',
    'bulkhead close BTCUSDT',
    'bulkhead close BTCUSDT 50%',
  ],
  ['close-all', null, [0, 0], false, 'At market, reduce-only; entries stay open.', 'bulkhead close-all'],
  [
    'move-stop',
    'SYMBOL [long|short] PRICE [loosen]',
    [2, 4],
    false,
    'It is never moved to where it would close at once; beyond the risk that was approved only with "loosen".',
    'bulkhead move-stop BTCUSDT 98500',
  ],
  [
    'force-entry',
    'SYMBOL long|short [STOP]',
    [2, 3],
    false,
    'Without STOP the strategy says where the stop belongs. Every limit holds.',
    'bulkhead force-entry BTCUSDT long',
  ],
  [
    'blacklist',
    'add|remove|clear [SYMBOL…]',
    [1, 500],
    false,
    `What is open there runs on. ${LATER}`,
    'bulkhead blacklist add DOGEUSDT SHIBUSDT',
  ],
  [
    'whitelist',
    'add|remove|clear [SYMBOL…]',
    [1, 500],
    false,
    `An empty list allows every symbol. ${LATER}`,
    'bulkhead whitelist add BTCUSDT ETHUSDT',
  ],
  [
    'direction',
    'both|long|short|none',
    [1, 1],
    false,
    `What is open on the other side runs on. ${LATER}`,
    'bulkhead direction long',
  ],
  [
    'lock',
    'SYMBOL MINUTES [long|short]',
    [2, 3],
    true,
    `A reason must be given. ${MARKET_MINUTES}`,
    'bulkhead lock SOLUSDT 120 --reason "thin book"',
  ],
  ['unlock', 'SYMBOL', [1, 1], false, LATER, 'bulkhead unlock SOLUSDT'],
  [
    'adopt',
    'SYMBOL',
    [1, 1],
    false,
    `${LATER} The position gets a stop and is then run like any other.`,
    'bulkhead adopt BTCUSDT',
  ],
  ['ignore', 'SYMBOL', [1, 1], false, `${LATER} What stands there is left alone.`, 'bulkhead ignore BTCUSDT'],
  [
    'trip',
    'BREAKER',
    [1, 1],
    true,
    'A reason must be given; it goes into the journal with your name. What is open stays open, with its stops, unless breakers.flatten names the breaker: then all is closed at market.',
    'bulkhead trip drawdown --reason "news at 14:30"',
  ],
];

export const SAID: readonly Said[] = ROWS.map(([kind, args, arity, reason, detail, ...examples]) => ({
  kind,
  summary: COMMAND_RULES[kind].summary,
  ...(args === null ? {} : { args, arity }),
  detail,
  reason,
  examples,
}));
