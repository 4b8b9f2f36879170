/**
 * What the doctor says of a remote venue: whether the mode is complete, whether the venue answers and takes the
 * key, and every check that a start makes. It only reads; what a start would set right, it leaves for the start.
 */
import { scaledTime } from '../../core/clock.ts';
import { BulkheadError, errorText } from '../../core/errors.ts';
import { SILENT } from '../../core/logger.ts';
import type { CommandOptions, Io } from '../cli/io.ts';
import { moment } from '../cli/render-text.ts';
import { openVenue } from '../compose/open-venue.ts';
import type { OpenVenue, VenueFinding } from '../live/venue-seams.ts';
import { type VenueTarget, venueTarget } from '../run/modes.ts';
import type { Check } from './check.ts';

export async function venueChecks(
  options: CommandOptions,
  io: Io,
  venue: OpenVenue = openVenue,
): Promise<Check[]> {
  let target: VenueTarget | undefined;
  try {
    target = venueTarget(options);
  } catch (error) {
    return [failure(error)];
  }
  if (!target) return [];
  try {
    return await ask(options, target, io, venue);
  } catch (error) {
    return [failure(error)];
  }
}

async function ask(
  { config }: CommandOptions,
  target: VenueTarget,
  io: Io,
  venue: OpenVenue,
): Promise<Check[]> {
  const realTime = io.time;
  const local = await venue.clock(target);
  const { gateway, check } = await venue.gateway({
    target,
    config,
    time: local === undefined ? realTime : scaledTime(realTime, local, config.venue.timeFactor),
    realTime,
    log: SILENT,
    // The doctor changes nothing.
    mayAct: () => false,
    symbols: config.market.symbols,
  });
  try {
    const instruments = await gateway.instruments(config.market.symbols);
    const halted = instruments.filter(({ status }) => status !== 'TRADING').map(({ symbol }) => symbol);
    return [
      { name: 'venue', ok: true, detail: `${target.mode}: ${gateway.name} answers, and takes the key` },
      ...(local === undefined
        ? []
        : [{ name: 'venue: clock', ok: true, detail: `its own: ${moment(local)} UTC` }]),
      {
        name: 'venue: symbols',
        ok: halted.length === 0,
        detail:
          halted.length === 0
            ? `${instruments.length} trade`
            : `${halted.slice(0, 10).join(', ')} do not trade`,
        ...(halted.length === 0 ? {} : { hint: 'Leave them out of market.symbols, or wait.' }),
      },
      ...((await check?.()) ?? []).filter(({ check }) => !SAID_ALREADY.has(check)).map(found),
    ];
  } finally {
    await gateway.close();
  }
}

/** Of the instruments. */
const SAID_ALREADY: ReadonlySet<string> = new Set(['symbols', 'status']);

/** What a start only warns of is no reason for the doctor to fail, but is told all the same. */
function found({ check, ok, detail, mandatory }: VenueFinding): Check {
  const [what = '', ...todo] = detail.split(': ');
  const name = `venue: ${check}`;
  if (ok) return { name, ok, detail };
  const hint = todo.join(': ') || 'A start says this again.';
  return { name, ok: !mandatory, detail: what, hint };
}

function failure(error: unknown): Check {
  const isKnown = error instanceof BulkheadError;
  return {
    name: 'venue',
    ok: false,
    detail: isKnown ? `${error.message} [${error.code}]` : errorText(error),
    hint: (isKnown ? error.hint : undefined) ?? 'docs/ERRORS.md explains the error.',
  };
}
