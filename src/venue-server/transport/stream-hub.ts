/**
 * The venue's sockets: who is connected, who hears what, and the rules of the house (ping every three minutes,
 * cut after ten without a pong, after a day, after more than ten messages a second, beyond 1024 streams).
 *
 * Invariants: work is asked of the market only for streams that somebody hears; an account's events reach only
 * sockets whose listen key lives; times are the venue's clock.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, WebSocketServer } from 'ws';
import type { TimerHandle, Timers } from '../../core/clock.ts';
import type { Json } from '../../core/json.ts';
import type { FaultPlan } from '../faults-plan.ts';
import { glob } from '../faults-plan.ts';
import type { Push } from '../protocol.ts';
import { speedFactor, type VenueClock } from '../venue-clock.ts';
import { enlarged } from './large-ids.ts';
import { readCommand, result, type StreamCommand } from './stream-commands.ts';
import { type Corked, type ServedSocket, StreamConnection, type Waits } from './stream-connection.ts';
import { isStream, type StreamRoute, streamRoute } from './stream-route.ts';
import type { VenueWeather } from './venue-weather.ts';

/** The market's side of it: what is to be produced. */
export interface StreamDemand {
  subscribed(stream: string): void;
  unsubscribed(stream: string): void;
}

export interface HubParts {
  readonly clock: VenueClock;
  readonly waits: Waits;
  readonly faults: FaultPlan;
  readonly demand: StreamDemand;
  readonly listenKeyAccount: (key: string) => string | undefined;
  /** Strikes of faults on events that concern more than the event. */
  readonly weather: () => VenueWeather;
  /** Every private event that was given out, and what clients say. */
  readonly note: (what: string, fields: Readonly<Record<string, Json>>) => void;
  /** Seconds by which a client's messages are counted. */
  readonly pace: () => number;
  /** The machine's timers, where somebody moves the venue's clock by hand. */
  readonly grace: Timers | undefined;
  /** The root address serves market and private streams too, as the venue did before April 2026. */
  readonly legacyStreams: boolean;
  /** Ids of private events beyond 2^53. */
  readonly largeIds: boolean;
}

const SWEEP_MS = 30_000;
const PING_MS = 180_000;
const PONG_LIMIT_MS = 600_000;
/** However fast the venue's clock runs, a client's process may pause this long. */
const SHORTEST_PONG_LIMIT_REAL_MS = 10_000;
const LONGEST_LIFE_MS = 86_400_000;
const MOST_STREAMS = 1_024;
const MOST_MESSAGES_A_SECOND = 10;
const LARGEST_MESSAGE_BYTES = 131_072;
const POLICY = 1008;
const GOING_AWAY = 1001;

