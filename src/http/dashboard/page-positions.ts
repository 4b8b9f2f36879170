/** What is open, live; and one position with its chart, its story and what a person may do about it. */
import type { Candle } from '../../domain/candle.ts';
import type { PositionStatus } from '../../operator/status-document.ts';
import type { PositionView } from '../../operator/views.ts';
import { read } from './api.ts';
import { PositionChart, type PriceLine } from './charts.ts';
import { CommandButton, give } from './commands.ts';
import { counted, duration, exact, money, onTick, time, tone } from './format.ts';
import { Badge, Card, type Column, Loaded, linkTo, Table, Tile, useNamedView, useView } from './parts.ts';
import { usePart } from './store.ts';
import { html, useState, type VNode } from './ui.ts';

const Side = ({ direction }: { direction: string }): VNode =>
  html`<${Badge} tone=${direction === 'long' ? 'good' : 'bad'}>${direction}</${Badge}>`;

const COLUMNS: readonly Column<PositionStatus>[] = [
  { name: 'Symbol', of: ({ symbol, actor }) => html`<a href=${linkTo('positions', actor)}>${symbol}</a>` },
  { name: 'Side', of: ({ direction }) => html`<${Side} direction=${direction} />` },
  { name: 'Quantity', right: true, of: ({ quantity }) => exact(quantity) },
  { name: 'Entry', right: true, of: (position) => exact(onTick(position, position.entryPrice)) },
  { name: 'Mark', right: true, of: (position) => exact(onTick(position, position.markPrice)) },
  { name: 'Stop', right: true, of: ({ stopPrice }) => exact(stopPrice) },
  {
    name: 'Liquidation',
    right: true,
    of: (position) => exact(onTick(position, position.liquidationPrice)),
  },
  {
    name: 'Open P&L',
    right: true,
    of: ({ openPnl }) => html`<span class=${tone(openPnl)}>${money(openPnl, 2, true)}</span>`,
  },
  {
    name: 'Held',
    right: true,
    of: ({ openedAt }) => html`<${HeldFor} since=${openedAt} />`,
  },
  {
    name: 'State',
    words: true,
    of: ({ doing, state }) => html`<span class="quiet">${doing ?? state}</span>`,
  },
  {
    name: '',
    of: ({ symbol, actor }) =>
      html`<${CommandButton} danger=${true} label=${`Close ${symbol}${wordOf(sideOf(actor))}`} command=${{ kind: 'close', symbol, ...sideOf(actor) }}>Close</${CommandButton}>`,
  },
];

/** By the market's clock. */
function HeldFor({ since }: { since: number | undefined }): VNode {
  const now = usePart((state) => state.status?.virtualTime ?? null);
  return html`${since === undefined || now === null ? '–' : duration(Math.max(0, now - since))}`;
}

interface SideNamed {
  readonly direction?: 'long' | 'short';
}

/** In hedge mode a symbol may be held on both sides: a command names the one that is meant. */
function sideOf(actor: string): SideNamed {
  const side = actor.split('/')[2];
  return side === 'LONG' ? { direction: 'long' } : side === 'SHORT' ? { direction: 'short' } : {};
}

const wordOf = ({ direction }: SideNamed): string => (direction ? ` ${direction}` : '');

export function Positions(): VNode {
  const positions = usePart((state) => state.status?.positions ?? []);
  return html`<${Card}
    title=${html`<div class="row">${counted(positions.length, 'open position')}
      <${CommandButton} danger=${true} command=${positions.length > 0 ? { kind: 'close-all' } : null}>Close all</${CommandButton}></div>`}
  >
    <${Table} label="Open positions" stacked="cards" rows=${positions} columns=${COLUMNS} keyOf=${({ actor }: PositionStatus) => actor} empty="No position is open." />
  </${Card}>`;
}

const CANDLES = 300;

export function Position({ actor }: { actor: string }): VNode {
  const seen = useNamedView<PositionView>('position', { position: actor }, 3_000);
  return html`<${Loaded} seen=${seen} show=${(view: PositionView) => html`<${Whole} view=${view} symbol=${actor.split('/')[1] ?? ''} />`} />`;
}

