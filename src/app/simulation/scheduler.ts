/**
 * The one clock of a simulated world: every timer, every byte on its way and every fault is an event here.
 *
 * Invariants: events come in order of their time, ties by a number that the setter may draw and then by the order
 * of setting, so a seed fixes all of it; between two events everything that waits for nothing has happened.
 */
import { type TimerHandle, type Timers, Turns } from '../../core/clock.ts';

interface Entry extends TimerHandle {
  readonly due: number;
  readonly tie: number;
  readonly order: number;
  fire: (() => void) | undefined;
}

const before = (a: Entry, b: Entry): boolean =>
  a.due !== b.due ? a.due < b.due : a.tie !== b.tie ? a.tie < b.tie : a.order < b.order;

export class Scheduler implements Timers {
  /** A binary heap. */
  readonly #heap: Entry[] = [];
  #now: number;
  #order = 0;
  #steps = 0;
  readonly #turns = new Turns();

  constructor(startAt: number) {
    this.#now = startAt;
  }

  /** The world's true time, epoch ms. */
  now(): number {
    return this.#now;
  }

  get steps(): number {
    return this.#steps;
  }

  set(delayMs: number, fire: () => void): TimerHandle {
    return this.at(this.#now + Math.max(0, delayMs), fire);
  }

  /** `tie`: of events at the same instant the smaller goes first. */
  at(due: number, fire: () => void, tie = 0.5): TimerHandle {
    const entry: Entry = {
      due: Math.max(due, this.#now),
      tie,
      order: this.#order++,
      fire,
      cancel: () => {
        entry.fire = undefined;
      },
    };
    this.#push(entry);
    return entry;
  }

  /** One event; false when there is none up to `until`. What follows from it at once has happened after `settled`. */
  fire(until: number): boolean {
    for (let next = this.#heap[0]; next && next.due <= until; next = this.#heap[0]) {
      this.#pop();
      const { fire } = next;
      if (!fire) continue;
      this.#now = next.due;
      this.#steps += 1;
      fire();
      return true;
    }
    this.#now = Math.max(this.#now, until);
    return false;
  }

  settled(): Promise<void> {
    return this.#turns.next();
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    for (let up = (at - 1) >> 1; at > 0; up = (at - 1) >> 1) {
      const parent = heap[up];
      if (!parent || !before(entry, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      const right = heap[2 * at + 2];
      if (!left) break;
      const isRight = right !== undefined && before(right, left);
      const least = isRight ? right : left;
      if (!before(least, last)) break;
      heap[at] = least;
      at = 2 * at + (isRight ? 2 : 1);
    }
    heap[at] = last;
  }
}
