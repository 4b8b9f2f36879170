/**
 * All that a simulated world did, as one hash; and as lines for people where somebody reads them.
 * Invariant: the hash covers every line, and a line says nothing of real time, folders or this process.
 */
import { createHash, type Hash } from 'node:crypto';

export type TraceKind =
  | 'world'
  | 'fault'
  | 'process'
  | 'row'
  | 'sent'
  | 'venue'
  | 'stream'
  | 'log'
  | 'violation';

/** Kept for the story of a failure. */
const LAST_LINES = 60;

const lineOf = (at: number, kind: TraceKind, text: string): string =>
  `${new Date(at).toISOString().slice(5, 23)} ${kind.padEnd(9)} ${text}`;

export class Trace {
  readonly #hash: Hash = createHash('sha256');
  readonly #now: () => number;
  readonly #print: ((line: string) => void) | undefined;
  /** The newest, as they were said: only who reads them has them put into lines. */
  readonly #last: (readonly [at: number, kind: TraceKind, text: string])[] = [];
  #lines = 0;

  constructor(now: () => number, print?: (line: string) => void) {
    this.#now = now;
    this.#print = print;
  }

  get lines(): number {
    return this.#lines;
  }

  say(kind: TraceKind, text: string): void {
    const at = Math.floor(this.#now());
    this.#hash.update(`${at} ${kind} ${text}\n`);
    this.#lines += 1;
    this.#show(at, kind, text);
  }

  /** Only for people: what may speak of this machine. */
  note(kind: TraceKind, text: string): void {
    this.#show(Math.floor(this.#now()), kind, text);
  }

  #show(at: number, kind: TraceKind, text: string): void {
    this.#print?.(lineOf(at, kind, text));
    this.#last.push([at, kind, text]);
    if (this.#last.length > LAST_LINES) this.#last.shift();
  }

  /** The newest lines. */
  get tail(): readonly string[] {
    return this.#last.map((said) => lineOf(...said));
  }

  digest(): string {
    return this.#hash.copy().digest('hex');
  }
}
