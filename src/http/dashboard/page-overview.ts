/** How it stands at a glance: money, limits, breakers, and what the runtime is doing and why. */
import type { Notice } from '../../operator/feed.ts';
import type { StatusDocument } from '../../operator/status-document.ts';
import type { DecisionsView, EquityPoint, ProfitLine, RiskView, TradesPage } from '../../operator/views.ts';
import { EquityChart } from './charts.ts';
import { CommandButton } from './commands.ts';
import { doingsOf, nowWords, when } from './doings.ts';
import { amount, counted, money, percent, time, tone } from './format.ts';
import { Badge, Card, Loaded, linkTo, Meter, Tile, useNamedView } from './parts.ts';
import { usePart } from './store.ts';
import { html, type VNode } from './ui.ts';

export function Overview(): VNode {
  const status = usePart((state) => state.status);
  const equity = useNamedView<readonly EquityPoint[]>('equity', {}, 15_000);
  const risk = useNamedView<RiskView>('risk');
  const profit = useNamedView<readonly ProfitLine[]>('profit', { by: 'total' }, 15_000);
  if (!status) return html`<p class="quiet">The runtime has not said anything yet.</p>`;
  return html`
    <${Numbers} status=${status} risk=${risk.data} profit=${profit.data?.[0] ?? null} />
    <div class="columns">
      <${Card} title="Equity and drawdown" wide=${true}>
        <${Loaded} seen=${equity} show=${(points: readonly EquityPoint[]) => html`<${EquityChart} points=${points} />`} />
      </${Card}>
      <${Card} title="Breakers"><${Lights} status=${status} /></${Card}>
      <${Card} title="Limits in use"><${Loaded} seen=${risk} show=${(data: RiskView) => html`<${Limits} risk=${data} />`} /></${Card}>
      <${Card} title="What people decided"><${Decisions} /></${Card}>
      <${Card} title="What it is doing, and why" wide=${true}><${Doings} status=${status} risk=${risk.data} /></${Card}>
    </div>`;
}

function Numbers({
  status,
  risk,
  profit,
}: {
  status: StatusDocument;
  risk: RiskView | null;
  profit: ProfitLine | null;
}): VNode {
  const { account, positions, trades } = status;
  return html`<div class="tiles">
    <${Tile} label="Equity" value=${money(account.equity)} note=${`wallet ${money(account.wallet)}`} />
    <${Tile} label="Today" value=${money(risk?.dayPnl, 2, true)} tone=${tone(risk?.dayPnl)} note=${`week ${money(risk?.weekPnl, 2, true)}`} />
    <${Tile} label="Open P&L" value=${money(account.openPnl, 2, true)} tone=${tone(account.openPnl)} note=${counted(positions.length, 'position')} />
    <${Tile} label="Realised" value=${money(account.realised, 2, true)} tone=${tone(account.realised)} note=${`fees ${money(account.fees)}, funding ${money(account.funding, 2, true)}`} />
    <${Tile} label="Drawdown" value=${percent(risk?.drawdownPercent)} tone=${(risk?.drawdownPercent ?? 0) > 10 ? 'bad' : ''} note=${`peak ${money(risk?.peakEquity)}`} />
    <${Tile} label="Trades" value=${trades.count} note=${profit?.winRate === null || !profit ? 'none closed yet' : `${percent(profit.winRate * 100)} won`} />
  </div>`;
}

const BREAKER_TONES = { closed: 'good', 'half-open': 'warn', open: 'bad' } as const;

export const Lights = ({ status }: { status: StatusDocument }): VNode => {
  const loud = status.breakers.filter(({ state }) => state !== 'closed');
  const quiet = status.breakers.length - loud.length;
  return html`<div class="lights">
      ${loud.map(
        ({
          name,
          state,
          reason,
          since,
        }) => html`<a href=${linkTo('risk')} title=${`${reason ?? ''} since ${time(since)}`}>
          <${Badge} tone=${BREAKER_TONES[state]}>${name}: ${state}</${Badge}>
        </a>`,
      )}
      ${quiet > 0 && html`<${Badge} tone="good">${quiet} closed</${Badge}>`}
    </div>
    ${loud.map(({ name, reason, since }) => html`<p class="quiet">${name}: ${reason} (since ${time(since)})</p>`)}`;
};

