/**
 * Any actor's statechart, live or at any past moment: the same page is the viewer of a replay. It reads committed
 * rows only; looking cannot touch an actor.
 */
import type { Json } from '../../core/json.ts';
import type { ChartLayout } from '../../operator/chart-drawing.ts';
import type { ActorLine, ActorMoment, JournalPage } from '../../operator/views.ts';
import { read } from './api.ts';
import { litStates, type StateValue, takenEdges } from './chart-state.ts';
import { exact, time } from './format.ts';
import { diffLines } from './json-diff.ts';
import { Card, eventType, Field, Loaded, linkTo, useNamedView, useView } from './parts.ts';
import { Statechart, type Step } from './statechart.ts';
import { usePart } from './store.ts';
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
    ${chosen === '' ? html`<p class="quiet">Choose an actor.</p>` : html`<${Watched} key=${chosen} actor=${chosen} type=${type} newest=${known?.seq ?? null} n=${n} />`}
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
  const [typed, setTyped] = useState('');
  const names = useMemo(
    () =>
      actors
        .map((one) => one.actor)
        .filter((name) => name.toLowerCase().includes(typed.toLowerCase()))
        .sort()
        .slice(0, MOST_OFFERED),
    [actors, typed],
  );
  const go = (event: Event) => {
    location.hash = linkTo('inspector', (event.target as HTMLInputElement).value).slice(1);
  };
  return html`<div class="row">
    <span>Statechart</span>
    <input list="actors" aria-label="Actor" placeholder="position/BTCUSDT/BOTH/1" value=${actor} onChange=${go} onInput=${(event: Event) => setTyped((event.target as HTMLInputElement).value)} size="32" />
    <datalist id="actors">${names.map((name) => html`<option value=${name} />`)}</datalist>
    ${n !== null && html`<a href=${linkTo('inspector', actor)}>back to live</a>`}
    <span class="quiet">${n === null ? 'live' : `at row ${n}`}</span>
  </div>`;
}

type Row = JournalPage['rows'][number];
const PAGE = 500;

/** The newest rows of an actor, and more as they are committed. */
function useRows(
  actor: string,
  newest: number | null,
): { rows: readonly Row[]; error: string | null; isUnknown: boolean } {
  const [rows, setRows] = useState<readonly Row[]>([]);
  const [error, setError] = useState<string | null>(null);
  const [isRead, setRead] = useState(false);
  const heard = usePart((state) => state.rows.find((row) => row.actor === actor)?.seq ?? 0);
  const reset = usePart(({ version }) => version.reset);
  const last = rows.at(-1)?.seq;
  useEffect(() => {
    let isOpen = true;
    const from = last ?? Math.max(0, (newest ?? 0) - PAGE);
    read<readonly Row[]>('actor/rows', { actor, afterSeq: from, limit: PAGE }).then(
      (more) => {
        if (!isOpen) return;
        setError(null);
        setRead(true);
        if (more.length > 0)
          setRows((known) => [...known, ...more.filter(({ seq }) => seq > (known.at(-1)?.seq ?? 0))]);
      },
      (failure: unknown) => isOpen && setError(String(failure)),
    );
    return () => {
      isOpen = false;
    };
  }, [actor, heard, newest, reset]);
  return { rows, error, isUnknown: isRead && rows.length === 0 };
}

const eventOf = (row: Row): string => eventType(row.event);

