/**
 * The network between a process and the venue, as far as both can tell: requests that take their time, get lost on
 * either way or meet a closed door; sockets that open, say things in order, go mute and break.
 *
 * Invariants: what has left a process goes on when that dies; of one socket's frames none overtakes another; a
 * request is handed to the venue at most once.
 */
import { createHmac } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Dial, DialledSocket } from '../../core/kept-socket.ts';
import type { Random } from '../../core/random.ts';
import { neverSent, VenueFailure } from '../../exchange/call-outcome.ts';
import { readAnswer } from '../../exchange/venue-answer.ts';
import type { Api, VenueClient, VenueClientOptions, VenueRequest } from '../../exchange/venue-client.ts';
import { htmlPage } from '../../venue-server/faults-answers.ts';
import type { Door, DoorParts } from '../../venue-server/transport/http-door.ts';
import type { Answer } from '../../venue-server/transport/request-pipeline.ts';
import type { Corked, ServedSocket } from '../../venue-server/transport/stream-connection.ts';
import type { SimProcess } from './process.ts';
import { never } from './process.ts';
import type { Scheduler } from './scheduler.ts';
import type { RequestPoint } from './store.ts';
import { fairWeather } from './weather.ts';

/** The venue's door for those inside this process. */
export class SimDoor implements Door {
  readonly host = '127.0.0.1';
  readonly port = 1;
  readonly #parts: DoorParts;
  #refusing = 0;

  constructor(parts: DoorParts) {
    this.#parts = parts;
  }

  get isOpen(): boolean {
    return this.#refusing === 0;
  }

  get parts(): DoorParts {
    return this.#parts;
  }

  async open(): Promise<void> {}
  async close(): Promise<void> {}

  refuse(forMs: number): void {
    this.#refusing += 1;
    this.#parts.waits.timers.set(forMs, () => {
      this.#refusing -= 1;
    });
  }
}

const PATHS: Readonly<Record<Api, string>> = {
  fapiPublic: '/fapi/v1/',
  fapiPrivate: '/fapi/v1/',
  fapiPrivateV3: '/fapi/v3/',
  sapi: '/sapi/v1/',
};

const SLOW_BODY_MS = 3_000;

export interface NetworkOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly door: () => SimDoor;
  /** A request leaves a process. */
  readonly onSent: (process: SimProcess, request: VenueRequest) => void;
  /** The venue has answered, whether it is heard or not. */
  readonly onAnswered: (answer: Pick<Answer, 'status' | 'body'>, request: VenueRequest) => void;
  readonly onFault: (what: string) => void;
  /** Whether a process dies there: around its so-manieth request that changes something. */
  readonly dies: (process: SimProcess, request: number, when: RequestPoint['when']) => boolean;
}

export class Network {
  readonly weather = fairWeather();
  readonly #options: NetworkOptions;
  readonly #sockets = new Set<SimSocket>();
  /** How many requests that change something each process has sent. */
  readonly #changes = new Map<SimProcess, number>();

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** What a gateway's requests are carried by. */
  client(process: SimProcess, options: VenueClientOptions): VenueClient {
    return {
      send: (request, signal, onHeaders) =>
        process.isDead ? never() : this.#send(process, options, request, signal, onHeaders),
      close: async () => {},
    };
  }

  dial(process: SimProcess): Dial {
    return (url) => {
      const socket = new SimSocket(this, process);
      this.#sockets.add(socket);
      if (this.weather.connecting !== 'up')
        this.#options.scheduler.set(this.#legMs(), () => socket.refused());
      else if (this.weather.stream === 'up')
        this.#options.scheduler.set(this.#legMs() * 2, () => this.#connect(socket, url));
      return socket;
    };
  }

