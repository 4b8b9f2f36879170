/** What the local Bot API server remembers of chats, and the shapes of Telegram's objects that it speaks. */

export interface ApiButton {
  readonly text: string;
  readonly callback_data?: string;
  readonly url?: string;
}

export interface ApiUser {
  readonly id: number;
  readonly is_bot: boolean;
  readonly first_name: string;
  readonly username?: string;
}

/** A message that the bot has sent, as its chat shows it now. */
export interface SentMessage {
  readonly id: number;
  readonly chatId: number;
  /** As sent, with its markup. */
  html: string;
  /** As people read it. */
  text: string;
  buttons: readonly (readonly ApiButton[])[];
  readonly photo?: Uint8Array;
  readonly isSilent: boolean;
  edits: number;
  isDeleted: boolean;
}

export interface ApiUpdate {
  readonly update_id: number;
  readonly message?: object;
  readonly callback_query?: { readonly id: string } & object;
}

/** What `answerCallbackQuery` said of a press. */
export interface PressAnswer {
  readonly text: string;
  readonly isAlert: boolean;
}

/** A request that the server has heard. */
export interface ApiCall {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly ok: boolean;
  readonly code: number;
}

/** A refusal in Telegram's form. */
export class ApiRefusal extends Error {
  readonly code: number;
  readonly parameters: object | undefined;

  constructor(code: number, description: string, parameters?: object) {
    super(description);
    this.code = code;
    this.parameters = parameters;
  }
}

export const badRequest = (what: string): ApiRefusal => new ApiRefusal(400, `Bad Request: ${what}`);
