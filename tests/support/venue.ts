/** One venue engine with defaults for everything, so that each option a test sets means something. */
import type { Instrument } from '../../src/domain/instrument.ts';
import type { IdentifiedOrder, OrderRequest } from '../../src/domain/order.ts';
import {
  type EngineInput,
  type EngineOptions,
  type EngineOutput,
  type Quote,
  VenueEngine,
} from '../../src/exchange/engine/engine.ts';
import type { MarketBar } from '../../src/market/market-data.ts';

export const BTC: Instrument = {
  symbol: 'BTCUSDT',
  base: 'BTC',
  quote: 'USDT',
  status: 'TRADING',
  tickSize: '0.1',
  minPrice: '0.1',
  maxPrice: '1000000',
  stepSize: '0.001',
  minQuantity: '0.001',
  maxQuantity: '1000',
  marketMaxQuantity: '120',
  minNotional: '5',
  multiplierUp: '1.05',
  multiplierDown: '0.95',
  triggerProtectRate: '0.05',
  liquidationFeeRate: '0.0125',
  marketTakeBoundRate: '0.05',
  makerFeeRate: '0.0002',
  takerFeeRate: '0.0005',
  fundingIntervalHours: 8,
  brackets: [
    {
      bracket: 1,
      initialLeverage: 125,
      notionalFloor: '0',
      notionalCap: '50000',
      maintMarginRate: '0.004',
      cum: '0',
    },
    {
      bracket: 2,
      initialLeverage: 100,
      notionalFloor: '50000',
      notionalCap: '500000',
      maintMarginRate: '0.005',
      cum: '50',
    },
    {
      bracket: 3,
      initialLeverage: 50,
      notionalFloor: '500000',
      notionalCap: '10000000',
      maintMarginRate: '0.01',
      cum: '2550',
    },
    {
      bracket: 4,
      initialLeverage: 20,
      notionalFloor: '10000000',
      notionalCap: '80000000',
      maintMarginRate: '0.025',
      cum: '152550',
    },
  ],
};

export const ETH: Instrument = { ...BTC, symbol: 'ETHUSDT', base: 'ETH', tickSize: '0.01', minPrice: '0.01' };

/** No spread and no impact: prices come out as they went in. */
export const NO_SLIPPAGE = { halfSpreadRate: 0, impactRate: 0, makerVolumeShare: 1 };

export const OWNER = 'position/BTCUSDT/BOTH/1';

export function venueOptions(options: Partial<EngineOptions> = {}): EngineOptions {
  return { instruments: [BTC, ETH], initialBalance: '10000', slippage: NO_SLIPPAGE, ...options };
}

export function order(
  request: Partial<OrderRequest> & { owner?: string; clientOrderId?: string } = {},
): IdentifiedOrder {
  const ref = request.ref ?? 'o1';
  return {
    symbol: 'BTCUSDT',
    side: 'BUY',
    positionSide: 'BOTH',
    type: 'MARKET',
    reduceOnly: false,
    owner: OWNER,
    clientOrderId: `bh-${ref}`,
    ...(request.closePosition ? {} : { quantity: '1' }),
    ...request,
    ref,
  };
}

export function bar(
  open: number,
  high: number,
  low: number,
  close: number,
  more: Partial<MarketBar> = {},
): MarketBar {
  return { symbol: 'BTCUSDT', timeframe: '1m', openTime: 0, open, high, low, close, volume: 1000, ...more };
}

/** A venue with a running clock and short words for what a test does to it. */
export class VenueBench {
  engine: VenueEngine;
  readonly outputs: EngineOutput[] = [];
  #at = 0;

  constructor(options: Partial<EngineOptions> = {}) {
    this.engine = new VenueEngine(venueOptions(options));
  }

  apply(input: EngineInput): EngineOutput['event'][] {
    const outputs = this.engine.apply(input);
    this.outputs.push(...outputs);
    return outputs.map(({ event }) => event);
  }

  submit(request: Parameters<typeof order>[0] = {}, quote: number | Quote = 100): EngineOutput['event'][] {
    const given = typeof quote === 'number' ? { last: quote, mark: quote } : quote;
    return this.apply({ type: 'order.submit', at: ++this.#at, order: order(request), quote: given });
  }

  cancel(ref: string, symbol = 'BTCUSDT'): EngineOutput['event'][] {
    return this.apply({ type: 'order.cancel', at: ++this.#at, owner: OWNER, ref, symbol });
  }

  leverage(leverage: number, symbol = 'BTCUSDT'): EngineOutput['event'][] {
    return this.apply({ type: 'leverage.set', at: ++this.#at, owner: OWNER, symbol, leverage });
  }

  bar(
    open: number,
    high: number,
    low: number,
    close: number,
    more: Partial<MarketBar> = {},
  ): EngineOutput['event'][] {
    return this.apply({ type: 'BAR', at: ++this.#at, bar: bar(open, high, low, close, more) });
  }

  price(last: number, mark?: number, symbol = 'BTCUSDT'): EngineOutput['event'][] {
    return this.apply({
      type: 'PRICE',
      at: ++this.#at,
      symbol,
      last,
      ...(mark === undefined ? {} : { mark }),
    });
  }

  position(symbol = 'BTCUSDT') {
    return this.engine.report(0).positions.find((position) => position.symbol === symbol);
  }
}

/** An event in one line, for table tests: "FILLED 1@100", "CLOSED expired". */
export function brief(event: EngineOutput['event']): string {
  switch (event.type) {
    case 'ORDER_FILLED':
      return `FILLED ${event.ref} ${event.side} ${event.quantity}@${event.price}${event.complete ? '' : ' partial'}`;
    case 'ORDER_CLOSED':
      return `CLOSED ${event.ref} ${event.outcome}`;
    case 'ORDER_REJECTED':
      return `REJECTED ${event.code}`;
    case 'CANCEL_REJECTED':
      return `CANCEL_REJECTED ${event.code}`;
    case 'LEVERAGE_REJECTED':
      return `LEVERAGE_REJECTED ${event.code}`;
    case 'ORDER_ACKNOWLEDGED':
      return `ACK ${event.ref} ${event.orderId}`;
    case 'ORDER_TRIGGERED':
      return `TRIGGERED ${event.ref}`;
    case 'WALLET_CHANGED':
      return `WALLET ${event.reason} ${event.delta}`;
    case 'FUNDING_SETTLED':
      return `FUNDING ${event.amount}`;
    default:
      return event.type;
  }
}

/** The briefs without the wallet's. */
export const briefs = (events: readonly EngineOutput['event'][]): string[] =>
  events.filter((event) => event.type !== 'WALLET_CHANGED').map(brief);
