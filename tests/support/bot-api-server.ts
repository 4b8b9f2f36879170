/**
 * A Bot API server on loopback that behaves like Telegram's: long polling with offsets, webhooks, duplicate updates,
 * its limits and refusals word for word, floods with retry_after, outages. People are played by the test: `says`,
 * `presses`. It keeps real time for its waits and any clock for its dates.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Chats, type Params } from './bot-api-chats.ts';
import {
  type ApiCall,
  ApiRefusal,
  type ApiUpdate,
  badRequest,
  type PressAnswer,
  type SentMessage,
} from './bot-api-types.ts';
import { UpdateQueue } from './bot-api-updates.ts';

/** As BotFather gives them out; this one opens only the server below. */
export const BOT_TOKEN = '110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0';
const MAX_ANSWER = 200;

export interface BotApiOptions {
  /** Epoch ms, for the dates of messages. */
  readonly now?: () => number;
  readonly token?: string;
  readonly port?: number;
}

export interface Says {
  /** Epoch ms; now where absent. */
  readonly at?: number;
  /** A group's chat; the person's own where absent. */
  readonly chatId?: number;
}

/** Trouble that the server makes from now on. */
export interface Trouble {
  /** Methods it strikes; all where absent. */
  readonly methods?: readonly string[];
  /** How many calls; all until `heal` where absent. */
  times?: number;
  /** 429 with this retry_after, other 4xx and 5xx, a connection cut before or after the method had its effect, or silence. */
  readonly kind: { readonly status: number; readonly retryAfterS?: number } | 'cut' | 'cut-after' | 'silence';
}

export type Menu = readonly { readonly command: string; readonly description: string }[];

export class BotApiServer {
  readonly chats: Chats;
  readonly updates = new UpdateQueue();
  readonly calls: ApiCall[] = [];
  readonly answers = new Map<string, PressAnswer>();
  /** Completion menus by scope: a chat's id, or all. */
  readonly #menus = new Map<number | 'all', Menu>();
  #token: string;
  #now: () => number;
  #last: ApiUpdate | undefined;
  readonly #openPresses = new Set<string>();
  readonly #waiting = new Set<() => void>();
  #troubles: Trouble[] = [];
  readonly #struck: string[] = [];
  #nextPress = 1;
  url = '';

