/** What each looking command answers: a view, put into words, with the buttons that follow from it. */
import { BulkheadError } from '../core/errors.ts';
import { keyOfActor, type PositionKey, positionSideOf, symbolOf } from '../domain/position-key.ts';
import { mayDo } from '../operator/command.ts';
import { LOG_LEVELS, type LogLine } from '../operator/log-ring.ts';
import type { ProfitGroup, Views } from '../operator/views.ts';
import type { Button, Keyboard } from './chat.ts';
import { drawEquity, drawPosition } from './drawings.ts';
import type { Lookout } from './lookout.ts';
import { line, text } from './markup.ts';
import type { Person } from './people.ts';
import { anew, bold, inPlace, type Reply, refreshButton, say } from './reply.ts';
import { configDiffText, configVersionText, versionsText } from './text-config.ts';
import { lifeText, ordersText, positionsText, statusText } from './text-now.ts';
import { entriesText, groupsText, statsText, totalText, tradesText } from './text-results.ts';
import {
  auditText,
  balanceText,
  breakersText,
  configText,
  decisionsText,
  healthText,
  locksText,
  logsText,
  riskText,
  sloText,
  treeText,
  versionText,
} from './text-state.ts';

export interface LookContext {
  readonly person: Person;
  readonly lookout: Lookout;
}

export type Look = (context: LookContext) => Promise<Reply>;

const GROUPS: Readonly<Record<Exclude<ProfitGroup, 'total'>, string>> = {
  day: 'DAY',
  week: 'WEEK',
  month: 'MONTH',
  side: 'SIDE',
  strategy: 'STRATEGY',
  symbol: 'SYMBOL',
  reason: 'EXIT',
  hour: 'HOUR',
};
const DAYS_SHOWN = 14;
const VERSIONS_SHOWN = 12;
const MOST = 100;

/** A count from 1 on as it was typed; what is none is said. */
function countOf(word: string | undefined, otherwise: number): number {
  if (word === undefined) return otherwise;
  const count = Number(word);
  if (Number.isInteger(count) && count >= 1) return Math.min(count, MOST);
  throw new BulkheadError('USAGE', `"${word}" is no count such as ${otherwise}`, {
    hint: `From 1 to ${MOST}.`,
  });
}

/** A name and a count, in whichever order they were typed; one word more is said. */
function twoOf(
  words: readonly string[],
  isCount: (word: string) => boolean,
): [name: string | undefined, count: string | undefined] {
  const counts = words.filter(isCount);
  const names = words.filter((word) => !isCount(word));
  const odd = names[1] ?? counts[1];
  if (odd !== undefined) throw new BulkheadError('USAGE', `"${odd}" is one word too many`);
  return [names[0], counts[0]];
}

function levelOf(word = 'info'): LogLine['level'] {
  const level = LOG_LEVELS.find((one) => one === word.toLowerCase());
  if (level) return level;
  throw new BulkheadError('USAGE', `"${word}" is no level of the log`, {
    hint: `One of ${LOG_LEVELS.join(', ')}.`,
  });
}

function versionOf(word: string): number {
  const version = Number(word);
  if (Number.isInteger(version) && version >= 1) return version;
  throw new BulkheadError('USAGE', `"${word}" is no version such as 3`, {
    hint: '/versions lists them; /versions 3 5 shows what is different between two.',
  });
}

function symbolSaid(word: string | undefined, usage: string): string {
  if (word !== undefined) return word.toUpperCase();
  throw new BulkheadError('USAGE', 'Which symbol?', { hint: `Write: ${usage}, such as BTCUSDT.` });
}

const refresh = (words: string): Keyboard => [[refreshButton(words)]];

/** What time it is for positions and trades: the market's. */
const marketNow = ({ views, time }: Lookout): number => views.status().virtualTime ?? time.clock.now();

/** Two buttons in a row read well on a phone. */
function rows(buttons: readonly Button[], width: number): Button[][] {
  return Array.from({ length: Math.ceil(buttons.length / width) }, (_, i) =>
    buttons.slice(i * width, (i + 1) * width),
  );
}

