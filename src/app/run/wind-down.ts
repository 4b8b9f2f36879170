/**
 * The end of a run that has positions at a venue: nothing new is entered, what is under way comes to its end,
 * every fill gets its stop. Stops stay at the venue. It takes no longer than it may; what is left then is for the
 * next start, which finds it in the journal.
 */
import type { PositionContext } from '../../../machines/position/context.ts';
import type { ActorRuntime } from '../../../supervisors/actor-runtime.ts';
import { sleep, type Time } from '../../core/clock.ts';
import { errorText } from '../../core/errors.ts';
import { actorType } from '../../core/ids.ts';
import type { Logger } from '../../core/logger.ts';
import type { GatewayRunner } from '../live/gateway-runner.ts';

const LOOK_AGAIN_MS = 50;
/** So much of the shutdown's deadline; the rest is for closing what is open here. */
const SHARE = 0.6;

export async function windDown(
  runtime: ActorRuntime,
  runner: GatewayRunner,
  { deadlineMs, time, log }: { readonly deadlineMs: number; readonly time: Time; readonly log: Logger },
): Promise<void> {
  runner.drain();
  const endAt = time.monotonic.now() + deadlineMs * SHARE;
  try {
    while (time.monotonic.now() < endAt) {
      await runtime.quiescent();
      if (runner.inFlight === 0 && unsettled(runtime) === 0) return;
      await sleep(time.timers, LOOK_AGAIN_MS);
    }
    log.warn('stopping with something under way; the next start takes it up', {
      calls: runner.inFlight,
      positions: unsettled(runtime),
    });
  } catch (error) {
    // The journal takes nothing any more, so nothing can be brought to an end from here.
    log.warn('stopping at once', { reason: errorText(error) });
  }
}

/** Positions that wait for a fill they asked for just now, or for their stop. */
function unsettled(runtime: ActorRuntime): number {
  return runtime.actorIds().filter((actor) => {
    const text = actorType(actor) === 'position' ? runtime.actor(actor)?.snapshotText : undefined;
    if (text === undefined) return false;
    const { context } = JSON.parse(text) as { context: PositionContext };
    const entering = context.orders.some(
      ({ role, status }) =>
        (role === 'entry' || role === 'add') && (status === 'submitted' || status === 'live'),
    );
    return entering || context.unprotectedSince !== null;
  }).length;
}
