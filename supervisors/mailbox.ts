/**
 * A bounded queue in front of one handler.
 *
 * Invariants: messages are handled one at a time, in the order they were accepted (so each sender's own order
 * holds); it never holds more than `capacity` waiting messages, and what happens beyond that is declared, not
 * left to memory; after a failure or a close nothing more is handled.
 */
import { assert } from '../src/core/assert.ts';

/** reject: tell the sender; drop-oldest: the newest matters most (prices); drop-newest: the first ones do. */
export type Overflow = 'reject' | 'drop-oldest' | 'drop-newest';

export interface MailboxOptions<T> {
  readonly capacity: number;
  readonly overflow: Overflow;
  /** Must not call back into its own mailbox synchronously expecting to be handled: it is queued. */
  readonly handle: (message: T) => Promise<void> | void;
  /** The handler failed on this message: the mailbox is closed, its owner is to crash. */
  readonly onFailure: (error: unknown, message: T) => void;
}

/** 'rejected' asks the sender to do something about it; 'dropped' is declared loss, of this message or an older one. */
export type Delivery = 'accepted' | 'rejected' | 'dropped' | 'closed';

export class Mailbox<T> {
  readonly #options: MailboxOptions<T>;
  #waiting: T[] = [];
  /** Index of the oldest waiting message: shifting an array would cost its length each time. */
  #head = 0;
  #isBusy = false;
  #isClosed = false;
  #dropped = 0;

  constructor(options: MailboxOptions<T>) {
    const { capacity } = options;
    assert(Number.isInteger(capacity) && capacity > 0, 'a mailbox needs a capacity of at least 1');
    this.#options = options;
  }

  /** Waiting, without the one being handled. */
  get length(): number {
    return this.#waiting.length - this.#head;
  }

  /** How many messages were rejected or dropped so far. */
  get lost(): number {
    return this.#dropped;
  }

  push(message: T): Delivery {
    if (this.#isClosed) return 'closed';
    if (this.length >= this.#options.capacity) return this.#overflow(message);
    this.#waiting.push(message);
    this.#work();
    return 'accepted';
  }

  /** Handles nothing more; returns what was waiting, in order. */
  close(): readonly T[] {
    this.#isClosed = true;
    const left = this.#waiting.slice(this.#head);
    this.#waiting = [];
    this.#head = 0;
    return left;
  }

  #overflow(message: T): Delivery {
    this.#dropped++;
    const { overflow } = this.#options;
    if (overflow === 'reject') return 'rejected';
    if (overflow === 'drop-oldest') {
      this.#take();
      this.#waiting.push(message);
    }
    return 'dropped';
  }

  #take(): T {
    const message = this.#waiting[this.#head++] as T;
    if (this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return message;
  }

  #work(): void {
    while (!this.#isBusy && !this.#isClosed && this.length > 0) {
      const message = this.#take();
      this.#isBusy = true;
      try {
        const handling = this.#options.handle(message);
        if (handling instanceof Promise) {
          handling.then(
            () => this.#next(),
            (error: unknown) => this.#fail(error, message),
          );
          return;
        }
        this.#isBusy = false;
      } catch (error) {
        this.#fail(error, message);
      }
    }
  }

  #next(): void {
    this.#isBusy = false;
    this.#work();
  }

  #fail(error: unknown, message: T): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.onFailure(error, message);
  }
}