/** In hedge mode a symbol may be held on both sides: the one that is meant is named. */
const positionButtons = (place: PositionKey, person: Person): Keyboard => {
  const side = positionSideOf(place);
  const named = side === 'BOTH' ? symbolOf(place) : `${symbolOf(place)} ${side.toLowerCase()}`;
  const look = [{ words: 'Picture', data: anew(`chart ${place}`) }, refreshButton(`status ${place}`)];
  const act = [
    { words: 'Close half', data: anew(`close ${named} 50%`) },
    { words: 'Close', data: anew(`close ${named}`) },
  ];
  return mayDo(person.role, 'trader') ? [look, act] : [look];
};

async function position(symbol: string, { person, lookout }: LookContext): Promise<Reply> {
  const view = await lookout.views.position(symbol);
  const message = lifeText(view, marketNow(lookout));
  if (view.status) return { message, keyboard: positionButtons(keyOfActor(view.actor), person) };
  return { message, keyboard: [[{ words: 'Picture', data: anew(`chart ${symbol}`) }]] };
}

const profitBy =
  (by: Exclude<ProfitGroup, 'total'>, count: number, words: string): Look =>
  async ({ lookout }) => {
    const groups = lookout.views.profit(by);
    // Of times the newest are wanted, whichever way they come; of others all.
    const isTime = by === 'day' || by === 'week' || by === 'month';
    const shown = isTime
      ? [...groups].sort((a, b) => b.group.localeCompare(a.group)).slice(0, count)
      : groups;
    return { message: groupsText(`Profit by ${by}`, GROUPS[by], shown), keyboard: profitButtons(words) };
  };

const profitButtons = (words: string): Keyboard => [
  ['total', 'day', 'week', 'month'].map((by) => ({ words: by, data: inPlace(`profit ${by}`) })),
  [
    ...['side', 'strategy', 'symbol'].map((by) => ({ words: by, data: inPlace(`profit ${by}`) })),
    refreshButton(words),
  ],
];

function profit([word = 'total']: readonly string[]): Look {
  const by = word.toLowerCase();
  if (by === 'total')
    return async ({ lookout }) => ({
      message: totalText('Profit', lookout.views.profit('total')[0]),
      keyboard: profitButtons('profit'),
    });
  if (Object.hasOwn(GROUPS, by)) return profitBy(by as keyof typeof GROUPS, DAYS_SHOWN, `profit ${by}`);
  throw new BulkheadError('USAGE', `profit: there is no grouping "${word}"`, {
    hint: `One of total, ${Object.keys(GROUPS).join(', ')}.`,
  });
}

type Looking = (words: readonly string[]) => Look;

const simple =
  (words: string, message: (views: Views) => Reply['message'] | Promise<Reply['message']>): Looking =>
  () =>
  async ({ lookout }) => ({ message: await message(lookout.views), keyboard: refresh(words) });

