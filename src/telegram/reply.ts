/** What a command answers: words, perhaps with buttons under them, perhaps a picture. */
import { BulkheadError, errorText } from '../core/errors.ts';
import type { Keyboard } from './chat.ts';
import { bold, line, type Message, text } from './markup.ts';

export interface Reply {
  readonly message: Message;
  readonly keyboard?: Keyboard;
  /** PNG, above the words. */
  readonly photo?: Uint8Array;
}

export const say = (words: string): Reply => ({ message: [text(words)] });

/** What a person did wrong, and what to do instead; a defect says that it is one. */
export function failure(error: unknown): Reply {
  if (!(error instanceof BulkheadError)) return say(`That failed: ${errorText(error)}. The log has more.`);
  return { message: [text(error.message, ...(error.hint === undefined ? [] : [error.hint]))] };
}

/** A button's data: a command line to run, its answer in place of this message or as another. */
export const inPlace = (words: string): string => `r:${words}`;
export const anew = (words: string): string => `n:${words}`;

export const refreshButton = (words: string) => ({ words: 'Refresh', data: inPlace(words) });

export const light = (isGood: boolean): string => (isGood ? '\u{1F7E2}' : '\u{1F534}');

/** It goes on, and something is held back. */
export const CAUTION = '\u{1F7E1}';

export { bold, line, text };
