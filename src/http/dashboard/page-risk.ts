/** Limits and their use, what was refused and by which rule, breakers with their reset, the kill switch. */
import type { BreakersView, Results, RiskView } from '../../operator/views.ts';
import { give } from './commands.ts';
import { exact, money, percent, time } from './format.ts';
import { Limits } from './page-overview.ts';
import { Badge, Card, type Column, Loaded, linkTo, Table, useNamedView } from './parts.ts';
import { html, useEffect, useRef, useState, type VNode } from './ui.ts';

/** `part`: what somebody came for, who may be in a hurry. */
export function Risk({ part }: { part: string | null }): VNode {
  const risk = useNamedView<RiskView>('risk');
  const breakers = useNamedView<BreakersView>('breakers');
  const measures = useNamedView<Results>('results', {}, 30_000);
  return html`<div class="columns">
    <${Card} title="Limits in use"><${Loaded} seen=${risk} show=${(data: RiskView) => html`<${Limits} risk=${data} />`} /></${Card}>
    <${Card} title="Open exposure">
      <${Loaded} seen=${risk} show=${({ exposures }: RiskView) => html`<${Table} label="Exposure" rows=${exposures} columns=${EXPOSURE} keyOf=${({ actor }: Exposure) => actor} empty="Nothing is open." />`} />
    </${Card}>
    <${Card} title="Over all closed trades"><${Loaded} seen=${measures} show=${(data: Results) => html`<${Measures} data=${data} />`} /></${Card}>
    <${Card} title="Refused, by rule"><${Loaded} seen=${risk} show=${(data: RiskView) => html`<${RefusedRules} risk=${data} />`} /></${Card}>
    <${Card} title="Breakers" wide=${true}><${Loaded} seen=${breakers} show=${(data: BreakersView) => html`<${Breakers} view=${data} />`} /></${Card}>
    <${Card} title="Kill switch" wide=${true}><${Loaded} seen=${breakers} show=${(data: BreakersView) => html`<${Kill} view=${data} isWanted=${part === 'kill'} />`} /></${Card}>
  </div>`;
}

type Exposure = RiskView['exposures'][number];

const EXPOSURE: readonly Column<Exposure>[] = [
  { name: 'Symbol', of: ({ symbol, actor }) => html`<a href=${linkTo('positions', actor)}>${symbol}</a>` },
  { name: 'Side', of: ({ direction }) => direction },
  { name: 'Notional', right: true, of: ({ notional }) => money(notional) },
];

const Measures = ({ data }: { data: Results }): VNode => html`<table><tbody>
  ${(
    [
      ['return', percent(data.returnPercent)],
      ['deepest drawdown', percent(data.maxDrawdownPercent)],
      ['Sharpe', exact(data.sharpe?.toFixed(2))],
      ['Sortino', exact(data.sortino?.toFixed(2))],
      ['Calmar', exact(data.calmar?.toFixed(2))],
      ['profit factor', money(data.total.profitFactor)],
      ['expectancy', money(data.total.expectancy, 2, true)],
      ['daily VaR 95 %', percent(data.dailyVar95Percent)],
      ['days', String(data.days)],
    ] as const
  ).map(([name, value]) => html`<tr><th scope="row">${name}</th><td class="right">${value}</td></tr>`)}
</tbody></table>`;

function RefusedRules({ risk }: { risk: RiskView }): VNode {
  const rules = Object.entries(risk.refusedRules).sort(([, a], [, b]) => b - a);
  return html`<ul class="plain">
    ${rules.map(([rule, count]) => html`<li class="row"><span>${rule}</span><span class="quiet">${count}</span></li>`)}
    ${rules.length === 0 && html`<li class="quiet">Nothing was refused.</li>`}
  </ul>`;
}

type Breaker = BreakersView['breakers'][number];
const TONES = { closed: 'good', 'half-open': 'warn', open: 'bad' } as const;

function Breakers({ view }: { view: BreakersView }): VNode {
  const [reason, setReason] = useState('');
  const word = reason.trim() === '' ? null : reason.trim();
  const columns: readonly Column<Breaker>[] = [
    {
      name: 'Breaker',
      small: 'whole',
      of: ({ name, state }) =>
        html`<span><a href=${linkTo('inspector', `breaker/${name}`)}>${name}</a>${' '}<span class="small"><${Badge} tone=${TONES[state]}>${state}</${Badge}></span></span>`,
    },
    {
      name: 'State',
      small: 'hide',
      of: ({ state }) => html`<${Badge} tone=${TONES[state]}>${state}</${Badge}>`,
    },
    { name: 'Since', small: 'hide', of: ({ since }) => time(since) },
    { name: 'Why', words: true, of: ({ effect, reason: why }) => [effect, why].filter(Boolean).join(': ') },
    {
      name: '',
      of: ({ name, state }) =>
        name === 'kill'
          ? html`<span class="quiet">by its switch, below</span>`
          : html`<button
        type="button"
        disabled=${word === null}
        aria-label=${`${state === 'closed' ? 'Trip' : 'Reset'} ${name}`}
        onClick=${() => word !== null && give({ kind: state === 'closed' ? 'trip' : 'release', breaker: name, reason: word })}
      >
        ${state === 'closed' ? 'Trip' : 'Reset'}
      </button>`,
    },
  ];
  const loudFirst = [...view.breakers].sort(
    (a, b) => Number(a.state === 'closed') - Number(b.state === 'closed'),
  );
  return html`<div class="row">
      <span>Trading is <b>${view.tradingState}</b>.</span>
      <input aria-label="Reason for a trip or a reset" placeholder="Reason (it goes into the journal)" size="36" value=${reason} onInput=${(event: Event) => setReason((event.target as HTMLInputElement).value)} />
      ${word === null && html`<span class="quiet">A trip or a reset needs a reason.</span>`}
    </div>
    <${Table} label="Breakers" stacked="cards" rows=${loudFirst} columns=${columns} keyOf=${({ name }: Breaker) => name} />`;
}

function Kill({ view, isWanted }: { view: BreakersView; isWanted: boolean }): VNode {
  const [reason, setReason] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (!isWanted) return;
    field.current?.scrollIntoView({ block: 'center' });
    field.current?.focus({ preventScroll: true });
  }, [isWanted]);
  const word = reason.trim() === '' ? 'from the dashboard' : reason.trim();
  const { kill } = view;
  return html`
    ${
      kill
        ? html`<p class="bad" role="alert">Engaged by ${kill.by} since ${time(kill.at)}: ${kill.reason}. Nothing is opened until it is released.</p>`
        : html`<p class="quiet">Cancels and closes all that Bulkhead owns, now, and opens nothing until it is released.</p>`
    }
    <div class="row">
      <input ref=${field} aria-label="Reason for the kill switch" placeholder="Reason" size="30" value=${reason} onInput=${(event: Event) => setReason((event.target as HTMLInputElement).value)} />
      ${
        kill
          ? html`<button type="button" onClick=${() => give({ kind: 'release-kill', reason: word })}>Release</button>`
          : html`<button type="button" class="danger" onClick=${() => give({ kind: 'kill', reason: word })}>Kill</button>`
      }
    </div>`;
}
