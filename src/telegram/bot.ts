/**
 * The chat over Telegram's Bot API. The home of grammY.
 *
 * Invariants: one update at a time, in order; an update is confirmed to Telegram only after it was handled, so a
 * crash has it delivered again; nothing here throws for what Telegram or the network does; every call has a deadline;
 * no token, of now or of before, leaves this file in a text (grammY's errors hold addresses with the token in them).
 */
import { Bot, type Context, GrammyError, HttpError, InputFile } from 'grammy';
import type { Time } from '../core/clock.ts';
import { errorText } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { redactText } from '../core/redact.ts';
import type { Acknowledged, Chat, Delivery, Incoming, Keyboard, MenuEntry, Outgoing } from './chat.ts';

const CALL_TIMEOUT_MS = 15_000;
const DEFAULT_FLOOD_MS = 5_000;
export const HEARD = ['message', 'callback_query'] as const;

export interface BotOptions {
  readonly token: string;
  /** https://api.telegram.org, or a Bot API server of one's own. */
  readonly apiUrl: string;
  /** Real time. */
  readonly time: Time;
  readonly log: Logger;
  readonly onIncoming: (incoming: Incoming) => Promise<void>;
  /** Telegram's clock less ours, in ms, as seen with each message sent. */
  readonly onSkew: (skewMs: number) => void;
}

type Call<T> = (signal: AbortSignal) => Promise<T>;

export class TelegramBot implements Chat {
  readonly #options: BotOptions;
  /** Whatever it was asked with. */
  readonly #tokens: Set<string>;
  #bot: Bot;
  #last: Promise<void> = Promise.resolve();

  constructor(options: BotOptions) {
    this.#options = options;
    this.#tokens = new Set([options.token]);
    this.#bot = this.#botOf(options.token);
  }

  /** That of the token in force. */
  get bot(): Bot {
    return this.#bot;
  }

  /** Another token of the same bot, once Telegram takes it: rejects otherwise, and then everything is as before. */
  async changeToken(token: string): Promise<void> {
    this.#tokens.add(token);
    const next = this.#botOf(token);
    try {
      // grammY's own init asks again by itself, for as long as it may.
      next.botInfo = await this.call((signal) => next.api.getMe(signalOf(signal)));
    } catch (error) {
      const isRefused = error instanceof GrammyError && [401, 404].includes(error.error_code);
      throw new Error(
        isRefused ? 'Telegram refuses it' : `Telegram cannot be asked about it: ${this.safe(error)}`,
      );
    }
    this.#bot = next;
  }

