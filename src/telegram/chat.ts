/** The port to Telegram: what comes in, what goes out, and what became of it. grammY stands behind it (bot.ts). */

export interface Button {
  readonly words: string;
  /** At most 64 bytes; comes back with the press. */
  readonly data: string;
}

export type Keyboard = readonly (readonly Button[])[];

interface Came {
  /** Telegram's number of the update: the same when it is delivered again. */
  readonly updateId: number;
  readonly userId: number;
  readonly userName: string;
  readonly chatId: number;
  /** A chat of one person with the bot, and no group. */
  readonly isPrivate: boolean;
}

export interface Words extends Came {
  readonly kind: 'words';
  readonly text: string;
  /** Epoch ms by Telegram's clock, in whole seconds. */
  readonly saidAt: number;
}

export interface Press extends Came {
  readonly kind: 'press';
  readonly pressId: string;
  readonly messageId: number;
  readonly data: string;
}

export type Incoming = Words | Press;

export interface Outgoing {
  readonly chatId: number;
  /** HTML, within Telegram's limits. */
  readonly html: string;
  readonly keyboard?: Keyboard;
  /** PNG; the text is its caption then. */
  readonly photo?: Uint8Array;
  /** Arrives without a sound. */
  readonly isSilent?: boolean;
  /** Replaces the text of this message instead of sending another. */
  readonly edits?: number;
}

export type Delivery =
  | { readonly kind: 'sent'; readonly messageId: number | undefined }
  /** Telegram wants no more for so long. */
  | { readonly kind: 'flood'; readonly waitMs: number }
  /** It would refuse the same again. `gone`: this chat takes nothing from the bot. */
  | { readonly kind: 'refused'; readonly why: 'gone' | 'no-such-message' | 'other'; readonly reason: string }
  /** Not delivered, or nobody knows. */
  | { readonly kind: 'unreachable'; readonly reason: string };

export interface MenuEntry {
  readonly command: string;
  readonly description: string;
}

/** What became of the word that a press was heard. */
export type Acknowledged = 'heard' | 'too-old' | 'unknown';

export interface Chat {
  deliver(outgoing: Outgoing): Promise<Delivery>;
  /** Ends the waiting of the person who pressed; a press of long ago is refused, which tells its age. */
  acknowledge(pressId: string, words: string): Promise<Acknowledged>;
  /** The completion menu of one chat, or of all others. */
  setMenu(chatId: number | 'others', menu: readonly MenuEntry[]): Promise<boolean>;
}
