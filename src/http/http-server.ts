/**
 * What the run serves over HTTP: the page, the views, the live stream, the controls, health. TLS is a proxy's.
 *
 * Invariants: every request passes the guard before anything else; sizes, times and rates are bounded; a failing
 * answer costs nobody but who asked; what trades never waits for it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Time } from '../core/clock.ts';
import { BulkheadError, type ErrorCode, errorText, isBulkheadError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { FEED_TYPES, type Feed } from '../operator/feed.ts';
import type { Operator } from '../operator/operator.ts';
import { parseCommand } from '../operator/parse-command.ts';
import type { Views } from '../operator/views.ts';
import { error, send, sendFile, text } from './answers.ts';
import { addressOf, askedOf, closeNow, listenOn } from './asking.ts';
import { ChartLayouts } from './chart-layout.ts';
import { Guard, type GuardRules, type Need } from './guard.ts';
import { Pace } from './pace.ts';
import type { PageFile } from './page-files.ts';
import { LARGEST_BYTES, readBody } from './read-body.ts';
import { StreamHub } from './stream-hub.ts';
import { VIEW_ROUTES } from './view-routes.ts';

export interface HttpOptions extends GuardRules {
  readonly host: string;
  readonly port: number;
  readonly requestsPerMinute: number;
  readonly maxStreams: number;
  readonly views: Views;
  readonly operator: Operator;
  readonly feed: Feed;
  /** The page's own files, by the path that is asked for. */
  readonly file: (path: string) => Promise<PageFile | undefined>;
  /** Prometheus' text. */
  readonly metrics?: () => Promise<{ readonly type: string; readonly text: string }>;
  readonly time: Time;
  readonly log: Logger;
}

/** What of it may change while it serves. */
export type HttpLimits = Pick<
  HttpOptions,
  'requestsPerMinute' | 'maxStreams' | 'allowedHosts' | 'allowedIps'
>;

/** Beside the streams. */
const MORE_CONNECTIONS = 256;
const WRONG_TOKENS_PER_MINUTE = 20;

