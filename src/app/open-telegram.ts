/** Telegram's part of a run, where a token is configured: what it looks at, and what it hears of. */
import { BOT_TOKEN } from '../config/judge.ts';
import { BulkheadError, errorText } from '../core/errors.ts';
import { freshSeed, seededRandom } from '../core/random.ts';
import type { Feed } from '../operator/feed.ts';
import type { LogLine } from '../operator/log-ring.ts';
import type { Operator } from '../operator/operator.ts';
import type { Views } from '../operator/views.ts';
import { logNotice } from '../telegram/notices.ts';
import { startTelegram, type Telegram } from '../telegram/start.ts';
import type { Session } from './run-session.ts';

export interface Seen {
  readonly operator: Operator;
  readonly views: Views;
  readonly feed: Feed;
}

/**
 * Another token of the same bot. Not another bot: its numbers would be taken for commands that were answered already.
 * `again` opens it anew, with the token that is in force by then.
 */
export function followToken({ options, secrets, log }: Session, again: () => Promise<void>): void {
  secrets.add({
    what: 'the token of the Telegram bot',
    names: ['telegramToken'],
    take: ({ telegramToken: next = '' }) => {
      const botOf = (token = ''): string => token.slice(0, token.indexOf(':'));
      if (!BOT_TOKEN.test(next) || botOf(next) !== botOf(options.secrets.telegramToken))
        throw new BulkheadError('CONFIG_INVALID', 'It is no token of the same bot.', {
          hint: 'Ask @BotFather for a new token of this bot; another bot needs a restart.',
        });
    },
    taken: () => {
      again().catch((error: unknown) =>
        log.warn('telegram: it cannot be opened again', { reason: errorText(error) }),
      );
    },
  });
}

/** Undefined where it is not configured. */
export async function openTelegram(
  session: Session,
  { operator, views, feed }: Seen,
): Promise<Telegram | undefined> {
  const { options, io, folder, log } = session;
  const { telegram: config } = options.config;
  const { telegramToken: token } = options.secrets;
  if (token === undefined || !config.enabled) return undefined;
  const telegram = await startTelegram({
    ...{ config, token, operator, views, log },
    dataDir: folder.path,
    time: io.time,
    random: seededRandom(freshSeed()),
  });
  const quiet = feed.subscribe(({ type, data }) => {
    const notice = type === 'log' ? logNotice(data as LogLine) : undefined;
    if (notice) telegram.notify(notice);
  });
  return {
    ...telegram,
    stop: async () => {
      quiet();
      await telegram.stop();
    },
  };
}
