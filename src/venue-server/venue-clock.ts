/**
 * The venue's own time: real time run `speed` times faster from an anchor, or a clock that moves only when the
 * admin says so.
 *
 * Invariants: it never runs backwards while the process lives; with the anchor kept, it goes on across restarts
 * as if the venue had not been away; timers count the venue's milliseconds, not the machine's.
 */
import { scaledTime, type Time, type Timers, VirtualTime } from '../core/clock.ts';

export type Speed = number | 'manual';

export interface VenueClock {
  /** Epoch milliseconds of the venue. */
  now(): number;
  readonly timers: Timers;
  readonly speed: Speed;
}

/** One moment in both times: from here on the venue's runs `speed` times faster. */
export interface ClockAnchor {
  readonly venueAt: number;
  /** The machine's wall clock, epoch ms. */
  readonly realAt: number;
  readonly speed: number;
}

export interface ManualClock extends VenueClock {
  readonly speed: 'manual';
  /** Moves the clock, firing what is due on the way. */
  advanceTo(at: number): void;
}

/** What the venue's clock shows at this moment. The wall clock may have been set back meanwhile; then it waits. */
export function anchoredNow(anchor: ClockAnchor, real: Time): number {
  const passedMs = Math.max(0, real.clock.now() - anchor.realAt);
  return Math.floor(anchor.venueAt + passedMs * anchor.speed);
}

export function runningClock(anchor: ClockAnchor, real: Time): VenueClock {
  const time = scaledTime(real, anchoredNow(anchor, real), anchor.speed);
  return { now: () => time.clock.now(), timers: time.timers, speed: anchor.speed };
}

export function manualClock(startAt: number): ManualClock {
  const time = new VirtualTime(startAt);
  return {
    now: () => time.now(),
    timers: time.timers,
    speed: 'manual',
    advanceTo: (at) => time.advanceTo(at),
  };
}

/** How many times faster than real time: by it windows that guard against real delays are widened. */
export const speedFactor = (clock: VenueClock): number => (clock.speed === 'manual' ? 1 : clock.speed);
