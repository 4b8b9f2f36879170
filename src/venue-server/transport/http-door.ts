/**
 * The listening socket: bytes in, bytes out, and every way in which an answer can go wrong on the wire.
 *
 * Invariants: it listens on loopback only; an answer is whole, with its length, unless a fault spoils it; while it
 * refuses, nothing listens on its port.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { gzipSync } from 'node:zlib';
import type { Timers } from '../../core/clock.ts';
import { BulkheadError, errorText } from '../../core/errors.ts';
import { htmlPage } from '../faults-answers.ts';
import type { HttpMethod } from '../protocol.ts';
import { loopbackOnly } from './loopback.ts';
import type { Answer, Incoming, Reply } from './request-pipeline.ts';
import type { Corked, ServedSocket, Waits } from './stream-connection.ts';

export interface DoorParts {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly waits: Waits;
  /** The machine's, also when the venue's clock is moved by hand: nobody may keep the doors from closing. */
  readonly real: Timers;
  readonly handle: (incoming: Incoming, reply: Reply) => void;
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** A client's socket that is open already, past any handshake; false: it is refused. */
  readonly attach: (
    url: string,
    accept: () => { readonly ws: ServedSocket; readonly raw: Corked },
  ) => boolean;
}

/** Where clients come in. */
export interface Door {
  readonly host: string;
  readonly port: number;
  open(): Promise<void>;
  /** Lets nobody in for a while; those inside are put out. */
  refuse(forMs: number): void;
  close(): Promise<void>;
}

export type MakeDoor = (parts: DoorParts) => Door;

const METHODS: ReadonlySet<string> = new Set(['GET', 'POST', 'PUT', 'DELETE']);
const LARGEST_BODY_BYTES = 1_048_576;
const WORTH_ZIPPING_BYTES = 8_192;
const CLOSE_GRACE_MS = 300;
const SLOW_CHUNKS = 12;
const SLOW_PAUSE_MS = 250;

export class HttpDoor implements Door {
  readonly #parts: DoorParts;
  readonly #host: string;
  readonly #server: Server;
  readonly #upgraded = new Set<Duplex>();
  #port: number;
  #isStopped = false;
  #refusing = 0;

  constructor(parts: DoorParts) {
    this.#parts = parts;
    this.#host = loopbackOnly(parts.host);
    this.#port = parts.port;
    this.#server = createServer({ keepAliveTimeout: 75_000 }, (request, response) =>
      this.#serve(request, response),
    );
    this.#server.on('upgrade', (request, socket, head) => {
      socket.on('error', () => socket.destroy());
      this.#upgraded.add(socket);
      socket.on('close', () => this.#upgraded.delete(socket));
      parts.upgrade(request, socket, head);
    });
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  get port(): number {
    return this.#port;
  }

  get host(): string {
    return this.#host;
  }

  async open(): Promise<void> {
    try {
      await this.#listen();
    } catch (error) {
      throw new BulkheadError('CONFIG_INVALID', `Port ${this.#port} cannot be used: ${errorText(error)}`, {
        hint: 'Another program may have it. Name another with --port, or --port 0 for any that is free.',
        cause: error,
      });
    }
  }

  /** Refuses connections for a while; those there are end at once. */
  refuse(forMs: number): void {
    if (this.#isStopped) return;
    if (this.#refusing++ === 0) this.#server.close();
    this.#server.closeAllConnections();
    this.#parts.waits.timers.set(forMs, () => {
      if (--this.#refusing === 0 && !this.#isStopped) this.#listen().catch(() => this.refuse(SLOW_PAUSE_MS));
    });
  }

  async close(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    // Sockets that have been told so close by themselves; those that do not are closed.
    const impatience = this.#parts.real.set(CLOSE_GRACE_MS, () => {
      for (const socket of this.#upgraded) socket.destroy();
    });
    await new Promise<void>((resolve) => {
      if (this.#server.listening) this.#server.close(() => resolve());
      else resolve();
      this.#server.closeAllConnections();
    });
    impatience.cancel();
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, this.#host, () => {
        this.#server.off('error', reject);
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > LARGEST_BODY_BYTES) request.destroy();
      else chunks.push(chunk);
    });
    request.on('error', () => response.destroy());
    response.on('error', () => {});
    request.on('end', () => this.#receive(request, Buffer.concat(chunks).toString('utf8'), response));
  }

  #receive(request: IncomingMessage, body: string, response: ServerResponse): void {
    const [path = '', query = ''] = splitOnce(request.url ?? '', '?');
    if (!METHODS.has(request.method ?? '')) {
      response.writeHead(405, { 'Content-Type': 'text/html' }).end(htmlPage(405, 'Not Allowed'));
      return;
    }
    const apiKey = request.headers['x-mbx-apikey'];
    this.#parts.handle(
      {
        method: request.method as HttpMethod,
        path,
        raw: { query, body, contentType: request.headers['content-type'] },
        apiKey: Array.isArray(apiKey) ? apiKey[0] : apiKey,
        address: request.socket.remoteAddress ?? this.#host,
      },
      {
        answer: (answer) => this.#answer(request, response, answer),
        drop: (reset) => (reset ? request.socket.resetAndDestroy() : request.socket.destroy()),
      },
    );
  }

  #answer(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
    if (response.destroyed) return;
    const body =
      answer.spoiled === 'html' ? htmlPage(200, 'OK') : answer.spoiled === 'empty' ? '' : answer.body;
    const headers: Record<string, string> = {
      ...answer.headers,
      'Content-Type': answer.html || answer.spoiled === 'html' ? 'text/html' : 'application/json',
    };
    let bytes: Buffer = Buffer.from(body);
    const isZipped =
      answer.spoiled === undefined &&
      bytes.length >= WORTH_ZIPPING_BYTES &&
      /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
    if (isZipped) {
      bytes = gzipSync(bytes, { level: 1 });
      headers['Content-Encoding'] = 'gzip';
    }
    headers['Content-Length'] = String(bytes.length);
    response.writeHead(answer.status, headers);
    this.#write(request, response, bytes, answer);
  }

  #write(request: IncomingMessage, response: ServerResponse, bytes: Buffer, { spoiled }: Answer): void {
    const half = bytes.subarray(0, Math.ceil(bytes.length / 2));
    if (spoiled === 'truncated') response.write(half, () => request.socket.destroy());
    else if (spoiled === 'stalled') response.write(half);
    else if (spoiled === 'slow') this.#drip(response, bytes, Math.ceil(bytes.length / SLOW_CHUNKS));
    else response.end(bytes);
  }

  /** A few bytes at a time. */
  #drip(response: ServerResponse, bytes: Buffer, size: number): void {
    if (response.destroyed) return;
    if (bytes.length <= size) {
      response.end(bytes);
      return;
    }
    response.write(bytes.subarray(0, size));
    this.#parts.waits.timers.set(SLOW_PAUSE_MS, () => this.#drip(response, bytes.subarray(size), size));
  }
}

function splitOnce(text: string, by: string): [string, string] {
  const cut = text.indexOf(by);
  return cut < 0 ? [text, ''] : [text.slice(0, cut), text.slice(cut + 1)];
}
