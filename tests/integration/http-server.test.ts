/** The server itself on a real socket: views, controls, the live stream with resume, slow readers, sizes, static files. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { systemTime } from '../../src/core/clock.ts';
import { BulkheadError, isBulkheadError } from '../../src/core/errors.ts';
import { SILENT } from '../../src/core/logger.ts';
import { type HttpOptions, HttpServer } from '../../src/http/http-server.ts';
import { pageFile } from '../../src/http/page-files.ts';
import { httpToken } from '../../src/http/token.ts';
import { Feed } from '../../src/operator/feed.ts';
import type { OperatorRequest } from '../../src/operator/operator.ts';
import type { Views } from '../../src/operator/views.ts';
import { tempDir } from '../support/temp.ts';

const TOKEN = 'a-token-that-nobody-can-guess';
const JSON_TYPE = { 'content-type': 'application/json' };

async function world(t: TestContext, more: Partial<HttpOptions> = {}) {
  const asked: OperatorRequest[] = [];
  const feed = new Feed();
  const views = {
    status: () => ({ state: 'running' }),
    version: () => ({ bulkhead: '0' }),
    health: () => ({ state: 'ok', ready: true, checks: [] }),
    trades: (query: object) => query,
    candles: (...asked: unknown[]) => asked,
    position: async () => {
      throw new BulkheadError('NOT_FOUND', 'no such position', { hint: 'look' });
    },
    risk: () => {
      throw new Error('a defect with a secret in it');
    },
  } as unknown as Views;
  const server = new HttpServer({
    ...{ host: '127.0.0.1', port: 0, token: TOKEN, allowedHosts: [], allowedIps: [] },
    ...{ requestsPerMinute: 10_000, maxStreams: 3, views, feed, time: systemTime(), log: SILENT },
    operator: {
      preview: () => '',
      execute: async (request) => {
        asked.push(request);
        return { id: request.id, outcome: 'accepted', code: 'DONE', text: 'done' };
      },
    },
    file: pageFile,
    ...more,
  });
  const url = await server.listen(1);
  t.after(() => server.close());
  const get = async (at: string, headers: Record<string, string> = {}) => {
    const response = await fetch(url + at, { headers });
    return { status: response.status, body: (await response.json()) as never as Record<string, never> };
  };
  const post = async (
    body: unknown,
    headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` },
  ) => {
    const response = await fetch(`${url}/api/commands`, {
      method: 'POST',
      headers: { ...JSON_TYPE, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as never as Record<string, never> };
  };
  return { url, server, feed, asked, get, post };
}

/** Events of a stream as they come, until `done` says so. */
async function events(url: string, done: (text: string) => boolean, headers: Record<string, string> = {}) {
  const abort = new AbortController();
  const response = await fetch(url, { headers, signal: abort.signal });
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (done(text)) break;
  }
  abort.abort();
  return text;
}

describe('reading', () => {
  test('views by name, their questions judged, and failures that tell nothing they should not', async (t) => {
    const { get } = await world(t);
    assert.deepEqual((await get('/api/status')).body, { data: { state: 'running' } });
    assert.deepEqual((await get('/api/trades?symbol=BTCUSDT&limit=5')).body.data, {
      symbol: 'BTCUSDT',
      limit: 5,
    });
    assert.deepEqual((await get('/api/candles?symbol=BTCUSDT&limit=5&n=7')).body.data, ['BTCUSDT', 5, 7]);
    assert.equal((await get('/api/trades?limit=-1')).status, 400);
    assert.equal((await get('/api/profit?by=weather')).status, 400);
    assert.equal((await get('/api/position?position=X')).status, 404);
    assert.equal((await get('/api/nothing')).status, 404);
    assert.equal((await get('/api/__proto__')).status, 404);
    const failed = await get('/api/risk');
    assert.equal(failed.status, 500);
    assert.doesNotMatch(JSON.stringify(failed.body), /secret/);
    assert.equal((await get('/readyz')).status, 200);
    assert.equal((await get('/healthz')).status, 200);
  });

  test('the page, zipped and remembered, and no path out of its folder', async (t) => {
    const { url } = await world(t);
    const page = await fetch(`${url}/`);
    assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'self'/);
    assert.equal(page.headers.get('content-encoding'), 'gzip');
    assert.match(await page.text(), /^<!doctype html>/);
    const again = await fetch(`${url}/index.html`, {
      headers: { 'if-none-match': page.headers.get('etag') ?? '' },
    });
    assert.equal(again.status, 304);
    for (const odd of ['/..%2f..%2fpackage.json', '/../http-token', '//etc/passwd', '/%00'])
      assert.equal((await fetch(url + odd)).status, 404, odd);
  });

  test('the first page says nothing of Node’s experiments among the run’s own lines', async () => {
    const script = `import { pageFile } from './src/http/page-files.ts';
      const page = await pageFile('/main.ts');
      process.stdout.write(String(page !== undefined));`;
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const run = promisify(execFile);
    const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', script], {
      cwd: root,
    });
    assert.deepEqual([stdout, stderr], ['true', '']);
  });

  test('another name, another page, no token', async (t) => {
    const { url, get, post, asked } = await world(t);
    assert.equal((await get('/api/status', { origin: 'http://evil.example' })).status, 403);
    assert.equal((await post({}, {})).status, 401);
    assert.equal(
      (await post({}, { authorization: `Bearer ${TOKEN}`, origin: 'http://evil.example' })).status,
      403,
    );
    const rebound = await raw(
      url,
      'GET /api/status HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
    );
    assert.match(rebound, /^HTTP\/1\.1 421/);
    assert.equal(asked.length, 0);
  });

  test('who asks too often is told to wait, and so is who guesses at tokens', async (t) => {
    const { get } = await world(t, { requestsPerMinute: 20 });
    const many = await Promise.all(Array.from({ length: 40 }, () => get('/healthz')));
    assert.ok(many.filter(({ status }) => status === 429).length >= 15);
    const { post } = await world(t);
    const codes: number[] = [];
    for (let i = 0; i < 25; i++) codes.push((await post({}, { authorization: 'Bearer x' })).status);
    assert.equal(codes.at(0), 401);
    assert.equal(codes.at(-1), 429);
  });
});

