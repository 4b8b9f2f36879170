import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBulkheadError } from '../../src/core/errors.ts';
import { parseTable, type TableFormat } from '../../src/market/recorded/number-table.ts';

const FORMAT: TableFormat = {
  what: 'points',
  columns: [
    { name: 'x', aliases: ['ex'], position: 0 },
    { name: 'y', aliases: [], position: 1 },
  ],
  headerlessWidths: [2],
};
const parse = (text: string): number[][] =>
  parseTable(Buffer.from(text), 'points.csv', FORMAT).map((column) => [...column]);
const invalid =
  (pattern: RegExp) =>
  (error: unknown): boolean =>
    isBulkheadError(error, 'DATA_INVALID') && pattern.test(`${error.message} ${error.hint}`);

test('columns are found by name, in any order and among others', () => {
  assert.deepEqual(parse('y,z,ex\n1.5,9,2\n-3,9,4.25\n'), [
    [2, 4.25],
    [1.5, -3],
  ]);
});

test('a byte order mark, CRLF, quotes, blank lines and a missing last newline are tolerated', () => {
  assert.deepEqual(parse('\ufeff"x","y"\r\n"1",2\r\n\r\n3,4'), [
    [1, 3],
    [2, 4],
  ]);
});

test('a known headerless width is read by position', () => {
  assert.deepEqual(parse('1,2\n3,4\n'), [
    [1, 3],
    [2, 4],
  ]);
});

test('a cell is the double nearest to its text, long and exponent forms included', () => {
  const cells = [
    '95505.4',
    '0.1',
    '63724.12345678901',
    '1e-7',
    '123456789.123456',
    '0.000012',
    '9007199254740993',
  ];
  assert.deepEqual(parse(`x,y\n${cells.map((cell) => `${cell},0`).join('\n')}\n`)[0], cells.map(Number));
});

test('an empty or nan cell is NaN, for the gate to judge', () => {
  assert.deepEqual(parse('x,y\n,1\nnan,2\n'), [
    [Number.NaN, Number.NaN],
    [1, 2],
  ]);
});

test('a missing column is named with what is there and what is expected', () => {
  assert.throws(() => parse('x,z\n1,2\n'), invalid(/points\.csv, line 1: no column "y" among "x,z".*x,y/));
});

test('a cell that is no number is named by file, line and column', () => {
  assert.throws(() => parse('x,y\n1,2\n3,abc\n'), invalid(/points\.csv, line 3, column "y": "abc"/));
});

test('a lone carriage return is no line end', () => {
  assert.throws(() => parse('x,y\n1,2\r3,4\n'), invalid(/line 2, column "y": "2\r3" is not a number/));
  assert.deepEqual(parse('x,y\n1,2\r'), [[1], [2]]);
});

test('a line that is cut short is named', () => {
  assert.throws(() => parse('x,y\n1,2\n3\n'), invalid(/points\.csv, line 3: 1 of 2 columns/));
});

test('an unknown headerless form and an empty file are refused', () => {
  assert.throws(() => parse('1,2,3\n'), invalid(/no header, and 3 columns/));
  assert.throws(() => parse(''), invalid(/is empty/));
});
