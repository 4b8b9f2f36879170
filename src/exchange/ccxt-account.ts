/** Whose account a key opens, and what keeps a gateway from starting, in a person's words. */
import { BulkheadError, isBulkheadError } from '../core/errors.ts';
import { classifyFailure } from './call-outcome.ts';
import type { VenueCaller } from './ccxt-caller.ts';
import { asRows } from './ccxt-rows.ts';

/** The code by which the venue calls the account, whichever key asks; undefined: it tells none, or does not answer now. */
export async function accountName(caller: VenueCaller): Promise<string | undefined> {
  const deadline = caller.deadline();
  try {
    const rows = asRows(await caller.read('balance', {}, 'data', deadline.signal), 'balances');
    const name = rows[0]?.accountAlias;
    return typeof name === 'string' && name !== '' ? name : undefined;
  } catch {
    return undefined;
  } finally {
    deadline.done();
  }
}

/** Throws VENUE_REFUSED unless the two are known to be one. */
export function insistOnAccount(mine: string | undefined, theirs: string | undefined): void {
  if (mine !== undefined && mine === theirs) return;
  throw new BulkheadError(
    'VENUE_REFUSED',
    mine === undefined || theirs === undefined
      ? 'Whose account the new API key opens cannot be verified, so the old one stays.'
      : 'The new API key opens another account, so the old one stays.',
    {
      hint:
        mine === undefined || theirs === undefined
          ? 'It is tried again; a restart takes the key up as any start does.'
          : 'Make the key at the account that is traded here. Another account needs a run of its own.',
    },
  );
}

/** What keeps it from starting, in a person's words. */
export function asStartupError(error: unknown, name: string): BulkheadError {
  if (isBulkheadError(error)) return error;
  const { outcome, reason } = classifyFailure(error);
  return new BulkheadError('VENUE_UNREACHABLE', `${name} cannot be asked: ${reason}`, {
    hint:
      outcome === 'rejected'
        ? 'It is tried again; if it goes on, check the address, the API key and the network.'
        : 'It is tried again; check the network and that the venue is up.',
    cause: error,
  });
}
