/** Prometheus' text form, as far as a page needs it: plain values and histograms. Pure. */

export interface Bucket {
  /** Upper bound; Infinity for the last. */
  readonly le: number;
  /** In this bucket alone. */
  readonly count: number;
}

export interface Histogram {
  readonly name: string;
  readonly labels: string;
  readonly buckets: readonly Bucket[];
  readonly count: number;
  readonly sum: number;
}

export interface Metric {
  readonly name: string;
  readonly labels: string;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/;

export function parseMetrics(text: string): { metrics: Metric[]; histograms: Histogram[] } {
  const kinds = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)/gm)].map(([, name, kind]) => [name, kind]));
  const metrics: Metric[] = [];
  const buckets = new Map<string, { name: string; labels: string; upTo: [number, number][]; sum: number }>();
  const gather = (name: string, labels: string) => {
    const key = `${name} ${labels}`;
    const known = buckets.get(key) ?? { name, labels, upTo: [], sum: 0 };
    buckets.set(key, known);
    return known;
  };
  for (const line of text.split('\n')) {
    const [, name = '', labels = '', value = ''] = LINE.exec(line) ?? [];
    if (name === '') continue;
    const base = name.replace(/_(bucket|sum|count)$/, '');
    if (kinds.get(base) !== 'histogram') metrics.push({ name, labels, value: Number(value) });
    else if (name.endsWith('_bucket')) {
      const le = /le="([^"]*)"/.exec(labels)?.[1] ?? '+Inf';
      const rest = labels.replace(/,?le="[^"]*"/, '').replace(/^,/, '');
      gather(base, rest).upTo.push([le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), Number(value)]);
    } else if (name.endsWith('_sum')) gather(base, labels).sum = Number(value);
  }
  return { metrics, histograms: [...buckets.values()].map(histogramOf) };
}

function histogramOf({
  name,
  labels,
  upTo,
  sum,
}: {
  name: string;
  labels: string;
  upTo: [number, number][];
  sum: number;
}): Histogram {
  const sorted = upTo.sort(([a], [b]) => a - b);
  const buckets = sorted.map(([le, count], index) => ({ le, count: count - (sorted[index - 1]?.[1] ?? 0) }));
  return { name, labels, buckets, count: sorted.at(-1)?.[1] ?? 0, sum };
}

/** The bound below which that share of what was measured lies; null when nothing was. */
export function quantile({ buckets, count }: Histogram, share: number): number | null {
  let seen = 0;
  if (count === 0) return null;
  for (const { le, count: here } of buckets) {
    seen += here;
    if (seen >= count * share) return le;
  }
  return null;
}

const SPANS: Readonly<Record<string, string>> = {
  bulkhead_tick_to_order_seconds: 'A market event to the order it led to',
  bulkhead_order_fill_seconds: 'An order at market to its last fill',
  bulkhead_fill_to_stop_seconds: 'A position’s first fill to its live stop',
};

/** A histogram's or a gauge's name for people; what has none keeps its own. */
export function wordsOf(name: string, labels: string): string {
  const kind = /^(?:type|kind)="([^"]*)"$/.exec(labels)?.[1];
  if (name === 'nodejs_gc_duration_seconds') return `Garbage collection, ${kind ?? labels}`;
  if (name === 'bulkhead_journal_rows_total') return `rows of ${kind ?? labels}`;
  return SPANS[name] ?? `${name.replace(/^bulkhead_/, '').replaceAll('_', ' ')} ${labels}`.trim();
}

/** The run's own first, then the platform's. */
export const ownFirst = (a: { readonly name: string }, b: { readonly name: string }): number =>
  Number(b.name in SPANS) - Number(a.name in SPANS);

/** "2.5 ms", "1 s". */
export const spanOf = (seconds: number): string =>
  seconds < 1 ? `${Number((seconds * 1_000).toPrecision(3))} ms` : `${Number(seconds.toPrecision(3))} s`;
