/** Whose account a key opens, and what keeps a gateway from starting, in a person's words. */
import { BulkheadError, isBulkheadError } from '../../core/errors.ts';
import { classifyFailure, VenueFailure } from '../call-outcome.ts';
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

const BAD_SIGNATURE = -1022;
const BAD_KEY: ReadonlySet<number> = new Set([BAD_SIGNATURE, -2014, -2015]);

/** A key or a secret that the venue does not take, whatever was asked with it, is no trouble that passes. */
export function refusedKey(error: unknown): unknown {
  if (!(error instanceof VenueFailure) || error.code === undefined || !BAD_KEY.has(error.code)) return error;
  return new BulkheadError('VENUE_REFUSED', `The venue does not take the API key: ${error.message}`, {
    hint:
      error.code === BAD_SIGNATURE
        ? 'The secret is not this key\u2019s: set BULKHEAD_API_SECRET (or its file, or Vault) to the one that the venue showed when the key was made, or make a new key.'
        : 'Check BULKHEAD_API_KEY and BULKHEAD_API_SECRET, the key\u2019s permissions, and the addresses it is bound to.',
  });
}

/** What keeps it from starting, in a person's words. */
export function asStartupError(thrown: unknown, name: string): BulkheadError {
  const error = refusedKey(thrown);
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
