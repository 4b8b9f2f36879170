/**
 * A server that behaves like Vault on loopback: a KV engine of version 2, tokens with their lives, AppRole and
 * Kubernetes logins, renewal up to a longest life, policies, seal. Its clock is moved by hand.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const ROLE_ID = 'role-59d6d1ca-47bb-4e7e';
export const SECRET_ID = 'secret-84896a0c-1347-aa90';
export const JWT = 'eyJhbGciOiJSUzI1NiJ9.e30.c2ln';

interface Token {
  endsAt: number;
  readonly renewable: boolean;
  readonly ttlS: number;
  /** Renewed no further than this. */
  readonly lastAt: number;
}

export interface VaultServer {
  readonly url: string;
  /** "METHOD path", in their order. */
  readonly asked: string[];
  /** Its tokens; a test makes and revokes them. */
  readonly tokens: Map<string, Token>;
  /** The next version; undefined: the newest is deleted. */
  put(fields: Readonly<Record<string, unknown>> | undefined): void;
  newToken(options?: { ttlS?: number; renewable?: boolean; maxS?: number; token?: string }): string;
  advance(ms: number): void;
  /** How the next answers go wrong; undefined: they do not. */
  trouble: 'sealed' | 'slow' | 'not-json' | 'odd' | 'redirect' | 'cut' | undefined;
  /** Of logins from here on. */
  life: { ttlS: number; renewable: boolean; maxS: number };
  stop(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const errors = (status: number, ...words: string[]): Answer => ({ status, body: { errors: words } });

export async function startVault(mount = 'secret', path = 'bulkhead'): Promise<VaultServer> {
  let now = 0;
  const versions: (Readonly<Record<string, unknown>> | undefined)[] = [];
  const tokens = new Map<string, Token>();
  const server = createServer((request, response) => void serve(request, response));

  const made: VaultServer = {
    url: '',
    asked: [],
    tokens,
    put: (fields) => versions.push(fields),
    newToken: ({ ttlS = 3_600, renewable = true, maxS = 86_400, token = `hvs.${randomUUID()}` } = {}) => {
      const endsAt = ttlS === 0 ? Number.POSITIVE_INFINITY : now + ttlS * 1_000;
      tokens.set(token, { endsAt, renewable, ttlS, lastAt: now + maxS * 1_000 });
      return token;
    },
    advance: (ms) => {
      now += ms;
    },
    trouble: undefined,
    life: { ttlS: 3_600, renewable: true, maxS: 86_400 },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  const authOf = (token: string): Answer => {
    const known = tokens.get(token);
    return {
      status: 200,
      body: {
        auth: {
          client_token: token,
          lease_duration: known ? Math.round((known.endsAt - now) / 1_000) : 0,
          renewable: known?.renewable ?? false,
        },
      },
    };
  };

  const login = (isKnown: boolean, words: string): Answer =>
    isKnown ? authOf(made.newToken(made.life)) : errors(400, words);

  const answer = (name: string, token: string, body: Readonly<Record<string, unknown>>): Answer => {
    if (made.trouble === 'sealed') return errors(503, 'Vault is sealed');
    if (name === 'POST auth/approle/login')
      return login(body.role_id === ROLE_ID && body.secret_id === SECRET_ID, 'invalid role or secret ID');
    if (name === 'POST auth/kubernetes/login')
      return login(body.role === 'bulkhead' && body.jwt === JWT, 'bad jwt');
    const known = tokens.get(token);
    if (!known || known.endsAt <= now)
      return errors(403, '2 errors occurred:\n\t* permission denied', 'invalid token');
    if (name === 'GET auth/token/lookup-self') {
      const ttl = Number.isFinite(known.endsAt) ? Math.round((known.endsAt - now) / 1_000) : 0;
      return { status: 200, body: { data: { id: token, ttl, renewable: known.renewable } } };
    }
    if (name === 'POST auth/token/renew-self') {
      if (!known.renewable) return errors(400, 'lease is not renewable');
      known.endsAt = Math.min(now + known.ttlS * 1_000, known.lastAt);
      return authOf(token);
    }
    if (name !== `GET ${mount}/data/${path}`) return errors(403, '1 error occurred:\n\t* permission denied');
    if (versions.length === 0) return errors(404);
    const data = versions.at(-1);
    const metadata = {
      version: versions.length,
      destroyed: false,
      deletion_time: data ? '' : '2026-01-01T00:00:00Z',
    };
    return { status: data ? 200 : 404, body: { data: { data: data ?? null, metadata } } };
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const name = `${request.method} ${(request.url ?? '').replace(/^\/v1\//, '')}`;
    made.asked.push(name);
    const { trouble } = made;
    if (trouble === 'slow') return;
    if (trouble === 'redirect') {
      response.writeHead(307, { location: 'http://127.0.0.1:1/v1/sys' }).end();
      return;
    }
    const text = Buffer.concat(pieces).toString();
    const { status, body } = answer(
      name,
      String(request.headers['x-vault-token'] ?? ''),
      text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
    );
    const odd =
      trouble === 'not-json' ? '<html>busy</html>' : trouble === 'odd' ? '{"data":[1],"auth":7}' : undefined;
    const bytes = Buffer.from(odd ?? JSON.stringify(body));
    response.writeHead(odd === undefined ? status : 200, {
      'content-type': 'application/json',
      'content-length': bytes.length,
    });
    if (trouble === 'cut')
      response.write(bytes.subarray(0, bytes.length / 2), () => request.socket.destroy());
    else response.end(bytes);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(made, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}
