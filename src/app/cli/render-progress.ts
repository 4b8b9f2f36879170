/** A progress bar on one line of a terminal; nothing at all elsewhere. */
import type { Monotonic } from '../../core/clock.ts';
import type { Output } from './io.ts';
import { duration, fit } from './render-text.ts';

export interface Progress {
  readonly done: number;
  /** Absent when nobody knows the end. */
  readonly total?: number | undefined;
}

const BAR_WIDTH = 28;
const REDRAW_MS = 100;
const CLEAR_LINE = '\r\u001b[2K';

/** "replay  ███████░░░░░  42 %  1234/2900  12s left" */
export function progressLine(label: string, { done, total }: Progress, elapsedMs: number): string {
  if (total === undefined || total <= 0) return `${label}  ${done}  ${duration(elapsedMs)}`;
  const part = Math.min(1, Math.max(0, done / total));
  const filled = Math.round(part * BAR_WIDTH);
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
  const left = part > 0 && part < 1 ? `  ${duration((elapsedMs * (1 - part)) / part)} left` : '';
  return `${label}  ${bar}  ${Math.floor(part * 100)} %  ${done}/${total}${left}`;
}

export interface ProgressOptions {
  readonly label: string;
  readonly output: Output;
  /** Off when not a terminal, and with --quiet or --json. */
  readonly enabled: boolean;
  readonly columns: number;
  readonly monotonic: Monotonic;
}

export class ProgressBar {
  readonly #options: ProgressOptions;
  readonly #startedAt: number;
  #drawnAt = Number.NEGATIVE_INFINITY;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#startedAt = options.monotonic.now();
  }

  update(progress: Progress): void {
    const { enabled, label, output, columns, monotonic } = this.#options;
    const now = monotonic.now();
    if (!enabled || now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    output.write(CLEAR_LINE + fit(progressLine(label, progress, now - this.#startedAt), columns - 1));
  }

  /** Leaves an empty line behind, ready for what comes next. */
  end(): void {
    if (this.#options.enabled && this.#drawnAt > Number.NEGATIVE_INFINITY)
      this.#options.output.write(CLEAR_LINE);
  }
}
