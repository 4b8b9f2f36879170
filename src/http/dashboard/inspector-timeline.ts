/** To scrub through an actor's whole life, step by step or from event to event; in both the journal is asked for what is far. */
import type { JournalPage } from '../../operator/views.ts';
import { read } from './api.ts';
import { toast } from './commands.ts';
import { eventOf, rowNumbered } from './inspector-rows.ts';
import type { Row, Stretch } from './inspector-stretch.ts';
import { Field, linkTo } from './parts.ts';
import { html, useState, type VNode } from './ui.ts';

type Way = 'back' | 'forward';

/** Searched without end, since each question looks at a part of the journal only. */
async function eventInJournal(actor: string, type: string, way: Way, from: number): Promise<Row | undefined> {
  for (let n: number | null = from; n !== null; ) {
    const bound: Record<string, number> = way === 'back' ? { before: n } : { after: n };
    const order = way === 'back' ? 'desc' : 'asc';
    const page: JournalPage = await read('journal', { actor, type, order, limit: 1, ...bound });
    if (page.rows[0]) return page.rows[0];
    n = page.next;
  }
  return undefined;
}

export function Timeline({
  actor,
  stretch,
  row,
  events,
}: {
  actor: string;
  stretch: Stretch;
  row: Row;
  events: readonly string[];
}): VNode {
  const [wanted, setWanted] = useState('');
  const { rows, oldest, newest } = stretch;
  const isWhole = rows[0]?.seq === oldest.seq && rows.at(-1)?.seq === newest;
  const go = (to: Row): void => {
    const address = to.seq >= newest ? linkTo('inspector', actor) : linkTo('inspector', actor, to.n);
    location.hash = address.slice(1);
  };
  const found = (to: Row | undefined, complaint: string): void => (to ? go(to) : toast(complaint));
  const fail = (error: unknown): void => toast(String(error), true);
  const jump = (way: Way): void => {
    const none = `No ${wanted || 'step'} ${way === 'back' ? 'before' : 'after'} this one.`;
    if (wanted === '') {
      rowNumbered(actor, stretch, row.seq + (way === 'back' ? -1 : 1)).then((to) => found(to, none), fail);
      return;
    }
    const near =
      way === 'back'
        ? rows.findLast((one) => one.seq < row.seq && eventOf(one) === wanted)
        : rows.find((one) => one.seq > row.seq && eventOf(one) === wanted);
    if (near || isWhole) found(near, none);
    else eventInJournal(actor, wanted, way, row.n).then((to) => found(to, none), fail);
  };
  const slide = (event: Event, isLetGo: boolean): void => {
    const seq = Number((event.target as HTMLInputElement).value);
    const near = rows.find((one) => one.seq === seq);
    if (near) go(near);
    else if (isLetGo)
      rowNumbered(actor, stretch, seq).then((to) => found(to, 'There is no such step.'), fail);
  };
  const types = [...new Set([...rows.map(eventOf), ...(isWhole ? [] : [eventOf(oldest), ...events])])].sort();
  return html`
    <input class="timeline" type="range" aria-label="Moment" min=${oldest.seq} max=${newest} value=${row.seq} onInput=${(event: Event) => slide(event, false)} onChange=${(event: Event) => slide(event, true)} />
    <div class="row">
      <button type="button" disabled=${row.seq <= oldest.seq} onClick=${() => jump('back')}>‹ Back</button>
      <button type="button" disabled=${row.seq >= newest} onClick=${() => jump('forward')}>Forward ›</button>
      <${Field} label="to"><select aria-label="Event to go to" value=${wanted} onChange=${(event: Event) => setWanted((event.target as HTMLSelectElement).value)}>
        <option value="">any event</option>
        ${types.map((type) => html`<option value=${type}>${type}</option>`)}
      </select></${Field}>
      <span class="quiet">step ${row.seq} of ${newest}</span>
    </div>`;
}
