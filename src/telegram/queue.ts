/**
 * What waits to be sent to Telegram.
 *
 * Invariants: whoever puts something in never waits for Telegram; the queue holds at most `bound` messages, and what
 * gives way is the oldest of the least important, counted and said when Telegram is there again; within one level
 * the order is kept; an asked-for pause (429) stops everything for its length; what Telegram would refuse again is
 * not sent again, what may not have arrived is (so a message can come twice, and none is lost but those counted).
 */
import type { Time, TimerHandle } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Random } from '../core/random.ts';
import type { Delivery, Outgoing } from './chat.ts';
import { escaped } from './markup.ts';

/** The most important first. */
export const URGENCIES = ['critical', 'reply', 'warning', 'info'] as const;
export type Urgency = (typeof URGENCIES)[number];

export interface QueueOptions {
  readonly deliver: (outgoing: Outgoing) => Promise<Delivery>;
  /** Real time. */
  readonly time: Time;
  readonly random: Random;
  readonly log: Logger;
  /** How many messages may wait. */
  readonly bound: number;
}

/** How a message ended. */
export type Fate =
  | { readonly kind: 'sent'; readonly messageId: number | undefined }
  | { readonly kind: 'dropped' | 'refused' };

interface Waiting {
  readonly outgoing: Outgoing;
  readonly urgency: Urgency;
  readonly settle: (fate: Fate) => void;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;
/** Telegram's advice for one chat: bursts are fine, a message a second in the long run. */
const BURST = 15;
const REFILL_MS = 1_000;

interface Allowance {
  left: number;
  at: number;
}

export class SendQueue {
  readonly #options: QueueOptions;
  readonly #waiting: Waiting[] = [];
  readonly #allowances = new Map<number, Allowance>();
  /** Of each chat, what was dropped and is not said yet. */
  readonly #dropped = new Map<number, Map<Urgency, number>>();
  /** Chats that take nothing until their person writes again. */
  readonly #gone = new Set<number>();
  #inFlight: Waiting | undefined;
  #isStopped = false;
  #failures = 0;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #timer: TimerHandle | undefined;
  #totalDropped = 0;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  get depth(): number {
    return this.#waiting.length;
  }

  get dropped(): number {
    return this.#totalDropped;
  }

