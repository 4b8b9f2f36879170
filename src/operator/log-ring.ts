/**
 * The newest lines of the log, for people who look from afar. They are redacted before they come here.
 *
 * Invariant: however much goes well, what went wrong is not pushed out by it.
 */
import type { LogLevel } from '../core/logger.ts';

export interface LogLine {
  readonly id: number;
  readonly level: LogLevel;
  readonly at: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export const LOG_LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error'];
const LONGEST_LINE = 4_000;

export class LogRing {
  readonly #kept: number;
  readonly #well: LogLine[] = [];
  readonly #wrong: LogLine[] = [];
  readonly #listeners = new Set<(line: LogLine) => void>();
  #next = 1;

  constructor(kept = 500) {
    this.#kept = kept;
  }

  /** One line as the logger writes it, JSON. */
  readonly write = (text: string): void => {
    if (text.length > LONGEST_LINE) return;
    const line = { ...(JSON.parse(text) as Omit<LogLine, 'id'>), id: this.#next++ } as LogLine;
    const lines = line.level === 'warn' || line.level === 'error' ? this.#wrong : this.#well;
    lines.push(line);
    if (lines.length > this.#kept) lines.shift();
    for (const listener of this.#listeners) listener(line);
  };

  onLine(listener: (line: LogLine) => void): void {
    this.#listeners.add(listener);
  }

  /** The newest last. */
  read({
    limit = 100,
    level = 'info',
    after = 0,
  }: {
    limit?: number;
    level?: string;
    after?: number;
  } = {}): LogLine[] {
    const from = Math.max(0, LOG_LEVELS.indexOf(level as LogLevel));
    return [...this.#well, ...this.#wrong]
      .filter((line) => line.id > after && LOG_LEVELS.indexOf(line.level) >= from)
      .sort((one, other) => one.id - other.id)
      .slice(-limit);
  }
}
