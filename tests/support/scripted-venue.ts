/**
 * A venue on loopback that says what it is told to: it records every request literally, checks signatures as the
 * real one does, and answers from a script, well or badly. For what the wire looks like and how a call can end;
 * what an order does is the venue server's business, not this one's.
 */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer } from 'ws';

export const KEY = 'scripted-key';
export const SECRET = 'scripted-secret';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  /** Query and form, as they came. */
  readonly literal: string;
  readonly params: ReadonlyMap<string, string>;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The signature is that of the literal text before it. */
  readonly signed: boolean;
}

export type Reply =
  | { readonly json: unknown; readonly status?: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly text: string; readonly status: number; readonly type?: string }
  /** The connection is reset, with or without a status line first. */
  | 'reset'
  | 'hang'
  /** Headers and half of a body, then nothing more. */
  | 'stall'
  /** Headers, half of a body, and the connection is cut. */
  | 'truncate'
  /** An answer, but late. */
  | { readonly afterMs: number; readonly reply: Reply };

type Script = Reply | ((request: SeenRequest) => Reply);

export const refusal = (code: number, msg: string, status = 400): Reply => ({ json: { code, msg }, status });

export class ScriptedVenue {
  readonly seen: SeenRequest[] = [];
  readonly sockets: string[] = [];
  readonly #scripts = new Map<string, Script>();
  readonly #once = new Map<string, Script[]>();
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  readonly #ws = new WebSocketServer({ noServer: true });
  readonly #connections = new Set<Socket>();

  constructor() {
    this.#server.on('connection', (socket) => {
      this.#connections.add(socket);
      socket.on('close', () => this.#connections.delete(socket));
    });
    this.#server.on('upgrade', (request, socket, head) => {
      this.sockets.push(request.url ?? '');
      this.#ws.handleUpgrade(request, socket, head, () => {});
    });
  }

  /** Answers each such request so. */
  on(endpoint: string, script: Script): this {
    this.#scripts.set(endpoint, script);
    return this;
  }

  /** Answers the next such request so, before what `on` says. */
  once(endpoint: string, script: Script): this {
    this.#once.set(endpoint, [...(this.#once.get(endpoint) ?? []), script]);
    return this;
  }

  requests(endpoint: string): readonly SeenRequest[] {
    return this.seen.filter(({ method, path }) => `${method} ${path}` === endpoint);
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const client of this.#ws.clients) client.terminate();
    for (const socket of this.#connections) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const url = new URL(request.url ?? '/', 'http://venue');
    const literal = url.search.slice(1) + body;
    const seen: SeenRequest = {
      method: request.method ?? '',
      path: url.pathname,
      literal,
      params: new Map([...new URLSearchParams(body), ...url.searchParams]),
      headers: request.headers,
      signed: isSigned(literal),
    };
    this.seen.push(seen);
    const endpoint = `${seen.method} ${seen.path}`;
    const script = this.#once.get(endpoint)?.shift() ?? this.#scripts.get(endpoint);
    if (script === undefined) {
      answer(request, response, {
        text: '<html><body>Not Found</body></html>',
        status: 404,
        type: 'text/html',
      });
      return;
    }
    answer(request, response, typeof script === 'function' ? script(seen) : script);
  }
}

function isSigned(literal: string): boolean {
  const at = literal.lastIndexOf('&signature=');
  if (at < 0) return false;
  const expected = createHmac('sha256', SECRET).update(literal.slice(0, at)).digest('hex');
  return literal.slice(at + '&signature='.length) === expected;
}

function answer(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  if (reply === 'hang') return;
  if (reply === 'reset') {
    request.socket.resetAndDestroy();
    return;
  }
  if (reply === 'stall' || reply === 'truncate') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
    response.write('{"orderId":1,"sym', () => {
      if (reply === 'truncate') request.socket.destroy();
    });
    return;
  }
  if ('afterMs' in reply) {
    setTimeout(() => answer(request, response, reply.reply), reply.afterMs);
    return;
  }
  const [text, type, headers] =
    'json' in reply
      ? [JSON.stringify(reply.json), 'application/json', reply.headers ?? {}]
      : [reply.text, reply.type ?? 'text/plain', {}];
  response.writeHead(reply.status ?? 200, { 'content-type': type, ...headers });
  response.end(text);
}

const FILTERS = [
  { filterType: 'PRICE_FILTER', minPrice: '556.80', maxPrice: '4529764', tickSize: '0.10' },
  { filterType: 'LOT_SIZE', stepSize: '0.001', maxQty: '1000', minQty: '0.001' },
  { filterType: 'MARKET_LOT_SIZE', stepSize: '0.001', maxQty: '120', minQty: '0.001' },
  { filterType: 'MAX_NUM_ORDERS', limit: 200 },
  { filterType: 'MIN_NOTIONAL', notional: '50' },
  { filterType: 'PERCENT_PRICE', multiplierUp: '1.0500', multiplierDown: '0.9500', multiplierDecimal: '4' },
];

export const exchangeInfoRow = (symbol: string, changes: object = {}): object => ({
  symbol,
  pair: symbol,
  contractType: 'PERPETUAL',
  status: 'TRADING',
  baseAsset: symbol.slice(0, -4),
  quoteAsset: 'USDT',
  pricePrecision: 2,
  quantityPrecision: 3,
  triggerProtect: '0.0500',
  liquidationFee: '0.012500',
  marketTakeBound: '0.05',
  filters: FILTERS,
  ...changes,
});

