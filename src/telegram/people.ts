/**
 * Who may speak to the bot. Invariants: whoever is not on the list gets one refusal a day, with the id that the list
 * would need, and all strangers together a few a minute; a group counts only when it is listed itself, and then only
 * for people who are listed too.
 */
import type { Role } from '../domain/command.ts';

/** How important something must be to reach a person unasked. */
export const LEVELS = ['info', 'warning', 'critical'] as const;
export type Level = (typeof LEVELS)[number];

export interface Person {
  readonly id: number;
  readonly name: string;
  readonly role: Role;
  readonly notify: Level | 'none';
}

export interface Place {
  readonly userId: number;
  readonly chatId: number;
  readonly isPrivate: boolean;
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const REFUSALS_A_MINUTE = 3;
const MOST_STRANGERS = 1_000;

export class People {
  #people: ReadonlyMap<number, Person> = new Map();
  #groups: ReadonlySet<number> = new Set();
  /** When each stranger was last refused; the oldest go first. */
  readonly #refused = new Map<number, number>();
  #recent: number[] = [];

  constructor(people: readonly Person[], groups: readonly number[]) {
    this.set(people, groups);
  }

  /** Who is on the list from now on. */
  set(people: readonly Person[], groups: readonly number[]): void {
    this.#people = new Map(people.map((person) => [person.id, person]));
    this.#groups = new Set(groups);
  }

  find({ userId, chatId, isPrivate }: Place): Person | undefined {
    return isPrivate || this.#groups.has(chatId) ? this.#people.get(userId) : undefined;
  }

  all(): readonly Person[] {
    return [...this.#people.values()];
  }

  /** Chats that hear of something this important: people by their choice, groups of everything. */
  listeners(level: Level): readonly number[] {
    const rank = LEVELS.indexOf(level);
    const wanting = this.all().filter(({ notify }) => notify !== 'none' && LEVELS.indexOf(notify) <= rank);
    return [...wanting.map(({ id }) => id), ...this.#groups];
  }

  /** Whether this stranger is told that there is nothing for him; `now` in monotonic ms. */
  mayRefuse({ userId, isPrivate }: Place, now: number): boolean {
    if (!isPrivate) return false;
    const last = this.#refused.get(userId);
    if (last !== undefined && now - last < DAY_MS) return false;
    this.#recent = this.#recent.filter((at) => now - at < MINUTE_MS);
    if (this.#recent.length >= REFUSALS_A_MINUTE) return false;
    this.#recent.push(now);
    this.#refused.delete(userId);
    this.#refused.set(userId, now);
    const [oldest] = this.#refused.keys();
    if (this.#refused.size > MOST_STRANGERS && oldest !== undefined) this.#refused.delete(oldest);
    return true;
  }
}

/** How many commands a person may send: bursts, and so many a minute in the long run. */
export class Pace {
  #burst = 0;
  #everyMs = 0;
  readonly #left = new Map<number, { count: number; at: number; isTold: boolean }>();

  constructor(burst: number, perMinute: number) {
    this.set(burst, perMinute);
  }

  set(burst: number, perMinute: number): void {
    this.#burst = burst;
    this.#everyMs = MINUTE_MS / perMinute;
  }

  /** 'tell': refused, and to be told so once; `now` in monotonic ms. */
  take(userId: number, now: number): 'fine' | 'tell' | 'silent' {
    const known = this.#left.get(userId) ?? { count: this.#burst, at: now, isTold: false };
    const count = Math.min(this.#burst, known.count + (now - known.at) / this.#everyMs);
    if (count >= 1) {
      this.#left.set(userId, { count: count - 1, at: now, isTold: false });
      return 'fine';
    }
    this.#left.set(userId, { count, at: now, isTold: true });
    return known.isTold ? 'silent' : 'tell';
  }
}
