/** What of a takeover's questions can wait: nothing may be in the way of the account's reading, which protection waits for. */
import type { TimerHandle } from '../../core/clock.ts';
import type { Session } from '../run/run-session.ts';

const LONGEST_WAIT_MS = 10_000;

/** The account is read, or that takes long, or the run is stopped. */
export async function accountRead({
  stages,
  signals,
  io,
}: Pick<Session, 'stages' | 'signals' | 'io'>): Promise<void> {
  let timer: TimerHandle | undefined;
  const late = new Promise<void>((resolve) => {
    timer = io.time.timers.set(LONGEST_WAIT_MS, resolve);
  });
  await Promise.race([stages.when('account'), late, signals.stopped()]);
  timer?.cancel();
}
