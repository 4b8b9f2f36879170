/**
 * The sockets of one start of a live market whose venue speaks its own words: each subscribes, is asked for signs
 * of life as the venue wants it, and comes back.
 *
 * Invariants: `start` resolves when everything subscribed to is confirmed, or throws at the first loss; after
 * `stop` nothing is heard.
 */
import type { Time } from '../../core/clock.ts';
import { BulkheadError } from '../../core/errors.ts';
import { type Dial, type Greeting, KeptSocket } from '../../core/kept-socket.ts';
import type { Random } from '../../core/random.ts';

export interface SessionLine {
  readonly url: string;
  readonly greeting: Greeting;
  /** The venue's own ping; any frame that comes is a sign of life. */
  readonly ask: string;
  readonly onFrame: (bytes: Buffer) => void;
  /** It is back after a loss, and frames were missed. */
  readonly onBack: () => void;
  readonly identity: (bytes: Buffer) => string;
}

export interface LiveSessionOptions {
  /** Of what is said in errors. */
  readonly venue: string;
  readonly time: Time;
  readonly realTime: Time;
  readonly random: Random;
  /** The machine's own network where absent. */
  readonly dial?: Dial;
}

/** Bybit wants a ping every 20 seconds, OKX one within 30. */
const ASK_EVERY_MS = 10_000;
const MOVE_AFTER_MS = 23 * 3_600_000;

export class LiveSession {
  readonly #options: LiveSessionOptions;
  readonly #sockets: KeptSocket[] = [];
  #abort: ((error: Error) => void) | undefined;

  constructor(options: LiveSessionOptions) {
    this.#options = options;
  }

  async start(lines: readonly SessionLine[]): Promise<void> {
    const aborted = new Promise<never>((_, reject) => {
      this.#abort = reject;
    });
    // Nobody may be waiting for it any more when it comes.
    aborted.catch(() => {});
    await Promise.race([Promise.all(lines.map((line) => this.#open(line))), aborted]);
  }

  stop(): void {
    this.#abort?.(this.#unreachable('the market was stopped'));
    for (const socket of this.#sockets) socket.stop();
  }

  /** Says something on the line of this number. */
  send(line: number, text: string): void {
    this.#sockets[line]?.send(text);
  }

  #open(line: SessionLine): Promise<void> {
    const { time, realTime, random, dial } = this.#options;
    return new Promise((resolve, reject) => {
      const socket = new KeptSocket({
        url: () => line.url,
        time: realTime,
        random: random.fork(line.url),
        greeting: () => line.greeting,
        life: { checkEveryMs: ASK_EVERY_MS, quietChecks: 2, sign: 'pong', ask: line.ask },
        move: { time, afterMs: MOVE_AFTER_MS },
        identity: line.identity,
        ...(dial && { dial }),
        onFrame: line.onFrame,
        onEvent: (event) => {
          if (event.type === 'up') {
            if (event.attempt > 0 && !event.continuous) line.onBack();
            resolve();
          } else if (event.type === 'down') reject(this.#unreachable(event.reason));
        },
      });
      this.#sockets.push(socket);
      socket.start();
    });
  }

  #unreachable(reason: string): BulkheadError {
    return new BulkheadError('VENUE_UNREACHABLE', `The streams of ${this.#options.venue}: ${reason}`, {
      hint: 'Check the network, and that the venue trades the symbols that are asked for.',
    });
  }
}

/** Frames of which none is left out when two connections say the same: books and merged tickers need all of one. */
export function distinct(): string {
  return `distinct ${distinctions++}`;
}
let distinctions = 0;

export type Fields = { readonly [key: string]: unknown };

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** NaN where there is no number. */
export const numberOf = (value: unknown): number =>
  typeof value === 'number' ? value : typeof value === 'string' && value !== '' ? Number(value) : Number.NaN;

export const fieldsOf = (value: unknown): readonly Fields[] =>
  Array.isArray(value) ? value.filter(isFields) : [];

export function parsed(bytes: Buffer): Fields | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
