/** The small change of terminal output: colours, columns, amounts, durations. Pure. */
import { stripVTControlCharacters } from 'node:util';
import { duration, moment, money, signedMoney } from '../../core/amounts.ts';
import { cmp, type Decimal } from '../../core/decimal.ts';

export { duration, moment, money, signedMoney };

export type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'grey' | 'bold';

const CODES: Readonly<Record<Colour, number>> = {
  red: 31,
  green: 32,
  yellow: 33,
  cyan: 36,
  grey: 90,
  bold: 1,
};

export type Paint = (colour: Colour, text: string) => string;

/** Paints on a terminal that wants it (https://no-color.org), else leaves the text alone. */
export function painter(enabled: boolean): Paint {
  return enabled ? (colour, text) => `\u001b[${CODES[colour]}m${text}\u001b[0m` : (_, text) => text;
}

export const visibleLength = (text: string): number => stripVTControlCharacters(text).length;

/** Cut to the width that a terminal shows; a line that has to be cut loses its colours. */
export function fit(line: string, width: number): string {
  const bare = stripVTControlCharacters(line);
  return bare.length <= width ? line : `${bare.slice(0, Math.max(0, width - 1))}…`;
}

const pad = (text: string, width: number, right: boolean): string => {
  const fill = ' '.repeat(Math.max(0, width - visibleLength(text)));
  return right ? fill + text : text + fill;
};

/** Rows under a header; the columns named in `right` are aligned right. */
export function columns(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  right: ReadonlySet<number>,
): string[] {
  const widths = header.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => visibleLength(row[i] ?? ''))),
  );
  return [header, ...rows].map((row) =>
    row
      .map((cell, i) => pad(cell, widths[i] ?? 0, right.has(i)))
      .join('  ')
      .trimEnd(),
  );
}

/** Green above zero, red below. */
export function gain(paint: Paint, value: Decimal, text: string = signedMoney(value)): string {
  const direction = cmp(value, '0');
  return direction === 0 ? text : paint(direction > 0 ? 'green' : 'red', text);
}
