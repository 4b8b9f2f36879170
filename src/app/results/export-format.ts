/** Records as lines of a file: CSV as RFC 4180 has it, or one JSON object a line. Pure. */

import type { ExportFormat } from '../cli/io.ts';
import type { Cell, ExportRecord } from './export-records.ts';

/** Columns of the journal that hold JSON texts: nested in JSON, as they are in CSV. A fill's `cause` is plain. */
const NESTED: ReadonlySet<string> = new Set(['event', 'cause', 'snapshot', 'intents', 'host']);

const csvCell = (value: Cell): string => {
  if (value === null) return '';
  const text = String(value);
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

export function headerLine(format: ExportFormat, columns: readonly string[]): string {
  return format === 'csv' ? `${columns.map(csvCell).join(',')}\r\n` : '';
}

export function recordLine(format: ExportFormat, columns: readonly string[], record: ExportRecord): string {
  if (format === 'csv') return `${columns.map((name) => csvCell(record[name] ?? null)).join(',')}\r\n`;
  const isJournal = columns.includes('snapshot');
  const fields = columns.map((name) => {
    const value = record[name] ?? null;
    const isNested = isJournal && NESTED.has(name) && typeof value === 'string';
    return `${JSON.stringify(name)}:${isNested ? value : JSON.stringify(value)}`;
  });
  return `{${fields.join(',')}}\n`;
}
