/**
 * What each command of the bot answers in a running demo, in the order in which a person would try them: one case at
 * least for every command of the table (the test that runs them fails where one is missing).
 */

export interface TelegramCase {
  readonly command: string;
  /** What is typed after the name; SYMBOL is one that the run trades. */
  readonly words?: string;
  /** What the answer of those who may holds. */
  readonly sees: RegExp;
  /** Of the second who may, where the first has done it. */
  readonly again?: RegExp;
  /** It is asked about first; what the admin's "yes" leads to. Absent: both say no. */
  readonly yes?: RegExp;
  /** What it did, as a viewer is shown it after the last of those who may: a look, and what its answer holds. */
  readonly afterwards?: readonly [look: string, shows: RegExp];
}

const look = (command: string, sees: RegExp, words = ''): TelegramCase => ({ command, sees, words });
const SURE = /^Sure\?/;
/** What this demo holds is its own affair. */
const SURE_IF_OPEN = /^Sure\?|(no position|nothing) is open/;
const SURE_IF_FREE = /^Sure\?|is held: close it first/;

/** Where Yes moves money: said with something open (telegram-hands.test.ts), whatever this demo happens to hold. */
export const WITH_SOMETHING_OPEN = [
  ...['close', 'closeall', 'forcelong', 'forceshort', 'kill', 'movestop', 'partial'],
] as const;