  /** All of them, or those of one process; the venue notices, the client (if it lives) too. */
  breakSockets(process?: SimProcess): void {
    for (const socket of [...this.#sockets]) if (!process || socket.process === process) socket.break();
  }

  #connect(socket: SimSocket, url: string): void {
    if (socket.isOver) return;
    const door = this.#options.door();
    const { pathname, search } = new URL(url);
    const isIn =
      door.isOpen && this.weather.stream === 'up'
        ? door.parts.attach(pathname + search, () => ({ ws: socket.served, raw: UNCORKED }))
        : false;
    if (isIn) socket.opened();
    else socket.refused();
  }

  #send(
    process: SimProcess,
    options: VenueClientOptions,
    request: VenueRequest,
    signal: AbortSignal,
    onHeaders: Parameters<VenueClient['send']>[2],
  ): Promise<{ value: unknown; headers: Readonly<Record<string, string>> }> {
    if (signal.aborted) return Promise.reject(neverSent('the time for it had run out'));
    const { scheduler, random, door, onSent, onFault } = this.#options;
    const nth = request.method === 'GET' ? 0 : (this.#changes.get(process) ?? 0) + 1;
    if (nth > 0) this.#changes.set(process, nth);
    const dies = (when: RequestPoint['when']): boolean => nth > 0 && this.#options.dies(process, nth, when);
    if (dies('unsent')) return never();
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new VenueFailure('no answer: aborted', { sent: true })));
      const { rest, connecting, loseRequest, loseAnswer } = this.weather;
      onSent(process, request);
      dies('sent');
      const refused = (code = 'ECONNREFUSED') =>
        process.later(this.#legMs(), () =>
          reject(new VenueFailure(`no connection: ${code}`, { sent: false, cause: new Error(code) })),
        );
      const reset = (afterMs: number) =>
        process.later(afterMs, () => reject(new VenueFailure('no answer: ECONNRESET', { sent: true })));
      if (connecting !== 'up') {
        refused(connecting);
        return;
      }
      if (rest === 'silent') return;
      if (rest === 'refused') {
        refused();
        return;
      }
      if (random.next() < loseRequest) {
        onFault('network:request-lost');
        if (random.next() < 0.5) reset(this.#legMs() * 2);
        return;
      }
      const incoming = this.#incoming(options, request);
      const respond = (answer: Answer): void => {
        this.#options.onAnswered(answer, request);
        if (this.weather.rest === 'silent') return;
        if (random.next() < loseAnswer) {
          onFault('network:answer-lost');
          if (random.next() < 0.5) reset(this.#legMs());
          return;
        }
        const delayMs = this.#legMs() + (answer.spoiled === 'slow' ? SLOW_BODY_MS : 0);
        process.later(
          delayMs,
          () => (dies('answered') ? undefined : take(answer, onHeaders, resolve, reject)),
          random.next(),
        );
      };
      scheduler.at(
        scheduler.now() + this.#legMs(),
        () => {
          const there = door();
          if (!there.isOpen || this.weather.rest === 'refused') refused();
          else
            there.parts.handle(incoming, {
              answer: respond,
              drop: () => reset(this.#legMs()),
            });
        },
        random.next(),
      );
    });
  }

  #incoming(options: VenueClientOptions, { api, path, method, params }: VenueRequest) {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(params)) query.set(name, String(value));
    const isPublic = api === 'fapiPublic';
    if (!isPublic) {
      query.set('timestamp', String(options.venueNow()));
      query.set('recvWindow', String(options.recvWindowMs));
      const text = query.toString();
      query.set('signature', createHmac('sha256', options.apiSecret).update(text).digest('hex'));
    }
    return {
      method,
      path: PATHS[api] + path,
      raw: { query: query.toString(), body: '', contentType: undefined },
      apiKey: isPublic ? undefined : options.apiKey,
      address: '127.0.0.1',
    };
  }

  /** One way; now and then it takes long. */
  #legMs(): number {
    const { random } = this.#options;
    const ms = 2 + Math.floor(random.next() * 30);
    if (this.weather.slow === 0 || random.next() >= this.weather.slow) return ms;
    this.#options.onFault('network:slow');
    return ms + Math.floor(random.next() * 9_000);
  }

  /** For sockets. */
  get parts(): { scheduler: Scheduler; legMs: () => number; forget: (socket: SimSocket) => void } {
    return {
      scheduler: this.#options.scheduler,
      legMs: () => this.#legMs(),
      forget: (socket) => this.#sockets.delete(socket),
    };
  }
}

const UNCORKED: Corked = { cork: () => {}, uncork: () => {} };

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

