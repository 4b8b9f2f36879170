/**
 * The venue's front over a little core of its own: a ledger of notes with Binance's manners. Enough of a core to
 * see what the front does with one, and nothing of trading.
 */
import { createHmac } from 'node:crypto';
import { systemTime } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import type { CoreEntry } from '../../src/venue-server/core.ts';
import { DEMO_ACCOUNT, DEMO_API_KEY, DEMO_API_SECRET } from '../../src/venue-server/demo-account.ts';
import { parseFaults } from '../../src/venue-server/faults-parse.ts';
import type { LimitRules } from '../../src/venue-server/limits.ts';
import { type Endpoint, type Push, required, WireError } from '../../src/venue-server/protocol.ts';
import type { CorePort, MarketPort } from '../../src/venue-server/server-ports.ts';
import { manualClock, runningClock, type VenueClock } from '../../src/venue-server/venue-clock.ts';
import { VenueServer } from '../../src/venue-server/venue-server.ts';

export interface NoteCore extends CorePort {
  readonly notes: string[];
  readonly fed: unknown[];
  keys: Set<string>;
}

export function noteCore(push: (push: Push) => void, journal: (entry: CoreEntry) => void): NoteCore {
  const notes: string[] = [];
  const fed: unknown[] = [];
  const keys = new Set<string>();
  const place: Endpoint = {
    method: 'POST',
    path: '/fapi/v1/order',
    security: 'signed',
    weight: 0,
    orders: 1,
    changes: true,
    protective: (params) => params.get('reduceonly') === 'true',
    handle: (request) => {
      const id = required(request.params, 'newClientOrderId');
      if (id === 'bad') throw new WireError(-1121, 'Invalid symbol.');
      if (id === 'defect') throw new TypeError('a slip');
      notes.push(id);
      journal({
        type: 'request',
        method: request.method,
        path: request.path,
        params: Object.fromEntries(request.params),
        at: request.at,
        account: DEMO_ACCOUNT,
        quotes: {},
      });
      const order = { c: id, X: request.params.get('status') ?? 'NEW' };
      push({
        socket: 'private',
        account: DEMO_ACCOUNT,
        at: request.at,
        data: { e: 'ORDER_TRADE_UPDATE', o: order },
      });
      return { clientOrderId: id, number: notes.length };
    },
  };
  const read: Endpoint = {
    method: 'GET',
    path: '/fapi/v1/openOrders',
    security: 'signed',
    weight: 40,
    changes: false,
    handle: () => notes.map((id) => ({ clientOrderId: id })),
  };
  const key: Endpoint = {
    method: 'POST',
    path: '/fapi/v1/listenKey',
    security: 'key',
    weight: 1,
    changes: true,
    handle: () => {
      keys.add('k1');
      return { listenKey: 'k1' };
    },
  };
  return {
    notes,
    fed,
    keys,
    endpoints: () => [place, read, key],
    feed: (input) => void fed.push(input),
    tick: () => {},
    nextDeadline: () => undefined,
    replay: (entry) => {
      if (entry.type === 'request') notes.push(entry.params.newclientorderid ?? '');
    },
    accountOf: (apiKey) => (apiKey === DEMO_API_KEY ? DEMO_ACCOUNT : undefined),
    listenKeyAccount: (name) => (keys.has(name) ? DEMO_ACCOUNT : undefined),
    expireListenKey: (account, at, announce) => {
      if (announce) {
        const data = { e: 'listenKeyExpired', E: at, listenKey: [...keys][0] ?? '' };
        keys.clear();
        push({ socket: 'private', account, at, data });
      } else keys.clear();
    },
    restrict: () => {},
    violations: () => [],
    ledger: () => undefined,
  };
}

export const MARKET_TIME = Date.UTC(2025, 5, 1);

