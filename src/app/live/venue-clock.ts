/** The time that a run against a venue lives in, and what being connected to one means. */
import type { Config } from '../../config/schema.ts';
import { scaledTime, steadyTime, type Time } from '../../core/clock.ts';
import { BulkheadError } from '../../core/errors.ts';
import type { VenueCheck } from '../../exchange/venue-gateway.ts';
import type { LiveMarketData } from '../../market/live/live-market.ts';
import type { VenueTarget } from '../run/modes.ts';
import type { OpenVenue, VenueConnection, VenueRequest } from './venue-seams.ts';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A venue's clock so far behind the journal's last row is another venue's, or one that lost its state. */
const LONGEST_STEP_BACK_MS = 60_000;

/** Between two attempts, growing. */
export const pauseMs = (failures: number): number =>
  Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures, 16), LONGEST_PAUSE_MS);

export interface Connected extends VenueConnection {
  readonly time: Time;
  readonly request: VenueRequest;
  readonly checks: readonly VenueCheck[];
  /** A standby's, whose streams are up already. */
  readonly market?: LiveMarketData;
}

export interface VenueClock {
  readonly config: Config;
  readonly target: VenueTarget;
  readonly venue: OpenVenue;
  readonly real: Time;
  /** `at` of the journal's newest row. */
  readonly headAt: number | undefined;
}

/** The time that the runtime lives in. */
export async function venueTime({ config, target, venue, real, headAt }: VenueClock): Promise<Time> {
  const { timeFactor } = config.venue;
  const asked = real.monotonic.now();
  const answer = await venue.clock(target);
  if (answer === undefined) return steadyTime(real);
  // The answer is as old as its way back, in the venue's faster time.
  const venueNow = Math.round(answer + ((real.monotonic.now() - asked) / 2) * timeFactor);
  if (venueNow < (headAt ?? 0) - LONGEST_STEP_BACK_MS) throw otherVenue(venueNow, headAt);
  return scaledTime(real, venueNow, timeFactor);
}

const otherVenue = (venueNow: number, headAt = 0): BulkheadError =>
  new BulkheadError(
    'CONFIG_INVALID',
    `The exchange's clock stands at ${new Date(venueNow).toISOString()}, before this journal's last row at ${new Date(headAt).toISOString()}.`,
    {
      hint: 'It is another exchange, or one that lost its state (start it with --state DIR). Name its address, or a new folder with --data-dir.',
    },
  );