function take(
  { status, headers, body, spoiled }: Answer,
  onHeaders: Parameters<VenueClient['send']>[2],
  resolve: (answer: { value: unknown; headers: Readonly<Record<string, string>> }) => void,
  reject: (error: unknown) => void,
): void {
  const lower = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  onHeaders?.(lower);
  if (spoiled === 'stalled') return;
  if (spoiled === 'truncated') {
    reject(new VenueFailure(`HTTP ${status} with a body that broke off`, { sent: true, http: status }));
    return;
  }
  const text = spoiled === 'html' ? htmlPage(200, 'OK') : spoiled === 'empty' ? '' : body;
  try {
    resolve({
      value: readAnswer({ http: status, headers: lower, body: text }, parseJson, []),
      headers: lower,
    });
  } catch (error) {
    reject(error);
  }
}

const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 3;

/** Both ends of one connection. */
export class SimSocket implements DialledSocket {
  readonly process: SimProcess;
  readonly served: ServedSocket;
  readyState = CONNECTING;
  readonly #network: Network;
  readonly #client = new EventEmitter();
  readonly #server = new EventEmitter();
  /** When the last frame of each way arrives: the next one comes no sooner. */
  #downDue = 0;
  #upDue = 0;
  #over = false;

  constructor(network: Network, process: SimProcess) {
    this.#network = network;
    this.process = process;
    process.onDeath(() => this.break());
    this.served = {
      bufferedAmount: 0,
      on: (event: string, hear: (...args: never[]) => void) => this.#server.on(event, hear as () => void),
      send: (text) => this.#down('message', Buffer.from(text)),
      ping: (text) => this.#down('ping', Buffer.from(text)),
      pong: (data) => this.#down('pong', data),
      close: (code) => this.#end(code),
      terminate: () => this.#end(1006),
    };
  }

  get isOver(): boolean {
    return this.#over;
  }

  on(event: string, hear: (...args: never[]) => void): this {
    this.#client.on(event, hear as () => void);
    return this;
  }

  removeAllListeners(): this {
    this.#client.removeAllListeners();
    return this;
  }

  send(text: string): void {
    this.#up(() => this.#server.emit('message', Buffer.from(text), false));
  }

  ping(): void {
    this.#up(() => this.#server.emit('ping', Buffer.alloc(0)));
  }

  terminate(): void {
    this.break();
  }

  opened(): void {
    this.process.hear(() => {
      if (this.#over) return;
      this.readyState = OPEN;
      this.#client.emit('open');
    });
  }

  refused(): void {
    this.#over = true;
    this.#network.parts.forget(this);
    this.process.hear(() => {
      this.readyState = CLOSED;
      if (this.#client.listenerCount('error') > 0)
        this.#client.emit('error', new Error('connection refused'));
      this.#client.emit('close', 1006);
    });
  }

  /** The connection is gone; each end notices in its time. */
  break(): void {
    this.#end(1006);
  }

  /** The venue's doing, or the network's. */
  #end(code: number): void {
    if (this.#over) return;
    this.#over = true;
    const { legMs, forget, scheduler } = this.#network.parts;
    forget(this);
    const due = Math.max(this.#downDue, scheduler.now() + legMs());
    this.process.later(due - scheduler.now(), () => {
      this.readyState = CLOSED;
      this.#client.emit('close', code);
    });
    scheduler.set(legMs(), () => this.#server.emit('close'));
  }

  get #isMute(): boolean {
    return this.#over || this.#network.weather.stream === 'silent';
  }

  #down(event: 'message' | 'ping' | 'pong', bytes: Buffer): void {
    if (this.#isMute) return;
    const { scheduler, legMs } = this.#network.parts;
    this.#downDue = Math.max(this.#downDue, scheduler.now() + legMs());
    this.process.later(this.#downDue - scheduler.now(), () => {
      // A client answers pings by itself.
      if (event === 'ping') this.#up(() => this.#server.emit('pong', bytes));
      else if (this.readyState === OPEN) this.#client.emit(event, bytes);
    });
  }

  #up(arrive: () => void): void {
    if (this.#isMute) return;
    const { scheduler, legMs } = this.#network.parts;
    this.#upDue = Math.max(this.#upDue, scheduler.now() + legMs());
    scheduler.at(this.#upDue, () => {
      if (!this.#over) arrive();
    });
  }
}
