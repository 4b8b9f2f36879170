/** Prometheus' text, read as the alert rules see it. */
import type { Sample } from '../../src/alerts/expression.ts';

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

export function readScrape(text: string): Map<string, Sample[]> {
  const samples = new Map<string, Sample[]>();
  for (const line of text.split('\n')) {
    const [, name, labels = '', value] = LINE.exec(line) ?? [];
    if (name === undefined) continue;
    const read = Object.fromEntries(
      [...labels.matchAll(LABEL)].map(([, label = '', said = '']) => [label, said]),
    );
    samples.set(name, [...(samples.get(name) ?? []), { labels: read, value: Number(value) }]);
  }
  return samples;
}
