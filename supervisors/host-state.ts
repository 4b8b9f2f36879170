/**
 * The host's own state for one actor: armed timers and postponed events. It stands in every row beside the
 * snapshot, so that both survive a crash together.
 *
 * Invariants: a timer is an absolute deadline; one timer per id; 'state' timers live and die with their state
 * (XState cancels them), 'event' timers die with any later event, 'named' ones only by clear or by firing.
 * `replay` holds postponed events whose state change has come: they go before anything in the mailbox.
 */
import type { ActorEvent, Emitted } from '../src/domain/events.ts';
import type { Step } from './actor-logic.ts';

export interface DurableTimer {
  readonly id: string;
  readonly kind: 'state' | 'event' | 'named';
  /** Epoch ms. */
  readonly due: number;
  readonly event: ActorEvent;
}

export interface HostState {
  readonly timers: readonly DurableTimer[];
  readonly postponed: readonly ActorEvent[];
  readonly replay: readonly ActorEvent[];
}

export const EMPTY_HOST: HostState = { timers: [], postponed: [], replay: [] };

/** The host state after a step at `at`; `stateChanged` decides whether postponed events come due. */
export function afterStep(
  host: HostState,
  step: Step,
  event: ActorEvent,
  at: number,
  stateChanged: boolean,
): HostState {
  const timers = nextTimers(host.timers, step, at);
  const postponed = step.emitted.some((emitted) => emitted.type === 'postpone')
    ? [...host.postponed, event]
    : host.postponed;
  if (stateChanged && postponed.length > 0)
    return { timers, postponed: [], replay: [...host.replay, ...postponed] };
  if (timers === host.timers && postponed === host.postponed) return host;
  return { timers, postponed, replay: host.replay };
}

function nextTimers(timers: readonly DurableTimer[], step: Step, at: number): readonly DurableTimer[] {
  const kept = timers.some((timer) => timer.kind === 'event')
    ? timers.filter((timer) => timer.kind !== 'event')
    : timers;
  let next: readonly DurableTimer[] = kept;
  for (const change of step.stateTimers) {
    const id = `after:${change.id}`;
    next = next.filter((timer) => timer.id !== id);
    if (change.op === 'set')
      next = [...next, { id, kind: 'state', due: at + change.delayMs, event: change.event }];
  }
  for (const emitted of step.emitted) next = applyEmitted(next, emitted, at);
  return next;
}

function applyEmitted(
  timers: readonly DurableTimer[],
  emitted: Emitted,
  at: number,
): readonly DurableTimer[] {
  if (emitted.type === 'timer.clear') return timers.filter((timer) => timer.id !== emitted.id);
  if (emitted.type !== 'timer.set') return timers;
  const { id, kind, delayMs, event } = emitted;
  return [...timers.filter((timer) => timer.id !== id), { id, kind, due: at + delayMs, event }];
}

/** The host state with one timer gone, because it is firing now; undefined when it is no longer armed. */
export function takeTimer(host: HostState, id: string, due: number): HostState | undefined {
  const armed = host.timers.some((timer) => timer.id === id && timer.due === due);
  return armed ? { ...host, timers: host.timers.filter((timer) => timer.id !== id) } : undefined;
}

/** The host state without the postponed event that is being delivered again; undefined when none is due. */
export function takeReplay(host: HostState): HostState | undefined {
  return host.replay.length === 0 ? undefined : { ...host, replay: host.replay.slice(1) };
}