export const Limits = ({ risk }: { risk: RiskView }): VNode => html`<ul class="plain">
  ${risk.use.map(
    ({ limit, used, max, share }) => html`<li>
      <div class="row"><span>${limit}</span><span class="quiet">${amount(used, max)} of ${amount(max, used)}</span></div>
      <${Meter} share=${share} label=${limit} />
    </li>`,
  )}
</ul>`;

export function Decisions(): VNode {
  const seen = useNamedView<DecisionsView>('decisions');
  return html`<${Loaded} seen=${seen} show=${(data: DecisionsView) => html`<${Decided} data=${data} />`} />`;
}

function Decided({ data }: { data: DecisionsView }): VNode {
  const kill = usePart(({ status }) => status?.breakers.find(({ name }) => name === 'kill')) ?? null;
  const { stopped, paused, direction, blacklist, whitelist, locks } = data;
  const lines = [
    kill && kill.state !== 'closed' && `Kill switch engaged since ${time(kill.since)}${because(kill.reason)}`,
    stopped && `Stopped by ${stopped.by} since ${time(stopped.at)}${because(stopped.reason)}`,
    paused &&
      `Entries paused by ${paused.by}${paused.until ? ` until ${time(paused.until)}` : ''}${because(paused.reason)}`,
    direction.allowed !== 'both' && `Direction: ${direction.allowed} only (${direction.mark?.by ?? ''})`,
    Object.keys(blacklist).length > 0 && `Blacklist: ${Object.keys(blacklist).join(', ')}`,
    Object.keys(whitelist).length > 0 && `Whitelist: ${Object.keys(whitelist).join(', ')}`,
    ...Object.entries(locks).map(
      ([symbol, { until, by, reason }]) => `${symbol} locked until ${time(until)} by ${by}${because(reason)}`,
    ),
  ].filter((line): line is string => typeof line === 'string' && line !== '');
  return html`
    ${lines.length === 0 ? html`<p class="quiet">Nobody holds trading back.</p>` : html`<ul class="plain">${lines.map((line) => html`<li>${line}</li>`)}</ul>`}
    <div class="row">
      ${
        paused
          ? html`<${CommandButton} command=${{ kind: 'resume' }}>Resume entries</${CommandButton}>`
          : html`<${CommandButton} command=${{ kind: 'pause' }}>Pause entries</${CommandButton}>`
      }
      ${
        stopped
          ? html`<${CommandButton} command=${{ kind: 'start' }}>Start trading</${CommandButton}>`
          : html`<${CommandButton} command=${{ kind: 'stop' }}>Stop trading</${CommandButton}>`
      }
    </div>
    <div class="row" role="group" aria-label="Directions that may be entered">
      <span class="quiet">May enter</span>
      ${(['both', 'long', 'short', 'none'] as const).map(
        (side) =>
          html`<${CommandButton} command=${direction.allowed === side ? null : { kind: 'direction', direction: side }}>${side}</${CommandButton}>`,
      )}
    </div>`;
}

const because = (reason: string | null): string => (reason ? `: ${reason}` : '');

const SHOWN = 16;

/** What the journal has from before the page was opened, and what the stream told since. */
function Doings({ status, risk }: { status: StatusDocument; risk: RiskView | null }): VNode {
  const heard = usePart((state) => state.notices);
  const before = useNamedView<readonly Notice[]>('notices', { limit: SHOWN }, 60_000).data ?? [];
  const trades = useNamedView<TradesPage>('trades', { limit: SHOWN }, 60_000).data?.trades ?? [];
  const decisions = useNamedView<DecisionsView>('decisions').data;
  const known = new Map([...heard, ...before].map((notice) => [`${notice.n} ${notice.text}`, notice]));
  const doings = doingsOf(
    {
      ...{ notices: [...known.values()], refusals: risk?.refusals ?? [] },
      ...{ trades, positions: status.positions },
    },
    SHOWN,
  );
  return html`<p>${nowWords(status, decisions)}</p>
    <ul class="plain">
      ${doings.map(
        ({ key, at, actor, n, text, tone: colour }) => html`<li key=${key}>
          <span class="quiet mono">${when(at, status.virtualTime)}</span>${' '}
          ${actor !== null && html`<a href=${n === null ? linkTo('inspector', actor) : linkTo('inspector', actor, n)}>${actor}</a>`}${' '}
          <span class=${colour}>${text}</span>
        </li>`,
      )}
      ${doings.length === 0 && html`<li class="quiet">Nothing to tell yet.</li>`}
    </ul>`;
}
