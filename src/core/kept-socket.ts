/**
 * A client's WebSocket that is kept up: dials, says its greeting, notices a dead peer, comes back after a loss,
 * and moves to a new connection before the venue ends the old one.
 *
 * Invariants: frames are handed on in the order received, none dropped, merged or queued for longer than a
 * handover; nothing of a connection that was replaced is heard any more; after a loss the next dial waits a random
 * part of a doubling bound; a planned move has the new connection up before the old one goes, hands on what both
 * said once, and only then says `up` with `continuous`: every other `up` means that frames were missed.
 *
 * This file is the only home of the WebSocket client.
 */
import { WebSocket } from 'ws';
import type { Time, TimerHandle } from './clock.ts';
import { errorText } from './errors.ts';
import type { Random } from './random.ts';

export type KeptSocketEvent =
  | { readonly type: 'up'; readonly attempt: number; readonly continuous: boolean }
  /** No sign of life for so long: the connection is given up (`down` follows). */
  | { readonly type: 'silent'; readonly silentMs: number }
  | { readonly type: 'down'; readonly reason: string; readonly retryInMs: number };

/** What is said first on a new connection; with `answer` it counts as up once all of it is answered. */
export interface Greeting {
  readonly messages: readonly string[];
  /** Of a frame that answers a message: true, or why it was refused; undefined for every other frame. */
  readonly answer?: (bytes: Buffer) => true | string | undefined;
}

export interface LifeSigns {
  readonly checkEveryMs: number;
  /** So many checks in a row without a sign of life, and the peer is dead. */
  readonly quietChecks: number;
  /** Data: only frames count. Pong: the peer is asked at each check, and any frame or pong counts. */
  readonly sign: 'data' | 'pong';
  /** Asks in the venue's own words instead of a WebSocket ping. */
  readonly ask?: string;
}

/** What is used of a WebSocket. */
export interface DialledSocket {
  readonly readyState: number;
  on(event: 'message', hear: (bytes: Buffer) => void): unknown;
  on(event: 'open' | 'pong', hear: () => void): unknown;
  on(event: 'error', hear: (error: Error) => void): unknown;
  on(event: 'close', hear: (code: number) => void): unknown;
  send(text: string): void;
  ping(): void;
  terminate(): void;
  removeAllListeners(): unknown;
}

/** Opens a connection; throws for a URL that is none. */
export type Dial = (url: string, connectTimeoutMs: number) => DialledSocket;

export interface KeptSocketOptions {
  /** Asked anew for every dial; a rejection counts as a failed dial. */
  readonly url: () => string | Promise<string>;
  /** Real time: deadlines of the network and waits between dials. */
  readonly time: Time;
  readonly random: Random;
  readonly onFrame: (bytes: Buffer) => void;
  readonly onEvent: (event: KeptSocketEvent) => void;
  readonly greeting?: () => Greeting;
  readonly life?: LifeSigns;
  /** The venue ends every connection after its day: when to move before that, and by which clock. */
  readonly move?: { readonly time: Time; readonly afterMs: number };
  /** How long a new connection is heard beside the old one before it takes over. */
  readonly overlapMs?: number;
  /** What makes two frames of two connections the same one; their bytes where absent. */
  readonly identity?: (bytes: Buffer) => string;
  readonly connectTimeoutMs?: number;
  readonly firstRetryMs?: number;
  readonly longestRetryMs?: number;
  /** The machine's own network where absent. */
  readonly dial?: Dial;
}

const MAX_FRAME_BYTES = 16 * 1024 * 1024;
/** Dead within twenty seconds: pings every five, three unanswered. */
const DEFAULT_LIFE: LifeSigns = { checkEveryMs: 5000, quietChecks: 3, sign: 'pong' };

const dialWebSocket: Dial = (url, connectTimeoutMs) =>
  new WebSocket(url, {
    handshakeTimeout: connectTimeoutMs,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
  });

/** One connection, from its dial to its end. */
interface Line {
  socket: DialledSocket | undefined;
  /** Frames wait here until the line takes over. */
  held: Buffer[];
  /** Messages of the greeting that are not answered yet. */
  unanswered: number;
  answer: Greeting['answer'];
  ready: boolean;
  alive: boolean;
  quietChecks: number;
  timer: TimerHandle | undefined;
}

