/**
 * Asks Telegram for updates, one long poll after another. grammY's own loop waits on the platform's timers and ends
 * for good on a conflict; this one goes on until it is stopped, and says what is wrong once, not every second.
 *
 * Invariants: the next poll confirms only what was handled; the first poll names no offset, because Telegram keeps
 * what it has not confirmed and begins its numbers anew after a quiet week.
 */
import { GrammyError } from 'grammy';
import type { Time } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { pause } from '../core/waiting.ts';
import { HEARD, signalOf, type TelegramBot } from './bot.ts';

const POLL_S = 30;
const POLL_TIMEOUT_MS = 45_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;
const CONFLICT_MS = 15_000;
const NO_TOKEN_MS = 300_000;

export interface PollingOptions {
  readonly bot: TelegramBot;
  readonly time: Time;
  readonly log: Logger;
  /** Every time Telegram is heard after it was not, and at first. */
  readonly onUp: () => void;
}

interface Trouble {
  readonly waitMs: number;
  readonly level: 'warn' | 'error';
  readonly words: string;
}

export class Polling {
  readonly #options: PollingOptions;
  readonly #stop = new AbortController();
  /** Ends what is asked or waited for under the token that was. */
  #changed = new AbortController();
  #isUp = false;
  #failures = 0;
  #said = '';
  #loop: Promise<void> | undefined;

  constructor(options: PollingOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** What is being handled is handled to its end; what waits at Telegram stays there. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }

  /** The bot has another token: it is asked with that one, at once. */
  tokenChanged(): void {
    this.#changed.abort();
  }

  async #run(): Promise<void> {
    const { bot } = this.#options;
    let offset: number | undefined;
    let isOpen = false;
    while (!this.#stop.signal.aborted) {
      if (this.#changed.signal.aborted) {
        this.#changed = new AbortController();
        isOpen = false;
      }
      try {
        if (!isOpen) await this.#open();
        isOpen = true;
        const updates = await bot.call(
          (signal) =>
            bot.bot.api.getUpdates(
              {
                ...(offset === undefined ? {} : { offset }),
                timeout: this.#isUp ? POLL_S : 0,
                allowed_updates: HEARD,
              },
              signalOf(signal),
            ),
          POLL_TIMEOUT_MS,
          this.#ended(),
        );
        this.#up();
        for (const update of updates) {
          await bot.take(update);
          offset = update.update_id + 1;
          if (this.#stop.signal.aborted) return;
        }
      } catch (error) {
        await this.#down(error);
      }
    }
  }

  /** Who the bot is, and that no webhook takes its updates away. */
  async #open(): Promise<void> {
    const { bot } = this.#options;
    await bot.call((signal) => bot.bot.init(signalOf(signal)), undefined, this.#ended());
    await bot.call((signal) => bot.bot.api.deleteWebhook({}, signalOf(signal)), undefined, this.#ended());
  }

  #up(): void {
    this.#failures = 0;
    this.#said = '';
    if (this.#isUp) return;
    this.#isUp = true;
    this.#options.log.info('telegram: connected', { bot: this.#options.bot.bot.botInfo.username });
    this.#options.onUp();
  }

  async #down(error: unknown): Promise<void> {
    if (this.#ended().aborted) return;
    const { log, time } = this.#options;
    const { waitMs, level, words } = this.#troubleOf(error);
    this.#isUp = false;
    this.#failures++;
    if (words !== this.#said) log[level](`telegram: ${words}; trading goes on`, { retryInMs: waitMs });
    this.#said = words;
    await pause(time.timers, waitMs, this.#ended());
  }

  #ended(): AbortSignal {
    return AbortSignal.any([this.#stop.signal, this.#changed.signal]);
  }

  #troubleOf(error: unknown): Trouble {
    const { bot } = this.#options;
    const retryMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures, 10));
    if (error instanceof GrammyError) {
      const { error_code: code, description } = error;
      if (code === 401 || code === 404) {
        const words = 'the token is refused. Compare BULKHEAD_TELEGRAM_TOKEN with what @BotFather gave you';
        return { waitMs: NO_TOKEN_MS, level: 'error', words };
      }
      if (code === 409) {
        const words = `another program uses this bot's token (${description}). Give each Bulkhead a bot of its own`;
        return { waitMs: CONFLICT_MS, level: 'error', words };
      }
      const delivery = bot.deliveryOf(error);
      if (delivery.kind === 'flood')
        return { waitMs: delivery.waitMs, level: 'warn', words: 'asked to wait' };
    }
    return { waitMs: retryMs, level: 'warn', words: `cannot be reached: ${bot.safe(error)}` };
  }
}
