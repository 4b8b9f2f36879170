/**
 * Numeric CSV straight from bytes: five times faster than splitting text.
 *
 * Invariants: a cell becomes the double nearest to its decimal text (an integer of at most 53 bits divided by an
 * exact power of ten rounds once); an empty or "nan" cell is NaN, for the quality gate to judge; anything else that
 * is not a number is a DATA_INVALID naming file, line and column.
 */
import { BulkheadError } from '../../core/errors.ts';

export interface TableColumn {
  readonly name: string;
  /** Other names it goes by, lower case. */
  readonly aliases: readonly string[];
  /** Where it stands when the file has no header. */
  readonly position: number;
}

export interface TableFormat {
  /** For messages, e.g. "candles". */
  readonly what: string;
  readonly columns: readonly TableColumn[];
  /** Numbers of cells a headerless line may have; empty when a header is needed. */
  readonly headerlessWidths: readonly number[];
}

const NEWLINE = 10;
const RETURN = 13;
const COMMA = 44;
const MINUS = 45;
const POINT = 46;
/** Up to so many digits the mantissa is an exact integer. */
const MOST_EXACT_DIGITS = 15;
const POWERS = Array.from({ length: 23 }, (_, k) => 10 ** k);

const text = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8');

const cells = (line: string): string[] =>
  line
    .trim()
    .split(',')
    .map((cell) => cell.trim().replace(/^"|"$/g, ''));

function expectation(format: TableFormat): string {
  const names = format.columns.map((column) => column.name).join(',');
  return `${format.what} need the columns ${names}`;
}

/** columnOf[cell index] = index into format.columns, or -1. */
function columnMap(
  first: string,
  file: string,
  format: TableFormat,
): { readonly columnOf: Int32Array; readonly hasHeader: boolean } {
  const names = cells(first);
  const hasHeader = /^[^0-9.+-]/.test(names[0] ?? '');
  const columnOf = new Int32Array(names.length).fill(-1);
  if (!hasHeader && !format.headerlessWidths.includes(names.length)) {
    throw new BulkheadError(
      'DATA_INVALID',
      `${file}, line 1: no header, and ${names.length} columns are not a known headerless form`,
      { hint: `Give the file a header line; ${expectation(format)}.` },
    );
  }
  format.columns.forEach((column, index) => {
    const at = hasHeader
      ? names.findIndex(
          (name) => name.toLowerCase() === column.name || column.aliases.includes(name.toLowerCase()),
        )
      : column.position;
    if (at < 0) {
      throw new BulkheadError(
        'DATA_INVALID',
        `${file}, line 1: no column "${column.name}" among "${names.join(',')}"`,
        { hint: `${expectation(format)}; "${column.name}" may also be called ${column.aliases.join(', ')}.` },
      );
    }
    columnOf[at] = index;
  });
  return { columnOf, hasHeader };
}

/** The slow, forgiving reading of one cell: quotes, spaces, exponents, more than 15 digits. */
function slowCell(raw: string): number | undefined {
  const cell = raw.trim().replace(/^"|"$/g, '');
  if (cell === '' || /^(nan|null|none)$/i.test(cell)) return Number.NaN;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(cell) ? Number(cell) : undefined;
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines++;
  return bytes.length > 0 && bytes[bytes.length - 1] !== NEWLINE ? lines + 1 : lines;
}

/** Walks the bytes cell by cell; `at` always stands on the byte to read next. */
class CellReader {
  at: number;
  line: number;
  readonly #bytes: Uint8Array;
  readonly #file: string;
  readonly #format: TableFormat;

  constructor(bytes: Uint8Array, file: string, format: TableFormat, at: number, line: number) {
    this.#bytes = bytes;
    this.#file = file;
    this.#format = format;
    this.at = at;
    this.line = line;
  }

