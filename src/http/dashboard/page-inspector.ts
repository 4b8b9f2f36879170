/**
 * Any actor's statechart, live or at any past moment: the same page is the viewer of a replay. It reads committed
 * rows only; looking cannot touch an actor.
 */
import type { Json } from '../../core/json.ts';
import type { ChartLayout } from '../../operator/chart-drawing.ts';
import type { ActorLine, ActorMoment } from '../../operator/views.ts';
import { read } from './api.ts';
import { litStates, type StateValue, takenWays } from './chart-state.ts';
import { exact, time } from './format.ts';
import { eventOf, type Shown, useLiveRow, useShown, useStretch } from './inspector-rows.ts';
import type { Row } from './inspector-stretch.ts';
import { Timeline } from './inspector-timeline.ts';
import { diffLines } from './json-diff.ts';
import { Card, Field, Loaded, linkTo, useNamedView, useView } from './parts.ts';
import { Statechart, type Step } from './statechart.ts';
import { TestEventForm } from './test-event.ts';
import { html, useEffect, useMemo, useState, type VNode } from './ui.ts';

export function Inspector({ actor, n }: { actor: string | null; n: number | null }): VNode {
  const actors = useNamedView<readonly ActorLine[]>('actors', {}, 5_000);
  const chosen = actor ?? '';
  useEffect(() => {
    // Something to look at: what is open, or who judges what is opened.
    const first =
      actors.data?.find((one) => one.type === 'position') ??
      actors.data?.find((one) => one.type === 'portfolio');
    if (actor === null && first) location.replace(linkTo('inspector', first.actor));
  }, [actor, actors.data]);
  const known = actors.data?.find((one) => one.actor === chosen);
  const type = known?.type ?? chosen.split('/')[0] ?? '';
  return html`<${Card} title=${html`<${Picker} actors=${actors.data ?? []} actor=${chosen} n=${n} />`}>
    ${chosen === '' ? html`<p class="quiet">Choose an actor.</p>` : html`<${Watched} key=${chosen} actor=${chosen} type=${type} n=${n} />`}
  </${Card}>`;
}

/** Of thousands of actors only some are offered at a time: those that match what is typed. */
const MOST_OFFERED = 200;

function Picker({
  actors,
  actor,
  n,
}: {
  actors: readonly ActorLine[];
  actor: string;
  n: number | null;
}): VNode {
  /** What stands there while one writes; null: nobody does. */
  const [typed, setTyped] = useState<string | null>(null);
  const names = useMemo(
    () =>
      actors
        .map((one) => one.actor)
        .filter((name) => name.toLowerCase().includes((typed ?? '').toLowerCase()))
        .sort()
        .slice(0, MOST_OFFERED),
    [actors, typed],
  );
  const go = (event: Event) => {
    setTyped(null);
    location.hash = linkTo('inspector', (event.target as HTMLInputElement).value).slice(1);
  };
  return html`<div class="row">
    <span>Statechart</span>
    <input list="actors" aria-label="Actor" placeholder="position/BTCUSDT/BOTH/1" value=${typed ?? actor} onChange=${go} onInput=${(event: Event) => setTyped((event.target as HTMLInputElement).value)} size="32" />
    <datalist id="actors">${names.map((name) => html`<option value=${name} />`)}</datalist>
    ${n !== null && html`<a href=${linkTo('inspector', actor)}>back to live</a>`}
    <span class="quiet">${n === null ? 'live' : `at row ${n}`}</span>
  </div>`;
}

function Watched({ actor, type, n }: { actor: string; type: string; n: number | null }): VNode {
  const seen = useStretch(actor, n);
  const { stretch, error, isUnknown } = seen;
  const chart = useView<{ events: readonly string[]; layout: ChartLayout }>(
    () => read('machine-layout', { type }),
    type,
    600_000,
  );
  const [other, setOther] = useState<number | null>(null);
  const [drawn, setDrawn] = useState<number | null>(null);
  const live = useLiveRow(seen, n === null, drawn);
  const rows = stretch?.rows ?? [];
  const row = n === null ? live : (rows.findLast((one) => one.n <= n) ?? rows[0]);
  const shown = useShown(actor, row, other ?? rows.findLast((one) => one.n < (row?.n ?? 0))?.n ?? null);
  const hasChart = chart.data !== null || chart.error !== null;
  useEffect(() => setDrawn(hasChart ? (shown?.row.seq ?? null) : null), [shown, hasChart]);
  const step = useMemo(() => stepOf(chart.data?.layout, shown), [chart.data, shown]);
  if (error !== null) return html`<p class="bad" role="alert">${error}</p>`;
  if (isUnknown)
    return html`<p class="quiet" role="status">The journal has no row of an actor called ${actor}. Names are offered as you type; the tree page lists those that live.</p>`;
  return html`<div class="inspector">
    <div>
      ${
        chart.data && step
          ? html`<${Statechart} layout=${chart.data.layout} step=${step} name=${actor} />`
          : html`<${Loaded} seen=${chart} show=${() => html`<p class="quiet">One moment…</p>`} />`
      }
      ${stretch && row && html`<${Timeline} actor=${actor} stretch=${stretch} row=${row} events=${chart.data?.events ?? []} />`}
      ${n === null && html`<${TestEventForm} actor=${actor} events=${chart.data?.events ?? []} rows=${rows} />`}
    </div>
    <div>
      ${shown && html`<${About} row=${shown.row} moment=${shown.now} />`}
      ${row && html`<${Compared} actor=${actor} rows=${rows} row=${row} other=${other} setOther=${setOther} />`}
      ${shown && html`<${Context} before=${contextOf(shown.before)} now=${contextOf(shown.now)} />`}
    </div>
  </div>`;
}

