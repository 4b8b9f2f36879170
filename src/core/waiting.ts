/** Waits that end early and leave no timer behind: one that is left keeps a process from ending. */
import type { Timers } from './clock.ts';

/** Resolves after `delayMs`, or as soon as it is to stop. */
export function pause(timers: Timers, delayMs: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) return resolve();
    const end = (): void => {
      timer.cancel();
      stop.removeEventListener('abort', end);
      resolve();
    };
    const timer = timers.set(delayMs, end);
    stop.addEventListener('abort', end);
  });
}

/** The work's result, or `late()` when it takes longer; what the work does later is nobody's concern. */
export async function within<T>(
  timers: Timers,
  limitMs: number,
  work: Promise<T>,
  late: () => T,
): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  const timer = timers.set(limitMs, () => resolve(late()));
  try {
    return await Promise.race([work, promise]);
  } finally {
    timer.cancel();
  }
}