export class KeptSocket {
  readonly #options: KeptSocketOptions;
  readonly #life: LifeSigns;
  #current: Line | undefined;
  /** Dialled, not yet in charge. */
  #next: Line | undefined;
  #retry: TimerHandle | undefined;
  #move: TimerHandle | undefined;
  /** What was handed on lately, while two connections say the same. */
  #seen: Set<string> | undefined;
  #forget: TimerHandle | undefined;
  #frames = 0;
  #attempt = 0;
  #lossesInARow = 0;
  #running = false;

  constructor(options: KeptSocketOptions) {
    this.#options = options;
    this.#life = options.life ?? DEFAULT_LIFE;
  }

  /** Frames handed on since the start. */
  get frames(): number {
    return this.#frames;
  }

  get isUp(): boolean {
    return this.#current?.socket?.readyState === WebSocket.OPEN;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#dial();
  }

  /** Says nothing more; the close handshake is not waited for. */
  stop(): void {
    this.#running = false;
    this.#retry?.cancel();
    this.#move?.cancel();
    this.#forgetSeen();
    this.#dropNext();
    this.#dropCurrent();
  }

  /** Says something on the connection in charge; false where there is none. */
  send(text: string): boolean {
    if (!this.isUp) return false;
    this.#current?.socket?.send(text);
    return true;
  }

