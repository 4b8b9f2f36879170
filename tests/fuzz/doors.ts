/** The doors that are fuzzed, open on loopback: the page's server, the local exchange's two. */
import { get } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { VirtualTime } from '../../src/core/clock.ts';
import { type Logger, SILENT } from '../../src/core/logger.ts';
import { HttpServer } from '../../src/http/http-server.ts';
import { Feed } from '../../src/operator/feed.ts';
import type { Views } from '../../src/operator/views.ts';
import { type AdminParts, adminRoutes } from '../../src/venue-server/admin-routes.ts';
import { AdminDoor } from '../../src/venue-server/transport/admin-door.ts';
import { HttpDoor } from '../../src/venue-server/transport/http-door.ts';
import { streamRoute } from '../../src/venue-server/transport/stream-route.ts';
import { readParams, signedText } from '../../src/venue-server/transport/wire-params.ts';
import { CoreBench } from '../support/venue-account.ts';

export const TOKEN = 'a-token-that-nobody-can-guess';
export const HOUR_MS = 3_600_000;
/** Where the connection stays open: how long an answer is waited for, and when it counts as over. */
const PATIENCE_MS = 60;
const QUIET_MS = 5;

const closers: (() => Promise<void>)[] = [];

/** A door that stands open keeps the process from ending. */
export async function closeDoors(): Promise<void> {
  for (const close of closers.splice(0)) await close();
}

/** What came back; and whoever listens there still answers a plain question afterwards. */
export async function sent(port: number, bytes: Buffer): Promise<string> {
  const answer = await exchanged(port, bytes);
  await new Promise<void>((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/healthz', agent: false }, (response) => {
      response.resume().on('end', resolve);
    }).on('error', reject);
  });
  return answer;
}

/** The bytes on a connection of their own. */
function exchanged(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    let quiet: NodeJS.Timeout | undefined;
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    const done = (): void => {
      clearTimeout(quiet);
      socket.destroy();
      resolve(answer);
    };
    const wait = (forMs: number): void => {
      clearTimeout(quiet);
      quiet = setTimeout(done, forMs);
    };
    socket.on('data', (piece: Buffer) => {
      answer += piece.toString('latin1').slice(0, 4_096);
      wait(QUIET_MS);
    });
    socket.on('close', done);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') reject(error);
      else done();
    });
    wait(PATIENCE_MS);
  });
}

const PATHS = [
  ...[
    '/',
    '//',
    '/api/status',
    '/api/trades?limit=1',
    '/api/commands',
    '/api/stream?types=status',
    '/api/%',
    '/metrics',
  ],
  ...[
    '/../../etc/passwd',
    '/%2e%2e/x',
    '/fapi/v1/order?symbol=BTCUSDT',
    '/private/ws?listenKey=%',
    '/ws/%E0%A4%A',
    'http://x/',
    '*',
  ],
];
const HEADERS = [
  ...[
    'Host: 127.0.0.1:1',
    'Host: evil.example',
    `Authorization: Bearer ${TOKEN}`,
    'Authorization: Basic x',
    'Origin: null',
  ],
  ...[
    'Content-Type: application/json',
    'Content-Type: application/x-www-form-urlencoded',
    'Transfer-Encoding: chunked',
  ],
  ...[
    'Content-Length: 5',
    'Content-Length: -1',
    'Expect: 100-continue',
    'Upgrade: websocket',
    'Connection: Upgrade',
  ],
  ...[
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    'Last-Event-Id: 1e9',
    'X-MBX-APIKEY: k',
  ],
  ...[
    'Sec-Fetch-Site: cross-site',
    'X-Forwarded-For: 1.2.3.4',
    'If-None-Match: *',
    'Accept-Encoding: gzip',
    `X: ${'y'.repeat(9_000)}`,
  ],
];
export const httpText: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'TRACE', 'PATCH', 'get'),
    fc.oneof(
      fc.constantFrom(...PATHS),
      fc.string({ maxLength: 20 }).map((text) => `/${text}`),
    ),
    fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/9'),
    fc.array(fc.constantFrom(...HEADERS), { maxLength: 8 }),
    fc.oneof(
      fc.constant(''),
      fc.constantFrom('{}', '{"id":"12345678","command":{"kind":"pause"}}', '5\r\nhello\r\n0\r\n\r\n'),
    ),
  )
  .map(([method, path, version, headers, body]) =>
    Buffer.from([`${method} ${path} ${version}`, ...headers, '', body].join('\r\n')),
  );

