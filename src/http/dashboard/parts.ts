/** What several pages are made of. */
import type { Json } from '../../core/json.ts';
import { Refused, read } from './api.ts';
import { later } from './browser.ts';
import { usePart } from './store.ts';
import { type Children, html, useEffect, useRef, useState, type VNode } from './ui.ts';

/** What a view said last, and why it could not be read, if so. */
export interface Seen<T> {
  readonly data: T | null;
  readonly error: Refused | null;
}

/**
 * A view, read when the page opens, when `key` changes, after commands, trades and a broken stream, and every
 * `everyMs` while somebody looks.
 */
export function useView<T>(load: () => Promise<T>, key: string, everyMs = 5_000): Seen<T> {
  const [seen, setSeen] = useState<Seen<T>>({ data: null, error: null });
  const version = usePart(({ version: { trades, commands, reset }, hasToken }) =>
    [trades, commands, reset, hasToken].join(),
  );
  useEffect(() => {
    let isOpen = true;
    let cancel = () => {};
    const look = async (): Promise<void> => {
      if (document.visibilityState === 'visible') {
        const next = await load().then(
          (data) => ({ data, error: null }),
          (error: unknown) => ({ error: error instanceof Refused ? error : new Refused(0, String(error)) }),
        );
        if (isOpen) setSeen((before) => ({ ...before, ...next }));
      }
      if (isOpen) cancel = later(everyMs, () => void look());
    };
    void look();
    return () => {
      isOpen = false;
      cancel();
    };
  }, [key, version]);
  return seen;
}

export const useNamedView = <T>(
  view: string,
  query: Readonly<Record<string, string | number | undefined>> = {},
  everyMs?: number,
): Seen<T> => useView<T>(() => read<T>(view, query), `${view} ${JSON.stringify(query)}`, everyMs);

/** Its content once there is some; what went wrong, as words. */
export function Loaded<T>({ seen, show }: { seen: Seen<T>; show: (data: T) => Children }): VNode {
  const { data, error } = seen;
  const complaint = error && html`<p class="bad" role="alert">${error.message} ${error.hint}</p>`;
  const waiting = !error && html`<p class="quiet">One moment…</p>`;
  return html`${complaint}${data === null ? waiting : show(data)}`;
}

export const Card = ({ title, wide, children }: { title?: Children; wide?: boolean; children?: Children }) =>
  html`<section class=${wide ? 'card wide' : 'card'}>${title && html`<h2>${title}</h2>`}${children}</section>`;

export const Tile = ({
  label,
  value,
  note,
  tone = '',
}: {
  label: string;
  value: Children;
  note?: Children;
  tone?: string;
}) => html`<div class="tile">
  <div class="label">${label}</div>
  <div class=${`value ${tone}`}>${value}</div>
  <div class="note">${note}</div>
</div>`;

export const Badge = ({ tone = '', children }: { tone?: string; children?: Children }) =>
  html`<span class=${`badge ${tone}`}>${children}</span>`;

export const Meter = ({ share, label }: { share: number; label: string }) => {
  const part = Math.min(100, Math.max(0, share * 100));
  const tone = share >= 0.95 ? 'bad' : share >= 0.75 ? 'warn' : '';
  return html`<div
    class="meter"
    role="meter"
    aria-label=${label}
    aria-valuemin="0"
    aria-valuemax="100"
    aria-valuenow=${part.toFixed(0)}
  >
    <div class=${tone} style=${`width:${part}%`}></div>
  </div>`;
};

export interface Column<R> {
  readonly name: string;
  readonly right?: boolean;
  readonly words?: boolean;
  /** On a phone not at all, or over a card's whole width. */
  readonly small?: 'hide' | 'whole';
  readonly of: (row: R) => Children;
}

const ROW_PX = 33;
const MARGIN_ROWS = 12;
/** So many rows are simply drawn; of more, only those in sight. */
const ALL_DRAWN = 120;

/** A table that stays quick with thousands of rows. */
export function Table<R>({
  rows,
  columns,
  keyOf,
  onPick,
  empty = 'Nothing here.',
  stacked,
  label,
}: {
  rows: readonly R[];
  columns: readonly Column<R>[];
  keyOf: (row: R) => string | number;
  onPick?: ((row: R) => void) | undefined;
  empty?: string;
  /** On a phone each row is a block: its cells below one another, or in pairs on a card, all of one height where the table is long. */
  stacked?: 'lines' | 'cards';
  label: string;
}): VNode {
  const frame = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [rowPx, setRowPx] = useState(ROW_PX);
  const isLong = rows.length > ALL_DRAWN;
  useEffect(() => {
    const row = isLong && frame.current?.querySelector('tbody tr:not([aria-hidden])');
    const height = row ? row.getBoundingClientRect().height : 0;
    if (Math.abs(height - rowPx) > 1 && height > 0) setRowPx(height);
  });
  if (rows.length === 0) return html`<p class="quiet">${empty}</p>`;
  const inSight = Math.ceil((frame.current?.clientHeight ?? 700) / rowPx);
  const from = isLong ? Math.max(0, Math.floor(top / rowPx) - MARGIN_ROWS) : 0;
  const to = isLong ? Math.min(rows.length, from + inSight + 2 * MARGIN_ROWS) : rows.length;
  const space = (count: number) =>
    count > 0 &&
    html`<tr aria-hidden="true" style=${`height:${count * rowPx}px`}><td colspan=${columns.length}></td></tr>`;
  const classOf = ({ right, words, small }: Column<R>) =>
    [right && 'right', words && 'words', small === 'hide' && 'hide-small', small === 'whole' && 'whole']
      .filter(Boolean)
      .join(' ');
  return html`<div
    class="scroll"
    ref=${frame}
    tabindex="0"
    role="region"
    aria-label=${label}
    onScroll=${(event: Event) => isLong && setTop((event.currentTarget as HTMLElement).scrollTop)}
  >
    <table class=${[stacked && `stacked ${stacked}`, isLong && 'long'].filter(Boolean).join(' ')}>
      <thead>
        <tr>${columns.map((column) => html`<th scope="col" class=${classOf(column)}>${column.name}</th>`)}</tr>
      </thead>
      <tbody>
        ${space(from)}
        ${rows.slice(from, to).map(
          (row) => html`<tr
            key=${keyOf(row)}
            class=${onPick ? 'pick' : ''}
            onClick=${onPick && (() => onPick(row))}
          >
            ${columns.map((column) => html`<td class=${classOf(column)} data-label=${stacked && column.name !== '' ? column.name : undefined}>${column.of(row)}</td>`)}
          </tr>`,
        )}
        ${space(rows.length - to)}
      </tbody>
    </table>
  </div>`;
}

/** The name of a row's event. */
export const eventType = (event: Json): string =>
  typeof event === 'object' && event !== null && 'type' in event ? String(event.type) : '';

export const Field = ({ label, children }: { label: string; children?: Children }) =>
  html`<label class="row"><span class="quiet">${label}</span>${children}</label>`;

/** `#/positions/BTCUSDT` → ['positions', 'BTCUSDT']. */
export function useRoute(): readonly string[] {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const look = () => setHash(location.hash);
    addEventListener('hashchange', look);
    return () => removeEventListener('hashchange', look);
  }, []);
  return routeOf(hash);
}

export const routeOf = (hash: string): readonly string[] =>
  hash
    .replace(/^#\/?/, '')
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);

export const linkTo = (...parts: readonly (string | number)[]): string =>
  `#/${parts.map((part) => encodeURIComponent(part)).join('/')}`;