export class StreamHub {
  readonly #parts: HubParts;
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: LARGEST_MESSAGE_BYTES,
  });
  readonly #connections = new Set<StreamConnection>();
  readonly #byStream = new Map<string, Set<StreamConnection>>();
  readonly #dirty = new Set<StreamConnection>();
  #isFlushAsked = false;
  #sweep: TimerHandle | undefined;
  #lastPingAt: number;
  #tooSlow = 0;
  #sent = 0;

  constructor(parts: HubParts) {
    this.#parts = parts;
    this.#lastPingAt = parts.clock.now();
    this.#armSweep();
  }

  counts(): { sockets: number; streams: number; sent: number; tooSlow: number } {
    return {
      sockets: this.#connections.size,
      streams: this.#byStream.size,
      sent: this.#sent,
      tooSlow: this.#tooSlow,
    };
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const route = this.#admitted(request.url ?? '');
    if (typeof route === 'string')
      socket.end(`HTTP/1.1 ${route}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    else this.#server.handleUpgrade(request, socket, head, (ws) => this.#open(route, ws, socket));
  }

  /** A socket that is open already; false: it is refused. */
  attach(url: string, accept: () => { readonly ws: ServedSocket; readonly raw: Corked }): boolean {
    const route = this.#admitted(url);
    if (typeof route === 'string') return false;
    const { ws, raw } = accept();
    this.#open(route, ws, raw);
    return true;
  }

  /** Where a new socket leads, or the status line that refuses it. */
  #admitted(url: string): StreamRoute | string {
    const route = streamRoute(url);
    if (!route) return '404 Not Found';
    const strikes = this.#parts.faults.strike('connect', route.kind, this.#parts.clock.now());
    const weather = this.#parts.weather();
    for (const { action } of strikes) weather.apply(action);
    const isRefused = weather.isInMaintenance || strikes.some(({ action }) => action.do === 'close');
    return isRefused ? '503 Service Unavailable' : route;
  }

  push(push: Push): void {
    const event = push.socket === 'private' ? eventType(push.data) : push.stream;
    if (push.socket === 'private') this.#parts.note(event, { account: push.account, data: push.data });
    const hearers = push.socket === 'private' ? this.#ofAccount(push) : this.#ofStream(push);
    const { faults } = this.#parts;
    if (hearers.length === 0) return;
    const strikes = faults.watches('event')
      ? faults.strike('event', event, this.#parts.clock.now(), (field) => fieldOf(push.data, field))
      : [];
    const said = JSON.stringify(push.data);
    const raw = push.socket === 'private' && this.#parts.largeIds ? enlarged(said) : said;
    const delayMs = push.socket === 'private' ? faults.latency('streamMs') : 0;
    let isMissed = false;
    for (const { action } of strikes) {
      if (action.do === 'miss' || action.do === 'close') isMissed = true;
      // After this turn: the core is in the midst of an input and must not be given another.
      queueMicrotask(() => this.#parts.weather().apply(action));
    }
    if (isMissed) return;
    for (const connection of hearers) {
      const stream = push.socket === 'private' ? ([...connection.listenKeys][0] ?? '') : push.stream;
      const text = connection.combined ? `{"stream":${JSON.stringify(stream)},"data":${raw}}` : raw;
      this.#sent++;
      const odd = strikes.find(({ action }) => ODDITIES.has(action.do))?.action;
      if (odd?.do === 'late') connection.sendLate(text, delayMs + faults.draw(odd.ms));
      else if (odd?.do === 'reorder') connection.sendAfterNext(text, odd.ms);
      else {
        connection.send(text, delayMs);
        if (odd?.do === 'duplicate') connection.send(text, delayMs);
      }
    }
  }

  /** Closes the sockets of a kind ("private", "*"). */
  close(kinds: string, code: number): void {
    for (const connection of this.#ofKind(kinds)) connection.close(code);
  }

  mute(kinds: string, forMs: number): void {
    for (const connection of this.#ofKind(kinds)) connection.mute(forMs);
  }

  stop(): void {
    this.#sweep?.cancel();
    this.close('*', GOING_AWAY);
    this.#server.close();
  }

  #ofKind(kinds: string): StreamConnection[] {
    const pattern = glob(kinds);
    return [...this.#connections].filter(({ route }) => pattern.test(route.kind));
  }

  #ofStream(push: Extract<Push, { stream: string }>): StreamConnection[] {
    const { legacyStreams } = this.#parts;
    const hearers = this.#byStream.get(push.stream);
    if (!hearers) return [];
    return [...hearers].filter(
      ({ route: { kind } }) =>
        kind === push.socket || (kind === 'legacy' && (push.socket === 'public' || legacyStreams)),
    );
  }

  #ofAccount(push: Extract<Push, { account: string }>): StreamConnection[] {
    const type = eventType(push.data);
    const ended = type === 'listenKeyExpired' ? fieldOf(push.data, 'listenKey') : undefined;
    return [...this.#connections].filter(({ listenKeys, route }) => {
      if (route.events && !route.events.has(type)) return false;
      for (const key of listenKeys)
        if (key === ended || this.#parts.listenKeyAccount(key) === push.account) return true;
      return false;
    });
  }

  #open(route: StreamRoute, ws: ServedSocket, raw: Corked): void {
    const connection = new StreamConnection({
      route,
      ws,
      raw,
      waits: this.#parts.waits,
      grace: this.#parts.grace,
      openedAt: this.#parts.clock.now(),
      wake: (dirty) => this.#wake(dirty),
      onSlow: () => {
        this.#tooSlow++;
      },
    });
    this.#connections.add(connection);
    ws.on('message', (data, isBinary) => this.#hear(connection, data, isBinary));
    ws.on('ping', (data) => connection.pong(data));
    ws.on('pong', () => connection.ponged());
    // A broken frame or a reset: the close that follows it tells all.
    ws.on('error', () => {});
    ws.on('close', () => this.#gone(connection));
    this.#parts.note('socket opened', { kind: route.kind });
    if (route.streams.length > MOST_STREAMS) connection.close(POLICY, 'too many streams');
    for (const stream of route.streams) this.#subscribe(connection, stream);
    for (const key of route.listenKeys) this.#subscribe(connection, key);
  }

  #gone(connection: StreamConnection): void {
    connection.over();
    for (const stream of connection.streams) this.#drop(connection, stream);
    this.#connections.delete(connection);
    this.#dirty.delete(connection);
    this.#parts.note('socket closed', { kind: connection.route.kind });
  }

  #hear(connection: StreamConnection, data: RawData, isBinary: boolean): void {
    if (connection.countIncoming(this.#parts.pace()) > MOST_MESSAGES_A_SECOND) {
      connection.close(POLICY, 'Too many requests');
      return;
    }
    if (isBinary || connection.isMuted) return;
    const command = readCommand(String(data));
    connection.send(typeof command === 'string' ? command : this.#obey(connection, command));
    const most = connection.streams.size + connection.listenKeys.size;
    if (most > MOST_STREAMS) connection.close(POLICY, 'too many streams');
  }

  #obey(connection: StreamConnection, { method, params, id }: StreamCommand): string {
    switch (method) {
      case 'SUBSCRIBE':
        for (const name of params) this.#subscribe(connection, String(name));
        return result(null, id);
      case 'UNSUBSCRIBE':
        for (const name of params) {
          connection.listenKeys.delete(String(name));
          if (connection.streams.delete(String(name))) this.#drop(connection, String(name));
        }
        return result(null, id);
      case 'LIST_SUBSCRIPTIONS':
        return result([...connection.streams, ...connection.listenKeys], id);
      case 'SET_PROPERTY':
        if (params[0] === 'combined') connection.combined = params[1] === true;
        return result(null, id);
      case 'GET_PROPERTY':
        return result(connection.combined, id);
    }
  }

  /** A name without an @ on a private socket is a listen key; keys that are not known stay silent. */
  #subscribe(connection: StreamConnection, name: string): void {
    const { kind } = connection.route;
    if (kind === 'private' || (kind === 'legacy' && this.#parts.legacyStreams && !isStream(name))) {
      connection.listenKeys.add(name);
      return;
    }
    if (connection.streams.has(name)) return;
    connection.streams.add(name);
    let hearers = this.#byStream.get(name);
    if (!hearers) {
      hearers = new Set();
      this.#byStream.set(name, hearers);
      this.#parts.demand.subscribed(name);
    }
    hearers.add(connection);
  }

  #drop(connection: StreamConnection, stream: string): void {
    const hearers = this.#byStream.get(stream);
    hearers?.delete(connection);
    if (hearers?.size !== 0) return;
    this.#byStream.delete(stream);
    this.#parts.demand.unsubscribed(stream);
  }

  #wake(connection: StreamConnection): void {
    this.#dirty.add(connection);
    if (this.#isFlushAsked) return;
    this.#isFlushAsked = true;
    // After this turn: what one input causes leaves in one piece, and never before it is journaled.
    queueMicrotask(() => {
      this.#isFlushAsked = false;
      const dirty = [...this.#dirty];
      this.#dirty.clear();
      for (const one of dirty) one.flush();
    });
  }

  #armSweep(): void {
    this.#sweep = this.#parts.clock.timers.set(SWEEP_MS, () => {
      this.#armSweep();
      this.#lookAfter(this.#parts.clock.now());
    });
  }

  #lookAfter(now: number): void {
    const isPing = now - this.#lastPingAt >= PING_MS;
    if (isPing) this.#lastPingAt = now;
    const pongLimitMs = Math.max(PONG_LIMIT_MS, SHORTEST_PONG_LIMIT_REAL_MS * speedFactor(this.#parts.clock));
    for (const connection of this.#connections) {
      if (now - connection.openedAt >= LONGEST_LIFE_MS) connection.close(GOING_AWAY);
      else if (connection.isDeaf(now, pongLimitMs)) connection.close(1006);
      else if (isPing) connection.ping(now);
    }
  }
}

const ODDITIES = new Set(['late', 'reorder', 'duplicate']);

const eventType = (data: Json): string => fieldOf(data, 'e') ?? '';

/** A field by its dotted path, as text. */
function fieldOf(data: Json, path: string): string | undefined {
  let node: unknown = data;
  for (const name of path.split('.')) {
    if (typeof node !== 'object' || node === null) return undefined;
    node = (node as Record<string, unknown>)[name];
  }
  return node === undefined || typeof node === 'object' ? undefined : String(node);
}