/** Every view answers with what it was asked. */
export const echoingViews = new Proxy({} as Views, {
  get: (_, name) => (name === 'then' ? undefined : (...asked: unknown[]) => ({ name: String(name), asked })),
});

export interface PageServer {
  readonly port: number;
  readonly time: VirtualTime;
  readonly defects: string[];
  executed: number;
  /** What the input before may still do belongs to it. */
  hadToken: boolean;
}

export async function pageServer(): Promise<PageServer> {
  const time = new VirtualTime(0);
  const made = { port: 0, time, defects: [] as string[], executed: 0, hadToken: false };
  const log: Logger = {
    ...SILENT,
    error: (message, more) => void made.defects.push(`${message} ${JSON.stringify(more)}`),
  };
  const server = new HttpServer({
    ...{ host: '127.0.0.1', port: 0, token: TOKEN, allowedHosts: [], allowedIps: [] },
    ...{ requestsPerMinute: 1_000_000, maxStreams: 1_000, views: echoingViews, feed: new Feed(), time, log },
    operator: {
      preview: () => '',
      execute: async (request) => {
        made.executed += 1;
        return { id: request.id, outcome: 'accepted', code: 'DONE', text: 'done' };
      },
    },
    file: async () => undefined,
  });
  const url = new URL(await server.listen(1));
  made.port = Number(url.port);
  closers.push(() => server.close());
  return made;
}

/** The exchange's door, with what parses behind it. */
export async function exchangeDoor(): Promise<number> {
  const door = new HttpDoor({
    host: '127.0.0.1',
    port: 0,
    waits: { now: () => performance.now(), timers: new VirtualTime(0).timers },
    real: new VirtualTime(0).timers,
    handle: ({ raw }, reply) => {
      const said = { params: [...readParams(raw)].length, signed: signedText(raw).length };
      reply.answer({ status: 200, headers: {}, body: JSON.stringify(said), html: false });
    },
    upgrade: (request, socket) => {
      const route = streamRoute(request.url ?? '');
      socket.end(`HTTP/1.1 ${route ? 200 : 404} X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    },
    attach: () => false,
  });
  await door.open();
  closers.push(() => door.close());
  return door.port;
}

export function adminParts(): AdminParts {
  const bench = new CoreBench();
  const { core } = bench;
  const [instrument] = bench.options.instruments;
  return {
    core,
    account: 'main',
    manual: undefined,
    clockMoved: () => {},
    clock: { now: () => bench.at },
    market: {
      instrument: (symbol: string) => (symbol === instrument?.symbol ? instrument : undefined),
      quote: () => ({ last: 100, mark: 100 }),
      changeInstrument: () => {},
      shock: (_symbol: string, fraction: number, forMs: number) => {
        if (!Number.isFinite(fraction) || !(forMs >= 0))
          throw new Error(`a shock of ${fraction} for ${forMs} ms`);
      },
    },
    server: {
      state: () => ({}),
      violations: () => [],
      faults: { report: () => [] },
      addFaults: () => {},
      clearFaults: () => {},
      addKey: () => {},
      revokeKey: () => {},
      feed: (input: never, account: string) => core.feed(input, account),
      restrict: (account: string, as: never) => core.restrict(account, bench.at, as),
    },
  } as unknown as AdminParts;
}

export async function adminDoor(): Promise<AdminDoor> {
  const door = new AdminDoor('127.0.0.1', 0, adminRoutes(adminParts()));
  await door.open();
  closers.push(() => door.close());
  return door;
}
