/** Where two JSON values differ, by path. The order of an object's keys is no difference. */
export interface JsonDifference {
  /** Dotted, e.g. "context.orders.2.status"; "" is the whole. */
  readonly path: string;
  /** Undefined: not there. */
  readonly before: unknown;
  readonly after: unknown;
}

export function jsonDifferences(before: unknown, after: unknown, path = ''): JsonDifference[] {
  if (Object.is(before, after)) return [];
  if (!isContainer(before) || !isContainer(after) || Array.isArray(before) !== Array.isArray(after))
    return [{ path, before, after }];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) =>
    jsonDifferences(
      (before as Record<string, unknown>)[key],
      (after as Record<string, unknown>)[key],
      path === '' ? key : `${path}.${key}`,
    ),
  );
}

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null;

const LONGEST_TEXT = 120;

const shown = (value: unknown): string =>
  value === undefined ? 'absent' : JSON.stringify(value).slice(0, LONGEST_TEXT);

export const differenceText = ({ path, before, after }: JsonDifference): string =>
  `${path === '' ? 'it' : path}: ${shown(before)} → ${shown(after)}`;
