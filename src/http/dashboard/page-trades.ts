/** Closed trades: by what, when and why; with the sums of what is filtered, and as a file. */
import type { ProfitLine, TradesPage, TradeView } from '../../operator/views.ts';
import { read } from './api.ts';
import { toast } from './commands.ts';
import { csv, duration, exact, money, onTick, percent, time, tone } from './format.ts';
import { Card, type Column, Field, Loaded, linkTo, Table, useNamedView, useView } from './parts.ts';
import { html, useState, type VNode } from './ui.ts';

const COLUMNS: readonly Column<TradeView>[] = [
  {
    name: 'Closed (UTC)',
    small: 'whole',
    of: ({ closedAt, actor }) =>
      html`<a class="mono" href=${linkTo('positions', actor)}>${time(closedAt)}</a>`,
  },
  { name: 'Symbol', of: ({ symbol }) => symbol },
  { name: 'Side', of: ({ direction }) => direction },
  { name: 'Quantity', right: true, small: 'hide', of: ({ quantity }) => exact(quantity) },
  { name: 'Entry', right: true, of: (trade) => exact(onTick(trade, trade.entryPrice)) },
  { name: 'Exit', right: true, of: (trade) => exact(onTick(trade, trade.exitPrice)) },
  { name: 'Fees', right: true, small: 'hide', of: ({ fees }) => money(fees, 4) },
  { name: 'Funding', right: true, small: 'hide', of: ({ funding }) => money(funding, 4, true) },
  {
    name: 'Net',
    right: true,
    of: ({ netPnl }) => html`<span class=${tone(netPnl)}>${money(netPnl, 2, true)}</span>`,
  },
  { name: 'Held', right: true, of: ({ openedAt, closedAt }) => duration(closedAt - openedAt) },
  { name: 'Why', words: true, of: ({ reason }) => reason },
];

interface Filter {
  readonly symbol: string;
  readonly direction: string;
  readonly reason: string;
  readonly from: string;
  readonly to: string;
}

const NO_FILTER: Filter = { symbol: '', direction: '', reason: '', from: '', to: '' };
const PAGE = 500;

/** Days are whole, in UTC, the last one included. */
const queryOf = ({ symbol, direction, reason, from, to }: Filter) => ({
  symbol: symbol.toUpperCase() || undefined,
  direction: direction || undefined,
  reason: reason || undefined,
  from: from === '' ? undefined : Date.parse(`${from}T00:00:00Z`),
  to: to === '' ? undefined : Date.parse(`${to}T23:59:59.999Z`),
});

export function Trades(): VNode {
  const [filter, setFilter] = useState(NO_FILTER);
  const [before, setBefore] = useState<readonly number[]>([]);
  const query = { ...queryOf(filter), limit: PAGE, before: before.at(-1) };
  const seen = useView<TradesPage>(() => read('trades', query), JSON.stringify(query), 15_000);
  const change = (name: keyof Filter) => (event: Event) => {
    setBefore([]);
    setFilter({ ...filter, [name]: (event.target as HTMLInputElement).value });
  };
  return html`<${Card} title="Trades">
      <div class="row">
        <${Field} label="Symbol"><input type="search" size="10" value=${filter.symbol} onInput=${change('symbol')} /></${Field}>
        <${Field} label="Side"><select value=${filter.direction} onChange=${change('direction')}>
          <option value="">both</option><option value="long">long</option><option value="short">short</option>
        </select></${Field}>
        <${Field} label="Why"><input type="search" size="12" value=${filter.reason} onInput=${change('reason')} /></${Field}>
        <${Field} label="From"><input type="date" value=${filter.from} onInput=${change('from')} /></${Field}>
        <${Field} label="To"><input type="date" value=${filter.to} onInput=${change('to')} /></${Field}>
        <button type="button" onClick=${() => void save(filter)}>Save as CSV</button>
      </div>
      <${Loaded} seen=${seen} show=${(page: TradesPage) => html`
        <p class="quiet">${page.count} trades, net <span class=${tone(page.net)}>${money(page.net, 2, true)}</span>${page.complete ? '' : ' (the past is still being read)'}</p>
        <${Table} label="Trades" stacked="cards" rows=${page.trades} columns=${COLUMNS} keyOf=${({ n }: TradeView) => n} empty=${Object.values(filter).join('') === '' ? 'No trade was closed yet.' : 'No trade matches.'} />
        <div class="row">
          <button type="button" disabled=${before.length === 0} onClick=${() => setBefore(before.slice(0, -1))}>Newer</button>
          <button type="button" disabled=${page.next === null} onClick=${() => page.next !== null && setBefore([...before, page.next])}>Older</button>
        </div>`}
      />
    </${Card}>
    <div class="columns">${(['side', 'symbol', 'reason', 'day'] as const).map((by) => html`<${Group} by=${by} />`)}</div>`;
}

const FIELDS = [
  'closedAt',
  'openedAt',
  'symbol',
  'direction',
  'quantity',
  'entryPrice',
  'exitPrice',
  'grossPnl',
  'fees',
  'funding',
  'netPnl',
  'reason',
  'actor',
] as const;

/** All pages of what is filtered. */
async function save(filter: Filter): Promise<void> {
  const rows: TradeView[] = [];
  for (let before: number | undefined, more = true; more; ) {
    const page: TradesPage = await read('trades', { ...queryOf(filter), limit: PAGE, before });
    rows.push(...page.trades);
    more = page.next !== null;
    before = page.next ?? undefined;
  }
  const cells = rows.map((trade) =>
    FIELDS.map((field) =>
      field.endsWith('At') ? new Date(Number(trade[field])).toISOString() : trade[field],
    ),
  );
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([csv([FIELDS, ...cells])], { type: 'text/csv' }));
  link.download = 'trades.csv';
  link.click();
  URL.revokeObjectURL(link.href);
  toast(`${rows.length} trades saved`);
}

const GROUP: readonly Column<ProfitLine>[] = [
  { name: '', words: true, of: ({ group }) => group },
  { name: 'Trades', right: true, of: ({ trades }) => trades },
  { name: 'Won', right: true, of: ({ winRate }) => percent(winRate === null ? null : winRate * 100, 0) },
  { name: 'Net', right: true, of: ({ net }) => html`<span class=${tone(net)}>${money(net, 2, true)}</span>` },
  { name: 'Profit factor', right: true, of: ({ profitFactor }) => money(profitFactor) },
];

function Group({ by }: { by: string }): VNode {
  const seen = useNamedView<readonly ProfitLine[]>('profit', { by }, 30_000);
  return html`<${Card} title=${`By ${by}`}>
    <${Loaded} seen=${seen} show=${(lines: readonly ProfitLine[]) => html`<${Table} label=${`By ${by}`} rows=${lines} columns=${GROUP} keyOf=${({ group }: ProfitLine) => group} empty="No trade yet." />`} />
  </${Card}>`;
}
