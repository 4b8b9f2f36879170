/** A statechart's state value for people: "open filled protected armed", outer states first. */
export function stateText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  return Object.entries(value)
    .map(([key, inner]) => (isRegion(value) ? stateText(inner) : `${key} ${stateText(inner)}`))
    .join(' ');
}

/** Of parallel regions the names say little and their states say all. */
const isRegion = (value: object): boolean => Object.keys(value).length > 1;
