/**
 * What a socket's address asks for: which of the venue's sockets, wrapped or raw, and which streams at once.
 *
 *     /public/ws/btcusdt@bookTicker      /market/ws/3 (a number is only a client's counter)
 *     /market/stream?streams=a/b         /private/ws?listenKey=K&events=ORDER_TRADE_UPDATE/ACCOUNT_UPDATE
 */
export type SocketKind = 'public' | 'market' | 'private' | 'legacy';

export interface StreamRoute {
  readonly kind: SocketKind;
  /** Events come as `{stream, data}`. */
  readonly combined: boolean;
  readonly streams: readonly string[];
  readonly listenKeys: readonly string[];
  /** Only these private events; undefined: all. */
  readonly events: ReadonlySet<string> | undefined;
}

const ROUTE = /^(?:\/(?<kind>public|market|private))?\/(?<form>ws|stream)(?:\/(?<rest>.*))?$/;

export function streamRoute(url: string): StreamRoute | undefined {
  const [path = '', query = ''] = url.split('?', 2);
  const match = ROUTE.exec(path)?.groups;
  if (!match) return undefined;
  const params = new URLSearchParams(query);
  const kind = (match.kind ?? 'legacy') as SocketKind;
  const combined = match.form === 'stream';
  const rest = decoded(match.rest ?? '');
  if (rest === undefined) return undefined;
  const named = [...split(rest), ...split(params.get('streams') ?? '')];
  const keys = split(params.get('listenKey') ?? '');
  const events = params.get('events');
  const isKey = (name: string): boolean => kind === 'private' && !isCounter(name);
  return {
    kind,
    combined,
    streams: named.filter(isStream),
    listenKeys: [...keys, ...named.filter((name) => isKey(name) && !isStream(name))],
    events: events === null ? undefined : new Set(split(events)),
  };
}

/** Undefined: a percent sign that begins nothing. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** A stream has an @ in its name, or stands for all symbols. */
export const isStream = (name: string): boolean => name.includes('@') || name.startsWith('!');

const isCounter = (name: string): boolean => /^\d{1,6}$/.test(name);

const split = (list: string): string[] => list.split('/').filter((name) => name !== '');