function Whole({ view, symbol }: { view: PositionView; symbol: string }): VNode {
  const { context, status, split, over } = view;
  // What is over is seen as it was then.
  const query = { symbol, limit: CANDLES, n: over ? view.story.at(-1)?.n : undefined };
  const seen = useView<readonly Candle[]>(() => read('candles', query), JSON.stringify(query), 30_000);
  const candles = seen.data ?? [];
  const lines = linesOf(view);
  const now = usePart((state) => state.status?.virtualTime ?? null);
  return html`
    ${status && html`<${Numbers} status=${status} />`}
    <${Card}
      title=${html`<div class="row"><span>${symbol}</span> <${Side} direction=${context.direction} />
        <span class="quiet">${status?.doing ?? 'over'}</span>
        <a href=${linkTo('inspector', view.actor)}>in the inspector</a></div>`}
    >
      <${PositionChart}
        name=${symbol}
        candles=${candles}
        lines=${lines}
        stops=${view.stops.map(({ at, price }) => ({ at, price: Number(price) }))}
        until=${over ? (view.story.at(-1)?.at ?? null) : now}
        fills=${view.fills.map(({ at, side, price, quantity }) => ({ at, buys: side === 'BUY' || side === 'buy', text: `${exact(quantity)} @ ${exact(price)}` }))}
      />
      <ul class="row plain" aria-label="Price levels">
        ${lines.map(({ title, price, tone: colour }) => html`<li><span class=${colour} aria-hidden="true">━</span> ${title} ${exact(price)}</li>`)}
      </ul>
      ${!over && html`<${Actions} symbol=${symbol} side=${sideOf(view.actor)} stop=${context.stopPrice} />`}
    </${Card}>
    <div class="columns">
      <${Card} title="Where its P&L comes from">
        ${!over && html`<p class="quiet">What was realised so far.</p>`}
        <table><tbody>
          ${(['price', 'slippage', 'gross', 'fees', 'funding', 'net'] as const).map((part) => {
            // Fees are what was paid: here everything stands as it moved the account.
            const moved = part === 'fees' ? -Number(split.fees) : split[part];
            return html`<tr><th scope="row">${part}</th><td class=${`right ${tone(moved, 4)}`}>${money(moved, 4, true)}</td></tr>`;
          })}
        </tbody></table>
      </${Card}>
      <${Card} title="Its story" wide=${true}>
        <${Table} label="Story" stacked="lines" rows=${view.story} columns=${STORY} keyOf=${({ n, what }: Line) => `${n} ${what}`} />
      </${Card}>
    </div>`;
}

const Numbers = ({ status }: { status: PositionStatus }): VNode => html`<div class="tiles">
  <${Tile} label="Open P&L" value=${money(status.openPnl, 2, true)} tone=${tone(status.openPnl)} note=${html`held <${HeldFor} since=${status.openedAt} />`} />
  <${Tile} label="Quantity" value=${exact(status.quantity)} />
  <${Tile} label="Entry" value=${exact(onTick(status, status.entryPrice))} />
  <${Tile} label="Mark" value=${exact(onTick(status, status.markPrice))} />
  <${Tile} label="Stop" value=${exact(status.stopPrice)} />
  <${Tile} label="Liquidation" value=${exact(onTick(status, status.liquidationPrice))} />
</div>`;

type Line = PositionView['story'][number];

const STORY: readonly Column<Line>[] = [
  { name: 'Time (UTC)', of: ({ at }) => html`<span class="mono">${time(at)}</span>` },
  { name: 'What happened', words: true, of: ({ what }) => what },
  { name: 'Row', right: true, of: ({ n }) => html`<a href=${linkTo('journal', n)}>${n}</a>` },
];

function linesOf({ status, context, fills }: PositionView): PriceLine[] {
  const liquidation = status && onTick(status, status.liquidationPrice);
  const entry = status ? (onTick(status, status.entryPrice) ?? 0) : (fills[0]?.price ?? 0);
  const targets = context.scaleParts.map(({ price }, index) => line(`target ${index + 1}`, price, 'good'));
  return [
    line('entry', entry, 'accent'),
    ...(status?.stopPrice ? [line('stop', status.stopPrice, 'warn')] : []),
    ...targets,
    ...(liquidation ? [line('liquidation', liquidation, 'bad')] : []),
  ].filter(({ price }) => price > 0);
}

const line = (title: string, price: string | number, tone: PriceLine['tone']): PriceLine => ({
  title,
  price: Number(price),
  tone,
});

function Actions({ symbol, side, stop }: { symbol: string; side: SideNamed; stop: string }): VNode {
  const [price, setPrice] = useState('');
  const parts = ['0.25', '0.5', '0.75'];
  return html`<div class="row">
    <${CommandButton} danger=${true} command=${{ kind: 'close', symbol, ...side }}>Close</${CommandButton}>
    ${parts.map((share) => html`<${CommandButton} command=${{ kind: 'close', symbol, ...side, share }}>Close ${Number(share) * 100} %</${CommandButton}>`)}
    <form
      class="row"
      onSubmit=${(event: Event) => {
        event.preventDefault();
        give({ kind: 'move-stop', symbol, ...side, price });
      }}
    >
      <input
        aria-label="New stop price"
        inputmode="decimal"
        pattern="[0-9]+([.][0-9]+)?"
        required
        placeholder=${exact(stop)}
        value=${price}
        onInput=${(event: Event) => setPrice((event.target as HTMLInputElement).value)}
      />
      <button>Move stop</button>
    </form>
  </div>`;
}
