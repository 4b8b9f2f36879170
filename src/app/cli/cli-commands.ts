/**
 * Every command and flag of `bulkhead`, as data. Parsing, help and the documentation's test read this table;
 * nothing else knows a flag's name.
 */
import { VARIANTS } from '../../venue-server/variants.ts';
import { CONFIG_COMMAND } from '../config/config-spec.ts';
import { RULES_COMMAND } from '../rules/rule-command.ts';
import { INVARIANTS } from '../simulation/checks/violation.ts';
import { PAST_COMMANDS } from './cli-past-commands.ts';
import { SAID, type Said } from './cli-said.ts';
import { CONFIG, type CommandSpec, DATA_DIR, type FlagSpec, JSON_FLAG, QUIET } from './cli-spec.ts';

const REASON: FlagSpec = { name: 'reason', value: 'WHY', summary: 'for the record' };

export const EXPORT_KINDS = ['trades', 'orders', 'fills', 'equity', 'journal'] as const;
export const EXPORT_FORMATS = ['csv', 'json'] as const;

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'run',
    summary: 'trade until stopped',
    detail:
      'Recovers what is in the store, then trades. Without flags: a demo on a generated market, nothing needed.',
    flags: [
      { name: 'mode', value: 'MODE', summary: 'demo, paper or live', key: 'mode' },
      {
        name: 'venue',
        value: 'URL',
        summary: 'where the venue is',
        key: 'venue.restUrl',
        default: 'paper: the exchange on this machine; live: Binance',
      },
      {
        name: 'time-factor',
        value: 'N',
        summary: 'paper: how many times faster the exchange runs (its --speed)',
        key: 'venue.timeFactor',
      },
      { name: 'recording', value: 'PATH', summary: 'trade this recorded market', key: 'market.recording' },
      {
        name: 'speed',
        value: 'N|max',
        summary: 'market time against real time, or as fast as it goes',
        key: 'market.speed',
      },
      {
        name: 'seed',
        value: 'N',
        summary: 'of the generated market',
        key: 'market.seed',
        default: 'a new one',
      },
      { name: 'symbols', value: 'A,B', summary: 'trade only these', key: 'market.symbols', default: 'all' },
      { name: 'until-end', summary: 'end when the recording is over', key: 'market.untilEnd' },
      {
        name: 'standby',
        summary: 'stand by: follow the journal, keep the venue connected, take over when the account is free',
        key: 'lease.standby',
      },
      DATA_DIR,
      CONFIG,
      JSON_FLAG,
      QUIET,
    ],
    examples: [
      'bulkhead run',
      'bulkhead run --recording ../shared/data --speed max --until-end --json',
      'bulkhead run --mode demo --seed 42 --symbols BTCUSDT,ETHUSDT',
      'bulkhead run --mode paper --time-factor 60',
    ],
    exits: {
      0: 'the recording is over',
      130: 'stopped by SIGINT, everything committed',
      143: 'stopped by SIGTERM, everything committed',
    },
  },
  {
    name: 'status',
    summary: 'what a run is doing, or was when it ended',
    detail: 'Reads the status that a run keeps in its data folder; works while it runs and after it died.',
    flags: [
      { name: 'health', summary: 'only check that the run is alive and up to date' },
      DATA_DIR,
      CONFIG,
      JSON_FLAG,
    ],
    examples: ['bulkhead status', 'bulkhead status --json | jq .account.equity', 'bulkhead status --health'],
    exits: {
      0: 'there is a status; with --health: the run is well',
      1: 'with --health: the run is not well',
    },
  },
  {
    name: 'export',
    args: EXPORT_KINDS.join('|'),
    arity: [1, 1],
    summary: 'what was traded, as a table',
    detail:
      'Reads the journal, also beside a run that uses PostgreSQL. Amounts are exact decimals. After the closed trades come the positions still open: reason "open", no exit, and their amounts so far.',
    flags: [
      { name: 'format', value: 'FORMAT', summary: 'csv or json (one object a line)', default: 'csv' },
      { name: 'out', value: 'FILE', summary: 'write there instead of standard output' },
      DATA_DIR,
      CONFIG,
      { ...JSON_FLAG, summary: 'the same as --format json; errors too are JSON' },
    ],
    examples: [
      'bulkhead export trades > trades.csv',
      'bulkhead export fills --json | jq .price',
      'bulkhead export journal --format json --out journal.jsonl',
    ],
  },
  ...PAST_COMMANDS,
  {
    name: 'explain',
    args: 'POSITION',
    arity: [1, 1],
    summary: 'the life of a position as a story',
    detail:
      'Each transition with its time, cause and numbers, and the P&L split into price, slippage, fees and funding. POSITION is an actor, SYMBOL/LIFE, or a symbol: then its newest life and what its desk decided last.',
    flags: [DATA_DIR, CONFIG, JSON_FLAG],
    examples: [
      'bulkhead explain BTCUSDT',
      'bulkhead explain BTCUSDT/LONG/2',
      'bulkhead explain position/BTCUSDT/BOTH/3 --json',
    ],
  },
  {
    name: 'stats',
    summary: 'what exits made, by reason, side, hour and symbol; which rules refused entries',
    detail:
      'Counts closed positions, each in the group of its last exit; hours are those of the entry, in UTC. Slippage is against the price that the order itself meant. Without --by: also what became of the entries that were asked for, and by which rule.',
    flags: [
      { name: 'by', value: 'GROUP', summary: 'reason, side, hour or symbol', default: 'all four' },
      DATA_DIR,
      CONFIG,
      JSON_FLAG,
    ],
    examples: ['bulkhead stats', 'bulkhead stats --by reason --json'],
  },
  RULES_COMMAND,
  CONFIG_COMMAND,
  {
    name: 'kill',
    summary: 'cancel and close everything now, and open nothing until released',
    detail:
      'Engages the kill switch (the file KILL in the data folder), then cancels and closes at the venue itself all that Bulkhead owns. Needs neither the database nor a running Bulkhead; goes on until the venue shows nothing. Without flags it uses the venue of the folder\u2019s last run. docs/KILL.md tells more.',
    flags: [
      { name: 'account-wide', summary: 'the whole account, whoever opened it' },
      { name: 'reason', value: 'WHY', summary: 'for the record' },
      {
        name: 'mode',
        value: 'MODE',
        summary: 'demo, paper or live',
        key: 'mode',
        default: 'that of the last run',
      },
      {
        name: 'venue',
        value: 'URL',
        summary: 'where the venue is',
        key: 'venue.restUrl',
        default: 'that of the last run',
      },
      {
        name: 'time-factor',
        value: 'N',
        summary: 'paper: how many times faster the exchange runs (its --speed)',
        key: 'venue.timeFactor',
        default: 'that of the last run',
      },
      DATA_DIR,
      CONFIG,
      JSON_FLAG,
    ],
    examples: ['bulkhead kill', 'bulkhead kill --account-wide --reason "key leaked"'],
    exits: { 0: 'the venue is flat, or a demo was told', 1: 'released before it was flat' },
  },
  {
    name: 'release',
    args: '[BREAKER]',
    arity: [0, 1],
    summary: 'lift the kill switch, or close one breaker, by hand',
    detail:
      'Without BREAKER: the kill switch. Your name and your reason go into the journal. What is measured goes on being measured: a breaker opens again when its limit is passed again.',
    flags: [
      { name: 'reason', value: 'WHY', summary: 'for the record; it must be given' },
      DATA_DIR,
      CONFIG,
      JSON_FLAG,
    ],
    examples: [
      'bulkhead release --reason "key replaced"',
      'bulkhead release drawdown --reason "looked into"',
    ],
  },
  ...SAID.map(saidSpec),
  {
    name: 'breakers',
    summary: 'every breaker and the kill switch: state, since when, why',
    detail: 'Reads the status of the data folder, like bulkhead status.',
    flags: [DATA_DIR, CONFIG, JSON_FLAG],
    examples: ['bulkhead breakers', 'bulkhead breakers --json | jq .kill'],
  },
  {
    name: 'exchange',
    summary: 'a simulated Binance USD-M futures venue on this machine',
    detail:
      'Speaks Binance\u2019s REST and WebSocket protocol on loopback, with play money: for paper trading, and for testing any client. docs/EXCHANGE.md tells the rest.',
    flags: [
      {
        name: 'port',
        value: 'N',
        summary: 'port for REST and streams; 0: any that is free',
        default: '7700',
      },
      { name: 'admin-port', value: 'N', summary: 'port of the admin', default: 'the next one' },
      { name: 'recording', value: 'PATH', summary: 'trade this recorded market' },
      { name: 'synthetic', summary: 'trade a generated market; so it is when no market is named' },
      {
        name: 'live-feed',
        value: 'MARKET',
        summary: 'trade another venue\u2019s live prices: binance, bybit, okx, or an address',
      },
      { name: 'symbols', value: 'A,B', summary: 'only these', default: 'all' },
      { name: 'speed', value: 'N|manual', summary: 'how much faster than real time', default: '1' },
      {
        name: 'start',
        value: 'TIME',
        summary: 'the venue\u2019s time at its first start',
        default: 'now, for a generated market at speed 1; else soon after the market\u2019s',
      },
      { name: 'state', value: 'DIR', summary: 'folder in which it survives restarts', default: 'none' },
      { name: 'sync', summary: 'flush each acknowledged request to the disk (survives power loss)' },
      {
        name: 'record',
        value: 'DIR',
        summary: 'write the market down, to be played again with --recording DIR',
      },
      { name: 'journal', value: 'FILE', summary: 'write down all requests, private events and faults' },
      { name: 'faults', value: 'NAME|FILE', summary: 'none, realistic, storm, or a script', default: 'none' },
      { name: 'seed', value: 'N', summary: 'of the generated market and of the faults', default: '42' },
      { name: 'balance', value: 'USDT', summary: 'of the account at its first start', default: '10000' },
      { name: 'api-key', value: 'KEY', summary: 'of the account', default: 'the demo key that it prints' },
      { name: 'api-secret-file', value: 'FILE', summary: 'holds the secret that belongs to --api-key' },
      { name: 'hedge', summary: 'long and short positions side by side' },
      { name: 'max-conditional-orders', value: 'N', summary: 'over all symbols', default: '200' },
      { name: 'legacy-streams', summary: 'serve all streams at the root address too, as before 2026' },
      {
        name: 'variants',
        value: 'A,B',
        summary: `otherwise than by default: ${Object.keys(VARIANTS).join(', ')}`,
      },
      { name: 'until-end', summary: 'end when the recording is over' },
      JSON_FLAG,
    ],
    examples: [
      'bulkhead exchange',
      'bulkhead exchange --recording ../shared/data --speed 60 --state venue --faults realistic',
      'bulkhead exchange --port 0 --speed manual --json',
    ],
    exits: {
      0: 'the recording is over',
      130: 'stopped by SIGINT, everything kept',
      143: 'stopped by SIGTERM, everything kept',
    },
  },
  {
    name: 'simulate',
    summary: 'run the whole program in simulated worlds full of faults',
    detail: `Each seed is a world of its own: this program, the local exchange, a network and a database on one virtual clock, with faults of every kind, then time to heal. Checkers that stand apart hold ${INVARIANTS.length} invariants (docs/RELIABILITY.md). The same seed does the same again, byte for byte.`,
    flags: [
      { name: 'seeds', value: 'A..B', summary: 'these worlds', default: '8 fresh ones, printed' },
      { name: 'seed', value: 'S', summary: 'this world only' },
      { name: 'hours', value: 'H', summary: 'with faults, in each; then they heal', default: '2' },
      { name: 'symbols', value: 'N', summary: 'traded', default: '35' },
      {
        name: 'faults',
        value: 'SETS',
        summary: 'all, none, or some of process,disk,database,network,venue,data,time,actor',
        default: 'all',
      },
      { name: 'hedge', summary: 'long and short positions of one symbol side by side' },
      { name: 'workers', value: 'N', summary: 'worlds at the same time', default: 'one a core' },
      { name: 'trace', summary: 'everything that happens, line by line; with --seed' },
      { name: 'no-shrink', summary: 'do not look for the shortest command that shows a failure again' },
      JSON_FLAG,
    ],
    examples: [
      'bulkhead simulate',
      'bulkhead simulate --seeds 1..100 --hours 6 --json',
      'bulkhead simulate --seed 7 --symbols 4 --hours 0.5 --trace',
    ],
    exits: { 0: 'every invariant held', 1: 'one was broken: the output says how to see it again' },
  },
  {
    name: 'doctor',
    summary: 'check everything that a run needs',
    detail:
      'Each check says whether it passed and, if not, what to do. It changes nothing; only where there is no run yet it makes the empty store, as a run would, to see it flush.',
    flags: [DATA_DIR, CONFIG, JSON_FLAG],
    examples: ['bulkhead doctor', 'bulkhead doctor --json'],
    exits: { 0: 'every check passed', 1: 'a check failed' },
  },
  {
    name: 'inspect',
    args: '[MODULE…]',
    arity: [0, 50],
    summary: 'draw statecharts from their files, anew at each change',
    detail:
      'For authors of machines and strategies: a page on this machine with the chart of every machine of this program, or of those that the modules export (XState machines, machine definitions, functions createXMachine(), strategies in their scanner). It watches what was loaded; when a file is saved, a fresh thread loads all of it and the page redraws. What cannot be loaded is shown there, and the last good charts stay. It needs no run and touches none; the modules are run, as by importing them.',
    flags: [
      { name: 'port', value: 'N', summary: 'of the page; 0: any free one', default: '8790' },
      JSON_FLAG,
    ],
    examples: [
      'bulkhead inspect',
      'bulkhead inspect machines/position.ts',
      'bulkhead inspect my/strategy.ts',
    ],
    exits: { 130: 'stopped by SIGINT', 143: 'stopped by SIGTERM' },
  },
  {
    name: 'handover',
    summary: 'give the account to the standby, for an upgrade or a reboot',
    detail:
      'Asks the run of this data folder. It refuses while no standby is ready; else it enters nothing more, brings to an end what is under way, leaves every stop at the venue, and lets go; the standby has the account a moment later. PostgreSQL only.',
    flags: [{ name: 'force', summary: 'also while no standby is ready' }, DATA_DIR, CONFIG, JSON_FLAG],
    examples: ['bulkhead handover', 'bulkhead handover --data-dir /var/lib/bulkhead --json'],
    exits: { 0: 'the standby has the account', 1: 'it was let go, and nobody took it within a minute' },
  },
  {
    name: 'migrate',
    summary: 'bring the database schema to this version',
    detail: 'The embedded store is migrated by itself at start; a PostgreSQL server by this command.',
    flags: [DATA_DIR, CONFIG, JSON_FLAG],
    examples: ['bulkhead migrate'],
  },
  {
    name: 'help',
    args: '[COMMAND]',
    arity: [0, 1],
    summary: 'this overview, or a command in detail',
    detail: 'The same as COMMAND --help.',
    flags: [],
    examples: ['bulkhead help run'],
  },
  {
    name: 'version',
    summary: 'the version',
    detail: 'Prints the version of Bulkhead and of the Node it runs on.',
    flags: [JSON_FLAG],
    examples: ['bulkhead version'],
  },
];

/** A command that is said to a run. */
function saidSpec({ kind, summary, args, arity, detail, examples, reason }: Said): CommandSpec {
  return {
    name: kind,
    ...(args === undefined ? {} : { args }),
    ...(arity === undefined ? {} : { arity }),
    summary,
    detail,
    flags: [...(reason ? [REASON] : []), DATA_DIR, CONFIG, JSON_FLAG],
    examples,
    exits: { 0: 'done, or left for the next start', 1: 'the run refused it' },
  };
}

export function findCommand(name: string): CommandSpec | undefined {
  return COMMANDS.find((command) => command.name === name);
}