export function quietMarket(demand: string[] = []): MarketPort {
  const time: Endpoint = {
    method: 'GET',
    path: '/fapi/v1/time',
    security: 'none',
    weight: 1,
    changes: false,
    handle: ({ at }) => ({ serverTime: at }),
  };
  const big: Endpoint = {
    ...time,
    path: '/fapi/v1/exchangeInfo',
    handle: () => ({ symbols: 'x'.repeat(100_000) }),
  };
  return {
    endpoints: () => [time, big],
    subscribed: (stream) => void demand.push(`+${stream}`),
    unsubscribed: (stream) => void demand.push(`-${stream}`),
    quote: () => undefined,
    instruments: () => [],
    instrument: () => undefined,
    funding: () => undefined,
    changeInstrument: () => {},
    shock: () => {},
  };
}

export interface FrontOptions {
  readonly faults?: unknown;
  readonly limits?: Partial<LimitRules>;
  readonly speed?: number | 'manual';
  readonly legacyStreams?: boolean;
  readonly seed?: number;
}

export class Front {
  readonly server: VenueServer;
  readonly core: NoteCore;
  readonly clock: VenueClock & { advanceTo?(at: number): void };
  readonly demand: string[] = [];
  readonly journal: CoreEntry[] = [];
  readonly log: { what: string; fields: unknown }[] = [];

  constructor({ faults = [], speed = 1, seed = 1, ...rest }: FrontOptions = {}) {
    const real = systemTime();
    this.clock =
      speed === 'manual'
        ? manualClock(MARKET_TIME)
        : runningClock({ venueAt: MARKET_TIME, realAt: real.clock.now(), speed }, real);
    const push = (one: Push): void => this.server.push(one);
    const journal = (entry: CoreEntry): void => {
      this.journal.push(entry);
      this.server.journaled(entry);
    };
    this.core = noteCore(push, journal);
    this.server = new VenueServer({
      clock: this.clock,
      real,
      random: seededRandom(seed),
      host: '127.0.0.1',
      port: 0,
      accounts: [{ id: DEMO_ACCOUNT, apiKey: DEMO_API_KEY, apiSecret: DEMO_API_SECRET }],
      core: this.core,
      market: quietMarket(this.demand),
      copyCore: () => {
        const copy = noteCore(
          () => {},
          () => {},
        );
        copy.notes.push(...this.core.notes);
        return copy;
      },
      faults: parseFaults(faults),
      fail: (error) => {
        throw error;
      },
      note: (what, fields) => this.log.push({ what, fields }),
      ...rest,
    });
  }

  static async open(t: { after(fn: () => Promise<void>): void }, options: FrontOptions = {}): Promise<Front> {
    const front = new Front(options);
    await front.server.open();
    t.after(() => front.server.close());
    return front;
  }

  /** A signed request as a client sends it: GET and DELETE in the query, others as a form. */
  async signed(method: string, path: string, params: Record<string, string> = {}, at?: number) {
    const text = new URLSearchParams({ ...params, timestamp: String(at ?? this.clock.now()) }).toString();
    return this.send(method, path, `${text}&signature=${sign(text)}`);
  }

  async send(method: string, path: string, text = '', headers: Record<string, string> = {}) {
    const isForm = method === 'POST' || method === 'PUT';
    const response = await fetch(`${this.server.url}${path}${!isForm && text ? `?${text}` : ''}`, {
      method,
      headers: { 'X-MBX-APIKEY': DEMO_API_KEY, ...headers },
      ...(isForm
        ? { body: text, headers: { 'X-MBX-APIKEY': DEMO_API_KEY, 'Content-Type': FORM, ...headers } }
        : {}),
    });
    const body = await response.text();
    return { status: response.status, headers: response.headers, body, json: parsed(body) };
  }

  place(id: string, params: Record<string, string> = {}) {
    return this.signed('POST', '/fapi/v1/order', { newClientOrderId: id, ...params });
  }
}

export const sign = (text: string): string =>
  createHmac('sha256', DEMO_API_SECRET).update(text).digest('hex');

const FORM = 'application/x-www-form-urlencoded';

function parsed(body: string): Record<string, unknown> {
  try {
    return JSON.parse(body) as Record<string, unknown>;
  } catch {
    return {};
  }
}
