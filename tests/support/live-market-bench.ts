/** A live market of Binance between real sockets and a real HTTP server on loopback, the clocks in the test's hand. */
import type { TestContext } from 'node:test';
import { VirtualTime } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import { CcxtMarketData, type CcxtMarketDataOptions } from '../../src/market/feeds/ccxt-market-data.ts';
import type { LiveChannel, LiveMarketEvent } from '../../src/market/live/live-market.ts';
import { type RestRequest, type RestServer, restServer } from './public-rest-server.ts';
import { type ServerConnection, type SocketServer, socketServer } from './socket-server.ts';

export const T0 = 1_700_000_100_000 - (1_700_000_100_000 % 900_000);
export const MINUTE = 60_000;

export interface LiveMarketBench {
  readonly sockets: SocketServer;
  readonly rest: RestServer;
  readonly venue: VirtualTime;
  readonly real: VirtualTime;
  readonly market: CcxtMarketData;
  readonly events: LiveMarketEvent[];
  answer: (request: RestRequest) => unknown;
  start(channels: readonly LiveChannel[], symbols?: readonly string[], timeframe?: '1m'): Promise<void>;
  of<T extends LiveMarketEvent['type']>(type: T): Extract<LiveMarketEvent, { type: T }>[];
  /** The connection that carries a stream. */
  carrying(stream: string): Promise<ServerConnection>;
  subscribe: boolean;
}

export async function liveMarketBench(
  t: TestContext,
  options: Partial<CcxtMarketDataOptions> = {},
): Promise<LiveMarketBench> {
  const sockets = await socketServer(t, {
    onText: (connection, text) => {
      const { id } = JSON.parse(text) as { id: number };
      if (b.subscribe) connection.send({ result: null, id });
    },
  });
  const rest = await restServer(t, (request) => b.answer(request));
  const venue = new VirtualTime(T0 + 30_000);
  const real = new VirtualTime();
  const events: LiveMarketEvent[] = [];
  const market = new CcxtMarketData({
    restUrl: rest.url,
    streamUrl: sockets.url,
    time: venue,
    realTime: real,
    random: seededRandom(9),
    ...options,
  });
  t.after(() => market.stop());
  const b: LiveMarketBench = {
    sockets,
    rest,
    venue,
    real,
    market,
    events,
    answer: () => undefined,
    subscribe: true,
    start: (channels, symbols = ['BTCUSDT', 'ETHUSDT'], timeframe = '1m') =>
      market.start({ symbols, timeframe, channels }, (event) => {
        events.push(event);
        sockets.changed();
      }),
    of: (type) => events.filter((event) => event.type === type) as never,
    carrying: async (stream) => {
      const find = () => sockets.open().find(({ said }) => said.some((text) => text.includes(`"${stream}"`)));
      await sockets.until(find);
      return find() as ServerConnection;
    },
  };
  return b;
}

export const kline = (symbol: string, openTime: number, closed: boolean, close = '101') => ({
  e: 'kline',
  E: openTime + MINUTE,
  s: symbol,
  k: {
    t: openTime,
    T: openTime + MINUTE - 1,
    s: symbol,
    i: '1m',
    f: 1,
    L: 2,
    o: '100',
    c: close,
    h: '102',
    l: '99',
    v: '5',
    n: 3,
    x: closed,
    q: '500',
    V: '2',
    Q: '200',
    B: '0',
  },
});
export const mark = (symbol: string, at: number, price: number) => ({
  e: 'markPriceUpdate',
  E: at,
  s: symbol,
  p: String(price),
  ap: '1',
  i: '1',
  P: '1',
  r: '0.00010000',
  T: T0 + 8 * 3_600_000,
  st: 1,
});
export const bookTicker = (symbol: string, u: number, bid: string) => ({
  e: 'bookTicker',
  u,
  s: symbol,
  b: bid,
  B: '2',
  a: '200',
  A: '3',
  T: T0 + u,
  E: T0 + u,
  st: 1,
  ps: symbol,
});
