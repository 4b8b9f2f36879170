/**
 * The state folder of an exchange: which venue it is, when its clock was set, and one process at a time.
 *
 * Invariants: a folder belongs to one market and one account, so that a restart cannot mix two; the anchor of the
 * clock stays, so that the venue's time goes on while nobody serves it.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { BulkheadError, errorText } from '../../core/errors.ts';
import { lockFolder } from '../../journal/pglite-lock.ts';
import { writeWhole } from '../../venue-server/request-journal-files.ts';
import {
  type ClockAnchor,
  type Speed,
  speedFactor,
  type VenueClock,
} from '../../venue-server/venue-clock.ts';

/** What may not change between two starts. */
export type VenueIdentity = Readonly<Record<string, string | number | boolean | null>>;

interface StateDocument {
  readonly format: 1;
  readonly identity: VenueIdentity;
  readonly anchor: ClockAnchor;
}

export interface ExchangeState {
  /** Where the clock was set, or undefined on a first start. */
  readonly known: ClockAnchor | undefined;
  readonly entriesDir: string;
  keep(anchor: ClockAnchor): void;
  release(): void;
}

export function openExchangeState(dir: string, identity: VenueIdentity): ExchangeState {
  try {
    mkdirSync(dir, { recursive: true });
  } catch (error) {
    throw new BulkheadError('CANNOT_WRITE', `The state folder ${dir} cannot be made: ${errorText(error)}`, {
      hint: 'Give the user who runs the exchange write access there, or name another with --state.',
      cause: error,
    });
  }
  const lock = lockFolder(join(dir, 'exchange'));
  const file = join(dir, 'exchange.json');
  try {
    const known = existsSync(file) ? readState(file, identity) : undefined;
    return {
      known: known?.anchor,
      entriesDir: join(dir, 'entries'),
      keep: (anchor) => {
        const document: StateDocument = { format: 1, identity, anchor };
        writeWhole(file, `${JSON.stringify(document)}\n`);
      },
      release: () => lock.release(),
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function readState(file: string, identity: VenueIdentity): StateDocument {
  let document: StateDocument;
  try {
    document = JSON.parse(readFileSync(file, 'utf8')) as StateDocument;
  } catch (error) {
    throw new BulkheadError('DATA_INVALID', `${file} cannot be read: ${errorText(error)}`, {
      hint: 'Restore the folder from a copy, or name another with --state to begin anew.',
    });
  }
  for (const [name, value] of Object.entries(identity)) {
    const before = document.identity[name];
    if (before === value) continue;
    throw new BulkheadError(
      'CONFIG_INVALID',
      `${file} belongs to an exchange with ${name} ${before}, not ${value}.`,
      {
        hint: 'Give the same flags as before, or name another folder with --state.',
      },
    );
  }
  return document;
}

/** The anchor of a clock as it stands. */
export const anchorOf = (clock: VenueClock, real: Clock): ClockAnchor => ({
  venueAt: clock.now(),
  realAt: real.now(),
  speed: speedFactor(clock),
});

/** After a restart with another speed the clock goes on from where it is. */
export const isOtherSpeed = (anchor: ClockAnchor, speed: Speed): boolean =>
  speed !== 'manual' && anchor.speed !== speed;
