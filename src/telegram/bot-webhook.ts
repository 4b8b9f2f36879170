/**
 * Lets Telegram bring the updates instead of asking for them: an HTTP listener for a reverse proxy that speaks TLS.
 *
 * Invariants: only requests with the secret that this process made up and told Telegram are looked at; an update that
 * was not handled is not answered with 200, so Telegram brings it again; the listener is loopback's unless configured.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { webhookCallback } from 'grammy';
import type { Time } from '../core/clock.ts';
import { BulkheadError, errorText } from '../core/errors.ts';
import { freshId } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import { pause } from '../core/waiting.ts';
import { HEARD, signalOf, type TelegramBot } from './bot.ts';

const RETRY_MS = 15_000;
const HANDLING_MS = 25_000;
const LARGEST_UPDATE = 1_000_000;

export interface WebhookOptions {
  readonly bot: TelegramBot;
  readonly time: Time;
  readonly log: Logger;
  /** Where Telegram reaches the proxy: https://bot.example.com/some/path. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly onUp: () => void;
}

type Handle = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

export class Webhook {
  readonly #options: WebhookOptions;
  readonly #secret = freshId('webhook');
  #server: Server | undefined;
  #handle: Handle = () => undefined;
  readonly #stop = new AbortController();
  /** Of the token in force. */
  #announcing = new AbortController();

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  /** The port that is listened on. */
  get port(): number {
    const address = this.#server?.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  /** Listens at once; throws when the port is taken. Telegram is told as soon as it can be reached. */
  async start(): Promise<void> {
    const { bot, host, port, url, log } = this.#options;
    this.#handle = this.#handlerOf();
    const wanted = new URL(url).pathname;
    const server = createServer((request, response) => {
      const length = Number(request.headers['content-length']);
      const isOurs = request.method === 'POST' && request.url === wanted && length <= LARGEST_UPDATE;
      if (!isOurs) {
        response.writeHead(404).end();
        return;
      }
      Promise.resolve(this.#handle(request, response)).catch((error: unknown) => {
        log.warn('telegram: an update was not handled', { reason: bot.safe(error) });
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(cannotListen(host, port, error)));
      server.listen(port, host, resolve);
    });
    server.on('error', (error) =>
      log.error('telegram: the webhook listener failed', { reason: errorText(error) }),
    );
    void this.#announce();
  }

  /** The bot has another token: Telegram is told anew where its updates go. */
  tokenChanged(): void {
    this.#handle = this.#handlerOf();
    this.#announcing.abort();
    void this.#announce();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    const server = this.#server;
    if (!server) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
    });
  }

  #handlerOf(): Handle {
    return webhookCallback(this.#options.bot.bot, 'http', {
      secretToken: this.#secret,
      timeoutMilliseconds: HANDLING_MS,
    });
  }

  async #announce(): Promise<void> {
    const { bot, url, time, log, onUp } = this.#options;
    this.#announcing = new AbortController();
    const ended = AbortSignal.any([this.#stop.signal, this.#announcing.signal]);
    let said = '';
    while (!ended.aborted) {
      try {
        await bot.call((signal) => bot.bot.init(signalOf(signal)));
        await bot.call((signal) =>
          bot.bot.api.setWebhook(
            url,
            { secret_token: this.#secret, allowed_updates: HEARD },
            signalOf(signal),
          ),
        );
        log.info('telegram: the webhook is set', { bot: bot.bot.botInfo.username });
        onUp();
        return;
      } catch (error) {
        if (ended.aborted) return;
        const reason = bot.safe(error);
        if (reason !== said) log.warn(`telegram: the webhook is not set: ${reason}; trading goes on`);
        said = reason;
        await pause(time.timers, RETRY_MS, ended);
      }
    }
  }
}

const cannotListen = (host: string, port: number, error: unknown): BulkheadError =>
  new BulkheadError(
    'CONFIG_INVALID',
    `telegram.webhook: cannot listen on ${host}:${port}: ${errorText(error)}`,
    {
      hint: 'Choose another telegram.webhook.port, or end what listens there.',
    },
  );