export class HttpServer {
  readonly #options: HttpOptions;
  readonly #server: Server;
  #guard: Guard;
  #token: string;
  readonly #pace: Pace;
  readonly #failures: Pace;
  readonly #hub: StreamHub;
  readonly #layouts = new ChartLayouts();
  #maxStreams: number;

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#maxStreams = options.maxStreams;
    this.#token = options.token;
    const now = () => options.time.monotonic.now();
    this.#guard = new Guard(options);
    this.#pace = new Pace(options.requestsPerMinute, now);
    this.#failures = new Pace(WRONG_TOKENS_PER_MINUTE, now);
    this.#hub = new StreamHub({
      feed: options.feed,
      timers: options.time.timers,
      maxClients: () => this.#maxStreams,
      hello: () => ({ ...options.views.version(), now: options.time.clock.now() }),
    });
    this.#server = createServer(
      { maxHeaderSize: 16_384, headersTimeout: 10_000, requestTimeout: 15_000, keepAliveTimeout: 30_000 },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.maxConnections = options.maxStreams + MORE_CONNECTIONS;
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** Takes the next free one of a few ports where the first is taken; the address that it listens on. */
  async listen(tries: number): Promise<string> {
    const { host, port } = this.#options;
    for (let i = 0; ; i++) {
      try {
        await this.#listen(port === 0 ? 0 : port + i);
        const { port: own } = this.#server.address() as AddressInfo;
        return `http://${host.includes(':') ? `[${host}]` : host}:${own}`;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || port === 0 || i + 1 >= tries)
          throw error;
      }
    }
  }

  /** Rates, bounds and who may ask, from the next request on. */
  configure(limits: HttpLimits): void {
    const { requestsPerMinute, maxStreams, allowedHosts, allowedIps } = limits;
    this.#guard = new Guard({ token: this.#token, allowedHosts, allowedIps });
    this.#pace.setRate(requestsPerMinute);
    this.#maxStreams = maxStreams;
    this.#server.maxConnections = maxStreams + MORE_CONNECTIONS;
  }

  get streams(): { readonly clients: number; readonly dropped: number } {
    return { clients: this.#hub.clients, dropped: this.#hub.dropped };
  }

  /** From the next request on it is this one; streams that were opened with the old one end. */
  changeToken(token: string): void {
    if (token === this.#token) return;
    this.#token = token;
    this.#guard.changeToken(token);
    this.#hub.endKeyed();
  }

  async close(): Promise<void> {
    this.#hub.close();
    await closeNow(this.#server);
  }

  async #listen(port: number): Promise<void> {
    await listenOn(this.#server, port, this.#options.host);
    this.#server.on('error', (error) => this.#options.log.warn('http', { reason: errorText(error) }));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#answer(request, response);
    } catch (error) {
      this.#fail(response, error);
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET' } = request;
    const url = addressOf(request);
    if (!url)
      return send(response, 400, error('USAGE', 'This is no address.', 'docs/HTTP.md shows every address.'));
    const asked = askedOf(request);
    const { remote } = asked;
    if (!this.#pace.takes(remote) || this.#failures.isSpent(remote))
      return send(response, 429, error('RATE', 'Too many requests.', 'Ask less often.'), {
        'retry-after': '5',
      });
    const isControl = method === 'POST';
    const refused = this.#guard.refuses(asked, isControl ? 'control' : needOf(url.pathname));
    if (refused) {
      if (refused.status === 401) this.#failures.takes(remote);
      return send(response, refused.status, error(refused.code, refused.message, refused.hint));
    }
    if (isControl) return this.#control(request, response, url);
    if (method !== 'GET' && method !== 'HEAD')
      return send(response, 405, error('METHOD', `${method} is not served here.`, 'Use GET or POST.'));
    return this.#read(request, response, url);
  }

  async #control(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (url.pathname !== '/api/commands') return send(response, 404, notFound(url));
    const body = await readBody(request);
    if (body === 'too large') {
      const message = `The body is larger than ${LARGEST_BYTES} bytes.`;
      return send(response, 413, error('USAGE', message, 'A command is small: send one at a time.'));
    }
    const { id, command, confirmed, issuedAt, by } = body as Record<string, unknown>;
    if (typeof id !== 'string' || !/^[\w:.-]{8,80}$/.test(id))
      throw new BulkheadError('USAGE', 'id is missing or odd.', {
        hint: 'Send a fresh id of 8 to 80 letters and digits with each command, and the same one when it is sent again.',
      });
    const answer = await this.#options.operator.execute({
      id: `http:${id}`,
      command: parseCommand(command),
      who: { name: nameOf(by), role: 'admin', channel: 'http' },
      issuedAt: typeof issuedAt === 'number' ? issuedAt : this.#options.time.clock.now(),
      confirmed: confirmed === true,
    });
    send(response, 200, { data: answer });
  }

  async #read(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const { pathname, searchParams } = url;
    if (pathname === '/healthz') return send(response, 200, { alive: true });
    if (pathname === '/readyz') {
      const health = this.#options.views.health();
      return send(response, health.ready ? 200 : 503, { ready: health.ready, state: health.state });
    }
    if (pathname === '/metrics') return this.#metrics(response, url);
    if (pathname === '/api/stream') return this.#stream(request, response, searchParams);
    if (pathname === '/api/machine-layout') return this.#layout(response, searchParams);
    if (pathname.startsWith('/api/')) {
      const route = Object.hasOwn(VIEW_ROUTES, pathname.slice(5))
        ? VIEW_ROUTES[pathname.slice(5)]
        : undefined;
      if (!route) return send(response, 404, notFound(url));
      return send(response, 200, { data: (await route(this.#options.views, searchParams)) ?? null });
    }
    return this.#file(request, response, url);
  }

  async #layout(response: ServerResponse, query: URLSearchParams): Promise<void> {
    const { type, version, events, drawing } = this.#options.views.machine(query.get('type') ?? '');
    const layout = await this.#layouts.of(`${type}@${version}`, drawing);
    send(response, 200, { data: { type, version, events, layout } });
  }

  async #metrics(response: ServerResponse, url: URL): Promise<void> {
    const metrics = await this.#options.metrics?.();
    if (!metrics) return send(response, 404, notFound(url));
    response.writeHead(200, { 'content-type': metrics.type, 'cache-control': 'no-store' });
    response.end(metrics.text);
  }

  #stream(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
    if (this.#hub.isFull) {
      send(response, 503, error('STREAMS', 'Too many pages look on.', 'Close one of them.'));
      return;
    }
    const types = (query.get('types') ?? '').split(',').filter((type) => type !== '');
    const unknown = types.find((type) => !(FEED_TYPES as readonly string[]).includes(type));
    if (unknown !== undefined)
      throw new BulkheadError('USAGE', `There is no stream "${unknown.slice(0, 40)}".`, {
        hint: `Types: ${FEED_TYPES.join(', ')}.`,
      });
    const last = text(request.headers['last-event-id']) ?? query.get('lastEventId') ?? undefined;
    this.#hub.open(
      response,
      types,
      last === undefined || !/^\d{1,15}$/.test(last) ? undefined : Number(last),
      this.#guard.holdsToken(askedOf(request)),
    );
  }

  async #file(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const file = await this.#options.file(url.pathname);
    if (file) sendFile(request, response, file);
    else send(response, 404, notFound(url));
  }

  #fail(response: ServerResponse, failure: unknown): void {
    const known = isBulkheadError(failure) ? failure : undefined;
    if (!known) this.#options.log.error('an answer failed', { reason: errorText(failure) });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const message = known?.message ?? 'The answer could not be made; the log says why.';
    send(response, statusOf(known?.code), error(known?.code ?? 'INTERNAL', message, known?.hint));
  }
}

/** The page's own files hold nothing of the account, and a probe learns only whether it lives. */
const needOf = (path: string): Need => (path.startsWith('/api/') || path === '/metrics' ? 'read' : 'public');

const STATUSES: Partial<Record<ErrorCode, number>> = {
  USAGE: 400,
  NOT_FOUND: 404,
  STORE_UNAVAILABLE: 503,
};

const statusOf = (code: ErrorCode | undefined): number => (code && STATUSES[code]) ?? 500;

const notFound = ({ pathname }: URL) =>
  error('NOT_FOUND', `Nothing is served at ${pathname.slice(0, 100)}.`, 'docs/HTTP.md shows every address.');

const LONGEST_NAME = 40;

/** Whose word it is, for the record: the token is one, its holders may be several. What no name has is left out. */
function nameOf(by: unknown): string {
  if (typeof by !== 'string') return 'http';
  const plain = by
    .slice(0, 1_000)
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N} ._@'’-]+/gu, ' ');
  const name = [...plain.replace(/ +/g, ' ').trim()].slice(0, LONGEST_NAME).join('').trim();
  return name === '' ? 'http' : name;
}