  /** Gives the connection up, for a reason its owner knows, and dials anew as after any loss. */
  lose(reason: string): void {
    if (this.#running && this.#current) this.#lost(this.#current, reason);
  }

  /** Moves to a new connection; the old one goes on until the new one has taken over. */
  move(): void {
    if (!this.#running || this.#next || !this.#current) return;
    this.#retry?.cancel();
    this.#forgetSeen();
    this.#seen = new Set();
    this.#dial();
  }

  #dial(): void {
    const line: Line = {
      socket: undefined,
      held: [],
      unanswered: 0,
      answer: undefined,
      ready: false,
      alive: false,
      quietChecks: 0,
      timer: undefined,
    };
    this.#next = line;
    const { connectTimeoutMs = 10_000, time } = this.#options;
    // The library times the handshake only; this also ends a URL that never comes and a greeting nobody answers.
    line.timer = time.timers.set(connectTimeoutMs * 2, () =>
      this.#lost(line, line.unanswered > 0 ? 'the greeting was not answered' : 'the connection never opened'),
    );
    let url: string | Promise<string>;
    try {
      url = this.#options.url();
    } catch (error) {
      this.#lost(line, errorText(error));
      return;
    }
    if (typeof url === 'string') this.#connect(line, url);
    else
      url.then(
        (found) => this.#connect(line, found),
        (error: unknown) => this.#lost(line, errorText(error)),
      );
  }

  #connect(line: Line, url: string): void {
    if (line !== this.#next) return;
    let socket: DialledSocket;
    const { dial = dialWebSocket, connectTimeoutMs = 10_000 } = this.#options;
    try {
      socket = dial(url, connectTimeoutMs);
    } catch {
      // The error would hold the URL, and that may hold a key.
      this.#lost(line, 'the URL is not one for a WebSocket');
      return;
    }
    line.socket = socket;
    socket.on('message', (bytes: Buffer) => this.#heard(line, bytes));
    socket.on('pong', () => {
      line.alive = true;
    });
    socket.on('open', () => this.#opened(line, socket));
    let reason: string | undefined;
    socket.on('error', (error) => {
      reason = errorText(error);
    });
    socket.on('close', (code) => this.#lost(line, reason ?? `closed with code ${code}`));
  }

  #opened(line: Line, socket: DialledSocket): void {
    const { messages = [], answer } = this.#options.greeting?.() ?? {};
    for (const message of messages) socket.send(message);
    line.answer = answer;
    line.unanswered = answer ? messages.length : 0;
    if (line.unanswered === 0) this.#ready(line);
  }

  #heard(line: Line, bytes: Buffer): void {
    line.alive = true;
    if (line === this.#current) {
      this.#handOn(bytes, false);
      return;
    }
    const answer = line.unanswered > 0 ? line.answer?.(bytes) : undefined;
    if (typeof answer === 'string') this.#lost(line, `the greeting was refused: ${answer}`);
    else if (answer) {
      line.unanswered--;
      if (line.unanswered === 0) this.#ready(line);
    } else line.held.push(bytes);
  }

  #ready(line: Line): void {
    line.timer?.cancel();
    line.ready = true;
    const { overlapMs = 1000, time } = this.#options;
    if (this.#current) line.timer = time.timers.set(overlapMs, () => this.#takeOver(line));
    else this.#takeOver(line);
  }

  #takeOver(line: Line): void {
    line.timer?.cancel();
    const continuous = this.#current !== undefined;
    this.#dropCurrent();
    this.#next = undefined;
    this.#current = line;
    const { time, overlapMs = 1000, onEvent, move, random } = this.#options;
    if (!continuous) this.#forgetSeen();
    onEvent({ type: 'up', attempt: this.#attempt++, continuous });
    for (const bytes of line.held.splice(0)) {
      if (line !== this.#current) return;
      this.#handOn(bytes, true);
    }
    if (line !== this.#current) return;
    this.#watch(line);
    // The new one may lag behind the old one: what that had said is known for a while yet.
    if (this.#seen) this.#forget = time.timers.set(overlapMs, () => this.#forgetSeen());
    this.#move?.cancel();
    if (move) {
      // Sockets that were opened together must not all move together.
      const afterMs = move.afterMs * (1 - random.next() / 50);
      this.#move = move.time.timers.set(afterMs, () => this.move());
    }
  }

  #handOn(bytes: Buffer, wasHeld: boolean): void {
    if (this.#seen) {
      const identity = this.#options.identity?.(bytes) ?? bytes.toString('latin1');
      if ((wasHeld || !this.#next) && this.#seen.has(identity)) return;
      this.#seen.add(identity);
    }
    this.#frames++;
    this.#options.onFrame(bytes);
  }

  #watch(line: Line): void {
    const { checkEveryMs, quietChecks, sign, ask } = this.#life;
    line.timer = this.#options.time.timers.set(checkEveryMs, () => {
      if (line.alive) {
        line.quietChecks = 0;
        this.#lossesInARow = 0;
      } else if (++line.quietChecks >= quietChecks) {
        this.#options.onEvent({ type: 'silent', silentMs: checkEveryMs * quietChecks });
        this.#lost(line, 'silent');
        return;
      }
      line.alive = false;
      if (sign === 'pong' && line.socket?.readyState === WebSocket.OPEN) {
        if (ask === undefined) line.socket.ping();
        else line.socket.send(ask);
      }
      this.#watch(line);
    });
  }

  /** A line is over: the current one for good, the next one before it took over. */
  #lost(line: Line, reason: string): void {
    if (!this.#running || (line !== this.#current && line !== this.#next)) return;
    if (line === this.#next) {
      this.#dropNext();
      // The old connection still serves: the move is tried again, and nobody need know.
      this.#forgetSeen();
      if (this.#current) this.#retry = this.#options.time.timers.set(this.#waitMs(), () => this.move());
      else this.#down(reason);
      return;
    }
    const next = this.#next;
    if (next?.ready) {
      this.#takeOver(next);
      return;
    }
    this.#dropCurrent();
    this.#move?.cancel();
    this.#forgetSeen();
    // A new one that is still on its way takes its time; it comes up with frames missed.
    if (next) this.#options.onEvent({ type: 'down', reason, retryInMs: 0 });
    else this.#down(reason);
  }

  #down(reason: string): void {
    const retryInMs = this.#waitMs();
    this.#options.onEvent({ type: 'down', reason, retryInMs });
    if (this.#running) this.#retry = this.#options.time.timers.set(retryInMs, () => this.#dial());
  }

  /** At least half of the bound, so that a venue that is down is not hammered by unlucky draws. */
  #waitMs(): number {
    const { random, firstRetryMs = 500, longestRetryMs = 30_000 } = this.#options;
    const boundMs = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(this.#lossesInARow, 20));
    this.#lossesInARow++;
    return Math.round(boundMs * (0.5 + random.next() / 2));
  }

  #forgetSeen(): void {
    this.#forget?.cancel();
    this.#forget = undefined;
    this.#seen = undefined;
  }

  #dropCurrent(): void {
    const line = this.#current;
    this.#current = undefined;
    if (line) drop(line);
  }

  #dropNext(): void {
    const line = this.#next;
    this.#next = undefined;
    if (line) drop(line);
  }
}

/** Forgets the connection at once; its close handshake goes on unheard. */
function drop(line: Line): void {
  line.timer?.cancel();
  line.held = [];
  const { socket } = line;
  line.socket = undefined;
  if (!socket) return;
  socket.removeAllListeners();
  // Without a listener a late error would end the process.
  socket.on('error', () => {});
  socket.terminate();
}
