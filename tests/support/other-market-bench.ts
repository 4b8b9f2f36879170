/** Bybit's and OKX's markets against loopback servers that speak their protocols, the clocks in the test's hand. */
import type { TestContext } from 'node:test';
import { VirtualTime } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import { BybitMarketData } from '../../src/market/feeds/socket-bybit-market-data.ts';
import { OkxMarketData } from '../../src/market/feeds/socket-okx-market-data.ts';
import type { LiveChannel, LiveMarketData, LiveMarketEvent } from '../../src/market/live/live-market.ts';
import { bybitServer } from './bybit-server.ts';
import { type OkxFrame, okxServer } from './okx-server.ts';
import { type RestRequest, restServer } from './public-rest-server.ts';
import type { SocketServer } from './socket-server.ts';

export const T0 = 1_700_000_100_000 - (1_700_000_100_000 % 900_000);
export const MINUTE = 60_000;

export interface Bench<S extends SocketServer, M extends LiveMarketData> {
  readonly server: S;
  readonly market: M;
  readonly venue: VirtualTime;
  readonly real: VirtualTime;
  readonly events: LiveMarketEvent[];
  readonly asked: RestRequest[];
  answer: (request: RestRequest) => unknown;
  start(channels: readonly LiveChannel[], symbols?: readonly string[]): Promise<void>;
  of<T extends LiveMarketEvent['type']>(type: T): Extract<LiveMarketEvent, { type: T }>[];
}

export interface Parts {
  readonly streamUrl: string;
  readonly restUrl: string;
  readonly time: VirtualTime;
  readonly realTime: VirtualTime;
  readonly random: ReturnType<typeof seededRandom>;
}

export async function bench<S extends SocketServer, M extends LiveMarketData>(
  t: TestContext,
  server: S,
  make: (parts: Parts) => M,
): Promise<Bench<S, M>> {
  const rest = await restServer(t, (request) => b.answer(request));
  const venue = new VirtualTime(T0 + 30_000);
  const real = new VirtualTime();
  const market = make({
    streamUrl: server.url,
    restUrl: rest.url,
    time: venue,
    realTime: real,
    random: seededRandom(4),
  });
  t.after(() => market.stop());
  const events: LiveMarketEvent[] = [];
  const b: Bench<S, M> = {
    server,
    market,
    venue,
    real,
    events,
    asked: rest.requests as RestRequest[],
    answer: () => undefined,
    start: (channels, symbols = ['BTCUSDT']) =>
      market.start({ symbols, timeframe: '1m', channels }, (event) => {
        events.push(event);
        server.changed();
      }),
    of: (type) => events.filter((event) => event.type === type) as never,
  };
  return b;
}

export const bybit = async (t: TestContext) =>
  bench(t, await bybitServer(t), (parts) => new BybitMarketData(parts));

export const okx = async (t: TestContext, instrumentOf?: (symbol: string) => string) => {
  const b = await bench(
    t,
    await okxServer(t),
    (parts) => new OkxMarketData({ ...parts, ...(instrumentOf && { instrumentOf }) }),
  );
  b.answer = () => ({ code: '0', msg: '', data: CONTRACTS });
  return b;
};
export const CONTRACTS = [
  { instId: 'BTC-USDT-SWAP', instType: 'SWAP', ctType: 'linear', ctVal: '0.01', ctMult: '1' },
  { instId: 'UNI-USD-SWAP', instType: 'SWAP', ctType: 'inverse', ctVal: '10', ctMult: '1' },
];

export interface BybitBook {
  topic: string;
  type: string;
  ts: number;
  data: { b: [string, string][]; a: [string, string][]; u: number };
}

/** The book as it must be: by sorting, not by the code under test. */
export function replayed(frames: readonly BybitBook[]): { bids: number[][]; asks: number[][] } {
  const sides = { b: new Map<string, string>(), a: new Map<string, string>() };
  for (const { type, data } of frames) {
    for (const side of ['b', 'a'] as const) {
      if (type === 'snapshot') sides[side].clear();
      for (const [price, quantity] of data[side]) {
        if (Number(quantity) === 0) sides[side].delete(price);
        else sides[side].set(price, quantity);
      }
    }
  }
  const sorted = (side: 'b' | 'a', order: number) =>
    [...sides[side]]
      .map((level) => level.map(Number))
      .sort((x, y) => ((x[0] as number) - (y[0] as number)) * order)
      .slice(0, 50);
  return { bids: sorted('b', -1), asks: sorted('a', 1) };
}

export interface OkxBook extends OkxFrame {
  action?: string;
  data: { bids: string[][]; asks: string[][]; ts: string; checksum: number }[];
}

export const pairs = (levels: readonly string[][] = []) => levels.map(([p, q]) => [p, q] as [string, string]);
