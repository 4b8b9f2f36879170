/**
 * All armed durable timers of the process, by deadline. Fed only from committed rows.
 *
 * Invariants: due timers come out in order of (deadline, actor, id), whatever order they were armed in, so that
 * a recovered process fires the overdue ones as the uninterrupted one would have; a change costs O(log timers)
 * however many actors wait. An entry of the heap counts only while its timer stands in its actor's list.
 */
import type { ActorId } from '../src/core/ids.ts';
import type { DurableTimer } from './host-state.ts';

export interface ArmedTimer {
  readonly actor: ActorId;
  readonly timer: DurableTimer;
}

const EMPTY: readonly DurableTimer[] = [];
/** Entries that no longer count are swept out when they outnumber the others by this much. */
const SLACK = 64;

export class DurableTimers {
  readonly #byActor = new Map<ActorId, readonly DurableTimer[]>();
  #heap: ArmedTimer[] = [];
  #size = 0;

  /** Replaces the actor's timers by those of its newest row. */
  replace(actor: ActorId, timers: readonly DurableTimer[]): void {
    const before = this.#byActor.get(actor) ?? EMPTY;
    if (before === timers) return;
    this.#keep(actor, before, timers);
    for (const timer of timers) if (!before.includes(timer)) this.#push({ actor, timer });
    if (this.#heap.length > 2 * this.#size + SLACK) this.#sweep();
  }

  /** The earliest deadline, or Infinity. */
  nextDue(): number {
    return this.#earliest()?.timer.due ?? Number.POSITIVE_INFINITY;
  }

  /** Takes the timers due at or before `now`, in order. They stay in their actors' rows until those answer. */
  takeDue(now: number): ArmedTimer[] {
    const due: ArmedTimer[] = [];
    for (let next = this.#earliest(); next && next.timer.due <= now; next = this.#earliest()) {
      const { actor, timer } = next;
      const before = this.#byActor.get(actor) ?? EMPTY;
      this.#keep(
        actor,
        before,
        before.filter((other) => other !== timer),
      );
      due.push(next);
    }
    return due;
  }

  get size(): number {
    return this.#size;
  }

  #keep(actor: ActorId, before: readonly DurableTimer[], timers: readonly DurableTimer[]): void {
    this.#size += timers.length - before.length;
    if (timers.length === 0) this.#byActor.delete(actor);
    else this.#byActor.set(actor, timers);
  }

  #earliest(): ArmedTimer | undefined {
    for (let top = this.#heap[0]; top; top = this.#heap[0]) {
      if (this.#byActor.get(top.actor)?.includes(top.timer)) return top;
      this.#pop();
    }
    return undefined;
  }

  #sweep(): void {
    const armed = [...this.#byActor].flatMap(([actor, timers]) => timers.map((timer) => ({ actor, timer })));
    // A sorted array is a heap.
    this.#heap = armed.sort(inOrder);
  }

  #push(entry: ArmedTimer): void {
    const heap = this.#heap;
    let at = heap.length;
    for (let parent = (at - 1) >> 1; at > 0; parent = (at - 1) >> 1) {
      const above = heap[parent];
      if (!above || inOrder(above, entry) <= 0) break;
      heap[at] = above;
      at = parent;
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
      const isRight = right !== undefined && inOrder(right, left) < 0;
      const least = isRight ? right : left;
      if (inOrder(last, least) <= 0) break;
      heap[at] = least;
      at = 2 * at + (isRight ? 2 : 1);
    }
    heap[at] = last;
  }
}

const inOrder = (a: ArmedTimer, b: ArmedTimer): number =>
  a.timer.due - b.timer.due || compare(a.actor, b.actor) || compare(a.timer.id, b.timer.id);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
