/**
 * All armed durable timers of the process, by deadline. Fed only from committed rows.
 * Invariant: due timers come out in order of (deadline, actor, id), whatever order they were armed in, so that
 * a recovered process fires the overdue ones as the uninterrupted one would have.
 */
import type { ActorId } from '../src/core/ids.ts';
import type { DurableTimer } from './host-state.ts';

export interface ArmedTimer {
  readonly actor: ActorId;
  readonly timer: DurableTimer;
}

const EMPTY: readonly DurableTimer[] = [];

export class DurableTimers {
  readonly #byActor = new Map<ActorId, readonly DurableTimer[]>();
  #earliest: number | undefined = Number.POSITIVE_INFINITY;

  /** Replaces the actor's timers by those of its newest row. */
  replace(actor: ActorId, timers: readonly DurableTimer[]): void {
    const before = this.#byActor.get(actor) ?? EMPTY;
    if (before === timers || (before.length === 0 && timers.length === 0)) return;
    if (timers.length === 0) this.#byActor.delete(actor);
    else this.#byActor.set(actor, timers);
    if (before.length > 0) this.#earliest = undefined;
    else if (this.#earliest !== undefined)
      this.#earliest = Math.min(this.#earliest, ...timers.map((t) => t.due));
  }

  /** The earliest deadline, or Infinity. */
  nextDue(): number {
    if (this.#earliest === undefined) {
      this.#earliest = Number.POSITIVE_INFINITY;
      for (const timers of this.#byActor.values()) {
        for (const timer of timers) if (timer.due < this.#earliest) this.#earliest = timer.due;
      }
    }
    return this.#earliest;
  }

  /** Takes the timers due at or before `now`, in order. They stay in their actors' rows until those answer. */
  takeDue(now: number): ArmedTimer[] {
    if (this.nextDue() > now) return [];
    const due: ArmedTimer[] = [];
    for (const [actor, timers] of this.#byActor) {
      const firing = timers.filter((timer) => timer.due <= now);
      if (firing.length === 0) continue;
      for (const timer of firing) due.push({ actor, timer });
      const left = timers.filter((timer) => timer.due > now);
      if (left.length === 0) this.#byActor.delete(actor);
      else this.#byActor.set(actor, left);
    }
    this.#earliest = undefined;
    return due.sort(
      (a, b) => a.timer.due - b.timer.due || compare(a.actor, b.actor) || compare(a.timer.id, b.timer.id),
    );
  }

  get size(): number {
    let size = 0;
    for (const timers of this.#byActor.values()) size += timers.length;
    return size;
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
