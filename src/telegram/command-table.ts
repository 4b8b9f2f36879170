/**
 * Every command of the bot: its name, who may use it, and what it does: look at something, or ask the operator for
 * something. The menu, the help and the tests are made of this table.
 */
import { BulkheadError } from '../core/errors.ts';
import type { Command, CommandKind, Role } from '../domain/command.ts';
import { COMMAND_RULES } from '../operator/command.ts';
import { parseWords } from '../operator/parse-command.ts';
import { helpOn, LOOKS, type Look } from './looks.ts';

/** What a command line comes to. */
export type Plan =
  | { readonly kind: 'look'; readonly look: Look }
  | { readonly kind: 'act'; readonly command: Command };

export interface BotCommand {
  readonly name: string;
  /** What may follow the name. */
  readonly usage: string;
  readonly summary: string;
  readonly section: 'Look' | 'Trade' | 'Manage';
  readonly role: Role;
  /** What it may ask the operator for; absent: it only looks. */
  readonly acts?: CommandKind;
  plan(words: readonly string[]): Plan;
}

type Section = BotCommand['section'];

const looking = (
  name: string,
  usage: string,
  summary: string,
  look: (words: readonly string[]) => Look,
): BotCommand => ({
  name,
  usage,
  summary,
  section: 'Look',
  role: 'viewer',
  plan: (words) => ({ kind: 'look', look: look(words) }),
});

interface Acting {
  readonly name: string;
  readonly usage?: string;
  readonly summary?: string;
  readonly section?: Section;
  /** The words that the operator's parser is given; the words as they are where absent. */
  readonly words?: (words: readonly string[]) => readonly string[];
  /** Without words it shows instead, to everybody. */
  readonly shows?: Look;
}

function acting(kind: CommandKind, { name, usage, summary, section, words, shows }: Acting): BotCommand {
  const rule = COMMAND_RULES[kind];
  const own = rule.usage.split(' ').slice(1).join(' ');
  return {
    name,
    usage: usage ?? own,
    summary: summary ?? rule.summary,
    section: section ?? (rule.role === 'admin' ? 'Manage' : 'Trade'),
    role: shows ? 'viewer' : rule.role,
    acts: kind,
    plan: (said) => {
      if (said.length === 0 && shows) return { kind: 'look', look: shows };
      try {
        return { kind: 'act', command: parseWords([kind, ...(words ? words(said) : said)]) };
      } catch (error) {
        throw inOwnWords(error, kind, `/${name} ${usage ?? own}`.trimEnd());
      }
    },
  };
}

/** The parser's complaints show its own form; a person in the chat needs the chat's. */
function inOwnWords(error: unknown, kind: CommandKind, form: string): unknown {
  if (!(error instanceof BulkheadError)) return error;
  const hint = error.hint === `Write: ${COMMAND_RULES[kind].usage}` ? `Write: ${form}` : error.hint;
  return new BulkheadError(error.code, error.message, { ...(hint === undefined ? {} : { hint }) });
}

const forced =
  (direction: 'long' | 'short') =>
  ([symbol = '', ...rest]: readonly string[]): readonly string[] => [symbol, direction, ...rest];

