/** The page of `bulkhead inspect`: statecharts as their files stand, drawn anew when one is saved. */
import type { ChartsNow } from '../../operator/views.ts';
import { habits } from './browser.ts';
import { time } from './format.ts';
import { follow } from './live.ts';
import { Badge, Card, Loaded, linkTo, useNamedView, useRoute } from './parts.ts';
import { Statechart } from './statechart.ts';
import { usePart } from './store.ts';
import { html, render, useEffect, useRef, type VNode } from './ui.ts';

type Machine = ChartsNow['machines'][number];

const LINKS = { live: 'good', connecting: 'warn', lost: 'bad' } as const;
const NONE: ReadonlySet<string> = new Set();
const NO_WAY = { edges: NONE, arrivals: NONE };

function Page(): VNode {
  const link = usePart((state) => state.link);
  // What changed while nobody listened is asked for when somebody does.
  const seen = useNamedView<ChartsNow>('charts', { link }, 600_000);
  const [wanted] = useRoute();
  const known = seen.data?.machines ?? [];
  const chosen = known.some(({ type }) => type === wanted) ? wanted : known[0]?.type;
  return html`<header class="top">
      <div class="bar">
        <span class="name"><img src="/icon.svg" alt="" />Statecharts</span>
        <${Badge} tone=${LINKS[link]}>${link}</${Badge}>
        ${seen.data && html`<span class="quiet">loaded ${time(seen.data.loadedAt)} UTC, ${seen.data.files} files watched</span>`}
      </div>
      <nav aria-label="Machines">
        ${known.map(({ type }) => html`<a href=${linkTo(type)} aria-current=${type === chosen ? 'page' : undefined}>${type}</a>`)}
      </nav>
    </header>
    <main><${Loaded} seen=${seen} show=${(now: ChartsNow) => html`<${Charts} now=${now} chosen=${chosen} />`} /></main>`;
}

function Charts({ now, chosen }: { now: ChartsNow; chosen: string | undefined }): VNode {
  const { machines, error, loadedAt } = now;
  const machine = machines.find(({ type }) => type === chosen) ?? machines[0];
  return html`${
    error !== null &&
    html`<${Card} title="The files cannot be drawn as they stand">
      <pre class="json bad" role="alert">${error}</pre>
      ${machine && html`<p class="quiet">The charts below are those of before.</p>`}
    </${Card}>`
  }
  ${machine && html`<${Chart} key=${machine.type} machine=${machine} loadedAt=${loadedAt} />`}
  ${!machine && error === null && html`<p class="quiet">One moment…</p>`}`;
}

function Chart({ machine, loadedAt }: { machine: Machine; loadedAt: number }): VNode {
  const { type, version, layout, events } = machine;
  const entered = useNews(layout.states.map(({ id }) => id));
  const step = { lit: NONE, left: NONE, taken: NO_WAY, entered, key: String(loadedAt) };
  return html`<${Card} title=${`${type}, version ${version}: ${layout.states.length} states, ${layout.edges.length} arrows`}>
    <${Statechart} layout=${layout} step=${step} name=${type} />
    <p class="quiet">Hears <span class="mono">${events.join(', ')}</span></p>
  </${Card}>`;
}

/** What was not there when it was drawn before. */
function useNews(ids: readonly string[]): ReadonlySet<string> {
  const known = useRef<readonly string[]>(ids);
  const fresh = new Set(ids.filter((id) => !known.current.includes(id)));
  useEffect(() => {
    known.current = ids;
  }, [ids.join()]);
  return fresh;
}

const dark = matchMedia('(prefers-color-scheme: dark)').matches;
document.documentElement.dataset.theme = habits.get('bulkhead-theme') ?? (dark ? 'dark' : 'light');
const root = document.getElementById('page');
if (root) {
  root.textContent = '';
  render(html`<${Page} />`, root);
}
void follow();
