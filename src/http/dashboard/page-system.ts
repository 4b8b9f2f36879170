/** The machine room: health, objectives, latencies, queues, versions, configuration, log. */
import type { Json } from '../../core/json.ts';
import type { LogLine } from '../../operator/log-ring.ts';
import type { HealthView, SloLine } from '../../operator/views.ts';
import { text } from './api.ts';
import { ConfigVersions } from './config-versions.ts';
import { exact, time } from './format.ts';
import { type Histogram, ownFirst, parseMetrics, quantile, spanOf, wordsOf } from './metrics-text.ts';
import { Badge, Card, type Column, Loaded, Table, useNamedView, useView } from './parts.ts';
import { usePart } from './store.ts';
import { html, type VNode } from './ui.ts';

export function System(): VNode {
  const health = useNamedView<HealthView>('health', {}, 3_000);
  const slo = useNamedView<readonly SloLine[]>('slo', {}, 10_000);
  const metrics = useView(() => text('/metrics').then(parseMetrics), 'metrics', 5_000);
  const logs = useNamedView<readonly LogLine[]>('logs', { limit: 200 }, 3_000);
  const version = useNamedView<Readonly<Record<string, string>>>('version', {}, 600_000);
  const config = useNamedView<Json>('config', {}, 60_000);
  type Parsed = ReturnType<typeof parseMetrics>;
  return html`<div class="columns">
    <${Card} title="Health"><${Loaded} seen=${health} show=${(data: HealthView) => html`<${Checks} health=${data} />`} /></${Card}>
    <${Card} title="Versions"><${Loaded} seen=${version} show=${(data: Record<string, string>) => html`<${Versions} versions=${data} />`} /></${Card}>
    <${Card} title="Configuration"><${Loaded} seen=${config} show=${(data: Json) => html`<details><summary>as it is in force (secrets starred out)</summary><div class="json">${JSON.stringify(data, null, 2)}</div></details>`} /></${Card}>
    <${Card} title="Objectives" wide=${true}><${Loaded} seen=${slo} show=${(lines: readonly SloLine[]) => html`<${Table} label="Objectives" stacked="lines" rows=${lines} columns=${SLO} keyOf=${({ objective }: SloLine) => objective} />`} /></${Card}>
    <${Card} title="Latencies" wide=${true}><${Loaded} seen=${metrics} show=${({ histograms }: Parsed) => html`<${Latencies} histograms=${histograms} />`} /></${Card}>
    <${Card} title="Queues and rates" wide=${true}><${Loaded} seen=${metrics} show=${({ metrics: all }: Parsed) => html`<${Gauges} metrics=${all} />`} /></${Card}>
    <${ConfigVersions} />
    <${Card} title="Log" wide=${true}><${Loaded} seen=${logs} show=${(lines: readonly LogLine[]) => html`<${Table} label="Log" stacked="lines" rows=${[...lines].reverse()} columns=${LOG} keyOf=${({ id }: LogLine) => id} empty="Nothing was logged." />`} /></${Card}>
  </div>`;
}

const Checks = ({ health }: { health: HealthView }): VNode => html`<ul class="plain">
  <li><${Badge} tone=${health.state === 'ok' ? 'good' : health.state === 'down' ? 'bad' : 'warn'}>${health.state}</${Badge}> ${health.ready ? 'ready' : 'not ready'}</li>
  ${health.checks.map(({ check, ok, detail }) => html`<li class="row"><${Badge} tone=${ok ? 'good' : 'bad'}>${ok ? 'ok' : 'failing'}</${Badge}><span>${check}</span><span class="quiet">${detail}</span></li>`)}
</ul>`;

const SLO: readonly Column<SloLine>[] = [
  { name: 'Objective', words: true, of: ({ objective }) => objective },
  { name: 'Target', of: ({ target }) => target },
  {
    name: 'Measured',
    right: true,
    of: ({ value, unit }) => (value === null ? '–' : `${exact(Number(value.toPrecision(4)))} ${unit}`),
  },
  {
    name: 'Met',
    of: ({ met }) =>
      met === null ? '–' : html`<${Badge} tone=${met ? 'good' : 'bad'}>${met ? 'yes' : 'no'}</${Badge}>`,
  },
  { name: 'Of', right: true, of: ({ samples }) => samples },
  { name: 'Since', right: true, of: ({ since }) => (since === null ? '–' : time(since)) },
];

