/**
 * The local exchange as `bulkhead exchange` composes it, in a process of its own, that a bench can ask about
 * itself: how it does, how many frames it gave out, and when each order's fill and each stop happened.
 */
import { openExchange } from '../src/app/compose/compose-exchange.ts';
import type { ExchangeOptions } from '../src/app/exchange/exchange-flags.ts';
import { systemTime } from '../src/core/clock.ts';
import type { Json } from '../src/core/json.ts';
import { DEMO_API_KEY } from '../src/venue-server/demo-account.ts';
import { DEFAULT_LIMITS } from '../src/venue-server/limits.ts';
import type { Push } from '../src/venue-server/protocol.ts';
import { VenueServer } from '../src/venue-server/venue-server.ts';
import { ProcessProbe, type ProcessSample } from './process-probe.ts';

/** From the bench. */
export interface ExchangeQuestion {
  readonly id: number;
  readonly ask: 'begin' | 'sample' | 'collect' | 'moments';
}

/** Epoch ms with fractions: one clock for all processes of a machine. */
export interface Moment {
  readonly symbol: string;
  readonly what: 'fill' | 'stop';
  readonly at: number;
}

export interface VenueCounts {
  /** Private events by their type. */
  readonly events: Readonly<Record<string, number>>;
  /** Closed bars since the bench began, by their opening time. */
  readonly bars: Readonly<Record<string, number>>;
  readonly publicFrames: number;
}

export interface ExchangeAnswer {
  readonly id: number;
  readonly at: number;
  readonly sample: ProcessSample;
  readonly counts: VenueCounts;
  readonly moments: readonly Moment[];
  readonly state: Json;
}

const probe = new ProcessProbe();
const events: Record<string, number> = {};
let bars: Record<string, number> = {};
let publicFrames = 0;
let moments: Moment[] = [];

type Fields = { readonly [key: string]: Json };
const isFields = (value: Json | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function count(push: Push): void {
  const { data } = push;
  if (push.socket !== 'private') {
    publicFrames++;
    if (!isFields(data) || !isFields(data.k) || data.k.x !== true) return;
    const openTime = String(data.k.t);
    bars[openTime] = (bars[openTime] ?? 0) + 1;
    return;
  }
  if (!isFields(data)) return;
  const type = String(data.e);
  events[type] = (events[type] ?? 0) + 1;
  const { o } = data;
  if (!isFields(o)) return;
  const at = performance.timeOrigin + performance.now();
  const symbol = String(o.s);
  // An entry's executions, and a conditional order that stands.
  if (type === 'ORDER_TRADE_UPDATE' && o.x === 'TRADE' && o.R === false)
    moments.push({ symbol, what: 'fill', at });
  if (type === 'ALGO_UPDATE' && o.X === 'NEW') moments.push({ symbol, what: 'stop', at });
}

/** What leaves is looked at on its way: the server itself has no seam for it and needs none. */
const { push } = VenueServer.prototype;
VenueServer.prototype.push = function counted(this: VenueServer, one: Push): void {
  count(one);
  push.call(this, one);
};

// Bare clients ask faster than a venue would let them; the runtime keeps to the limits that exchangeInfo tells it.
Object.assign(DEFAULT_LIMITS, { weightPerMinute: 1e9, ordersPer10Seconds: 1e9, ordersPerMinute: 1e9 });

const given = JSON.parse(process.argv[2] ?? '{}') as Partial<ExchangeOptions>;
const options: ExchangeOptions = {
  port: 0,
  adminPort: 0,
  source: { kind: 'synthetic' },
  symbols: [],
  speed: 1,
  startAt: undefined,
  stateDir: undefined,
  sync: false,
  journalFile: undefined,
  recordDir: undefined,
  faults: 'none',
  seed: 42,
  balance: '100000000',
  apiKey: DEMO_API_KEY,
  apiSecretFile: undefined,
  hedge: false,
  maxConditionalOrders: undefined,
  legacyStreams: false,
  variants: [],
  untilEnd: false,
  json: true,
  ...given,
};
const running = await openExchange(options, systemTime(), {
  fail: (error) => {
    console.error(error);
    process.exit(1);
  },
  ended: () => {},
});
const state = async (): Promise<Json> =>
  (await (await fetch(`http://127.0.0.1:${running.adminPort}/state`)).json()) as Json;

async function answer({ id, ask }: ExchangeQuestion): Promise<void> {
  if (ask === 'begin') {
    probe.begin();
    publicFrames = 0;
    bars = {};
  }
  const sample = probe.sample(ask === 'collect');
  const told = ask === 'moments' ? moments : [];
  if (ask === 'moments') moments = [];
  process.send?.({
    id,
    at: running.clock.now(),
    sample,
    counts: { events, bars, publicFrames },
    moments: told,
    state: await state(),
  } satisfies ExchangeAnswer);
}

process.on('message', (question: ExchangeQuestion) => void answer(question));
process.on('disconnect', () => process.exit(0));
probe.begin();
process.send?.({ port: running.port });
