/**
 * The venue's kline intervals and where they begin. Weeks begin on Monday, months on their first day, all in UTC.
 */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const FIXED: Readonly<Record<string, number>> = {
  '1m': MINUTE,
  '3m': 3 * MINUTE,
  '5m': 5 * MINUTE,
  '15m': 15 * MINUTE,
  '30m': 30 * MINUTE,
  '1h': HOUR,
  '2h': 2 * HOUR,
  '4h': 4 * HOUR,
  '6h': 6 * HOUR,
  '8h': 8 * HOUR,
  '12h': 12 * HOUR,
  '1d': DAY,
  '3d': 3 * DAY,
  '1w': 7 * DAY,
};

/** The epoch was a Thursday. */
const FIRST_MONDAY = 4 * DAY;

export const isInterval = (name: string): boolean => name === '1M' || Object.hasOwn(FIXED, name);

/** Of a month, the shortest: it is asked for only to compare with a source's own bars. */
export const intervalMs = (name: string): number => (name === '1M' ? 28 * DAY : (FIXED[name] ?? 0));

/** When the interval begins that `at` lies in. */
export function intervalOpen(name: string, at: number): number {
  if (name === '1M') {
    const date = new Date(at);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  }
  const ms = intervalMs(name);
  const shift = name === '1w' ? FIRST_MONDAY : 0;
  return Math.floor((at - shift) / ms) * ms + shift;
}

/** When the interval that begins at `openTime` ends: the next one's beginning. */
export function intervalEnd(name: string, openTime: number): number {
  if (name !== '1M') return openTime + intervalMs(name);
  const date = new Date(openTime);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}