  #botOf(token: string): Bot {
    const bot = new Bot(token, { client: { apiRoot: this.#options.apiUrl } });
    bot.on(['message:text', 'callback_query:data'], async (context) => {
      const incoming = incomingOf(context);
      if (incoming) await this.#hear(incoming);
    });
    return bot;
  }

  /** One update as it came. One that cannot be read is said and passed over: it would be delivered again for ever. */
  async take(update: Parameters<Bot['handleUpdate']>[0]): Promise<void> {
    try {
      await this.bot.handleUpdate(update);
    } catch (error) {
      this.#options.log.warn('telegram: an update could not be read', { reason: this.safe(error) });
    }
  }

  /** One after the other, also where a webhook brings several at once. */
  #hear(incoming: Incoming): Promise<void> {
    const { onIncoming, log } = this.#options;
    this.#last = this.#last
      .then(() => onIncoming(incoming))
      // A defect in one command is that command's; the next is heard all the same.
      .catch((error: unknown) => log.error('telegram: a command failed', { reason: this.safe(error) }));
    return this.#last;
  }

  /** An error's text without the token. */
  safe(error: unknown): string {
    const inner =
      error instanceof HttpError ? `${error.message} ${errorText(error.error)}` : errorText(error);
    return redactText(
      inner,
      [...this.#tokens].flatMap((token) => [token, encodeURIComponent(token)]),
    );
  }

  async deliver(outgoing: Outgoing): Promise<Delivery> {
    const { time } = this.#options;
    try {
      const begun = time.clock.now();
      const sent = await this.call((signal) => this.#send(outgoing, signal));
      if (sent.date !== undefined && outgoing.edits === undefined) this.#skew(begun, sent.date * 1_000);
      return { kind: 'sent', messageId: sent.messageId };
    } catch (error) {
      return this.deliveryOf(error);
    }
  }

  async acknowledge(pressId: string, words: string): Promise<Acknowledged> {
    try {
      await this.call((signal) =>
        this.bot.api.answerCallbackQuery(
          pressId,
          words === '' ? {} : { text: words.slice(0, 200) },
          signalOf(signal),
        ),
      );
      return 'heard';
    } catch (error) {
      return error instanceof GrammyError && /query is too old|query ID is invalid/i.test(error.description)
        ? 'too-old'
        : 'unknown';
    }
  }

  async setMenu(chatId: number | 'others', menu: readonly MenuEntry[]): Promise<boolean> {
    const scope =
      chatId === 'others' ? ({ type: 'default' } as const) : ({ type: 'chat', chat_id: chatId } as const);
    try {
      await this.call((signal) => this.bot.api.setMyCommands([...menu], { scope }, signalOf(signal)));
      return true;
    } catch (error) {
      this.#options.log.debug('telegram: the menu was not set', { chatId, reason: this.safe(error) });
      return false;
    }
  }

  /** With a deadline of our own clock: grammY's is the platform's. */
  async call<T>(call: Call<T>, timeoutMs = CALL_TIMEOUT_MS, stop?: AbortSignal): Promise<T> {
    const abort = new AbortController();
    const end = (): void => abort.abort();
    const timer = this.#options.time.timers.set(timeoutMs, end);
    stop?.addEventListener('abort', end, { once: true });
    if (stop?.aborted) end();
    try {
      return await call(abort.signal);
    } finally {
      timer.cancel();
      stop?.removeEventListener('abort', end);
    }
  }

  deliveryOf(error: unknown): Delivery {
    if (!(error instanceof GrammyError)) return { kind: 'unreachable', reason: this.safe(error) };
    const { error_code: code, description, parameters } = error;
    if (/message is not modified/i.test(description)) return { kind: 'sent', messageId: undefined };
    if (code === 429) {
      const waitMs = parameters.retry_after === undefined ? DEFAULT_FLOOD_MS : parameters.retry_after * 1_000;
      return { kind: 'flood', waitMs };
    }
    const reason = `${code} ${description}`;
    if (code >= 500 || code === 401) return { kind: 'unreachable', reason };
    if (code === 403 || /chat not found/i.test(description)) return { kind: 'refused', why: 'gone', reason };
    if (/message to edit not found|no text in the message|message can't be edited/i.test(description))
      return { kind: 'refused', why: 'no-such-message', reason };
    return { kind: 'refused', why: 'other', reason };
  }

  async #send(
    outgoing: Outgoing,
    signal: AbortSignal,
  ): Promise<{ messageId: number; date: number | undefined }> {
    const { api } = this.bot;
    const { chatId, html, keyboard, photo, isSilent, edits } = outgoing;
    const common = {
      parse_mode: 'HTML',
      ...(keyboard ? { reply_markup: { inline_keyboard: buttonsOf(keyboard) } } : {}),
    } as const;
    const quiet = isSilent ? { disable_notification: true } : {};
    if (edits !== undefined) {
      const edited = await api.editMessageText(chatId, edits, html, common, signalOf(signal));
      return { messageId: edited === true ? edits : edited.message_id, date: undefined };
    }
    const sent = photo
      ? await api.sendPhoto(
          chatId,
          new InputFile(photo, 'chart.png'),
          { ...common, ...quiet, ...(html === '' ? {} : { caption: html }) },
          signalOf(signal),
        )
      : await api.sendMessage(
          chatId,
          html,
          { ...common, ...quiet, link_preview_options: { is_disabled: true } },
          signalOf(signal),
        );
    return { messageId: sent.message_id, date: sent.date };
  }

  /** Telegram stamped the message, in whole seconds, between our sending and now. */
  #skew(begun: number, stamped: number): void {
    const now = this.#options.time.clock.now();
    if (stamped > now) this.#options.onSkew(stamped - now);
    else if (stamped + 1_000 < begun) this.#options.onSkew(stamped + 1_000 - begun);
    else this.#options.onSkew(0);
  }
}

type GrammySignal = Exclude<Parameters<Bot['api']['getMe']>[0], undefined>;
/** grammY types the signal of its polyfill; the platform's own is the same thing. */
export const signalOf = (signal: AbortSignal): GrammySignal => signal as unknown as GrammySignal;

const buttonsOf = (keyboard: Keyboard) =>
  keyboard.map((row) => row.map(({ words, data }) => ({ text: words, callback_data: data })));

function incomingOf({ update, from, chat }: Context): Incoming | undefined {
  if (!from || !chat || ![update.update_id, from.id, chat.id].every(Number.isSafeInteger)) return undefined;
  const came = {
    updateId: update.update_id,
    userId: from.id,
    userName: String(from.username ?? from.first_name),
    chatId: chat.id,
    isPrivate: chat.type === 'private',
  };
  const { message, callback_query: press } = update;
  if (typeof message?.text === 'string' && Number.isSafeInteger(message.date))
    return { kind: 'words', ...came, text: message.text, saidAt: message.date * 1_000 };
  if (typeof press?.data !== 'string' || typeof press.id !== 'string') return undefined;
  if (!Number.isSafeInteger(press.message?.message_id) || !press.message) return undefined;
  return { kind: 'press', ...came, pressId: press.id, messageId: press.message.message_id, data: press.data };
}
