/**
 * What those who look on read of a committed row's snapshot, without each of them parsing all of it. Rows are read by
 * one after the other before the next row comes, so the newest text is all that is remembered.
 *
 * Invariant: what is handed out is shared, and changed by nobody.
 */

export interface SnapshotParts {
  readonly value: unknown;
  readonly context: unknown;
}

let newest: { readonly text: string; readonly parts: SnapshotParts } | undefined;

/** The whole of it, parsed once for all who ask one after the other. */
export function snapshotParts<S extends SnapshotParts>(text: string): S {
  if (newest?.text !== text) newest = { text, parts: JSON.parse(text) as S };
  return newest.parts as S;
}

/** As statecharts write theirs: nothing that could be taken for the end of the state stands in a state's name. */
const BEGINNING = '{"status":"active","value":';
const AFTERWARDS = ',"historyValue":';

/** The state alone, as JSON; its context may be large, and is not parsed for it. Undefined: it has none. */
export function stateJson(text: string): string | undefined {
  const end = text.startsWith(BEGINNING) ? text.indexOf(AFTERWARDS, BEGINNING.length) : -1;
  if (end > 0) return text.slice(BEGINNING.length, end);
  return JSON.stringify((JSON.parse(text) as { value?: unknown }).value);
}
