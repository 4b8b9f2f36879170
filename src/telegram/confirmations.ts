/**
 * Questions before anything that moves money.
 *
 * Invariants: an answer counts only from the person who was asked, in the chat where it was asked, in time, and once;
 * the same press delivered again (after a crash) is the same answer, and the request's id keeps it one command; a
 * kill's question is never too old.
 */
import type { Time } from '../core/clock.ts';
import { COMMAND_RULES } from '../operator/command.ts';
import type { Keyboard } from './chat.ts';
import type { Memory, Pending } from './memory.ts';

export const CONFIRM_MS = 60_000;
/** After a restart nobody can say when a button was pressed: only this much of the time counts then. */
export const CONFIRM_AFTER_RESTART_MS = 30_000;
const KEEP_MS = 3_600_000;

export type Taken =
  | { readonly kind: 'taken'; readonly pending: Pending }
  | { readonly kind: 'refused'; readonly why: string };

export class Confirmations {
  readonly #memory: Memory;
  readonly #time: Time;
  readonly #run: string;
  readonly #mint: () => string;

  /** `run` names this process; `mint` gives unguessable tokens. */
  constructor(memory: Memory, time: Time, run: string, mint: () => string) {
    this.#memory = memory;
    this.#time = time;
    this.#run = run;
    this.#mint = mint;
  }

  /** Remembered before it is asked. */
  async ask(question: Omit<Pending, 'token' | 'askedAt' | 'run' | 'takenBy'>): Promise<Keyboard> {
    const askedAt = this.#time.clock.now();
    const pending = { ...question, token: this.#mint(), askedAt, run: this.#run, takenBy: undefined };
    await this.#memory.change(({ pending: all }) => ({
      pending: [
        ...all.filter((one) => one.requestId !== question.requestId && askedAt - one.askedAt < KEEP_MS),
        pending,
      ],
    }));
    return [
      [
        { words: 'Yes, do it', data: `c:${pending.token}` },
        { words: 'No', data: `x:${pending.token}` },
      ],
    ];
  }

  /** Takes the answer "yes"; on the disk before it is acted on. */
  async take(token: string, from: { userId: number; chatId: number; updateId: number }): Promise<Taken> {
    const pending = this.#find(token);
    if (!pending) return refused('This question is over.');
    if (pending.userId !== from.userId || pending.chatId !== from.chatId)
      return refused('This question was put to somebody else.');
    if (pending.takenBy !== undefined && pending.takenBy !== from.updateId)
      return refused('This was answered already.');
    const age = this.#time.clock.now() - pending.askedAt;
    const limit = pending.run === this.#run ? CONFIRM_MS : CONFIRM_AFTER_RESTART_MS;
    const isHonoured = COMMAND_RULES[pending.command.kind].honouredWhenStale;
    if (age > limit && !isHonoured && pending.takenBy === undefined)
      return refused(
        `Too late: the question is ${Math.round(age / 1_000)} s old. Nothing was done; ask again.`,
      );
    await this.#replace(token, { ...pending, takenBy: from.updateId });
    return { kind: 'taken', pending };
  }

  /** Takes the answer "no". */
  async drop(token: string, from: { userId: number; chatId: number }): Promise<boolean> {
    const pending = this.#find(token);
    const isTheirs = pending?.userId === from.userId && pending.chatId === from.chatId;
    if (!isTheirs || pending.takenBy !== undefined) return false;
    await this.#replace(token, undefined);
    return true;
  }

  #find(token: string): Pending | undefined {
    return this.#memory.now.pending.find((one) => one.token === token);
  }

  #replace(token: string, by: Pending | undefined): Promise<void> {
    return this.#memory.change(({ pending }) => ({
      pending: pending.flatMap((one) => (one.token !== token ? [one] : by ? [by] : [])),
    }));
  }
}

const refused = (why: string): Taken => ({ kind: 'refused', why });
