/**
 * Telegram's part of a run, put together. Invariants: nothing here is waited for by what trades; whatever is wrong with
 * Telegram, the run goes on; `stop` ends within its bound.
 */
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import type { Time } from '../core/clock.ts';
import { freshId } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import type { Random } from '../core/random.ts';
import { within } from '../core/waiting.ts';
import type { Operator } from '../operator/operator.ts';
import type { Views } from '../operator/views.ts';
import { TelegramBot } from './bot.ts';
import { Polling } from './bot-polling.ts';
import { Webhook } from './bot-webhook.ts';
import type { Chat } from './chat.ts';
import { CommandDesk } from './command-desk.ts';
import { Confirmations } from './confirmations.ts';
import { Memory } from './memory.ts';
import { type CommittedRow, noticesOf } from './notices.ts';
import { type Notice, Notifier } from './notifier.ts';
import { Pace, People } from './people.ts';
import { Pictures } from './pictures.ts';
import { SendQueue } from './queue.ts';
import { reportOn } from './report-text.ts';
import { Reports } from './reports.ts';

export interface TelegramOptions {
  readonly config: Config['telegram'];
  readonly token: string;
  readonly dataDir: string;
  readonly operator: Operator;
  readonly views: Views;
  /** Real time. */
  readonly time: Time;
  readonly random: Random;
  readonly log: Logger;
}

const BURST = 20;
const STOP_MS = 3_000;

export interface Telegram {
  /** Of rows that became durable; costs a few comparisons a row. */
  readonly observe: (committed: CommittedRow) => void;
  notify(notice: Notice): void;
  /** Who may speak, what is told and when: from now on. */
  configure(config: Config['telegram']): void;
  /** Another token of the same bot; rejects where Telegram does not take it. What waits to be sent goes out with it. */
  changeToken(token: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startTelegram(options: TelegramOptions): Promise<Telegram> {
  const { token, time, random, log } = options;
  let { config } = options;
  const memory = await Memory.open(join(options.dataDir, 'telegram.json'), log);
  const people = new People(config.users, config.groups);
  const pictures = new Pictures(time);
  const lookout = { views: options.views, pictures, time };
  let skewMs = 0;
  const hear: { now: CommandDesk['hear'] } = { now: async () => {} };
  const bot = new TelegramBot({
    token,
    apiUrl: config.apiUrl,
    time,
    log,
    onIncoming: (incoming) => hear.now(incoming),
    onSkew: (seen) => {
      skewMs = seen;
    },
  });
  const queue = new SendQueue({
    deliver: (outgoing) => bot.deliver(outgoing),
    ...{ time, random, log },
    get bound() {
      return config.maxWaiting;
    },
  });
  const pace = new Pace(...paceOf(config));
  const desk = new CommandDesk({
    ...{ people, memory, operator: options.operator, lookout, chat: bot, queue, time, log },
    pace,
    confirmations: new Confirmations(memory, time, freshId('run'), () => freshId('q')),
    skewMs: () => skewMs,
  });
  hear.now = desk.hear;
  const notifier = new Notifier({
    ...{ people, memory, queue, time },
    get quietHours() {
      return config.quietHours;
    },
    get timeZone() {
      return config.timeZone;
    },
  });
  const reports = new Reports({
    ...{ people, memory, queue, time, log },
    get timeZone() {
      return config.timeZone;
    },
    get which() {
      return config.reports;
    },
    get at() {
      return config.reportAt;
    },
    report: (period) => reportOn(period, lookout),
  });
  const onUp = (): void => setMenus(desk, people, bot);
  const { webhookUrl: url, webhookHost: host, webhookPort: port } = config;
  const ear =
    url === 'none'
      ? new Polling({ bot, time, log, onUp })
      : new Webhook({ ...{ bot, time, log, onUp, url, host, port } });
  if (config.users.length === 0)
    log.warn(
      'telegram: nobody may speak to the bot yet; it tells who writes to it their id, for telegram.users',
    );
  await ear.start();
  notifier.start();
  reports.start();
  return {
    observe: (committed) => {
      for (const notice of noticesOf(committed)) notifier.notify(notice);
    },
    notify: (notice) => notifier.notify(notice),
    configure: (next) => {
      const isOther = JSON.stringify(config.users) !== JSON.stringify(next.users);
      config = next;
      people.set(config.users, config.groups);
      pace.set(...paceOf(config));
      if (isOther) desk.showMenus(people.all());
    },
    changeToken: async (next) => {
      await bot.changeToken(next);
      ear.tokenChanged();
      queue.tryNow();
    },
    stop: async () => {
      reports.stop();
      notifier.stop();
      await within(time.timers, STOP_MS, ear.stop(), () => undefined);
      await queue.stop(STOP_MS);
      pictures.close();
      await memory.flush();
    },
  };
}

const paceOf = ({ commandsPerMinute }: Config['telegram']): [burst: number, perMinute: number] => [
  Math.min(BURST, commandsPerMinute),
  commandsPerMinute,
];

/** Everybody else is offered nothing. */
function setMenus(desk: CommandDesk, people: People, chat: Chat): void {
  void chat.setMenu('others', []);
  for (const person of people.all()) desk.showMenu(person);
}
