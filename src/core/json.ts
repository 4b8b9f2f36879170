/** Plain JSON: all that may stand in a journal row, a machine's context or an event. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A deep, mutable copy of a JSON value: XState's restore mutates the snapshot it is handed. */
export function cloneJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
