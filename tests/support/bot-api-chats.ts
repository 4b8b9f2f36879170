/** The chats of the local Bot API server: what bots may send there, and the words in which Telegram refuses it. */
import { MarkupRefused, readHtml } from './bot-api-markup.ts';
import { type ApiButton, ApiRefusal, type ApiUser, badRequest, type SentMessage } from './bot-api-types.ts';

const MAX_TEXT = 4_096;
const MAX_CAPTION = 1_024;
const MAX_BUTTON_BYTES = 64;
const MAX_BUTTONS = 100;
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47]);

export type Params = Readonly<Record<string, unknown>>;

export class Chats {
  readonly #bot: ApiUser;
  readonly #known = new Set<number>();
  readonly #blocked = new Set<number>();
  readonly messages: SentMessage[] = [];
  #nextId = 1;
  readonly #now: () => number;

  constructor(bot: ApiUser, now: () => number) {
    this.#bot = bot;
    this.#now = now;
  }

  /** A bot may write only to people who have written to it. */
  meet(chatId: number): void {
    this.#known.add(chatId);
    this.#blocked.delete(chatId);
  }

  block(chatId: number): void {
    this.#blocked.add(chatId);
  }

  nextId(): number {
    return this.#nextId++;
  }

  send(params: Params): object {
    const chatId = this.mayWrite(params);
    const { html, text } = textOf(
      params.text,
      params,
      MAX_TEXT,
      'message text is empty',
      'message is too long',
    );
    return this.#keep(chatId, params, html, text);
  }

  sendPhoto(params: Params): object {
    const chatId = this.mayWrite(params);
    const { photo } = params;
    if (!(photo instanceof Uint8Array)) throw badRequest('there is no photo in the request');
    if (!PNG.equals(photo.subarray(0, 4))) throw badRequest('IMAGE_PROCESS_FAILED');
    const hasCaption = String(params.caption ?? '') !== '';
    const caption = hasCaption
      ? textOf(params.caption, params, MAX_CAPTION, '', 'message caption is too long')
      : { html: '', text: '' };
    return this.#keep(chatId, params, caption.html, caption.text, photo);
  }

  edit(params: Params): object {
    const message = this.#find(params, 'edit');
    const { html, text } = textOf(params.text, params, MAX_TEXT, 'message text is empty', 'MESSAGE_TOO_LONG');
    if (message.photo) throw badRequest('there is no text in the message to edit');
    const buttons = buttonsOf(params);
    if (html === message.html && JSON.stringify(buttons) === JSON.stringify(message.buttons))
      throw notModified();
    Object.assign(message, { html, text, buttons, edits: message.edits + 1 });
    return this.#shown(message);
  }

  editButtons(params: Params): object {
    const message = this.#find(params, 'edit');
    const buttons = buttonsOf(params);
    if (JSON.stringify(buttons) === JSON.stringify(message.buttons)) throw notModified();
    Object.assign(message, { buttons, edits: message.edits + 1 });
    return this.#shown(message);
  }

  delete(params: Params): true {
    this.#find(params, 'delete').isDeleted = true;
    return true;
  }

  #keep(chatId: number, params: Params, html: string, text: string, photo?: Uint8Array): object {
    const message: SentMessage = {
      id: this.nextId(),
      chatId,
      html,
      text,
      buttons: buttonsOf(params),
      ...(photo ? { photo } : {}),
      isSilent: String(params.disable_notification) === 'true',
      edits: 0,
      isDeleted: false,
    };
    this.messages.push(message);
    return this.#shown(message);
  }

  #shown({ id, chatId, text, photo }: SentMessage): object {
    return {
      message_id: id,
      from: this.#bot,
      chat: { id: chatId, type: chatId < 0 ? 'group' : 'private' },
      date: Math.floor(this.#now() / 1_000),
      ...(photo
        ? {
            caption: text,
            photo: [{ file_id: `photo-${id}`, file_unique_id: `p${id}`, width: 1, height: 1 }],
          }
        : { text }),
    };
  }

  /** The chat, if this bot may write to it. */
  mayWrite(params: Params): number {
    const chatId = Number(params.chat_id);
    if (!this.#known.has(chatId)) throw badRequest('chat not found');
    if (this.#blocked.has(chatId)) throw new ApiRefusal(403, 'Forbidden: bot was blocked by the user');
    return chatId;
  }

  #find(params: Params, what: string): SentMessage {
    const chatId = this.mayWrite(params);
    const found = this.messages.find(
      ({ id, chatId: chat }) => id === Number(params.message_id) && chat === chatId,
    );
    if (!found || found.isDeleted) throw badRequest(`message to ${what} not found`);
    return found;
  }
}

const notModified = (): ApiRefusal =>
  badRequest(
    'message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message',
  );

function textOf(raw: unknown, params: Params, limit: number, empty: string, tooLong: string) {
  const html = String(raw ?? '');
  const mode = params.parse_mode;
  if (mode !== undefined && mode !== 'HTML') throw badRequest('unsupported parse_mode');
  try {
    const { text, entities } = mode === 'HTML' ? readHtml(html) : { text: html, entities: 0 };
    if (text.trim() === '') throw badRequest(empty);
    if (text.length > limit) throw badRequest(tooLong);
    if (entities > 100) throw badRequest('ENTITIES_TOO_LONG');
    return { html, text: text.trim() };
  } catch (error) {
    if (error instanceof MarkupRefused) throw new ApiRefusal(400, error.message);
    throw error;
  }
}

function buttonsOf(params: Params): readonly (readonly ApiButton[])[] {
  const raw = params.reply_markup;
  if (raw === undefined) return [];
  const markup = (typeof raw === 'string' ? JSON.parse(raw) : raw) as { inline_keyboard?: ApiButton[][] };
  const rows = (markup.inline_keyboard ?? []).filter((row) => row.length > 0);
  const buttons = rows.flat();
  if (buttons.length > MAX_BUTTONS) throw badRequest('reply markup is too long');
  for (const { text, callback_data: data, url } of buttons) {
    if (!text)
      throw badRequest(
        "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
      );
    if (url !== undefined) continue;
    const bytes = Buffer.byteLength(data ?? '');
    if (bytes < 1 || bytes > MAX_BUTTON_BYTES) throw badRequest('BUTTON_DATA_INVALID');
  }
  return rows;
}