  /** Steps over one empty line, if there is one. */
  skipBlank(): boolean {
    const bytes = this.#bytes;
    const blank =
      bytes[this.at] === RETURN && bytes[this.at + 1] === NEWLINE ? 2 : Number(bytes[this.at] === NEWLINE);
    this.at += blank;
    if (blank > 0) this.line++;
    return blank > 0;
  }

  /** Reads a cell up to its separator; `column` < 0: of no interest. */
  cell(column: number): number {
    const bytes = this.#bytes;
    const from = this.at;
    const negative = bytes[from] === MINUS;
    let p = negative ? from + 1 : from;
    let mantissa = 0;
    let digits = 0;
    let fraction = -1;
    let plain = true;
    for (; p < bytes.length; p++) {
      const c = bytes[p] as number;
      if (c >= 48 && c <= 57) {
        mantissa = mantissa * 10 + (c - 48);
        digits++;
        if (fraction >= 0) fraction++;
      } else if (c === COMMA || c === NEWLINE || (c === RETURN && this.#endsLine(p))) break;
      else if (c === POINT && fraction < 0) fraction = 0;
      else plain = false;
    }
    this.at = p;
    if (column < 0) return 0;
    if (!plain || digits === 0 || digits > MOST_EXACT_DIGITS) return this.#unusual(from, column);
    const value = fraction > 0 ? mantissa / (POWERS[fraction] as number) : mantissa;
    return negative ? -value : value;
  }

  #endsLine(p: number): boolean {
    return p + 1 >= this.#bytes.length || this.#bytes[p + 1] === NEWLINE;
  }

  #unusual(from: number, column: number): number {
    const raw = text(this.#bytes, from, this.at);
    const value = slowCell(raw);
    if (value !== undefined) return value;
    const name = this.#format.columns[column]?.name;
    throw new BulkheadError(
      'DATA_INVALID',
      `${this.#file}, line ${this.line}, column "${name}": "${raw.slice(0, 40)}" is not a number`,
      { hint: 'Expected a plain decimal number, like 63724.4.' },
    );
  }

  /** Over the line's end. */
  endLine(): void {
    if (this.#bytes[this.at] === RETURN) this.at++;
    this.at++;
    this.line++;
  }
}

function cutShort(
  file: string,
  line: number,
  cell: number,
  width: number,
  format: TableFormat,
): BulkheadError {
  return new BulkheadError(
    'DATA_INVALID',
    `${file}, line ${line}: ${cell} of ${width} columns; the line is cut short`,
    { hint: `Every line needs ${width} comma-separated cells; ${expectation(format)}.` },
  );
}

/** One Float64Array per column of `format`, all of the same length. */
export function parseTable(bytes: Uint8Array, file: string, format: TableFormat): Float64Array[] {
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  const firstEnd = bytes.indexOf(NEWLINE, start);
  const headEnd = firstEnd < 0 ? bytes.length : firstEnd;
  const first = text(bytes, start, headEnd);
  if (first.trim() === '') {
    throw new BulkheadError('DATA_INVALID', `${file} is empty`, { hint: `${expectation(format)}.` });
  }
  const { columnOf, hasHeader } = columnMap(first, file, format);
  const out = format.columns.map(() => new Float64Array(countLines(bytes)));
  const reader = new CellReader(bytes, file, format, hasHeader ? headEnd + 1 : start, hasHeader ? 2 : 1);
  let row = 0;
  while (reader.at < bytes.length) {
    if (reader.skipBlank()) continue;
    for (let cell = 0; cell < columnOf.length; cell++) {
      if (cell > 0 && bytes[reader.at++] !== COMMA)
        throw cutShort(file, reader.line, cell, columnOf.length, format);
      const column = columnOf[cell] as number;
      const value = reader.cell(column);
      if (column >= 0) (out[column] as Float64Array)[row] = value;
    }
    // Cells beyond the header's are nobody's.
    while (bytes[reader.at] === COMMA) {
      reader.at++;
      reader.cell(-1);
    }
    reader.endLine();
    row++;
  }
  return out.map((column) => column.subarray(0, row));
}
