/**
 * Tables in a monospaced block. Invariant: no line is wider than a phone in portrait shows without wrapping; a cell
 * that is too wide is cut with an ellipsis, numbers never are: the widest text column gives way.
 */
import type { Block } from './markup.ts';

/** What Telegram shows in a monospaced line on a common phone. */
export const PHONE_WIDTH = 34;
const NARROWEST = 4;

/** A column's heading; a leading ">" sets it to the right, as numbers want it. */
export type Column = string;

export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): Block {
  const right = columns.map((column) => column.startsWith('>'));
  const head = columns.map((column) => column.replace(/^>/, ''));
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => lengthOf(row[i] ?? ''))));
  shrink(widths, right);
  const lines = all.map((row) =>
    head
      .map((_, i) => fit(row[i] ?? '', widths[i] ?? 0, right[i] === true))
      .join(' ')
      .trimEnd(),
  );
  return { kind: 'table', lines };
}

/** Names and values under each other, the values set to the right. */
export function pairs(rows: readonly (readonly [name: string, value: string])[]): Block {
  const names = Math.max(...rows.map(([name]) => lengthOf(name)));
  const values = Math.max(...rows.map(([, value]) => lengthOf(value)));
  const width = Math.min(values, Math.max(PHONE_WIDTH - names - 1, NARROWEST));
  return {
    kind: 'table',
    lines: rows.map(([name, value]) => `${name.padEnd(names)} ${value.padStart(width)}`.trimEnd()),
  };
}

const lengthOf = (cell: string): number => [...cell].length;

/** Takes from the widest text column until the line fits. */
function shrink(widths: number[], right: readonly boolean[]): void {
  const total = (): number => widths.reduce((sum, width) => sum + width + 1, -1);
  while (total() > PHONE_WIDTH) {
    const texts = widths.map((width, i) => (right[i] ? 0 : width));
    const widest = texts.indexOf(Math.max(...texts));
    if ((texts[widest] ?? 0) <= NARROWEST) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}

function fit(cell: string, width: number, isRight: boolean): string {
  const characters = [...cell];
  const shown = characters.length > width ? `${characters.slice(0, width - 1).join('')}…` : cell;
  const gap = ' '.repeat(Math.max(0, width - lengthOf(shown)));
  return isRight ? gap + shown : shown + gap;
}
