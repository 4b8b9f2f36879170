/**
 * Which faults struck in which states: of each live position, of the orders under way, of the streams and the
 * breakers. A fault that never met a state proves nothing about it.
 */
import { stateText } from '../../core/state-text.ts';
import type { JournalRow } from '../../journal/journal.ts';
import type { Life, Onlooker } from './world.ts';

export type CoverageTable = Readonly<Record<string, Readonly<Record<string, number>>>>;

const MOST_WORDS = 500;

export class Coverage implements Onlooker {
  readonly faults = new Map<string, number>();
  readonly #pairs = new Map<string, Map<string, number>>();
  readonly #positions = new Map<string, string>();
  readonly #words = new Map<string, readonly string[]>();
  readonly #breakers = new Set<string>();
  readonly #living: () => readonly Life[];

  constructor(living: () => readonly Life[]) {
    this.#living = living;
  }

  rows(rows: readonly JournalRow[]): void {
    for (const { actor, snapshot, final } of rows) {
      if (actor.startsWith('position/')) {
        if (final) this.#positions.delete(actor);
        else if (snapshot !== null) this.#positions.set(actor, snapshot);
      } else if (actor.startsWith('breaker/')) {
        if (snapshot?.includes('"open":') === true && /"value":\{"open"/.test(snapshot))
          this.#breakers.add(actor);
        else this.#breakers.delete(actor);
      }
    }
  }

  fault(what: string): void {
    this.faults.set(what, (this.faults.get(what) ?? 0) + 1);
    const states = this.#states();
    const row = this.#pairs.get(what) ?? new Map<string, number>();
    for (const state of states) row.set(state, (row.get(state) ?? 0) + 1);
    this.#pairs.set(what, row);
  }

  get table(): CoverageTable {
    const entries = [...this.#pairs].sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(
      entries.map(([fault, states]) => [
        fault,
        Object.fromEntries([...states].sort(([a], [b]) => (a < b ? -1 : 1))),
      ]),
    );
  }

  /** Of a position's snapshot; many faults strike between two of its rows. */
  #wordsOf(snapshot: string): readonly string[] {
    let words = this.#words.get(snapshot);
    if (!words) {
      const { value } = JSON.parse(snapshot) as { value: unknown };
      words = stateText(value)
        .split(' ')
        .map((word) => `position ${word}`);
      if (this.#words.size > MOST_WORDS) this.#words.clear();
      this.#words.set(snapshot, words);
    }
    return words;
  }

  #states(): Set<string> {
    const states = new Set<string>();
    for (const snapshot of this.#positions.values())
      for (const state of this.#wordsOf(snapshot)) states.add(state);
    if (this.#positions.size === 0) states.add('no position');
    if (this.#breakers.size > 0) states.add('breaker open');
    const [life] = this.#living();
    const state = life?.system?.executor.current()?.state;
    if (!life) states.add('nobody runs');
    else if (!state) states.add('starting');
    else {
      states.add(state.ready ? 'reconciled' : 'not reconciled');
      if (state.stream === 'down') states.add('stream down');
      for (const { status } of Object.values(state.orders)) states.add(`order ${status}`);
    }
    return states;
  }
}

export const pairsOf = (table: CoverageTable): number =>
  Object.values(table).reduce((sum, states) => sum + Object.keys(states).length, 0);

export function mergeTables(tables: readonly CoverageTable[]): CoverageTable {
  const merged: Record<string, Record<string, number>> = {};
  for (const table of tables)
    for (const [fault, states] of Object.entries(table)) {
      merged[fault] ??= {};
      const row = merged[fault];
      for (const [state, count] of Object.entries(states)) row[state] = (row[state] ?? 0) + count;
    }
  return merged;
}
