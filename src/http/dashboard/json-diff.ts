/** What differs between two plain JSON values, as lines to print. Pure. */
import type { Json } from '../../core/json.ts';

export interface DiffLine {
  readonly depth: number;
  readonly key: string;
  /** What stands now; null for a line that only opens an object or is gone. */
  readonly value: string | null;
  /** What stood before, where it was another. */
  readonly old: string | null;
  readonly kind: 'same' | 'changed' | 'added' | 'gone' | 'holder';
}

type Holder = { readonly [key: string]: Json };

const isHolder = (value: Json | undefined): value is Holder | Json[] =>
  typeof value === 'object' && value !== null && Object.keys(value).length > 0;

/** Every line of `now`, marked where it differs from `before`; what is gone stands in its place. */
export function diffLines(before: Json | undefined, now: Json | undefined, depth = 0): DiffLine[] {
  const old = isHolder(before) ? (before as Holder) : {};
  const next = isHolder(now) ? (now as Holder) : {};
  const keys = [...Object.keys(next), ...Object.keys(old).filter((key) => !Object.hasOwn(next, key))];
  return keys.flatMap((key) => lineOf(key, old[key], next[key], depth));
}

const words = (value: Json | undefined): string | null =>
  value === undefined ? null : JSON.stringify(value);

function lineOf(key: string, before: Json | undefined, now: Json | undefined, depth: number): DiffLine[] {
  if (isHolder(now) && (before === undefined || isHolder(before))) {
    const changed = words(before) !== words(now);
    const holder: DiffLine = { depth, key, value: null, old: null, kind: changed ? 'changed' : 'holder' };
    return [holder, ...diffLines(before, now, depth + 1)];
  }
  if (now === undefined) return [{ depth, key, value: null, old: words(before), kind: 'gone' }];
  const value = words(now);
  if (before === undefined) return [{ depth, key, value, old: null, kind: 'added' }];
  const same = words(before) === value;
  return [{ depth, key, value, old: same ? null : words(before), kind: same ? 'same' : 'changed' }];
}
