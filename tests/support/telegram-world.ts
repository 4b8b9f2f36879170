/** The bot's transport before the local Bot API server, its waits shortened by a faster clock, its log kept. */
import type { TestContext } from 'node:test';
import { scaledTime, systemTime } from '../../src/core/clock.ts';
import { createLogger } from '../../src/core/logger.ts';
import { TelegramBot } from '../../src/telegram/bot.ts';
import { Polling } from '../../src/telegram/bot-polling.ts';
import type { Incoming } from '../../src/telegram/chat.ts';
import { BOT_TOKEN, type BotApiOptions, botApiServer } from './bot-api-server.ts';

export const FASTER = 50;

export interface TransportOptions extends BotApiOptions {
  readonly onIncoming?: (incoming: Incoming) => Promise<void>;
  /** Where the bot believes the server to be; where it is, when absent. */
  readonly apiUrl?: string;
  /** The bot's token; the server's when absent. */
  readonly botToken?: string;
}

export async function transport(t: TestContext, options: TransportOptions = {}) {
  const real = systemTime();
  const time = scaledTime(real, real.clock.now(), FASTER);
  const server = await botApiServer(t, { now: () => time.clock.now(), ...options });
  const logged: string[] = [];
  // Without registered secrets: what keeps the token out of these lines is the bot itself.
  const log = createLogger({
    level: 'trace',
    output: {
      write: (text) => {
        logged.push(text);
        server.changed();
      },
    },
    pretty: false,
    now: () => time.clock.now(),
  });
  const heard: Incoming[] = [];
  const skews: number[] = [];
  const bot = new TelegramBot({
    token: options.botToken ?? BOT_TOKEN,
    apiUrl: options.apiUrl ?? server.url,
    time,
    log,
    onIncoming: async (incoming) => {
      heard.push(incoming);
      server.changed();
      await options.onIncoming?.(incoming);
    },
    onSkew: (skewMs) => skews.push(skewMs),
  });
  let ups = 0;
  const polling = new Polling({
    bot,
    time,
    log,
    onUp: () => {
      ups++;
      server.changed();
    },
  });
  t.after(() => polling.stop());
  return { server, bot, polling, time, log, logged, heard, skews, ups: () => ups };
}
