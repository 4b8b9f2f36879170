/** Telegram's part of a run, where a token is configured: what it looks at, and what it hears of. */
import { BOT_TOKEN } from '../../config/judge.ts';
import { BulkheadError, errorText } from '../../core/errors.ts';
import { freshSeed, seededRandom } from '../../core/random.ts';
import type { Feed } from '../../operator/feed.ts';
import type { LogLine } from '../../operator/log-ring.ts';
import type { Operator } from '../../operator/operator.ts';
import type { Views } from '../../operator/views.ts';
import { logNotice } from '../../telegram/notices.ts';
import { startTelegram, type Telegram } from '../../telegram/start.ts';
import type { Session } from '../run/run-session.ts';

export interface Seen {
  readonly operator: Operator;
  readonly views: Views;
  readonly feed: Feed;
}

const TOKEN = 'the token of the Telegram bot';

/**
 * Another token of the same bot. Not another bot: its numbers would be taken for commands that were answered already.
 */
async function followToken(
  { options, secrets, log }: Session,
  used: string,
  telegram: Telegram,
): Promise<void> {
  const take = async (next: string): Promise<void> => {
    const botOf = (token: string): string => token.slice(0, token.indexOf(':'));
    if (!BOT_TOKEN.test(next) || botOf(next) !== botOf(used))
      throw new BulkheadError('CONFIG_INVALID', 'It is no token of the same bot.', {
        hint: 'Ask @BotFather for a new token of this bot; another bot needs a restart.',
      });
    await telegram.changeToken(next);
  };
  secrets.add({
    what: TOKEN,
    names: ['telegramToken'],
    take: ({ telegramToken: next = '' }) => take(next),
  });
  const { telegramToken: now = used } = options.secrets;
  if (now === used) return;
  await take(now).catch((error: unknown) =>
    log.error('telegram: the token was changed meanwhile and cannot be taken up', {
      reason: errorText(error),
    }),
  );
}

/** Undefined where it is not configured. */
export async function openTelegram(
  session: Session,
  { operator, views, feed }: Seen,
): Promise<Telegram | undefined> {
  const { options, io, folder, log } = session;
  const { telegram: config } = options.config;
  const { telegramToken: token } = options.secrets;
  if (!config.enabled) return undefined;
  if (token === undefined) {
    session.secrets.needRestart(TOKEN, 'telegramToken');
    return undefined;
  }
  const telegram = await startTelegram({
    ...{ config, token, operator, views, log },
    dataDir: folder.path,
    time: io.time,
    random: seededRandom(freshSeed()),
  });
  void followToken(session, token, telegram);
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
