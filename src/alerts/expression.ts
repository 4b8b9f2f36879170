/**
 * The part of Prometheus' query language that the alert rules use, so that one sentence says in both places when an
 * alert fires: `metric{label="x",other!="y"} > 1`, with sum, abs, delta and increase, and one quotient. Pure.
 *
 * Invariants: what the metrics do not show gives no answer, rather than zero; every answer carries the labels of its
 * series, less those that a sum takes away.
 */
import { defined } from '../core/assert.ts';

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What the metrics showed at one moment. */
export interface Look {
  /** Monotonic, in ms. */
  readonly at: number;
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
}

/** The newest last. */
export type Looks = readonly Look[];

export interface Expression {
  readonly metrics: readonly string[];
  /** How far back it looks. */
  readonly rangeMs: number;
  /** Every series that it judges. */
  readonly values: (looks: Looks) => readonly Sample[];
  /** Those for which it holds now. */
  readonly holds: (looks: Looks) => readonly Sample[];
}

type Evaluate = (looks: Looks) => readonly Sample[];

const COMPARISONS: Readonly<Record<string, (left: number, right: number) => boolean>> = {
  '>': (left, right) => left > right,
  '<': (left, right) => left < right,
  '==': (left, right) => left === right,
};
const CALL = /^(sum|abs|delta|increase)\((.*)\)$/;
const SELECTOR = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([^}]*)\})?(?:\[(\d+)m\])?$/;
const MATCHER = /^(\w+)(!?=)"([^"]*)"$/;
const MINUTE_MS = 60_000;

export function expression(text: string): Expression {
  const parts = /^(.+?) (>|<|==) (-?[\d.]+)$/.exec(text);
  const [, left = '', sign = '', right = ''] = defined(parts, `a comparison in "${text}"`);
  const compare = defined(COMPARISONS[sign], `the comparison ${sign}`);
  const uses: { readonly metric: string; readonly rangeMs: number }[] = [];
  const value = quotient(left, uses);
  return {
    metrics: [...new Set(uses.map(({ metric }) => metric))],
    rangeMs: Math.max(0, ...uses.map(({ rangeMs }) => rangeMs)),
    values: value,
    holds: (looks) => value(looks).filter((sample) => compare(sample.value, Number(right))),
  };
}

type Uses = { readonly metric: string; readonly rangeMs: number }[];

function quotient(text: string, uses: Uses): Evaluate {
  const [over, under] = text.split(' / ');
  const top = term(over ?? '', uses);
  if (under === undefined) return top;
  const bottom = term(under, uses);
  return (looks) => {
    const [divisor] = bottom(looks);
    if (!divisor || divisor.value === 0) return [];
    return top(looks).map(({ labels, value }) => ({ labels, value: value / divisor.value }));
  };
}

function term(text: string, uses: Uses): Evaluate {
  const [, name, inner = ''] = CALL.exec(text) ?? [];
  if (name === undefined) {
    const { metric, matches } = selector(text, uses);
    return (looks) => select(looks.at(-1), metric, matches);
  }
  if (name === 'delta' || name === 'increase') return change(name, inner, uses);
  const argument = term(inner, uses);
  if (name === 'abs')
    return (looks) => argument(looks).map(({ labels, value }) => ({ labels, value: Math.abs(value) }));
  return (looks) => {
    const samples = argument(looks);
    if (samples.length === 0) return [];
    return [{ labels: {}, value: samples.reduce((sum, { value }) => sum + value, 0) }];
  };
}

/** Since the oldest look within the range. A counter that fell began anew. */
function change(kind: 'delta' | 'increase', text: string, uses: Uses): Evaluate {
  const { metric, matches, rangeMs } = selector(text, uses);
  return (looks) => {
    const last = looks.at(-1);
    const within = looks.filter(({ at }) => last !== undefined && at >= last.at - rangeMs);
    return select(last, metric, matches).map(({ labels }) => {
      const values = within.flatMap((look) =>
        select(look, metric, matches).flatMap((one) => (isSame(one.labels, labels) ? [one.value] : [])),
      );
      const steps = values.slice(1).map((value, i) => value - (values[i] ?? 0));
      const rises = steps.map((step, i) => (step < 0 ? (values[i + 1] ?? 0) : step));
      const all = kind === 'delta' ? steps : rises;
      return { labels, value: all.reduce((sum, step) => sum + step, 0) };
    });
  };
}

type Matches = (labels: Sample['labels']) => boolean;

function selector(text: string, uses: Uses): { metric: string; matches: Matches; rangeMs: number } {
  const [, metric = '', inside = '', minutes = '0'] = defined(SELECTOR.exec(text), `a metric in "${text}"`);
  const matchers = inside === '' ? [] : inside.split(',').map(matcher);
  const rangeMs = Number(minutes) * MINUTE_MS;
  uses.push({ metric, rangeMs });
  return { metric, rangeMs, matches: (labels) => matchers.every((matches) => matches(labels)) };
}

function matcher(text: string): Matches {
  const [, label = '', sign, wanted] = defined(MATCHER.exec(text), `a matcher in "${text}"`);
  return (labels) => ((labels[label] ?? '') === wanted) === (sign === '=');
}

const select = (look: Look | undefined, metric: string, matches: Matches): readonly Sample[] =>
  (look?.samples.get(metric) ?? []).filter(({ labels }) => matches(labels));

const isSame = (one: Sample['labels'], other: Sample['labels']): boolean =>
  labelText(one) === labelText(other);

/** The same for the same labels, whatever their order. */
export const labelText = (labels: Sample['labels']): string =>
  Object.entries(labels)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
