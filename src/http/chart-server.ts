/**
 * Serves statecharts to their authors: one page, the charts as they are now, and a stream that says when they changed.
 *
 * Invariants: on loopback alone, and by the same guard as a run's page: a foreign web page reads nothing; nothing here
 * can be told anything.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Time } from '../core/clock.ts';
import { errorText } from '../core/errors.ts';
import { freshSecret } from '../core/ids.ts';
import type { Logger } from '../core/logger.ts';
import type { Feed } from '../operator/feed.ts';
import type { ChartsNow } from '../operator/views.ts';
import { error, send, sendFile, text } from './answers.ts';
import { addressOf, askedOf, closeNow, listenOn } from './asking.ts';
import { Guard } from './guard.ts';
import type { PageFile } from './page-files.ts';
import { StreamHub } from './stream-hub.ts';

export interface ChartServerOptions {
  readonly port: number;
  readonly charts: () => ChartsNow;
  readonly feed: Feed;
  readonly file: (path: string) => Promise<PageFile | undefined>;
  readonly time: Time;
  readonly log: Logger;
}

const HOST = '127.0.0.1';
const PORTS = 10;
const MOST_PAGES = 32;

export class ChartServer {
  readonly #options: ChartServerOptions;
  readonly #server: Server;
  readonly #hub: StreamHub;
  /** Nobody knows the token: what would need one is refused. */
  readonly #guard = new Guard({ token: freshSecret(), allowedHosts: [], allowedIps: [] });

  constructor(options: ChartServerOptions) {
    this.#options = options;
    const { feed, time } = options;
    const hello = () => ({ now: time.clock.now() });
    this.#hub = new StreamHub({ feed, timers: time.timers, maxClients: () => MOST_PAGES, hello });
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.maxConnections = MOST_PAGES + 64;
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** The next free port where the wanted one is taken. */
  async listen(): Promise<string> {
    const { port } = this.#options;
    for (let i = 0; ; i++) {
      try {
        await listenOn(this.#server, port === 0 ? 0 : port + i, HOST);
        return `http://${HOST}:${(this.#server.address() as AddressInfo).port}`;
      } catch (failure) {
        if ((failure as NodeJS.ErrnoException).code !== 'EADDRINUSE' || port === 0 || i + 1 >= PORTS)
          throw failure;
      }
    }
  }

  async close(): Promise<void> {
    this.#hub.close();
    await closeNow(this.#server);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#answer(request, response);
    } catch (failure) {
      this.#options.log.error('an answer failed', { reason: errorText(failure) });
      if (response.headersSent) response.destroy();
      else send(response, 500, error('INTERNAL', 'The answer could not be made.'));
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const address = addressOf(request);
    if (!address) return send(response, 400, error('USAGE', 'This is no address.'));
    const { pathname } = address;
    if (request.method !== 'GET') return send(response, 405, error('METHOD', 'Only GET is served here.'));
    const asked = askedOf(request);
    const refused = this.#guard.refuses(asked, pathname.startsWith('/api/') ? 'read' : 'public');
    if (refused) return send(response, refused.status, error(refused.code, refused.message, refused.hint));
    if (pathname === '/api/charts') return send(response, 200, { data: this.#options.charts() });
    if (pathname === '/api/stream') return this.#stream(request, response);
    const file = await this.#options.file(pathname === '/' ? '/charts.html' : pathname);
    if (file) sendFile(request, response, file);
    else send(response, 404, error('NOT_FOUND', 'Nothing is served there.'));
  }

  #stream(request: IncomingMessage, response: ServerResponse): void {
    if (this.#hub.isFull) {
      send(response, 503, error('STREAMS', 'Too many pages look on.'));
      return;
    }
    const last = text(request.headers['last-event-id']);
    this.#hub.open(response, [], last !== undefined && /^\d{1,15}$/.test(last) ? Number(last) : undefined);
  }
}