function Versions({ versions }: { versions: Readonly<Record<string, string>> }): VNode {
  const status = usePart((state) => state.status);
  const rows: [string, string][] = [
    ...Object.entries(versions),
    ['store', status ? `${status.store.engine}, ${status.store.location}` : '–'],
    [
      'journal',
      status
        ? `row ${status.journal.n}, durable ${status.journal.durableN}, ${status.journal.rowsPerSecond.toFixed(0)} rows/s`
        : '–',
    ],
    ['recovery', status?.recovery ? `${status.recovery.actors} actors in ${status.recovery.ms} ms` : '–'],
  ];
  return html`<table><tbody>${rows.map(([name, value]) => html`<tr><th scope="row">${name}</th><td class="words">${value}</td></tr>`)}</tbody></table>`;
}

function Latencies({ histograms }: { histograms: readonly Histogram[] }): VNode {
  const measured = histograms.filter(({ count }) => count > 0).sort(ownFirst);
  if (measured.length === 0) return html`<p class="quiet">Nothing was measured yet.</p>`;
  return html`<div class="columns">${measured.map((one) => html`<${Bars} histogram=${one} />`)}</div>`;
}

function Bars({ histogram }: { histogram: Histogram }): VNode {
  const { name, labels, buckets, count } = histogram;
  const most = Math.max(...buckets.map((bucket) => bucket.count), 1);
  const bound = (share: number) => {
    const value = quantile(histogram, share);
    return value === null ? '–' : value === Number.POSITIVE_INFINITY ? 'more' : `≤ ${spanOf(value)}`;
  };
  const title = wordsOf(name, labels);
  const words = `${title}: ${count} measured, half ${bound(0.5)}, 99 % ${bound(0.99)}`;
  return html`<div>
    <div>${title}</div>
    <div class="histogram" role="img" aria-label=${words}>
      ${buckets.map(({ le, count: here }) => html`<div title=${`${le === Number.POSITIVE_INFINITY ? 'more' : `up to ${spanOf(le)}`}: ${here}`} style=${`height:${(here / most) * 100}%`}></div>`)}
    </div>
    <div class="quiet">${count} measured, p50 ${bound(0.5)}, p99 ${bound(0.99)}</div>
  </div>`;
}

const SHOWN = /queue|lag|in_flight|rate_used|budget|weight|rows|event_?loop|listeners|heap|cpu/;

const Gauges = ({
  metrics,
}: {
  metrics: readonly { name: string; labels: string; value: number }[];
}): VNode => html`<table><tbody>
  ${metrics
    .filter(({ name }) => name.startsWith('bulkhead_') && SHOWN.test(name))
    .map(
      ({ name, labels, value }) =>
        html`<tr><th scope="row">${wordsOf(name, labels).replace(/ seconds$/, '')}</th><td class="right">${name.endsWith('_seconds') ? spanOf(value) : exact(Number(value.toPrecision(6)))}</td></tr>`,
    )}
</tbody></table>`;

const TONES: Readonly<Record<string, string>> = { warn: 'warn', error: 'bad' };
const KNOWN = new Set(['id', 'level', 'at', 'time', 'message', 'msg']);

const LOG: readonly Column<LogLine>[] = [
  { name: 'Time', of: ({ at }) => html`<span class="mono">${time(Date.parse(at))}</span>` },
  { name: 'Level', of: ({ level }) => html`<span class=${TONES[level] ?? 'quiet'}>${level}</span>` },
  {
    name: 'Message',
    words: true,
    of: (line) =>
      html`${line.message} <span class="quiet">${Object.entries(line)
        .filter(([key]) => !KNOWN.has(key))
        .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
        .join(' ')}</span>`,
  },
];