describe('controls', () => {
  test('a token that was changed stays changed, whatever is configured after it', async (t) => {
    const { server, post } = await world(t);
    const command = { id: 'abcdefgh', command: { kind: 'pause' } };
    server.changeToken('the-next-token-that-nobody-knows');
    server.configure({ requestsPerMinute: 10_000, maxStreams: 3, allowedHosts: [], allowedIps: [] });
    assert.equal((await post(command)).status, 401);
    const next = await post(command, { authorization: 'Bearer the-next-token-that-nobody-knows' });
    assert.equal(next.status, 200);
  });

  test('a command reaches the operator as read, under its id', async (t) => {
    const { post, asked } = await world(t);
    const body = {
      id: 'abcdefgh',
      command: { kind: 'pause', minutes: 5 },
      issuedAt: 5,
      by: 'Alice',
      confirmed: true,
    };
    assert.deepEqual((await post(body)).body.data, {
      id: 'http:abcdefgh',
      outcome: 'accepted',
      code: 'DONE',
      text: 'done',
    });
    assert.deepEqual(asked, [
      {
        id: 'http:abcdefgh',
        command: { kind: 'pause', minutes: 5 },
        who: { name: 'Alice', role: 'admin', channel: 'http' },
        issuedAt: 5,
        confirmed: true,
      },
    ]);
  });

  test('a name is kept as far as it is one, within a bound', async (t) => {
    const { post, asked } = await world(t);
    const command = { kind: 'pause' };
    const given = [' Zoë\u202e  <O’Hara>\n', 'x'.repeat(5_000), '李雷', '<>', '', 5, null];
    for (const [i, by] of given.entries()) await post({ id: `abcdefgh${i}`, command, by });
    assert.deepEqual(
      asked.map(({ who }) => who.name),
      ['Zoë O’Hara', 'x'.repeat(40), '李雷', 'http', 'http', 'http', 'http'],
    );
  });

  test('who sends too much is told so, however much more was under way', async (t) => {
    const { url, asked, post } = await world(t);
    for (const bytes of [70_000, 8_000_000]) {
      const refused = await post({
        id: 'test:12345678',
        command: { kind: 'pause', reason: 'x'.repeat(bytes) },
      });
      assert.equal(refused.status, 413, `${bytes} bytes`);
      assert.match(JSON.stringify(refused.body), /larger than 65536 bytes/);
    }
    // The same connection is good for what comes next.
    const { port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    const head = `Host: 127.0.0.1:${port}\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n`;
    const said = (body: string): string =>
      `POST /api/commands HTTP/1.1\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`;
    socket.write(
      said('x'.repeat(1_000_000)) + said(JSON.stringify({ id: 'test:12345679', command: { kind: 'pause' } })),
    );
    let heard = '';
    for await (const chunk of socket) {
      heard += String(chunk);
      if (heard.includes('200 OK')) break;
    }
    assert.match(heard, /^HTTP\/1.1 413 [\s\S]*HTTP\/1.1 200 OK/);
    assert.deepEqual(
      asked.map(({ id }) => id),
      ['http:test:12345679'],
    );
  });

  test('a client that leaves in the midst of its command is no failure of ours', async (t) => {
    const said: string[] = [];
    const log = { ...SILENT, error: (text: string) => void said.push(text) };
    const { url, asked, get } = await world(t, { log });
    const { port } = new URL(url);
    const head = ['POST /api/commands HTTP/1.1', 'Host: 127.0.0.1', `Authorization: Bearer ${TOKEN}`];
    for (const body of ['Content-Length: 47', 'Transfer-Encoding: chunked']) {
      const request = [...head, 'Content-Type: application/json', body, '', ''].join('\r\n');
      const socket = connect(Number(port), '127.0.0.1');
      const isGone = once(socket, 'close');
      socket.write(`${request}{"id":"click-0001","comm`);
      // What it has begun is read by the time that another is answered.
      await get('/api/status');
      socket.destroy();
      await isGone;
      await get('/api/status');
    }
    assert.deepEqual([said, asked], [[], []]);
  });

  test('what is none is refused with what to do, and never reaches it', async (t) => {
    const { post, asked } = await world(t);
    const id = 'abcdefgh';
    for (const body of [
      '{',
      '[]',
      {},
      { id },
      { id: 'x', command: { kind: 'pause' } },
      { id, command: { kind: 'steal' } },
      { id, command: { kind: 'pause', minutes: 5, x: 1 } },
    ]) {
      const { status, body: said } = await post(body);
      assert.equal(status, 400);
      assert.ok((said.error as unknown as { hint?: string }).hint);
    }
    assert.equal(asked.length, 0);
  });
});

describe('the live stream', () => {
  test('tells what happens, resumes where a page left off, and says when too much was missed', async (t) => {
    const { url, feed } = await world(t);
    feed.publish('log', { i: 1 });
    const streaming = events(`${url}/api/stream`, (text) => text.includes('"i":3'));
    while (feed.listeners === 0) await new Promise((resolve) => setImmediate(resolve));
    feed.publish('log', { i: 2 });
    feed.publish('trade', { i: 3 });
    const first = await streaming;
    assert.match(first, /event: hello/);
    assert.match(first, /id: 2\nevent: log\ndata: \{"i":2\}\n\nid: 3\nevent: trade/);
    assert.doesNotMatch(first, /"i":1/);
    const resumed = await events(`${url}/api/stream?types=trade`, (text) => text.includes('"i":3'), {
      'last-event-id': '1',
    });
    assert.doesNotMatch(resumed, /event: log/);
    for (let i = 0; i < 5_000; i++) feed.publish('log', { i });
    const late = await events(`${url}/api/stream`, (text) => text.includes('event: reset'), {
      'last-event-id': '2',
    });
    assert.match(late, /event: reset/);
    const restarted = await events(`${url}/api/stream`, (text) => text.includes('event: reset'), {
      'last-event-id': '999999',
    });
    assert.match(restarted, /event: reset/, 'an id of another life of the run');
  });

  test('a status goes by and is not kept: who comes back misses nothing else', async (t) => {
    const { url, feed } = await world(t);
    feed.publish('log', { i: 1 });
    for (let i = 0; i < 5_000; i++) feed.publish('status', { i });
    feed.publish('log', { i: 2 });
    assert.deepEqual(
      feed.since(0)?.map(({ id, type }) => [id, type]),
      [
        [1, 'log'],
        [2, 'log'],
      ],
    );
    const streaming = events(`${url}/api/stream`, (text) => text.includes('"last":true'), {
      'last-event-id': '1',
    });
    while (feed.listeners === 0) await new Promise((resolve) => setImmediate(resolve));
    feed.publish('status', { last: true });
    assert.match(await streaming, /id: 2\nevent: log\ndata: .*\n\nid: 2\nevent: status/);
  });

  test('who does not read is dropped at a bound; others go on', async (t) => {
    const { url, feed, server } = await world(t);
    const { port } = new URL(url);
    const lazy = connect(Number(port), '127.0.0.1');
    t.after(() => lazy.destroy());
    lazy.write(`GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
    lazy.pause();
    while (server.streams.clients === 0) await new Promise((resolve) => setImmediate(resolve));
    let read = 0;
    const reading = events(`${url}/api/stream`, (text) => {
      read = text.length;
      return text.includes('"last":true');
    });
    while (server.streams.clients < 2) await new Promise((resolve) => setImmediate(resolve));
    const long = 'x'.repeat(200_000);
    for (let told = 1; server.streams.dropped === 0; told++) {
      feed.publish('log', { long });
      // Who reads is not told more before that was read, however slow this machine is.
      while (read < told * long.length) await new Promise((resolve) => setImmediate(resolve));
    }
    feed.publish('log', { last: true });
    assert.match(await reading, /"last":true/);
    assert.equal(server.streams.dropped, 1);
  });

  test('no more pages than allowed, and no unknown types', async (t) => {
    const { url, get, server } = await world(t);
    assert.equal((await get('/api/stream?types=secrets')).status, 400);
    const abort = new AbortController();
    for (let i = 0; i < 3; i++) await fetch(`${url}/api/stream`, { signal: abort.signal });
    assert.equal((await get('/api/stream')).status, 503);
    abort.abort();
    while (server.streams.clients > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(server.streams.clients, 0);
  });
});

test('the token is minted once, for its owner’s eyes, and a short one is refused', (t) => {
  const dir = tempDir(t);
  const { token, source } = httpToken(dir, undefined);
  assert.ok(token.length >= 40);
  assert.equal(statSync(source).mode & 0o777, 0o600);
  assert.equal(httpToken(dir, undefined).token, token);
  assert.deepEqual(httpToken(dir, TOKEN), { token: TOKEN, source: 'BULKHEAD_HTTP_TOKEN' });
  assert.throws(
    () => httpToken(dir, 'short'),
    (error) => isBulkheadError(error, 'CONFIG_INVALID'),
  );
});

function raw(url: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(request));
    let text = '';
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
}
