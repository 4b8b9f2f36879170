/** A loopback HTTP server that answers GET requests with what a function says, and remembers them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { TestContext } from 'node:test';

export interface RestRequest {
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
}

export interface RestServer {
  /** http://127.0.0.1:PORT */
  readonly url: string;
  readonly requests: readonly RestRequest[];
}

/** A status with a body, where it is not 200 with JSON. */
export class Plain {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, body: string, headers: Readonly<Record<string, string>> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

export async function restServer(
  t: TestContext,
  answer: (request: RestRequest) => unknown,
): Promise<RestServer> {
  const requests: RestRequest[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const asked = { path: url.pathname, params: Object.fromEntries(url.searchParams) };
    requests.push(asked);
    const found = answer(asked);
    const { status, body, headers } =
      found instanceof Plain ? found : new Plain(200, JSON.stringify(found ?? {}));
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${address.port}`, requests };
}
