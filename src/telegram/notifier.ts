/**
 * What people hear unasked: gathered for a moment, sent by level, held back by night.
 *
 * Invariants: nothing here waits for Telegram or throws into whoever notifies; many notices of one moment become one
 * message with a bounded number of lines, the rest counted; a critical notice goes out at once, also by night; what
 * quiet hours hold back is on the disk and comes as one digest when they are over.
 */
import type { Time, TimerHandle } from '../core/clock.ts';
import { isQuiet, localTime } from './local-time.ts';
import { line, type Markup, type Message, pages, text } from './markup.ts';
import { type Held, type Memory, MOST_HELD } from './memory.ts';
import { LEVELS, type Level, type People } from './people.ts';
import type { SendQueue } from './queue.ts';
import { bold } from './reply.ts';

export interface Notice {
  readonly level: Level;
  /** The first stands for all where there is little room. */
  readonly lines: readonly Markup[];
}

export interface NotifierOptions {
  readonly people: People;
  readonly memory: Memory;
  readonly queue: Pick<SendQueue, 'put'>;
  /** Real time. */
  readonly time: Time;
  readonly quietHours: string;
  readonly timeZone: string;
}

const GATHER_MS = 1_500;
/** The least time between two messages of mere information: a fast demo closes hundreds of trades a minute. */
const INFO_EVERY_MS = 5_000;
const MOST_LINES = 12;
const LOOK_EVERY_MS = 20_000;
const URGENCY = { info: 'info', warning: 'warning', critical: 'critical' } as const;

export class Notifier {
  readonly #options: NotifierOptions;
  #gathered: Notice[] = [];
  #timer: TimerHandle | undefined;
  #watch: TimerHandle | undefined;
  #isDigesting = false;
  #lastInfoAt = Number.NEGATIVE_INFINITY;

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  start(): void {
    this.#look();
  }

  stop(): void {
    this.#watch?.cancel();
    this.#timer?.cancel();
    this.#flush();
  }

  notify(notice: Notice): void {
    if (notice.level === 'critical') {
      this.#send('critical', notice.lines);
      return;
    }
    this.#gathered.push(notice);
    if (this.#timer) return;
    const { time } = this.#options;
    const isOnlyInfo = this.#gathered.every(({ level }) => level === 'info');
    const waitMs = isOnlyInfo ? this.#lastInfoAt + INFO_EVERY_MS - time.monotonic.now() : 0;
    this.#timer = time.timers.set(Math.max(GATHER_MS, waitMs), () => this.#flush());
  }

  get isQuiet(): boolean {
    const { time, quietHours, timeZone } = this.#options;
    return isQuiet(quietHours, localTime(time.clock.now(), timeZone).minutes);
  }

  #flush(): void {
    this.#timer = undefined;
    const gathered = this.#gathered;
    this.#gathered = [];
    if (gathered.length === 0) return;
    if (this.isQuiet) {
      this.#hold(gathered);
      return;
    }
    this.#lastInfoAt = this.#options.time.monotonic.now();
    for (const level of [...LEVELS].reverse()) {
      const notices = gathered.filter((notice) => notice.level === level);
      if (notices.length > 0) this.#send(level, together(notices));
    }
  }

  #send(level: Level, lines: readonly Markup[]): void {
    const { people, queue } = this.#options;
    const [html] = pages([text(...lines)]);
    if (html === undefined) return;
    for (const chatId of people.listeners(level))
      void queue.put({ chatId, html, isSilent: level === 'info' }, URGENCY[level]);
  }

  #hold(notices: readonly Notice[]): void {
    const at = this.#options.time.clock.now();
    const fresh = notices.flatMap(({ level, lines: [first] }) =>
      first ? [{ at, level, text: first.plain }] : [],
    );
    void this.#options.memory.change(({ held, heldLost }) => {
      const all = [...held, ...fresh];
      return { held: all.slice(-MOST_HELD), heldLost: heldLost + Math.max(0, all.length - MOST_HELD) };
    });
  }

  /** When the night is over, what it held back; kept until it is sent. */
  #look(): void {
    this.#watch = this.#options.time.timers.set(LOOK_EVERY_MS, () => this.#look());
    const { held, heldLost } = this.#options.memory.now;
    if (held.length === 0 || this.isQuiet || this.#isDigesting) return;
    this.#isDigesting = true;
    void this.#digest(held, heldLost).finally(() => {
      this.#isDigesting = false;
    });
  }

  async #digest(held: readonly Held[], heldLost: number): Promise<void> {
    const { people, queue, memory } = this.#options;
    const fates = people.listeners('critical').flatMap((chatId) => {
      const theirs = held.filter(({ level }) => people.listeners(level).includes(chatId));
      if (theirs.length === 0) return [];
      return pages(this.#digestOf(theirs, heldLost)).map((html) => queue.put({ chatId, html }, 'warning'));
    });
    // What was only dropped, at the end of this process say, is told by the next one.
    if ((await Promise.all(fates)).some(({ kind }) => kind === 'dropped')) return;
    const sent = new Set(held);
    await memory.change((now) => ({ held: now.held.filter((one) => !sent.has(one)), heldLost: 0 }));
  }

  #digestOf(held: readonly Held[], heldLost: number): Message {
    const { timeZone } = this.#options;
    const lost = heldLost === 0 ? [] : [`${heldLost} more came before these; /trades and /logs have them`];
    const lines = held.map(({ at, text: said }) => line`${timeOf(at, timeZone)} ${said}`);
    return [text(bold(`While it was quiet: ${held.length + heldLost}`), ...lost, ...lines)];
  }
}

const timeOf = (at: number, timeZone: string): string => {
  const { date, minutes } = localTime(at, timeZone);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.slice(5)} ${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
};

/** All of few; of many the first line each, the newest ones, and how many more. */
function together(notices: readonly Notice[]): Markup[] {
  const all = notices.flatMap(({ lines }) => [...lines]);
  if (all.length <= MOST_LINES) return all;
  const firsts = notices.flatMap(({ lines: [first] }) => (first ? [first] : []));
  const shown = firsts.slice(-MOST_LINES);
  const more = firsts.length - shown.length;
  return more === 0 ? shown : [line`${more} more before these (/trades, /logs)`, ...shown];
}
