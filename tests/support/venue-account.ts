/** A venue core with a market that a test moves by hand, a journal and everything that was pushed. */
import type { Json } from '../../src/core/json.ts';
import type { EngineInput } from '../../src/exchange/engine/engine-types.ts';
import type { CoreAccount, CoreEntry, CoreOptions, MarketQuote } from '../../src/venue-server/core.ts';
import { VenueCore } from '../../src/venue-server/core.ts';
import { type HttpMethod, type Push, WireError } from '../../src/venue-server/protocol.ts';
import { BTC, ETH, NO_SLIPPAGE } from './venue.ts';

export const START = 1_700_000_000_000;
export const KEY = 'key-of-the-test';

export type Fields = Record<string, Json>;
export type Params = Record<string, string | number | boolean>;

export interface BenchOptions extends Partial<CoreOptions> {
  readonly account?: Partial<CoreAccount>;
}

export class CoreBench {
  core: VenueCore;
  at = START;
  readonly entries: CoreEntry[] = [];
  readonly pushes: Push[] = [];
  readonly quotes = new Map<string, MarketQuote>();
  readonly options: CoreOptions;

  constructor({ account, ...more }: BenchOptions = {}) {
    this.options = {
      instruments: [BTC, ETH],
      slippage: NO_SLIPPAGE,
      market: {
        quote: (symbol) => this.quotes.get(symbol),
        instruments: () => [BTC, ETH],
        instrument: (symbol) => [BTC, ETH].find((one) => one.symbol === symbol),
        funding: () => ({ rate: 0.0001, nextAt: START + 3_600_000, intervalHours: 8 }),
      },
      push: (push) => this.pushes.push(push),
      journal: { append: (entry) => this.entries.push(structuredClone(entry)) },
      accounts: [{ id: 'main', apiKey: KEY, initialBalance: '10000', ...account }],
      ...more,
    };
    this.core = new VenueCore(this.options);
    this.quote('BTCUSDT', 100);
    this.quote('ETHUSDT', 10);
  }

  quote(symbol: string, last: number, more: Partial<MarketQuote> = {}): void {
    this.quotes.set(symbol, { last, mark: last, ...more });
  }

  /** Answers as the endpoint does; a refusal comes back as `{code, msg}`. */
  call(method: HttpMethod, path: string, params: Params = {}): Fields {
    const endpoint = this.core.endpoints().find((one) => one.method === method && one.path === path);
    if (!endpoint) throw new Error(`no endpoint ${method} ${path}`);
    const pairs = Object.entries(params).map(([name, value]): [string, string] => [
      name.toLowerCase(),
      String(value),
    ]);
    try {
      return endpoint.handle({ method, path, params: new Map(pairs), at: ++this.at, apiKey: KEY }) as Fields;
    } catch (error) {
      if (error instanceof WireError) return { code: error.code, msg: error.message };
      throw error;
    }
  }

  get = (path: string, params?: Params): Fields => this.call('GET', path, params);
  post = (path: string, params?: Params): Fields => this.call('POST', path, params);
  put = (path: string, params?: Params): Fields => this.call('PUT', path, params);
  delete = (path: string, params?: Params): Fields => this.call('DELETE', path, params);
  list = (path: string, params?: Params): Fields[] => this.call('GET', path, params) as unknown as Fields[];

  market(side: 'BUY' | 'SELL', quantity: string, more: Params = {}): Fields {
    return this.post('/fapi/v1/order', {
      symbol: 'BTCUSDT',
      side,
      type: 'MARKET',
      quantity,
      newOrderRespType: 'RESULT',
      ...more,
    });
  }

  limit(side: 'BUY' | 'SELL', quantity: string, price: string, more: Params = {}): Fields {
    return this.post('/fapi/v1/order', {
      symbol: 'BTCUSDT',
      side,
      type: 'LIMIT',
      timeInForce: 'GTC',
      quantity,
      price,
      newOrderRespType: 'RESULT',
      ...more,
    });
  }

  stop(side: 'BUY' | 'SELL', triggerPrice: string, more: Params = {}): Fields {
    return this.post('/fapi/v1/algoOrder', {
      algoType: 'CONDITIONAL',
      symbol: 'BTCUSDT',
      side,
      type: 'STOP_MARKET',
      triggerPrice,
      ...(more.closePosition ? {} : { quantity: '1' }),
      ...more,
    });
  }

  /** The symbol trades at `last` now, for the quotes and for the engine. */
  price(last: number, mark = last, symbol = 'BTCUSDT'): void {
    this.quote(symbol, last, { mark });
    this.feed({ type: 'PRICE', at: ++this.at, symbol, last, mark });
  }

  feed(input: EngineInput, account?: string): void {
    this.core.feed(input, account);
  }

  listen(): string {
    return String(this.post('/fapi/v1/listenKey').listenKey);
  }

  /** What was pushed since the last look. */
  frames(): Fields[] {
    return this.pushes.splice(0).map((push) => push.data as Fields);
  }

  position(symbol = 'BTCUSDT') {
    return this.core.ledger('main')?.positions.find((one) => one.symbol === symbol);
  }

  wallet(): string | undefined {
    return this.core.ledger('main')?.wallet;
  }
}

/** A frame in a few words, for tests about order and kind. */
export function short(frame: Fields): string {
  const order = frame.o as Fields | undefined;
  const account = frame.a as Fields | undefined;
  if (frame.e === 'ORDER_TRADE_UPDATE') return `ORDER ${order?.x} ${order?.X}`;
  if (frame.e === 'ALGO_UPDATE') return `ALGO ${order?.X}`;
  if (frame.e === 'ACCOUNT_UPDATE') return `ACCOUNT ${account?.m}`;
  return String(frame.e);
}
