/** What every bench needs: seconds of a piece of work, the median of rounds, and one JSON line per result. */

export function timed(work: () => void): number {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export function report(result: Readonly<Record<string, unknown>>): void {
  const rounded = Object.entries(result).map(([key, value]) => [
    key,
    typeof value === 'number' ? Number(value.toPrecision(5)) : value,
  ]);
  console.log(JSON.stringify(Object.fromEntries(rounded)));
}