export const TELEGRAM_CASES: readonly TelegramCase[] = [
  look('status', /demo, (trading|recovering)[\s\S]*equity[\s\S]*USDT/),
  look('status', /knows no position NOPEUSDT/, 'NOPEUSDT'),
  look('positions', /No position is open|\d+ open/),
  look('chart', /knows no position NOPEUSDT/, 'NOPEUSDT'),
  look('orders', /No order rests|\d+ orders/),
  look('trades', /No trade was closed yet|The newest \d+ of \d+ trades?/, '5'),
  look('balance', /wallet\s+[\d,]+\.\d\d/),
  look('profit', /Profit/),
  look('profit', /Profit by week/, 'week'),
  look('daily', /Profit by day/),
  look('weekly', /Profit by week/, '3'),
  look('monthly', /Profit by month/),
  look('performance', /Symbols by what they made/),
  look('stats', /No trade was closed yet|trades? in \d+ days?/),
  look('exits', /Results by reason of exit/),
  look('entries', /Signals and what became of them/),
  look('equity', /Equity/),
  look('risk', /Limits and their use[\s\S]*total exposure/),
  look('breakers', /breakers are closed|(is|are) not closed/),
  look('locks', /No symbol is locked/),
  look('logs', /\d\d:\d\d:\d\d /, '3 info'),
  look('config', /risk\.maxLeverage: 20/, 'maxlev'),
  look('versions', /Versions of the configuration/),
  look('versions', /the first version/, '1'),
  look('versions', /Nothing is different/, '1 1'),
  look('audit', /Nobody has asked|Who asked for what/),
  look('health', /journal: ok/),
  look('slo', /Aims, and how it is/),
  look('tree', /portfolio/),
  look('version', /bulkhead\s+\d/),
  look('whoami', /^You are/),
  look('help', /\/status/),
  look('help', /needs the role trader/, 'close'),
  look('blacklist', /What people decided/),
  look('whitelist', /What people decided/),
  look('direction', /direction: both/),
  {
    command: 'pause',
    words: '30 lunch',
    sees: /\u2705/,
    afterwards: ['/status', /entries paused until .* by telegram:admin 1\d \(lunch\)/],
  },
  { command: 'resume', sees: /\u2705/, afterwards: ['/direction', /entries are allowed on both sides/] },
  {
    command: 'stop',
    words: 'news',
    sees: /\u2705/,
    afterwards: ['/status', /stopped by telegram:trader 2\d \(news\); \/start ends it/],
  },
  { command: 'start', sees: /\u2705/, afterwards: ['/direction', /entries are allowed on both sides/] },
  {
    command: 'blacklist',
    words: 'add SYMBOL',
    sees: /\u2705/,
    afterwards: ['/blacklist', /blacklist: BTCUSDT/],
  },
  { command: 'blacklist', words: 'clear', sees: /\u2705/, afterwards: ['/blacklist', /blacklist: empty/] },
  {
    command: 'whitelist',
    words: 'add SYMBOL',
    sees: /\u2705/,
    afterwards: ['/whitelist', /whitelist: BTCUSDT/],
  },
  { command: 'whitelist', words: 'clear', sees: /\u2705/, afterwards: ['/whitelist', /whitelist: empty/] },
  { command: 'direction', words: 'short', sees: /\u2705/, afterwards: ['/direction', /direction: short/] },
  { command: 'direction', words: 'both', sees: /\u2705/, afterwards: ['/direction', /direction: both/] },
  {
    command: 'lock',
    words: 'SYMBOL 60 earnings',
    sees: /\u2705/,
    afterwards: ['/locks', /1 locked[\s\S]*BTCUSDT both sides until .* by telegram:admin 1\d: earnings/],
  },
  {
    command: 'unlock',
    words: 'SYMBOL',
    sees: /\u2705/,
    again: /is not locked/,
    afterwards: ['/locks', /No symbol is locked/],
  },
  { command: 'forcelong', words: 'SYMBOL', sees: SURE_IF_FREE },
  { command: 'forceshort', words: 'SYMBOL', sees: SURE_IF_FREE },
  { command: 'movestop', words: 'SYMBOL 1', sees: SURE_IF_OPEN },
  { command: 'partial', words: 'SYMBOL 50%', sees: SURE_IF_OPEN },
  { command: 'close', words: 'SYMBOL', sees: SURE_IF_OPEN },
  { command: 'closeall', sees: SURE_IF_OPEN },
  {
    command: 'trip',
    words: 'drawdown a test',
    sees: /Sure\?[\s\S]*Opens the breaker drawdown/,
    yes: /\u2705/,
    afterwards: ['/breakers', /drawdown halted [\s\S]*a test/],
  },
  {
    command: 'reset',
    words: 'drawdown the test is over',
    sees: /Sure\?[\s\S]*[Bb]reaker drawdown/,
    yes: /\u2705/,
    afterwards: ['/breakers', /^(?![\s\S]*drawdown halted)/],
  },
  { command: 'trip', words: 'kill by hand', sees: /\u274C[\s\S]*\/kill engages it/ },
  { command: 'reset', words: 'kill by hand', sees: /\u274C[\s\S]*\/release lifts it/ },
  { command: 'adopt', words: 'SYMBOL', sees: /a demo has its venue to itself/ },
  { command: 'ignore', words: 'SYMBOL', sees: /a demo has its venue to itself/ },
  {
    command: 'set',
    words: 'risk.maxLeverag 3 typo',
    sees: /there is no such key. Did you mean "maxLeverage"/,
  },
  { command: 'set', words: 'market.symbols AAVEUSDT wanted', sees: /cannot change while it runs/ },
  {
    command: 'set',
    words: 'log.level=debug risk.maxLeverage=7 curious',
    sees: /Sure\?[\s\S]*risk.maxLeverage 20 \u2192 7/,
    yes: /\u2705 configuration: version \d+, .*risk.maxLeverage 20 \u2192 7/,
    afterwards: ['/config maxlev', /risk\.maxLeverage: 7/],
  },
  { command: 'reload', sees: SURE, yes: /\u2705/ },
  {
    command: 'rollback',
    words: '1 as it was',
    sees: SURE,
    yes: /\u2705 configuration: version \d+, .*risk.maxLeverage 7 \u2192 20/,
    afterwards: ['/config maxlev', /risk\.maxLeverage: 20/],
  },
  {
    command: 'kill',
    words: 'drill',
    sees: SURE,
    yes: /kill switch engaged/,
    afterwards: ['/breakers', /killed by telegram:admin 1\d at .*: drill/],
  },
  {
    command: 'release',
    words: 'drill is over',
    sees: /Sure\?[\s\S]*Lifts the kill switch/,
    yes: /\u2705/,
    afterwards: ['/breakers', /^(?![\s\S]*(?:killed by|kill.* open))/],
  },
];
