/** The table in docs/FAULTS.md as data: what directed strikes found fills the cells that chance left empty. */
import { FAULT_CLASSES } from './fault-classes.ts';
import { impossible } from './fault-recipes.ts';
import { cellText, STATES, type State } from './fault-table.ts';
import type { Directed } from './fault-targets.ts';

const BEGIN = '<!-- table -->';
const END = '<!-- /table -->';
const EMPTY = '–';
const DIRECTED = '†';
const NO_PAIR = /^n\/a/;

/** Puts a table into the page. */
export function withTable(page: string, table: string): string {
  const [before = '', rest = ''] = page.split(BEGIN);
  return `${before}${BEGIN}\n\n${table}\n\n${END}${rest.split(END)[1] ?? ''}`;
}

const tableOf = (page: string): readonly string[] =>
  (page.split(BEGIN)[1]?.split(END)[0] ?? '').split('\n').filter((line) => line.startsWith('|'));
const cellsOf = (line: string): string[] =>
  line
    .slice(1, -1)
    .split(' | ')
    .map((cell) => cell.trim());
const nameOf = (line: string): string | undefined => /^\| \*\*(.+?)\*\*: /.exec(line)?.[1];

/** The states in which chance did not bring the class; `again`: those of an earlier directed run too. */
export function emptyCells(page: string, fault: string, again: boolean): State[] {
  const line = tableOf(page).find((one) => nameOf(one) === fault);
  const cells = line === undefined ? [] : cellsOf(line).slice(1);
  return STATES.filter((_, i) => {
    const cell = cells[i] ?? EMPTY;
    return cell === EMPTY || NO_PAIR.test(cell) || (again && cell.startsWith(DIRECTED));
  });
}

/** The page with what was found, and below the table why the rest cannot be. */
export function filled(page: string, found: readonly Directed[]): string {
  const reasons: string[] = [];
  const mark = (reason: string): string => {
    if (!reasons.includes(reason)) reasons.push(reason);
    return `n/a ${reasons.indexOf(reason) + 1}`;
  };
  const lines = tableOf(page).map((line) => {
    const fault = FAULT_CLASSES.find(({ name }) => name === nameOf(line));
    if (!fault) return line;
    const [head, ...cells] = cellsOf(line);
    const full = cells.map((cell, i) => {
      const state = STATES[i];
      if (state === undefined || !(cell === EMPTY || cell.startsWith(DIRECTED) || NO_PAIR.test(cell)))
        return cell;
      const one = found.find((found) => found.fault === fault.name && found.state === state);
      if (one) return `${DIRECTED} ${cellText(one.cell)}`;
      const reason = impossible(fault, state);
      return reason === undefined ? cell : mark(reason);
    });
    return `| ${[head, ...full].join(' | ')} |`;
  });
  const notes = reasons.map((reason, i) => `n/a ${i + 1}: ${reason}.`);
  return withTable(page, [lines.join('\n'), ...notes].join('\n\n'));
}