  put(outgoing: Outgoing, urgency: Urgency): Promise<Fate> {
    if (this.#isStopped || this.#gone.has(outgoing.chatId)) return Promise.resolve({ kind: 'dropped' });
    return new Promise((settle) => {
      this.#waiting.push({ outgoing, urgency, settle });
      if (this.#waiting.length > this.#options.bound) this.#dropOne();
      this.#next();
    });
  }

  /** The person has written: whatever kept the bot from writing is over. */
  hasWritten(chatId: number): void {
    this.#gone.delete(chatId);
  }

  /** What kept Telegram from being reached may be over: what waits is tried at once. A flood is waited out. */
  tryNow(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#pausedUntil = Number.NEGATIVE_INFINITY;
    this.#next();
  }

  /** Gives what waits up to `deadlineMs` to leave; the rest is dropped. */
  async stop(deadlineMs: number): Promise<void> {
    const { time } = this.#options;
    if (this.#waiting.length > 0 && this.#failures === 0) {
      let timer: TimerHandle | undefined;
      const late = new Promise<void>((resolve) => {
        timer = time.timers.set(deadlineMs, resolve);
      });
      const empty = new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
      await Promise.race([empty, late]);
      timer?.cancel();
    }
    this.#isStopped = true;
    this.#timer?.cancel();
    for (const { settle } of this.#waiting.splice(0)) settle({ kind: 'dropped' });
  }

  #onEmpty: () => void = () => {};

  #next(): void {
    if (this.#inFlight || this.#isStopped) return;
    if (this.#waiting.length === 0) {
      this.#onEmpty();
      return;
    }
    const { time } = this.#options;
    const pauseMs = this.#pausedUntil - time.monotonic.now();
    const chosen = pauseMs > 0 ? undefined : this.#choose();
    if (!chosen) {
      this.#timer?.cancel();
      this.#timer = time.timers.set(Math.max(pauseMs, REFILL_MS / 4), () => this.#next());
      return;
    }
    this.#inFlight = chosen;
    void this.#send(chosen).finally(() => {
      this.#inFlight = undefined;
      this.#next();
    });
  }

  /** The most important whose chat may have one now; undefined: none may. */
  #choose(): Waiting | undefined {
    for (const urgency of URGENCIES) {
      const chosen = this.#waiting.find(
        (one) => one.urgency === urgency && this.#allowanceOf(one.outgoing.chatId).left >= 1,
      );
      if (chosen) return chosen;
    }
    return undefined;
  }

  #allowanceOf(chatId: number): Allowance {
    const now = this.#options.time.monotonic.now();
    const known = this.#allowances.get(chatId) ?? { left: BURST, at: now };
    const left = Math.min(BURST, known.left + (now - known.at) / REFILL_MS);
    const allowance = { left, at: now };
    this.#allowances.set(chatId, allowance);
    return allowance;
  }

  async #send(one: Waiting): Promise<void> {
    const { deliver, time, log } = this.#options;
    const { chatId } = one.outgoing;
    const delivery = await deliver(one.outgoing);
    if (this.#isStopped) {
      one.settle(delivery.kind === 'sent' ? delivery : { kind: 'dropped' });
      return;
    }
    if (delivery.kind === 'flood') {
      log.warn('telegram: asked to slow down', { waitMs: delivery.waitMs, waiting: this.depth });
      this.#failures = 0;
      this.#pausedUntil = time.monotonic.now() + delivery.waitMs;
      return;
    }
    if (delivery.kind === 'unreachable') {
      this.#backOff(delivery.reason);
      return;
    }
    this.#failures = 0;
    this.#waiting.splice(this.#waiting.indexOf(one), 1);
    if (delivery.kind === 'sent') {
      this.#allowanceOf(chatId).left--;
      one.settle(delivery);
      this.#sayDropped(chatId);
      return;
    }
    this.#refused(one, delivery);
  }

  #backOff(reason: string): void {
    const { time, random, log } = this.#options;
    if (this.#failures === 0) log.warn('telegram: a message could not be sent; it waits', { reason });
    const bound = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures++;
    this.#pausedUntil = time.monotonic.now() + bound * (0.5 + random.next() / 2);
  }

  #refused({ outgoing, urgency, settle }: Waiting, { why, reason }: Delivery & { kind: 'refused' }): void {
    const { log } = this.#options;
    if (why === 'no-such-message' && outgoing.edits !== undefined) {
      const { edits, ...fresh } = outgoing;
      void this.put(fresh, urgency).then(settle);
      return;
    }
    log.warn('telegram: a message was refused', { chatId: outgoing.chatId, reason });
    if (why === 'gone') {
      this.#gone.add(outgoing.chatId);
      for (const one of this.#waiting.filter(({ outgoing: { chatId } }) => chatId === outgoing.chatId)) {
        this.#waiting.splice(this.#waiting.indexOf(one), 1);
        one.settle({ kind: 'refused' });
      }
    }
    settle({ kind: 'refused' });
  }

  /** The oldest of the least important gives way. */
  #dropOne(): void {
    for (const urgency of [...URGENCIES].reverse()) {
      const oldest = this.#waiting.findIndex((one) => one.urgency === urgency && one !== this.#inFlight);
      if (oldest < 0) continue;
      const [one] = this.#waiting.splice(oldest, 1);
      if (!one) return;
      this.#totalDropped++;
      const { chatId } = one.outgoing;
      const counts = this.#dropped.get(chatId) ?? new Map<Urgency, number>();
      counts.set(urgency, (counts.get(urgency) ?? 0) + 1);
      this.#dropped.set(chatId, counts);
      one.settle({ kind: 'dropped' });
      return;
    }
  }

  #sayDropped(chatId: number): void {
    const counts = this.#dropped.get(chatId);
    if (!counts) return;
    this.#dropped.delete(chatId);
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const parts = [...counts].map(([urgency, count]) => `${count} ${urgency}`).join(', ');
    const html = escaped(
      `${total} ${total === 1 ? 'message was' : 'messages were'} dropped while Telegram could not take them (${parts}). /trades and /logs know what happened.`,
    );
    void this.put({ chatId, html }, 'warning');
  }
}
