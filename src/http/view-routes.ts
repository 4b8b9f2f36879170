/** `GET /api/NAME`: each view by its name, its question read from the address. */
import { BulkheadError } from '../core/errors.ts';
import { PROFIT_GROUPS, type Views } from '../operator/views.ts';

type Query = URLSearchParams;
type Route = (views: Views, query: Query) => unknown;

function bad(name: string, what: string): BulkheadError {
  return new BulkheadError('USAGE', `${name} ${what}`, { hint: 'docs/HTTP.md shows every address.' });
}

function text(query: Query, name: string): string | undefined {
  const value = query.get(name);
  if (value === null || value === '') return undefined;
  if (value.length > 200) throw bad(name, 'is too long');
  return value;
}

function needed(query: Query, name: string): string {
  const value = text(query, name);
  if (value === undefined) throw bad(name, 'is missing');
  return value;
}

function whole(query: Query, name: string): number | undefined {
  const value = text(query, name);
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 0) throw bad(name, 'must be a whole number');
  return number;
}

function wholeNeeded(query: Query, name: string): number {
  const value = whole(query, name);
  if (value === undefined || value < 1) throw bad(name, 'must be a whole number from 1');
  return value;
}

function oneOf<T extends string>(query: Query, name: string, allowed: readonly T[]): T | undefined {
  const value = text(query, name);
  const found = allowed.find((each) => each === value);
  if (value !== undefined && found === undefined) throw bad(name, `must be one of ${allowed.join(', ')}`);
  return found;
}

/** Without what was not asked for. */
function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

export const VIEW_ROUTES: Readonly<Record<string, Route>> = {
  status: (views) => views.status(),
  positions: (views) => views.positions(),
  position: (views, query) => views.position(needed(query, 'position')),
  orders: (views, query) => views.orders(text(query, 'symbol')),
  trades: (views, query) =>
    views.trades(
      given({
        symbol: text(query, 'symbol'),
        direction: oneOf(query, 'direction', ['long', 'short'] as const),
        reason: text(query, 'reason'),
        from: whole(query, 'from'),
        to: whole(query, 'to'),
        before: whole(query, 'before'),
        limit: whole(query, 'limit'),
      }),
    ),
  notices: (views, query) => views.notices(whole(query, 'limit')),
  balance: (views) => views.balance(),
  profit: (views, query) => views.profit(oneOf(query, 'by', PROFIT_GROUPS)),
  results: (views) => views.results(),
  equity: (views) => views.equity(),
  entries: (views) => views.entries(),
  risk: (views) => views.risk(),
  breakers: (views) => views.breakers(),
  decisions: (views) => views.decisions(),
  logs: (views, query) =>
    views.logs(
      given({
        limit: whole(query, 'limit'),
        level: oneOf(query, 'level', ['trace', 'debug', 'info', 'warn', 'error'] as const),
        after: whole(query, 'after'),
      }),
    ),
  config: (views) => views.config(),
  'config/versions': (views, query) => views.configVersions(whole(query, 'limit')),
  'config/version': (views, query) => views.configVersion(wholeNeeded(query, 'version')),
  'config/diff': (views, query) => views.configDiff(wholeNeeded(query, 'to'), whole(query, 'from')),
  health: (views) => views.health(),
  tree: (views) => views.tree(),
  version: (views) => views.version(),
  audit: (views, query) => views.audit(Math.min(200, whole(query, 'limit') ?? 50)),
  slo: (views) => views.slo(),
  candles: (views, query) => views.candles(needed(query, 'symbol'), whole(query, 'limit'), whole(query, 'n')),
  journal: (views, query) => {
    const order = oneOf(query, 'order', ['asc', 'desc'] as const);
    return views.journal(
      given({
        actor: text(query, 'actor'),
        type: text(query, 'type'),
        text: text(query, 'text'),
        after: whole(query, 'after'),
        before: whole(query, 'before'),
        limit: whole(query, 'limit'),
        newestFirst: order === undefined ? undefined : order === 'desc',
      }),
    );
  },
  actors: (views) => views.actors(),
  actor: (views, query) => views.actor(needed(query, 'actor')),
  'actor/at': (views, query) => views.actor(needed(query, 'actor'), whole(query, 'n')),
  'actor/rows': (views, query) =>
    views.actorRows(needed(query, 'actor'), whole(query, 'afterSeq') ?? 0, whole(query, 'limit')),
  machines: (views) => views.machines(),
  machine: (views, query) => views.machine(needed(query, 'type')),
};
