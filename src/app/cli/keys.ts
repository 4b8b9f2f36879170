/** The keys that a person presses on a terminal, by their names; Ctrl-C and Ctrl-D end them. */
import { on } from 'node:events';
import { emitKeypressEvents, type Key } from 'node:readline';
import type { ReadStream } from 'node:tty';

export async function* keysOf(input: ReadStream): AsyncGenerator<string> {
  emitKeypressEvents(input);
  input.setRawMode(true);
  input.resume();
  try {
    for await (const [text, key] of on(input, 'keypress') as AsyncIterable<[string | undefined, Key]>) {
      if (key.ctrl === true && (key.name === 'c' || key.name === 'd')) return;
      // A capital is another key than its letter; an arrow has no text of its own.
      yield text !== undefined && /^[a-zA-Z]$/.test(text) ? text : (key.name ?? '');
    }
  } finally {
    input.setRawMode(false);
    input.pause();
  }
}