export const BOT_COMMANDS: readonly BotCommand[] = [
  looking('status', '[SYMBOL]', 'what is going on; one position with its story', LOOKS.status),
  looking('positions', '', 'open positions, with buttons', LOOKS.positions),
  looking('chart', 'SYMBOL', 'a position\u2019s picture: entry, stop, targets, fills', LOOKS.chart),
  looking('orders', '[SYMBOL]', 'orders that rest or are under way', LOOKS.orders),
  looking('trades', '[SYMBOL] [COUNT]', 'closed trades, the newest first', LOOKS.trades),
  looking('balance', '', 'equity, wallet, and what they are made of', LOOKS.balance),
  looking(
    'profit',
    '[day|week|month|side|strategy|symbol]',
    'what was made, in total or by \u2026',
    LOOKS.profit,
  ),
  looking('daily', '[DAYS]', 'profit by day', LOOKS.daily),
  looking('weekly', '[WEEKS]', 'profit by week', LOOKS.weekly),
  looking('monthly', '[MONTHS]', 'profit by month', LOOKS.monthly),
  looking('performance', '', 'symbols by what they made', LOOKS.bySymbol),
  looking('stats', '', 'how long trades last, what wins and what loses', LOOKS.stats),
  looking('exits', '', 'results by reason of exit', LOOKS.exits),
  looking('entries', '[COUNT]', 'signals that were entered or refused, and why', LOOKS.entries),
  looking('equity', '', 'the equity\u2019s picture', LOOKS.equity),
  looking('risk', '', 'limits and how much of them is used', LOOKS.risk),
  looking('breakers', '', 'circuit breakers', LOOKS.breakers),
  looking('locks', '', 'locked symbols', LOOKS.locks),
  looking('logs', '[COUNT] [LEVEL]', 'the newest lines of the log', LOOKS.logs),
  looking('config', '[PART OF A KEY]', 'the configuration', LOOKS.config),
  looking(
    'versions',
    '[VERSION [VERSION]]',
    'versions of the configuration: who, when, why, what',
    LOOKS.versions,
  ),
  looking('audit', '[COUNT]', 'who asked for what', LOOKS.audit),
  looking('health', '', 'is it well?', LOOKS.health),
  looking('slo', '', 'uptime, latencies, error rate against their aims', LOOKS.slo),
  looking('tree', '', 'supervisors and actors', LOOKS.tree),
  looking('version', '', 'what runs here', LOOKS.version),
  looking('whoami', '', 'your id and role', LOOKS.whoami),
  looking('help', '[COMMAND]', 'this list, or one command', ([word]) => helpOn(BOT_COMMANDS, word)),
  acting('start', { name: 'start' }),
  acting('stop', { name: 'stop' }),
  acting('pause', { name: 'pause' }),
  acting('resume', { name: 'resume' }),
  acting('close', { name: 'close', usage: 'SYMBOL [long|short] [share, such as 50%]' }),
  acting('close', {
    name: 'partial',
    usage: 'SYMBOL [long|short] SHARE',
    summary: 'close a share of a position',
    words: shareNeeded,
  }),
  acting('close-all', { name: 'closeall' }),
  acting('move-stop', { name: 'movestop' }),
  acting('force-entry', {
    name: 'forcelong',
    usage: 'SYMBOL [STOP PRICE]',
    summary: 'enter long now; risk decides',
    words: forced('long'),
  }),
  acting('force-entry', {
    name: 'forceshort',
    usage: 'SYMBOL [STOP PRICE]',
    summary: 'enter short now; risk decides',
    words: forced('short'),
  }),
  acting('blacklist', {
    name: 'blacklist',
    usage: '[add|remove SYMBOL\u2026 | clear]',
    shows: LOOKS.decisions([]),
  }),
  acting('whitelist', {
    name: 'whitelist',
    usage: '[add|remove SYMBOL\u2026 | clear]',
    shows: LOOKS.decisions([]),
  }),
  acting('direction', { name: 'direction', usage: '[both|long|short|none]', shows: LOOKS.decisions([]) }),
  acting('lock', { name: 'lock' }),
  acting('unlock', { name: 'unlock' }),
  acting('kill', { name: 'kill' }),
  acting('release-kill', { name: 'release' }),
  acting('release', { name: 'reset', summary: 'close a breaker by hand' }),
  acting('trip', { name: 'trip' }),
  acting('adopt', { name: 'adopt' }),
  acting('ignore', { name: 'ignore' }),
  acting('config-set', { name: 'set', usage: 'KEY VALUE REASON, or KEY=VALUE\u2026 REASON' }),
  acting('config-reload', { name: 'reload' }),
  acting('config-rollback', { name: 'rollback' }),
];

function shareNeeded(words: readonly string[]): readonly string[] {
  const said = words.filter((word) => !/^(long|short)$/i.test(word));
  if (said.length >= 2) return words;
  throw new BulkheadError('USAGE', 'partial: say which share of the position', {
    hint: 'Write: /partial SYMBOL SHARE, such as /partial BTCUSDT 50%. The whole: /close SYMBOL.',
  });
}

export const commandNamed = (name: string): BotCommand | undefined =>
  BOT_COMMANDS.find((command) => command.name === name);