const snapshotOf = (moment: ActorMoment | null): { value: StateValue | null; context: Json | undefined } => {
  const snapshot = moment?.snapshot as { value?: StateValue; context?: Json } | null | undefined;
  return { value: snapshot?.value ?? null, context: snapshot?.context };
};
const contextOf = (moment: ActorMoment | null): Json | undefined => snapshotOf(moment).context;

function stepOf(layout: ChartLayout | undefined, shown: Shown | null): Step | null {
  if (!layout) return null;
  const lit = litStates(layout, snapshotOf(shown?.now ?? null).value);
  const was = litStates(layout, snapshotOf(shown?.before ?? null).value);
  // Between two moments that do not follow one another many ways were taken.
  const isStep = shown?.before?.seq === (shown?.row.seq ?? 0) - 1;
  return {
    lit,
    entered: new Set([...lit].filter((id) => was.size > 0 && !was.has(id))),
    left: new Set([...was].filter((id) => !lit.has(id))),
    taken: takenWays(layout, isStep ? was : new Set(), lit, shown ? eventOf(shown.row) : ''),
    key: `${shown?.before?.n} ${shown?.now.n}`,
  };
}

const names = (intents: Json): string[] =>
  Array.isArray(intents)
    ? intents.map((intent) => {
        const { type, to, event, order } = intent as {
          type?: string;
          to?: string;
          event?: { type?: string };
          order?: { ref?: string; type?: string };
        };
        if (type === 'send') return `${event?.type} → ${to}`;
        return order ? `${type} ${order.ref ?? ''} ${order.type ?? ''}` : String(type);
      })
    : [];

const About = ({ row, moment }: { row: Row; moment: ActorMoment }): VNode => html`
  <h3>${eventOf(row)}</h3>
  <p class="quiet">
    <a href=${linkTo('journal', moment.n)}>row ${exact(moment.n)}</a>, its own ${moment.seq}, ${time(moment.at)}, ${moment.machine}${moment.final ? ', its last' : ''}
  </p>
  <p>Now in <span class="mono">${JSON.stringify(snapshotOf(moment).value)}</span></p>
  <ul class="plain">${names(moment.intents).map((name) => html`<li>intent: <span class="mono">${name}</span></li>`)}</ul>
  <details><summary>event, cause and intents whole</summary>
    <div class="json">${JSON.stringify({ event: moment.event, cause: moment.cause, intents: moment.intents }, null, 2)}</div>
  </details>`;

const Compared = ({
  actor,
  rows,
  row,
  other,
  setOther,
}: {
  actor: string;
  rows: readonly Row[];
  row: Row;
  other: number | null;
  setOther: (n: number | null) => void;
}): VNode => html`<div class="row"><${Field} label="Compare with">
  <select aria-label=${`Moment of ${actor} to compare with`} value=${other ?? ''} onChange=${(
    event: Event,
  ) => {
    const { value } = event.target as HTMLSelectElement;
    setOther(value === '' ? null : Number(value));
  }}>
    <option value="">the step before</option>
    ${offered(rows, row, other).map((one) => html`<option value=${one.n}>row ${one.n}: ${eventOf(one)}</option>`)}
    ${other !== null && rows.every(({ n }) => n !== other) && html`<option value=${other}>row ${other}</option>`}
  </select>
</${Field}><button type="button" onClick=${() => setOther(row.n)}>Hold this one</button></div>`;

/** Of many moments those around the one that is shown. */
const OFFERED = 200;

function offered(rows: readonly Row[], row: Row, other: number | null): readonly Row[] {
  const from = Math.max(0, Math.min(rows.indexOf(row) - OFFERED / 2, rows.length - OFFERED));
  return rows.filter((one, at) => (at >= from && at < from + OFFERED) || one.n === other);
}

/** What changed stands first; the rest can be opened. */
function Context({ before, now }: { before: Json | undefined; now: Json | undefined }): VNode {
  const lines = useMemo(() => diffLines(before ?? now, now), [before, now]);
  const changed = lines.filter(({ kind }) => kind !== 'same' && kind !== 'holder');
  const print = (some: typeof lines) =>
    html`<div class="json">${some.map(
      ({ depth, key, value, old, kind }) =>
        html`<div class=${kind === 'same' || kind === 'holder' ? '' : 'changed'}>${'  '.repeat(depth)}${key}${value === null ? '' : `: ${value}`} ${old !== null && html`<span class="old">${old}</span>`}</div>`,
    )}</div>`;
  return html`<h3>Context: ${changed.length === 0 ? 'unchanged' : 'what changed'}</h3>
    ${print(changed)}
    <details><summary>whole context</summary>${print(lines)}</details>`;
}
