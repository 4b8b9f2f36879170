/** What every symbol's desk saw and decided: signals with their reasons, and refusals too. */
import type { DecisionsView, DeskView } from '../../operator/views.ts';
import { CommandButton } from './commands.ts';
import { exact, time } from './format.ts';
import { Badge, Card, type Column, Field, Loaded, linkTo, Table, useNamedView } from './parts.ts';
import { html, useState, type VNode } from './ui.ts';

const COLUMNS: readonly Column<DeskView>[] = [
  {
    name: 'Symbol',
    of: ({ symbol, positionSide }) =>
      html`<a href=${linkTo('inspector', `scanner/${symbol}`)}>${positionSide ? `${symbol} ${positionSide.toLowerCase()}` : symbol}</a>`,
  },
  {
    name: 'Desk',
    of: ({ state, position }) =>
      position ? html`<a href=${linkTo('positions', position)}>${state}</a>` : state,
  },
  {
    name: 'Feed',
    of: ({ feed }) =>
      html`<${Badge} tone=${feed && !/fresh|live|ok|well/.test(feed) ? 'warn' : ''}>${feed ?? '–'}</${Badge}>`,
  },
  { name: 'Last signal', words: true, of: signalWords },
  { name: 'Last refusal', words: true, of: refusalWords },
  {
    name: 'Counts',
    words: true,
    small: 'hide',
    of: ({ counts }) =>
      html`<span class="quiet">${Object.entries(counts)
        .map(([what, count]) => `${what} ${count}`)
        .join(', ')}</span>`,
  },
  { name: 'Held back by', words: true, of: ({ blocks }) => Object.values(blocks).join('; ') },
  { name: '', of: (desk) => html`<${Doing} desk=${desk} />` },
];

function signalWords({ lastSignal }: DeskView): VNode {
  if (!lastSignal) return html`<span class="quiet">none yet</span>`;
  const { signal, at } = lastSignal as unknown as {
    signal: { kind: string; direction: string; reason: string; price?: number };
    at: number;
  };
  const price = signal.price === undefined ? '' : ` at ${exact(signal.price)}`;
  return html`<span><span class="quiet mono">${time(at)}</span> ${signal.kind} ${signal.direction}${price}: ${signal.reason}</span>`;
}

function refusalWords({ lastRefusal }: DeskView): VNode {
  if (!lastRefusal) return html`<span class="quiet">–</span>`;
  const why = lastRefusal.refusals.map(({ rule, detail }) => `${rule}: ${detail}`).join('; ');
  return html`<span><span class="quiet mono">${time(lastRefusal.at)}</span> ${why}</span>`;
}

const Doing = ({
  desk: { symbol, position, positionSide },
}: {
  desk: DeskView;
}): VNode => html`<div class="row">
  ${positionSide !== 'SHORT' && html`<${CommandButton} label=${`Enter long ${symbol}`} command=${position ? null : { kind: 'force-entry', symbol, direction: 'long' }}>Long</${CommandButton}>`}
  ${positionSide !== 'LONG' && html`<${CommandButton} label=${`Enter short ${symbol}`} command=${position ? null : { kind: 'force-entry', symbol, direction: 'short' }}>Short</${CommandButton}>`}
  <${CommandButton} label=${`Lock 1 h ${symbol}`} command=${{ kind: 'lock', symbol, minutes: 60, reason: 'from the dashboard' }}>Lock 1 h</${CommandButton}>
</div>`;

export function Scanner(): VNode {
  const [wanted, setWanted] = useState('');
  const seen = useNamedView<readonly DeskView[]>('entries');
  const matching = (desks: readonly DeskView[]) =>
    desks
      .filter(({ symbol }) => symbol.includes(wanted.toUpperCase()))
      .sort((a, b) => a.symbol.localeCompare(b.symbol));
  return html`<${Card}
      title=${html`<div class="row">Signals and refusals
        <${Field} label="Symbol"><input type="search" value=${wanted} onInput=${(event: Event) => setWanted((event.target as HTMLInputElement).value)} /></${Field}></div>`}
    >
      <${Loaded}
        seen=${seen}
        show=${(desks: readonly DeskView[]) => html`<${Table} label="Desks" stacked="cards" rows=${matching(desks)} columns=${COLUMNS} keyOf=${({ symbol, positionSide }: DeskView) => `${symbol} ${positionSide ?? ''}`} empty="No symbol matches." />`}
      />
    </${Card}>
    <${Lists} />`;
}

function Lists(): VNode {
  const seen = useNamedView<DecisionsView>('decisions');
  const show = ({ blacklist, whitelist, locks }: DecisionsView) => html`<ul class="plain">
    ${Object.entries(locks).map(([symbol, { until, by }]) => html`<li class="row">${symbol} locked until ${time(until)} by ${by} <${CommandButton} command=${{ kind: 'unlock', symbol }}>Unlock</${CommandButton}></li>`)}
    ${Object.keys(blacklist).map((symbol) => html`<li class="row">${symbol} on the blacklist <${CommandButton} command=${{ kind: 'blacklist', change: 'remove', symbols: [symbol] }}>Take off</${CommandButton}></li>`)}
    ${Object.keys(whitelist).map((symbol) => html`<li class="row">${symbol} on the whitelist <${CommandButton} command=${{ kind: 'whitelist', change: 'remove', symbols: [symbol] }}>Take off</${CommandButton}></li>`)}
  </ul>
  <${ListForm} />`;
  return html`<${Card} title="Locks and lists"><${Loaded} seen=${seen} show=${show} /></${Card}>`;
}

function ListForm(): VNode {
  const [symbol, setSymbol] = useState('');
  const symbols = symbol
    .toUpperCase()
    .split(/[\s,]+/)
    .filter((one) => one !== '');
  const command = (kind: 'blacklist' | 'whitelist') =>
    symbols.length > 0 ? { kind, change: 'add', symbols } : null;
  return html`<div class="row">
    <input aria-label="Symbols for a list" placeholder="BTCUSDT, ETHUSDT" value=${symbol} onInput=${(event: Event) => setSymbol((event.target as HTMLInputElement).value)} />
    <${CommandButton} command=${command('blacklist')}>Blacklist</${CommandButton}>
    <${CommandButton} command=${command('whitelist')}>Whitelist</${CommandButton}>
  </div>`;
}
