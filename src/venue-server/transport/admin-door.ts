/**
 * The admin's door, on a port of its own: faults, clock, deposits, shocks, and the books for tests and people.
 *
 * Invariants: loopback only, and no page in a browser gets in through a name or an origin of its own; nothing it
 * tells holds a secret.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BulkheadError, errorText } from '../../core/errors.ts';
import { isOwnHost, isOwnOrigin, loopbackOnly } from './loopback.ts';

export interface AdminRequest {
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
}

/** By "METHOD /path". */
export type AdminRoutes = Readonly<Record<string, (request: AdminRequest) => unknown | Promise<unknown>>>;

const LARGEST_BODY_BYTES = 1_048_576;

export class AdminDoor {
  readonly #host: string;
  readonly #routes: AdminRoutes;
  readonly #server: Server;
  #port: number;

  constructor(host: string, port: number, routes: AdminRoutes) {
    this.#host = loopbackOnly(host);
    this.#port = port;
    this.#routes = routes;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  get port(): number {
    return this.#port;
  }

  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) =>
        reject(
          new BulkheadError('CONFIG_INVALID', `Port ${this.#port} cannot be used: ${errorText(error)}`, {
            hint: 'Another program may have it. Name another with --admin-port, or 0 for any that is free.',
            cause: error,
          }),
        ),
      );
      this.#server.listen(this.#port, this.#host, () => {
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isOwnHost(request.headers.host) || !isOwnOrigin(request.headers.origin)) {
      send(response, 403, { error: 'The admin answers only to this machine by its loopback name.' });
      return;
    }
    const target = request.url ?? '/';
    const url = URL.canParse(target, 'http://127.0.0.1') ? new URL(target, 'http://127.0.0.1') : undefined;
    const name = `${request.method} ${url?.pathname}`;
    const route = Object.hasOwn(this.#routes, name) ? this.#routes[name] : undefined;
    if (!url || !route) {
      send(response, 404, { error: 'There is no such thing here.', routes: Object.keys(this.#routes) });
      return;
    }
    try {
      const body = await bodyOf(request);
      send(response, 200, (await route({ query: url.searchParams, body })) ?? { ok: true });
    } catch (error) {
      const known = error instanceof BulkheadError ? error : undefined;
      send(response, known ? 400 : 500, { error: errorText(error), hint: known?.hint });
    }
  }
}

function send(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length });
  response.end(body);
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_BODY_BYTES) throw wrongBody('is too large');
    chunks.push(chunk);
  }
  if (size === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw wrongBody('is not JSON');
  }
  if (Array.isArray(value)) return { rules: value };
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw wrongBody('is not a JSON object');
}

const wrongBody = (what: string): BulkheadError =>
  new BulkheadError('DATA_INVALID', `The request's body ${what}.`, {
    hint: 'docs/EXCHANGE.md shows what each admin request takes.',
  });
