/** Parsers of the local exchange: its doors, its endpoints, its admin. */
import fc from 'fast-check';
import { adminRoutes } from '../../src/venue-server/admin-routes.ts';
import { WireError } from '../../src/venue-server/protocol.ts';
import type { AdminDoor } from '../../src/venue-server/transport/admin-door.ts';
import { streamRoute } from '../../src/venue-server/transport/stream-route.ts';
import { CoreBench, KEY } from '../support/venue-account.ts';
import { bytesOf, fields, isTyped, jsonRow, number, value } from './arbitraries.ts';
import { adminDoor, adminParts, exchangeDoor, httpText, sent } from './doors.ts';
import { type FuzzTarget, never } from './fuzz-target.ts';

let exchange: Promise<number> | undefined;
let admin: Promise<AdminDoor> | undefined;

const ENDPOINTS = new CoreBench().core.endpoints().map(({ method, path }) => `${method} ${path}`);
const ORDER_PARAMS = [
  ...[
    'symbol',
    'side',
    'type',
    'quantity',
    'price',
    'stopprice',
    'triggerprice',
    'timeinforce',
    'reduceonly',
  ],
  ...[
    'closeposition',
    'newclientorderid',
    'clientalgoid',
    'algotype',
    'orderid',
    'origclientorderid',
    'positionside',
  ],
  ...[
    'callbackrate',
    'activateprice',
    'workingtype',
    'limit',
    'fromid',
    'starttime',
    'endtime',
    'leverage',
    'margintype',
  ],
  ...[
    'countdowntime',
    'batchorders',
    'orderidlist',
    'goodtilldate',
    'selftradepreventionmode',
    'incometype',
    'amount',
  ],
];
const ORDER_VALUES = fc.oneof(
  number,
  fc.constantFrom(
    'BTCUSDT',
    'ETHUSDT',
    'BUY',
    'SELL',
    'MARKET',
    'LIMIT',
    'STOP_MARKET',
    'TRAILING_STOP_MARKET',
    'GTC',
    'GTD',
  ),
  fc.constantFrom(
    'true',
    'false',
    'BOTH',
    'LONG',
    'CONDITIONAL',
    'ISOLATED',
    '100',
    '0.01',
    '1',
    '5',
    '[]',
    '[{}]',
    '[1]',
  ),
  fc.string({ maxLength: 10 }),
);

export const EXCHANGE_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'exchange-http',
    isSlow: true,
    structure: httpText,
    eat: async (bytes) => {
      exchange ??= exchangeDoor();
      return (await sent(await exchange, bytes)).split(' ')[1] ?? null;
    },
    mayThrow: never,
  },
  {
    name: 'exchange-stream-route',
    structure: fc
      .tuple(
        fc.constantFrom('/ws', '/stream', '/private/ws', '/public/stream', '/market/ws'),
        fc.string({ maxLength: 30 }),
      )
      .map(([path, rest]) => Buffer.from(`${path}/${rest}`)),
    eat: (bytes) => {
      const route = streamRoute(bytes.toString('latin1'));
      return route && { ...route, events: [...(route.events ?? [])] };
    },
    mayThrow: never,
  },
  {
    name: 'exchange-requests',
    isSlow: true,
    structure: bytesOf(
      fc.record({ endpoint: fc.constantFrom(...ENDPOINTS), params: fields(ORDER_PARAMS, ORDER_VALUES) }),
    ),
    eat: (bytes) => {
      const { endpoint, params } = jsonRow(bytes) ?? {};
      const bench = new CoreBench();
      bench.market('BUY', '0.5');
      bench.limit('SELL', '0.1', '120');
      const known = bench.core.endpoints().find(({ method, path }) => `${method} ${path}` === endpoint);
      if (!known || typeof params !== 'object' || params === null) return undefined;
      const said = Object.entries(params).map(([name, text]): [string, string] => [
        name.toLowerCase(),
        String(text),
      ]);
      const { method, path } = known;
      let status = 200;
      try {
        known.handle({ method, path, params: new Map(said), at: ++bench.at, apiKey: KEY });
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        status = error.status;
      }
      return { status, violations: bench.core.violations() };
    },
    mayThrow: never,
    check: (result) => {
      const { violations = [] } = (result ?? {}) as { violations?: readonly string[] };
      if (violations.length > 0) throw new Error(violations[0]);
    },
  },
  {
    name: 'exchange-admin',
    isSlow: true,
    structure: bytesOf(
      fc.record({
        route: fc.constantFrom(...Object.keys(adminRoutes(adminParts()))),
        body: fields(
          [
            'amount',
            'account',
            'as',
            'symbol',
            'quantity',
            'fraction',
            'forMs',
            'ms',
            'to',
            'apiKey',
            'apiSecret',
            'preset',
            'rules',
            'status',
          ],
          fc.oneof(value, fc.constantFrom('main', 'storm', 'none', 'cooling-off', '0.1', '-5')),
        ),
      }),
    ),
    eat: async (bytes) => {
      const { route, body } = jsonRow(bytes) ?? {};
      const routes = adminRoutes(adminParts());
      if (typeof route !== 'string' || !Object.hasOwn(routes, route)) return undefined;
      const given = typeof body === 'object' && body !== null && !Array.isArray(body) ? body : {};
      return await routes[route]?.({ query: new URLSearchParams(), body: given as Record<string, unknown> });
    },
    mayThrow: isTyped,
  },
  {
    name: 'exchange-admin-http',
    isSlow: true,
    structure: httpText,
    eat: async (bytes) => {
      admin ??= adminDoor();
      return (await sent((await admin).port, bytes)).split(' ')[1] ?? null;
    },
    mayThrow: never,
  },
];
