/** `bulkhead rules` on the command line. */
import { CONFIG, type CommandSpec, JSON_FLAG, QUIET } from '../cli/cli-spec.ts';

export const RULES_COMMAND: CommandSpec = {
  name: 'rules',
  summary: 'what each rule saved or cost on a recorded market',
  detail:
    'Trades the recording with all rules as configured, then once for each rule with that one alone switched (off, or on where it is off), in memory, and compares. Rules are named as their keys: position.trailing, risk.kelly, breakers.drawdown. docs/SCENARIOS.md shows it on eight crashes.',
  flags: [
    { name: 'recording', value: 'PATH', summary: 'the recorded market', key: 'market.recording' },
    { name: 'symbols', value: 'A,B', summary: 'trade only these', key: 'market.symbols', default: 'all' },
    { name: 'from', value: 'DAY', summary: 'first day, such as 2022-05-01', default: 'the first there is' },
    {
      name: 'to',
      value: 'DAY',
      summary: 'the day before which it ends',
      default: 'after the last there is',
    },
    { name: 'timeframe', value: 'TF', summary: 'of the bars, such as 5m', default: 'the finest there is' },
    {
      name: 'balance',
      value: 'USDT',
      summary: 'what the account begins with',
      key: 'paper.initialBalance',
    },
    {
      name: 'only',
      value: 'A,B',
      summary: 'only these rules; "breakers" is all that begin so',
      default: 'all',
    },
    {
      name: 'jobs',
      value: 'N',
      summary: 'runs at a time',
      default: 'what processors and memory allow',
    },
    CONFIG,
    JSON_FLAG,
    QUIET,
  ],
  examples: [
    'bulkhead rules --recording ../shared/data/candles/okx-swap --from 2022-05-01 --to 2022-05-15 --balance 300',
    'bulkhead rules --recording btc.csv.gz --only position,risk.kelly --json',
  ],
};