export const LOOKS = {
  status:
    ([symbol]) =>
    async (context) => {
      if (symbol !== undefined) return position(symbol.toUpperCase(), context);
      const { views, time } = context.lookout;
      const status = views.status();
      const buttons = status.positions.slice(0, 8).map((one) => ({
        words: one.symbol,
        data: anew(`status ${one.symbol}`),
      }));
      return {
        message: statusText(status, views.decisions(), time.clock.now()),
        keyboard: [...rows(buttons, 4), [refreshButton('status'), { words: 'Profit', data: anew('profit') }]],
      };
    },
  positions:
    () =>
    async ({ person, lookout }) => {
      const all = lookout.views.positions();
      const buttons = all
        .slice(0, 20)
        .map(({ actor }) => keyOfActor(actor))
        .map((place) => ({ words: place, data: anew(`status ${place}`) }));
      const closing = mayDo(person.role, 'trader') && all.length > 0;
      return {
        message: positionsText(all),
        keyboard: [
          ...rows(buttons, 4),
          [refreshButton('positions'), ...(closing ? [{ words: 'Close all', data: anew('closeall') }] : [])],
        ],
      };
    },
  chart: ([word]) => {
    const symbol = symbolSaid(word, '/chart SYMBOL');
    return ({ lookout }) => drawPosition(symbol, lookout);
  },
  orders: ([symbol]) =>
    simple(`orders ${symbol ?? ''}`.trim(), (views) => ordersText(views.orders(symbol?.toUpperCase())))([]),
  trades: (words) => {
    const [named, count] = twoOf(words, (word) => /^[-+]?[\d.]+$/.test(word));
    const symbol = named?.toUpperCase();
    const query = { limit: countOf(count, 10), ...(symbol === undefined ? {} : { symbol }) };
    return simple(['trades', ...words].join(' '), (views) => tradesText(views.trades(query), symbol))([]);
  },
  balance: simple('balance', (views) => balanceText(views.balance())),
  profit,
  daily: ([count]) => profitBy('day', countOf(count, 7), 'daily'),
  weekly: ([count]) => profitBy('week', countOf(count, 8), 'weekly'),
  monthly: ([count]) => profitBy('month', countOf(count, 6), 'monthly'),
  bySymbol: simple('performance', (views) =>
    groupsText('Symbols by what they made', 'SYMBOL', views.results().bySymbol),
  ),
  stats: simple('stats', (views) => statsText(views.results(), views.profit('reason'))),
  exits: simple('exits', (views) => groupsText('Results by reason of exit', 'EXIT', views.profit('reason'))),
  entries: ([count]) => {
    const most = countOf(count, 15);
    return simple('entries', (views) => entriesText(views.entries(), most))([]);
  },
  equity:
    () =>
    ({ lookout }) =>
      drawEquity('Equity', undefined, lookout),
  risk: simple('risk', (views) => riskText(views.risk())),
  breakers: simple('breakers', (views) => breakersText(views.breakers())),
  decisions: simple('locks', (views) => decisionsText(views.decisions())),
  locks: simple('locks', (views) => locksText(views.decisions())),
  logs: (words) => {
    const [named, count] = twoOf(words, (word) => !/^[a-z]+$/i.test(word));
    const level = levelOf(named);
    const limit = countOf(count, 15);
    return simple(['logs', ...words].join(' '), (views) => logsText(views.logs({ limit, level })))([]);
  },
  versions: ([word, other]) => {
    if (word === undefined)
      return simple('versions', async (views) => versionsText(await views.configVersions(VERSIONS_SHOWN)))(
        [],
      );
    const number = versionOf(word);
    if (other !== undefined) {
      const to = versionOf(other);
      return async ({ lookout }) => ({ message: configDiffText(await lookout.views.configDiff(to, number)) });
    }
    return async ({ lookout, person }) => {
      const version = await lookout.views.configVersion(number);
      const back = { words: `Back to version ${number}`, data: anew(`rollback ${number} from the list`) };
      const message = configVersionText(version);
      return version.runs || !mayDo(person.role, 'admin') ? { message } : { message, keyboard: [[back]] };
    };
  },
  config: (words) => simple('config', (views) => configText(views.config(), words.join(' ')))([]),
  audit: ([count]) => {
    const limit = countOf(count, 10);
    return simple('audit', async (views) => auditText(await views.audit(limit)))([]);
  },
  health: simple('health', (views) => healthText(views.health())),
  slo: simple('slo', (views) => sloText(views.slo())),
  tree: simple('tree', (views) => treeText(views.tree())),
  version: simple('version', (views) => versionText(views.version())),
  whoami:
    () =>
    async ({ person }) =>
      say(`You are ${person.name}, ${person.role}, id ${person.id}. You hear: ${person.notify}.`),
} satisfies Record<string, Looking>;

export interface Helpful {
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  readonly section: string;
  readonly role: Person['role'];
}

/** The list of what this person may do, or one command. */
export const helpOn =
  (commands: readonly Helpful[], word: string | undefined): Look =>
  async ({ person }) => {
    const name = word?.replace(/^\//, '').toLowerCase();
    const one = commands.find((command) => command.name === name);
    if (name !== undefined && !one) return say(`There is no command /${name}. /help lists them.`);
    if (one)
      return {
        message: [text(bold(`/${one.name} ${one.usage}`.trim()), one.summary, `needs the role ${one.role}`)],
      };
    const sections = [...new Set(commands.map(({ section }) => section))];
    return {
      message: sections.flatMap((section) => {
        const theirs = commands.filter((one) => one.section === section && mayDo(person.role, one.role));
        if (theirs.length === 0) return [];
        return [
          text(
            bold(section),
            ...theirs.map(
              ({ name: own, usage, summary }) =>
                line`/${own} ${usage === '' ? '' : `${usage} `}\u2013 ${summary}`,
            ),
          ),
        ];
      }),
    };
  };