/** A venue whose account is flat and fit to trade BTCUSDT and ETHUSDT. */
export function healthyVenue(): ScriptedVenue {
  const brackets = [
    {
      bracket: 1,
      initialLeverage: 125,
      notionalCap: 50000,
      notionalFloor: 0,
      maintMarginRatio: 0.004,
      cum: 0,
    },
    {
      bracket: 2,
      initialLeverage: 100,
      notionalCap: 600000,
      notionalFloor: 50000,
      maintMarginRatio: 0.005,
      cum: 50.1,
    },
  ];
  const config = (symbol: string) => ({
    symbol,
    marginType: 'ISOLATED',
    isAutoAddMargin: 'false',
    leverage: 10,
  });
  return new ScriptedVenue()
    .on('GET /fapi/v1/time', () => ({
      json: { serverTime: Date.now() },
      headers: { 'x-mbx-used-weight-1m': '1' },
    }))
    .on('GET /fapi/v1/exchangeInfo', {
      json: {
        rateLimits: [
          { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: 2400 },
          { rateLimitType: 'ORDERS', interval: 'MINUTE', intervalNum: 1, limit: 1200 },
          { rateLimitType: 'ORDERS', interval: 'SECOND', intervalNum: 10, limit: 300 },
        ],
        symbols: [exchangeInfoRow('BTCUSDT'), exchangeInfoRow('ETHUSDT')],
      },
    })
    .on('GET /fapi/v1/fundingInfo', { json: [{ symbol: 'ETHUSDT', fundingIntervalHours: 4 }] })
    .on('GET /fapi/v1/leverageBracket', {
      json: [
        { symbol: 'BTCUSDT', brackets },
        { symbol: 'ETHUSDT', brackets },
      ],
    })
    .on('GET /fapi/v1/commissionRate', ({ params }) => ({
      json: { symbol: params.get('symbol'), makerCommissionRate: '0.00018', takerCommissionRate: '0.00045' },
    }))
    .on('GET /sapi/v1/account/apiRestrictions', {
      json: { ipRestrict: true, enableWithdrawals: false, enableFutures: true, enableReading: true },
    })
    .on('GET /fapi/v1/accountConfig', {
      json: { feeTier: 0, canTrade: true, dualSidePosition: false, multiAssetsMargin: false },
    })
    .on('GET /fapi/v1/symbolConfig', { json: [config('BTCUSDT'), config('ETHUSDT')] })
    .on('GET /fapi/v3/account', {
      json: {
        totalWalletBalance: '10000.12345678',
        assets: [{ asset: 'USDT', walletBalance: '10000.12345678', availableBalance: '9000.5' }],
        positions: [],
      },
    })
    .on('GET /fapi/v3/positionRisk', { json: [] })
    .on('GET /fapi/v1/openOrders', { json: [] })
    .on('GET /fapi/v1/openAlgoOrders', { json: [] })
    .on('GET /fapi/v1/userTrades', { json: [] })
    .on('GET /fapi/v1/income', { json: [] })
    .on('POST /fapi/v1/listenKey', { json: { listenKey: 'very-secret-listen-key' } })
    .on('PUT /fapi/v1/listenKey', { json: { listenKey: 'very-secret-listen-key' } })
    .on('POST /fapi/v1/leverage', ({ params }) => ({
      json: {
        symbol: params.get('symbol'),
        leverage: Number(params.get('leverage')),
        maxNotionalValue: '1000000',
      },
    }))
    .on('POST /fapi/v1/marginType', { json: { code: 200, msg: 'success' } })
    .on('POST /fapi/v1/positionSide/dual', { json: { code: 200, msg: 'success' } })
    .on('POST /fapi/v1/order', (request) => ({ json: placedOrder(request) }))
    .on('POST /fapi/v1/algoOrder', (request) => ({ json: placedAlgo(request) }))
    .on('DELETE /fapi/v1/order', (request) => ({ json: { ...placedOrder(request), status: 'CANCELED' } }))
    .on('DELETE /fapi/v1/algoOrder', {
      json: { algoId: 7, clientAlgoId: 'x', code: '200', msg: 'success' },
    })
    .on('GET /fapi/v1/order', refusal(-2013, 'Order does not exist.'))
    .on('GET /fapi/v1/algoOrder', refusal(-2013, 'Order does not exist.'));
}

export function placedOrder({ params }: SeenRequest, changes: object = {}): object {
  return {
    orderId: 8886774,
    symbol: params.get('symbol'),
    status: 'NEW',
    clientOrderId: params.get('newClientOrderId') ?? params.get('origClientOrderId') ?? 'unknown',
    price: params.get('price') ?? '0',
    avgPrice: '0.00',
    origQty: params.get('quantity') ?? '1',
    executedQty: '0',
    cumQuote: '0',
    type: params.get('type') ?? 'MARKET',
    reduceOnly: params.get('reduceOnly') === 'true',
    closePosition: false,
    side: params.get('side') ?? 'BUY',
    positionSide: 'BOTH',
    updateTime: 1_700_000_000_000,
    ...changes,
  };
}

export function placedAlgo({ params }: SeenRequest, changes: object = {}): object {
  return {
    algoId: 2146760,
    clientAlgoId: params.get('clientAlgoId'),
    algoType: 'CONDITIONAL',
    orderType: params.get('type') ?? 'STOP_MARKET',
    symbol: params.get('symbol'),
    side: params.get('side') ?? 'SELL',
    positionSide: 'BOTH',
    quantity: params.get('quantity') ?? '',
    algoStatus: 'NEW',
    triggerPrice: params.get('triggerPrice') ?? '0',
    price: '0',
    closePosition: params.get('closePosition') === 'true',
    reduceOnly: params.get('reduceOnly') === 'true',
    createTime: 1_700_000_000_000,
    updateTime: 1_700_000_000_000,
    ...changes,
  };
}
