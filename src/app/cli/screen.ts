/** Redraws a block of text in place on a terminal, so that the scroll-back stays clean. */
import type { Output } from './io.ts';

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';

export class Screen {
  readonly #output: Output;
  readonly #maxLines: number;
  #height = 0;
  #text = '';

  constructor(output: Output, rows: number) {
    this.#output = output;
    // A block taller than the terminal would scroll and could not be drawn over.
    this.#maxLines = Math.max(1, rows - 1);
  }

  draw(text: string): void {
    const lines = text.replace(/\n$/, '').split('\n');
    const shown = lines.length <= this.#maxLines ? lines : [...lines.slice(0, this.#maxLines - 1), '…'];
    const up = this.#height > 0 ? `\u001b[${this.#height}A` : HIDE_CURSOR;
    this.#output.write(`${up}\r${shown.map((line) => `${line}\u001b[K\n`).join('')}\u001b[J`);
    this.#height = shown.length;
    this.#text = text;
  }

  /** Lines that stay, above the block: the log, where it shares the terminal. */
  print(lines: string): void {
    if (this.#height > 0) this.#output.write(`\u001b[${this.#height}A\r\u001b[J`);
    this.#output.write(lines);
    this.#height = 0;
    if (this.#text !== '') this.draw(this.#text);
  }

  /** Leaves the last picture standing and gives the cursor back. */
  end(): void {
    if (this.#height > 0) this.#output.write(SHOW_CURSOR);
    this.#height = 0;
    this.#text = '';
  }
}
