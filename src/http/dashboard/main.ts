/** The page: its frame, its ways, and the one stream that feeds it. */

import { setToken } from './api.ts';
import { habits } from './browser.ts';
import { CommandButton, Confirmation, recallToken, Toasts, TokenDialog } from './commands.ts';
import { clock, duration, money, time, tone } from './format.ts';
import { follow } from './live.ts';
import { Inspector } from './page-inspector.ts';
import { Journal } from './page-journal.ts';
import { Overview } from './page-overview.ts';
import { Position, Positions } from './page-positions.ts';
import { Risk } from './page-risk.ts';
import { Scanner } from './page-scanner.ts';
import { System } from './page-system.ts';
import { Trades } from './page-trades.ts';
import { TreePage } from './page-tree.ts';
import { Badge, linkTo, useRoute } from './parts.ts';
import { change, usePart } from './store.ts';
import { html, render, useState, type VNode } from './ui.ts';

const PAGES: readonly (readonly [path: string, name: string])[] = [
  ['overview', 'Overview'],
  ['positions', 'Positions'],
  ['scanner', 'Scanner'],
  ['trades', 'Trades'],
  ['risk', 'Risk'],
  ['tree', 'Tree'],
  ['journal', 'Journal'],
  ['system', 'System'],
  ['inspector', 'Inspector'],
];

function content([page = 'overview', first, second]: readonly string[]): VNode {
  switch (page) {
    case 'positions':
      return first === undefined ? html`<${Positions} />` : html`<${Position} key=${first} actor=${first} />`;
    case 'scanner':
      return html`<${Scanner} />`;
    case 'trades':
      return html`<${Trades} />`;
    case 'risk':
      return html`<${Risk} part=${first ?? null} />`;
    case 'tree':
      return html`<${TreePage} />`;
    case 'journal':
      return html`<${Journal} row=${first === undefined ? null : Number(first)} />`;
    case 'system':
      return html`<${System} />`;
    case 'inspector':
      return html`<${Inspector} actor=${first ?? null} n=${second === undefined ? null : Number(second)} />`;
    default:
      return html`<${Overview} />`;
  }
}

const LINKS = {
  live: ['good', 'live'],
  connecting: ['warn', 'connecting'],
  lost: ['bad', 'connection lost, trying again'],
} as const;
const STATES: Readonly<Record<string, string>> = { running: 'good', failed: 'bad', stopped: 'bad' };
const TRADING = { active: 'good', reducing: 'warn', halted: 'bad' } as const;

function Top(): VNode {
  const status = usePart((state) => state.status);
  const link = usePart((state) => state.link);
  const hasToken = usePart((state) => state.hasToken);
  const [linkTone, linkWords] = LINKS[link];
  // What was so when it was heard last is not so now: it has no colour.
  const isOld = link === 'lost';
  return html`<div class="bar">
    <a class="name" href="#/overview"><img src="/icon.svg" alt="" />Bulkhead</a>
    ${
      status &&
      html`<${Badge} tone=${isOld ? '' : (STATES[status.state] ?? 'warn')}>${status.mode} · ${status.state}</${Badge}>
      <${Badge} tone=${isOld ? '' : TRADING[status.tradingState]}>trading ${status.tradingState}</${Badge}>
      <span class="hide-small quiet">${status.market.name}${status.virtualTime ? `, ${time(status.virtualTime)} UTC` : ''}, up ${duration(status.updatedAt - status.startedAt)}</span>`
    }
    <span class=${link === 'live' ? 'hide-small' : ''}><${Badge} tone=${linkTone}>${linkWords}${isOld && status ? `; all as of ${clock(status.updatedAt)} UTC` : ''}</${Badge}></span>
    <span class="end">
      ${status && html`<span title="Equity, and what is open of it">${money(status.account.equity)} <span class=${tone(status.account.openPnl)}>${money(status.account.openPnl, 2, true)}</span></span>`}
      <${CommandButton} command=${{ kind: 'pause' }}>Pause</${CommandButton}>
      <a href=${linkTo('risk', 'kill')}><button type="button" class="danger" tabindex="-1">Kill…</button></a>
      <${Theme} />
      <button type="button" onClick=${() => (hasToken ? setToken(null) : change({ askForToken: true }))}>${hasToken ? 'Forget token' : 'Token…'}</button>
    </span>
  </div>`;
}

function Theme(): VNode {
  const [theme, setTheme] = useState(document.documentElement.dataset.theme ?? 'light');
  const other = theme === 'dark' ? 'light' : 'dark';
  const turn = () => {
    document.documentElement.dataset.theme = other;
    habits.set('bulkhead-theme', other);
    setTheme(other);
    change({});
  };
  return html`<button type="button" onClick=${turn} aria-label=${`Turn ${other}`}>${theme === 'dark' ? '☀' : '☾'}</button>`;
}

function Page(): VNode {
  const route = useRoute();
  const [page = 'overview'] = route;
  return html`<header class="top">
      <${Top} />
      <nav aria-label="Pages">
        ${PAGES.map(([path, name]) => html`<a href=${linkTo(path)} aria-current=${path === page ? 'page' : undefined}>${name}</a>`)}
      </nav>
    </header>
    <main>${content(route)}</main>
    <${Confirmation} />
    <${TokenDialog} />
    <${Toasts} />`;
}

const wished = habits.get('bulkhead-theme');
const dark = matchMedia('(prefers-color-scheme: dark)').matches;
document.documentElement.dataset.theme = wished ?? (dark ? 'dark' : 'light');
recallToken();
const root = document.getElementById('page');
if (root) {
  root.textContent = '';
  render(html`<${Page} />`, root);
}
void follow();
