/** The journal: searched, or followed as it grows; each row whole, with its snapshot, when asked for. */
import type { RowLine } from '../../operator/feed.ts';
import type { ActorMoment, JournalPage } from '../../operator/views.ts';
import { read } from './api.ts';
import { time } from './format.ts';
import { Card, type Column, eventType, Field, Loaded, linkTo, Table, useView } from './parts.ts';
import { usePart } from './store.ts';
import { html, useState, type VNode } from './ui.ts';

type Row = JournalPage['rows'][number];

interface Shown {
  readonly n: number;
  readonly at: number;
  readonly actor: string;
  readonly event: string;
  readonly state: string;
}

const COLUMNS: readonly Column<Shown>[] = [
  { name: 'Row', right: true, of: ({ n }) => html`<a href=${linkTo('journal', n)}>${n}</a>` },
  { name: 'Time (UTC)', small: 'whole', of: ({ at }) => html`<span class="mono">${time(at)}</span>` },
  {
    name: 'Actor',
    small: 'whole',
    of: ({ actor, n }) => html`<a href=${linkTo('inspector', actor, n)}>${actor}</a>`,
  },
  { name: 'Event', of: ({ event }) => event },
  { name: 'Then', words: true, small: 'hide', of: ({ state }) => html`<span class="quiet">${state}</span>` },
];

const stored = ({ n, at, actor, event }: Row): Shown => ({
  n,
  at,
  actor,
  event: eventType(event),
  state: '',
});
const live = ({ n, at, actor, event, state, intents }: RowLine): Shown => ({
  ...{ n, at, actor, event },
  state: [state, intents.join(', ')].filter(Boolean).join(' → '),
});

export function Journal({ row }: { row: number | null }): VNode {
  const [actor, setActor] = useState('');
  const [type, setType] = useState('');
  const [words, setWords] = useState('');
  const [follows, setFollows] = useState(false);
  const [before, setBefore] = useState<readonly number[]>([]);
  const query = {
    actor,
    type: type.toUpperCase(),
    text: words,
    before: before.at(-1),
    limit: 200,
    order: 'desc',
  };
  const seen = useView<JournalPage>(() => read('journal', query), JSON.stringify(query), 600_000);
  const rows = usePart((state) => state.rows);
  // Taken when it is written to its end; what stands in a field is the field's own, or each row that comes would wipe it.
  const input = (set: (value: string) => void) => (event: Event) => {
    setBefore([]);
    set((event.target as HTMLInputElement).value.trim());
  };
  const followed = rows.filter(
    (one) =>
      one.actor.includes(actor) &&
      one.event.includes(type.toUpperCase()) &&
      JSON.stringify(one).includes(words),
  );
  return html`${row !== null && html`<${WholeRow} n=${row} />`}
    <${Card} title="Journal">
      <div class="row">
        <${Field} label="Actor"><input type="search" placeholder="position/BTCUSDT" onChange=${input(setActor)} /></${Field}>
        <${Field} label="Event"><input type="search" placeholder="ORDER_FILLED" onChange=${input(setType)} /></${Field}>
        <${Field} label="Words"><input type="search" onChange=${input(setWords)} /></${Field}>
        <button type="button" class=${follows ? 'chosen' : ''} aria-pressed=${follows} onClick=${() => setFollows(!follows)}>Follow</button>
      </div>
      ${
        follows
          ? html`<${Table} label="Journal, live" stacked="cards" rows=${followed.map(live)} columns=${COLUMNS} keyOf=${({ n }: Shown) => n} empty="Nothing came yet." />`
          : html`<${Loaded} seen=${seen} show=${(page: JournalPage) => html`
            <${Table} label="Journal" stacked="cards" rows=${page.rows.map(stored)} columns=${COLUMNS} keyOf=${({ n }: Shown) => n} empty="No row matches." />
            <div class="row">
              <button type="button" disabled=${before.length === 0} onClick=${() => setBefore(before.slice(0, -1))}>Newer</button>
              <button type="button" disabled=${page.next === null} onClick=${() => page.next !== null && setBefore([...before, page.next])}>Older</button>
              <span class="quiet">${page.head} rows in all</span>
            </div>`}
          />`
      }
    </${Card}>`;
}

function WholeRow({ n }: { n: number }): VNode {
  const found = useView<JournalPage>(
    () => read('journal', { after: n - 1, limit: 1, order: 'asc' }),
    String(n),
    600_000,
  );
  const actor = found.data?.rows.find((row) => row.n === n)?.actor;
  return html`<${Card} title=${`Row ${n}`}>
    <${Loaded} seen=${found} show=${() => (actor === undefined ? html`<p class="bad">There is no row ${n}.</p>` : html`<${Moment} actor=${actor} n=${n} />`)} />
  </${Card}>`;
}

function Moment({ actor, n }: { actor: string; n: number }): VNode {
  const seen = useView<ActorMoment>(() => read('actor/at', { actor, n }), `${actor} ${n}`, 600_000);
  const part = (name: string, value: unknown, open = true) =>
    html`<details open=${open}><summary>${name}</summary><div class="json">${JSON.stringify(value, null, 2)}</div></details>`;
  return html`<${Loaded} seen=${seen} show=${(row: ActorMoment) => html`
    <p><a href=${linkTo('inspector', actor, n)}>${actor}</a> <span class="quiet">${row.machine}, its row ${row.seq}, ${time(row.at)}</span></p>
    ${part('event', row.event)} ${part('cause', row.cause)} ${part('intents', row.intents)} ${part('snapshot', row.snapshot, false)}`}
  />`;
}