  constructor(options: BotApiOptions) {
    this.#now = options.now ?? (() => Date.now());
    this.#token = options.token ?? BOT_TOKEN;
    const bot = {
      id: Number(this.#token.split(':')[0]),
      is_bot: true,
      first_name: 'Bulkhead',
      username: 'bulkhead_bot',
    };
    this.chats = new Chats(bot, () => this.#now());
    this.#bot = bot;
    this.updates.onPoll = () => this.changed();
  }

  readonly #bot: object;

  /** A person writes to the bot; the update's id. */
  says(userId: number, text: string, { at, chatId = userId }: Says = {}): number {
    this.chats.meet(chatId);
    const length = /^\/\S+/.exec(text)?.[0].length;
    const content = {
      message: {
        message_id: this.chats.nextId(),
        from: person(userId),
        chat: { id: chatId, type: chatId < 0 ? 'group' : 'private' },
        date: Math.floor((at ?? this.#now()) / 1_000),
        text,
        ...(length ? { entities: [{ type: 'bot_command', offset: 0, length }] } : {}),
      },
    };
    const update_id = this.updates.push(content);
    this.#last = { update_id, ...content };
    return update_id;
  }

  /** What was said last, as Telegram would deliver it again. */
  lastUpdate(): ApiUpdate {
    assert.ok(this.#last);
    return this.#last;
  }

  /** As @BotFather's /revoke does: the old one is refused from now on. */
  revoke(token: string): void {
    this.#token = token;
  }

  setClock(now: () => number): void {
    this.#now = now;
  }

  /** A person presses the button with these words under a message; the press's id. */
  presses(userId: number, message: SentMessage, words: string): string {
    const button = message.buttons.flat().find(({ text }) => text.includes(words));
    assert.ok(
      button?.callback_data,
      `no button "${words}" under: ${message.text}\n${JSON.stringify(message.buttons)}`,
    );
    return this.sendsPress(userId, message, button.callback_data);
  }

  /** A press with any data: clients can be made to send what was never offered. */
  sendsPress(userId: number, message: Pick<SentMessage, 'id' | 'chatId' | 'text'>, data: string): string {
    const id = `press-${this.#nextPress++}`;
    this.#openPresses.add(id);
    const { id: messageId, chatId, text } = message;
    this.updates.push({
      callback_query: {
        id,
        from: person(userId),
        chat_instance: '1',
        data,
        message: {
          message_id: messageId,
          chat: { id: chatId, type: chatId < 0 ? 'group' : 'private' },
          date: Math.floor(this.#now() / 1_000),
          text,
        },
      } as ApiUpdate['callback_query'] & object,
    });
    return id;
  }

  /** What the bot has sent to a chat and not deleted. */
  sentTo(chatId: number): readonly SentMessage[] {
    return this.chats.messages.filter((message) => message.chatId === chatId && !message.isDeleted);
  }

  /** The completion menu that a chat sees. */
  menuOf(chatId: number): Menu {
    return this.#menus.get(chatId) ?? this.#menus.get('all') ?? [];
  }

  callsOf(method: string): readonly ApiCall[] {
    return this.calls.filter((call) => call.method === method);
  }

  trouble(trouble: Trouble): void {
    this.#troubles.push(trouble);
  }

  /** How many calls of the method met trouble. */
  struck(method: string): number {
    return this.#struck.filter((one) => one === method).length;
  }

  heal(): void {
    this.#troubles = [];
    this.changed();
  }

  /** Resolves once the condition gives something; looked at after every call. */
  until<T>(condition: () => T | undefined | false): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        try {
          const found = condition();
          if (found === undefined || found === false) return;
          this.#waiting.delete(look);
          resolve(found);
        } catch (error) {
          this.#waiting.delete(look);
          reject(error);
        }
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** The next message to a chat, after those that are there, whose text matches. */
  next(
    chatId: number,
    pattern: RegExp | string = /./,
    after = this.sentTo(chatId).at(-1)?.id ?? 0,
  ): Promise<SentMessage> {
    return this.until(() =>
      this.sentTo(chatId).find(
        ({ id, text }) =>
          id > after && (typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text)),
      ),
    );
  }

  /** Tells waiters to look again: for what happens at the bot. */
  changed(): void {
    for (const look of [...this.#waiting]) look();
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const [, token, method = ''] = /^\/bot([^/]+)\/(\w+)/.exec(request.url ?? '') ?? [];
    const params = await readParams(request);
    const trouble = this.#strike(method);
    if (trouble === 'silence') return;
    if (trouble === 'cut') {
      response.destroy();
      return;
    }
    let code = 200;
    let body: object;
    try {
      if (token !== this.#token) throw new ApiRefusal(401, 'Unauthorized');
      if (typeof trouble === 'object') throw trouble;
      body = { ok: true, result: await this.#answer(method, params, gone.signal) };
    } catch (error) {
      if (!(error instanceof ApiRefusal)) throw error;
      code = error.code;
      const { message: description, parameters } = error;
      body = { ok: false, error_code: code, description, ...(parameters ? { parameters } : {}) };
    }
    this.calls.push({ method, params, ok: code === 200, code });
    if (trouble === 'cut-after') response.destroy();
    else response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    this.changed();
  }

  #strike(method: string): ApiRefusal | 'cut' | 'cut-after' | 'silence' | undefined {
    const struck = this.#troubles.find(
      ({ methods, times }) => (methods?.includes(method) ?? true) && (times === undefined || times > 0),
    );
    if (!struck) return undefined;
    if (struck.times !== undefined) struck.times--;
    this.#struck.push(method);
    this.changed();
    const { kind } = struck;
    if (typeof kind === 'string') return kind;
    if (kind.retryAfterS === undefined) return new ApiRefusal(kind.status, statusText(kind.status));
    const retry_after = kind.retryAfterS;
    return new ApiRefusal(kind.status, `Too Many Requests: retry after ${retry_after}`, { retry_after });
  }

  #answer(method: string, params: Params, gone: AbortSignal): unknown {
    switch (method) {
      case 'getMe':
        return {
          ...this.#bot,
          can_join_groups: true,
          can_read_all_group_messages: false,
          supports_inline_queries: false,
        };
      case 'getUpdates':
        return this.updates.get(params, gone);
      case 'setWebhook':
        return this.updates.setWebhook(params);
      case 'deleteWebhook':
        return this.updates.setWebhook({ ...params, url: '' });
      case 'getWebhookInfo':
        return {
          url: this.updates.webhook,
          has_custom_certificate: false,
          pending_update_count: this.updates.pending,
        };
      case 'sendMessage':
        return this.chats.send(params);
      case 'sendPhoto':
        return this.chats.sendPhoto(params);
      case 'editMessageText':
        return this.chats.edit(params);
      case 'editMessageReplyMarkup':
        return this.chats.editButtons(params);
      case 'deleteMessage':
        return this.chats.delete(params);
      case 'answerCallbackQuery':
        return this.#answerPress(params);
      case 'setMyCommands':
        return this.#setCommands(params);
      case 'deleteMyCommands':
        return this.#menus.delete(scopeOf(params)) || true;
      case 'getMyCommands':
        return this.#menus.get(scopeOf(params)) ?? [];
      case 'sendChatAction':
        return true;
      default:
        throw new ApiRefusal(404, 'Not Found');
    }
  }

  #answerPress(params: Params): true {
    const id = String(params.callback_query_id);
    const text = String(params.text ?? '');
    if (text.length > MAX_ANSWER) throw badRequest('MESSAGE_TOO_LONG');
    if (!this.#openPresses.delete(id))
      throw badRequest('query is too old and response timeout expired or query ID is invalid');
    this.answers.set(id, { text, isAlert: String(params.show_alert) === 'true' });
    return true;
  }

  /** Presses that nobody answered in time can no longer be answered. */
  agePresses(): void {
    this.#openPresses.clear();
  }

  #setCommands(params: Params): true {
    const commands = params.commands as Menu;
    if (commands.length > 100) throw badRequest('BOT_COMMANDS_TOO_MUCH');
    for (const { command, description } of commands) {
      if (!/^[a-z0-9_]{1,32}$/.test(command)) throw badRequest('BOT_COMMAND_INVALID');
      if (description.length < 1 || description.length > 256)
        throw badRequest('BOT_COMMAND_DESCRIPTION_INVALID');
    }
    const scope = scopeOf(params);
    if (scope !== 'all') this.chats.mayWrite({ chat_id: scope });
    this.#menus.set(scope, commands);
    return true;
  }
}

const scopeOf = ({ scope }: Params): number | 'all' => {
  const { type, chat_id: chatId } = (scope ?? {}) as { type?: string; chat_id?: number };
  return type === 'chat' ? Number(chatId) : 'all';
};

const person = (id: number) => ({ id, is_bot: false, first_name: `Person ${id}`, username: `person${id}` });

const STATUS_TEXTS: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  409: 'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
};
const statusText = (status: number): string => STATUS_TEXTS[status] ?? `Error ${status}`;

async function readParams(request: IncomingMessage): Promise<Params> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const type = request.headers['content-type'] ?? '';
  if (type.includes('application/json'))
    return body.length === 0 ? {} : (JSON.parse(body.toString()) as Params);
  if (!type.includes('multipart/form-data')) return Object.fromEntries(new URLSearchParams(body.toString()));
  const form = await new Response(body, { headers: { 'content-type': type } }).formData();
  const params: Record<string, unknown> = {};
  for (const [name, value] of form.entries())
    params[name] = typeof value === 'string' ? value : new Uint8Array(await value.arrayBuffer());
  // A file is named by attach://NAME in its field.
  for (const [name, value] of Object.entries(params)) {
    const attached = typeof value === 'string' ? /^attach:\/\/(.+)$/.exec(value)?.[1] : undefined;
    if (attached !== undefined) params[name] = params[attached];
  }
  return params;
}

/** Started on loopback, and gone with the test. */
export async function botApiServer(t: TestContext, options: BotApiOptions = {}): Promise<BotApiServer> {
  const api = new BotApiServer(options);
  const server = createServer((request, response) => {
    api.handle(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500).end(String(error));
    });
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  api.url = `http://127.0.0.1:${address.port}`;
  t.after(async () => {
    api.updates.close();
    server.closeAllConnections();
    server.close();
    await pause(0);
  });
  return api;
}
