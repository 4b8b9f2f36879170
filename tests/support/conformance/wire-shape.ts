/**
 * The shape of JSON answers: which fields there are, of which JSON type, and with how many decimals where a text is
 * a number. Many answers of one kind make one shape, so that what one of them lacks another may show.
 *
 * Invariant: the elements of a list share one shape, unless the list is a row of values of several kinds (a candle,
 * a price level), whose places each have their own.
 */
export interface Shape {
  /** By path ("symbols[].filters[].tickSize"), the JSON types seen there. */
  readonly types: ReadonlyMap<string, ReadonlySet<string>>;
  /** By path, the decimals seen there in texts that are numbers. */
  readonly places: ReadonlyMap<string, ReadonlySet<number>>;
}

const DECIMAL = /^-?\d+(?:\.(\d+))?$/;

/** The lists that are rows of values of several kinds, by the last part of their path. */
const ROWS = new Set(['[]', 'bids[]', 'asks[]', 'b[]', 'a[]']);

export function shapeOf(values: readonly unknown[]): Shape {
  const types = new Map<string, Set<string>>();
  const places = new Map<string, Set<number>>();
  const note = <T>(map: Map<string, Set<T>>, path: string, what: T): void => {
    const known = map.get(path);
    if (known) known.add(what);
    else map.set(path, new Set([what]));
  };
  const visit = (path: string, value: unknown): void => {
    if (Array.isArray(value)) {
      note(types, path, 'list');
      const row = ROWS.has(path.split('.').at(-1) ?? '') && !value.some((one) => typeof one === 'object');
      for (const [i, one] of value.entries()) visit(row ? `${path}[${i}]` : `${path}[]`, one);
    } else if (typeof value === 'object' && value !== null) {
      note(types, path, 'object');
      for (const [name, one] of Object.entries(value)) visit(path === '' ? name : `${path}.${name}`, one);
    } else {
      note(types, path, value === null ? 'null' : typeof value);
      const decimals = typeof value === 'string' ? DECIMAL.exec(value) : null;
      if (decimals) note(places, path, decimals[1]?.length ?? 0);
    }
  };
  for (const value of values) visit('', value);
  return { types, places };
}

const told = (set: ReadonlySet<unknown> | undefined): string => [...(set ?? [])].sort().join(' or ');

/**
 * What our shape has otherwise than the recorded one, by path. Decimals are compared where the venue always writes
 * the same number of them, and only if both are of the same symbol.
 */
export function differences(ours: Shape, theirs: Shape, sameSymbol: boolean): Map<string, string> {
  const found = new Map<string, string>();
  for (const [path, types] of theirs.types) {
    const given = ours.types.get(path);
    if (!given) found.set(path, 'not sent');
    else if (told(given) !== told(types)) found.set(path, `${told(given)}, recorded ${told(types)}`);
  }
  for (const path of ours.types.keys()) if (!theirs.types.has(path)) found.set(path, 'not in the recording');
  if (!sameSymbol) return found;
  for (const [path, places] of theirs.places) {
    const given = ours.places.get(path);
    if (places.size === 1 && given && told(given) !== told(places))
      found.set(path, `${told(given)} decimals, recorded ${told(places)}`);
  }
  return found;
}
