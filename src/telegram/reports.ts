/**
 * Daily and weekly reports, by a person's own clock.
 *
 * Invariants: a report goes out once for its day or week, also over restarts, and counts only when it was sent; one whose
 * time came when nothing ran, or Telegram was away, goes out late rather than never while its day or week lasts; the first
 * start of an installation owes none.
 */
import type { Time, TimerHandle } from '../core/clock.ts';
import { errorText } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { type LocalTime, localTime, minutesOf } from './local-time.ts';
import { caption } from './markup.ts';
import type { Memory } from './memory.ts';
import type { People } from './people.ts';
import type { SendQueue } from './queue.ts';
import type { Reply } from './reply.ts';

export type Period = 'day' | 'week';

export interface ReportsOptions {
  readonly people: People;
  readonly memory: Memory;
  readonly queue: Pick<SendQueue, 'put'>;
  /** Real time. */
  readonly time: Time;
  readonly log: Logger;
  readonly which: 'both' | 'daily' | 'weekly' | 'none';
  readonly at: string;
  readonly timeZone: string;
  readonly report: (period: Period) => Promise<Reply>;
}

const LOOK_EVERY_MS = 30_000;

export class Reports {
  readonly #options: ReportsOptions;
  #timer: TimerHandle | undefined;
  #isMaking = false;

  constructor(options: ReportsOptions) {
    this.#options = options;
  }

  start(): void {
    const { time, memory, timeZone } = this.#options;
    const today = localTime(time.clock.now(), timeZone);
    const { lastDaily, lastWeekly } = memory.now;
    const owed = { lastDaily: lastDaily ?? today.date, lastWeekly: lastWeekly ?? today.monday };
    void memory.change(() => owed);
    this.#look();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const { time, timeZone } = this.#options;
    this.#timer = time.timers.set(LOOK_EVERY_MS, () => this.#look());
    const due = this.#due(localTime(time.clock.now(), timeZone));
    if (due.length === 0 || this.#isMaking) return;
    this.#isMaking = true;
    void this.#send(due).finally(() => {
      this.#isMaking = false;
    });
  }

  #due(now: LocalTime): Period[] {
    const { memory, which, at } = this.#options;
    const { lastDaily = '', lastWeekly = '' } = memory.now;
    const isTime = now.minutes >= minutesOf(at);
    const isDaily = (which === 'both' || which === 'daily') && isTime && lastDaily < now.date;
    const isWeekly =
      (which === 'both' || which === 'weekly') &&
      (isTime || now.date !== now.monday) &&
      lastWeekly < now.monday;
    return [...(isWeekly ? (['week'] as const) : []), ...(isDaily ? (['day'] as const) : [])];
  }

  async #send(due: readonly Period[]): Promise<void> {
    const { report, people, queue, memory, time, timeZone, log } = this.#options;
    const { date, monday } = localTime(time.clock.now(), timeZone);
    for (const period of due) {
      try {
        const { message, photo } = await report(period);
        const html = caption(message);
        const fates = people
          .listeners('info')
          .map((chatId) =>
            queue.put({ chatId, html, isSilent: true, ...(photo ? { photo } : {}) }, 'warning'),
          );
        // Not sent, because this process ends say: still owed.
        if ((await Promise.all(fates)).some(({ kind }) => kind === 'dropped')) continue;
        await memory.change(() => (period === 'day' ? { lastDaily: date } : { lastWeekly: monday }));
      } catch (error) {
        log.warn('telegram: a report could not be made; it is tried again', {
          period,
          reason: errorText(error),
        });
      }
    }
  }
}