function Watched({
  actor,
  type,
  newest,
  n,
}: {
  actor: string;
  type: string;
  newest: number | null;
  n: number | null;
}): VNode {
  const { rows, error, isUnknown } = useRows(actor, newest);
  const chart = useView<{ events: readonly string[]; layout: ChartLayout }>(
    () => read('machine-layout', { type }),
    type,
    600_000,
  );
  const at = n === null ? rows.length - 1 : rows.findLastIndex((row) => row.n <= n);
  const row = rows[at];
  const before = rows[at - 1];
  const [other, setOther] = useState<number | null>(null);
  const now = useMoment(actor, row?.n ?? n);
  const compared = useMoment(actor, other ?? before?.n ?? null);
  const step = useMemo(
    () => stepOf(chart.data?.layout, now, compared, row ? eventOf(row) : ''),
    [chart.data, now, compared],
  );
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
      <${Timeline} actor=${actor} rows=${rows} at=${at} />
      ${n === null && html`<${TestEventForm} actor=${actor} events=${chart.data?.events ?? []} rows=${rows} />`}
    </div>
    <div>
      ${row && now && html`<${About} row=${row} moment=${now} />`}
      <${Compared} actor=${actor} rows=${rows} other=${other} setOther=${setOther} />
      ${now && html`<${Context} before=${contextOf(compared)} now=${contextOf(now)} />`}
    </div>
  </div>`;
}

/** The actor as of a row; kept while the next one is read, so that nothing flickers. */
function useMoment(actor: string, n: number | null): ActorMoment | null {
  const [moment, setMoment] = useState<ActorMoment | null>(null);
  useEffect(() => {
    let isOpen = true;
    if (n === null) setMoment(null);
    else
      read<ActorMoment>('actor/at', { actor, n }).then(
        (read) => isOpen && setMoment(read),
        () => isOpen && setMoment(null),
      );
    return () => {
      isOpen = false;
    };
  }, [actor, n]);
  return moment;
}

const snapshotOf = (moment: ActorMoment | null): { value: StateValue | null; context: Json | undefined } => {
  const snapshot = moment?.snapshot as { value?: StateValue; context?: Json } | null | undefined;
  return { value: snapshot?.value ?? null, context: snapshot?.context };
};
const contextOf = (moment: ActorMoment | null): Json | undefined => snapshotOf(moment).context;

function stepOf(
  layout: ChartLayout | undefined,
  now: ActorMoment | null,
  before: ActorMoment | null,
  event: string,
): Step | null {
  if (!layout) return null;
  const lit = litStates(layout, snapshotOf(now).value);
  const was = litStates(layout, snapshotOf(before).value);
  return {
    lit,
    entered: new Set([...lit].filter((id) => was.size > 0 && !was.has(id))),
    left: new Set([...was].filter((id) => !lit.has(id))),
    taken: takenEdges(layout, was, lit, event),
    key: `${before?.n} ${now?.n}`,
  };
}

/** To scrub through the actor's life, step by step or from event to event. */
function Timeline({ actor, rows, at }: { actor: string; rows: readonly Row[]; at: number }): VNode {
  const [wanted, setWanted] = useState('');
  const go = (index: number): void => {
    const row = rows[Math.min(Math.max(index, 0), rows.length - 1)];
    if (row)
      location.hash = (
        index >= rows.length - 1 ? linkTo('inspector', actor) : linkTo('inspector', actor, row.n)
      ).slice(1);
  };
  const types = [...new Set(rows.map(eventOf))].sort();
  const matches = (row: Row) => wanted === '' || eventOf(row) === wanted;
  const next = rows.findIndex((row, index) => index > at && matches(row));
  const previous = rows.findLastIndex((row, index) => index < at && matches(row));
  return html`
    <input class="timeline" type="range" aria-label="Moment" min="0" max=${Math.max(0, rows.length - 1)} value=${at} onInput=${(event: Event) => go(Number((event.target as HTMLInputElement).value))} />
    <div class="row">
      <button type="button" disabled=${previous < 0} onClick=${() => go(previous)}>‹ Back</button>
      <button type="button" disabled=${next < 0} onClick=${() => go(next)}>Forward ›</button>
      <${Field} label="to"><select aria-label="Event to go to" value=${wanted} onChange=${(event: Event) => setWanted((event.target as HTMLSelectElement).value)}>
        <option value="">any event</option>
        ${types.map((type) => html`<option value=${type}>${type}</option>`)}
      </select></${Field}>
      <span class="quiet">step ${at + 1} of ${rows.length}${(rows[0]?.seq ?? 1) > 1 ? ` (of its last ${rows.length})` : ''}</span>
    </div>`;
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
  other,
  setOther,
}: {
  actor: string;
  rows: readonly Row[];
  other: number | null;
  setOther: (n: number | null) => void;
}): VNode => html`<${Field} label="Compare with">
  <select aria-label=${`Moment of ${actor} to compare with`} value=${other ?? ''} onChange=${(
    event: Event,
  ) => {
    const { value } = event.target as HTMLSelectElement;
    setOther(value === '' ? null : Number(value));
  }}>
    <option value="">the step before</option>
    ${rows.slice(-200).map((row) => html`<option value=${row.n}>row ${row.n}: ${eventOf(row)}</option>`)}
  </select>
</${Field}>`;

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
