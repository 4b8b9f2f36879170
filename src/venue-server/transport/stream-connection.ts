/**
 * One socket of a client: what it hears, and its way out.
 *
 * Invariants: frames leave in the order they were given, delays included, unless a fault says otherwise; all
 * frames of one turn leave in one piece; a consumer that does not read is cut off, never buffered without bound;
 * a muted socket says nothing, pongs included.
 */
import type { RawData } from 'ws';
import type { TimerHandle, Timers } from '../../core/clock.ts';
import type { StreamRoute } from './stream-route.ts';

/** Where delays of the network are measured. */
export interface Waits {
  now(): number;
  readonly timers: Timers;
}

/** What is used of a client's WebSocket. */
export interface ServedSocket {
  readonly bufferedAmount: number;
  on(event: 'message', hear: (data: RawData, isBinary: boolean) => void): unknown;
  on(event: 'ping' | 'pong', hear: (data: Buffer) => void): unknown;
  on(event: 'error' | 'close', hear: () => void): unknown;
  send(text: string): void;
  ping(text: string): void;
  pong(data: Buffer): void;
  close(code: number, reason: string): void;
  terminate(): void;
}

/** The stream below it: several frames in one piece. */
export interface Corked {
  cork(): void;
  uncork(): void;
}

/** More than this unread and the consumer is too slow. */
const LONGEST_BACKLOG_BYTES = 8 * 1_048_576;
const NO_STATUS = 1006;
const GRACE_MS = 500;

interface Waiting {
  readonly text: string;
  readonly due: number;
}

export interface ConnectionParts {
  readonly route: StreamRoute;
  readonly ws: ServedSocket;
  readonly raw: Corked;
  readonly waits: Waits;
  /** The machine's, where somebody moves the venue's clock by hand. */
  readonly grace: Timers | undefined;
  readonly openedAt: number;
  /** Tells the hub that there is something to send when this turn is over. */
  readonly wake: (connection: StreamConnection) => void;
  readonly onSlow: () => void;
}

export class StreamConnection {
  readonly route: StreamRoute;
  readonly openedAt: number;
  readonly streams = new Set<string>();
  readonly listenKeys = new Set<string>();
  combined: boolean;
  /** The second in which messages are counted, and how many came in it. */
  #incoming = { second: -1, count: 0 };
  readonly #parts: ConnectionParts;
  #ready: string[] = [];
  readonly #delayed: Waiting[] = [];
  #lastDue = 0;
  #pump: TimerHandle | undefined;
  /** The ping without its pong; `isRipe`: there was time to answer it. */
  #pinged: { readonly at: number; isRipe: boolean } | undefined;
  #ripening: TimerHandle | undefined;
  #held: { text: string; timer: TimerHandle } | undefined;
  #mutedUntil = 0;
  #isOver = false;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.route = parts.route;
    this.openedAt = parts.openedAt;
    this.combined = parts.route.combined;
  }

  get isMuted(): boolean {
    return this.#parts.waits.now() < this.#mutedUntil;
  }

  /** Sends in order, `delayMs` from now or with what goes before it, whichever is later. */
  send(text: string, delayMs = 0): void {
    if (this.#isOver || this.isMuted) return;
    this.#place(text, delayMs);
    this.#releaseHeld();
  }

  /** Sends out of order, this much later than everything else. */
  sendLate(text: string, delayMs: number): void {
    if (this.#isOver || this.isMuted) return;
    this.#parts.waits.timers.set(delayMs, () => this.#now(text));
  }

  /** Keeps it back until something else was sent, at most for `ms`. */
  sendAfterNext(text: string, ms: number): void {
    if (this.#isOver || this.isMuted) return;
    this.#releaseHeld();
    this.#held = { text, timer: this.#parts.waits.timers.set(ms, () => this.#releaseHeld()) };
  }

  mute(forMs: number): void {
    this.#mutedUntil = Math.max(this.#mutedUntil, this.#parts.waits.now() + forMs);
    this.#ready = [];
    this.#delayed.length = 0;
  }

  /** Messages of this second, this one included. */
  countIncoming(second: number): number {
    if (this.#incoming.second !== second) this.#incoming = { second, count: 0 };
    return ++this.#incoming.count;
  }

  pong(data: Buffer): void {
    if (!this.isMuted && !this.#isOver) this.#parts.ws.pong(data);
  }

  /** One at a time: a clock that is moved by hours would ask a hundred times in one moment. */
  ping(at: number): void {
    if (this.#pinged) return;
    const { grace } = this.#parts;
    const pinged = { at, isRipe: grace === undefined };
    this.#pinged = pinged;
    // Timers, not a difference of times: while hours are worked through at once, no answer is heard; and the first
    // timer after that fires before what has come meanwhile is read.
    this.#ripening = grace?.set(GRACE_MS, () => {
      this.#ripening = grace.set(1, () => {
        pinged.isRipe = true;
      });
    });
    if (!this.isMuted && !this.#isOver) this.#parts.ws.ping(String(at));
  }

  ponged(): void {
    this.#pinged = undefined;
    this.#ripening?.cancel();
  }

  /** A ping was not answered for so long; a clock that was moved by hand leaves nobody the time to. */
  isDeaf(at: number, limitMs: number): boolean {
    return this.#pinged?.isRipe === true && at - this.#pinged.at >= limitMs;
  }

  close(code: number, reason = ''): void {
    if (this.#isOver) return;
    if (code === NO_STATUS) this.#parts.ws.terminate();
    else {
      this.flush();
      this.#parts.ws.close(code, reason);
    }
    this.over();
  }

  /** The socket is gone: nothing more is kept for it. */
  over(): void {
    this.#isOver = true;
    this.#ripening?.cancel();
    this.#pump?.cancel();
    this.#held?.timer.cancel();
    this.#held = undefined;
    this.#ready = [];
    this.#delayed.length = 0;
  }

  /** Everything that may leave leaves, in one piece. */
  flush(): void {
    if (this.#isOver || this.#ready.length === 0) return;
    const texts = this.#ready;
    this.#ready = [];
    this.#parts.raw.cork();
    for (const text of texts) this.#parts.ws.send(text);
    this.#parts.raw.uncork();
    if (this.#parts.ws.bufferedAmount <= LONGEST_BACKLOG_BYTES) return;
    this.#parts.onSlow();
    this.close(NO_STATUS);
  }

  #place(text: string, delayMs: number): void {
    if (delayMs === 0 && this.#delayed.length === 0) {
      this.#now(text);
      return;
    }
    const due = Math.max(this.#lastDue, this.#parts.waits.now() + delayMs);
    this.#lastDue = due;
    this.#delayed.push({ text, due });
    if (this.#delayed.length === 1) this.#arm();
  }

  #arm(): void {
    const [first] = this.#delayed;
    if (!first) return;
    this.#pump = this.#parts.waits.timers.set(Math.max(0, first.due - this.#parts.waits.now()), () => {
      const now = this.#parts.waits.now();
      // The first is due whatever the clock's grain says; with it goes what has fallen due meanwhile.
      do this.#now(this.#delayed.shift()?.text ?? '');
      while ((this.#delayed[0]?.due ?? Number.POSITIVE_INFINITY) <= now);
      this.#arm();
    });
  }

  #releaseHeld(): void {
    const held = this.#held;
    if (!held) return;
    this.#held = undefined;
    held.timer.cancel();
    this.#place(held.text, 0);
  }

  #now(text: string): void {
    if (this.#isOver || this.isMuted || text === '') return;
    this.#ready.push(text);
    this.#parts.wake(this);
  }
}
