/**
 * Turns what pg throws into the port's errors.
 *
 * Invariant: whatever might have hidden a commit (a lost connection, a time-out, a server going down) is
 * STORE_UNAVAILABLE, never something the caller could take for "did not happen". No message or cause carries
 * the connection string.
 */
import { BulkheadError, errorText, isBulkheadError } from '../core/errors.ts';

const FULL = new Set(['53100', 'ENOSPC', 'EDQUOT']);

/** Server-side states whose effect is unknown, or known to be nothing, and which pass by themselves. */
const PASSING = /^(08|57P|57014|53|55P03|40|25006|25P03|58030)/;

const CREDENTIALS = /^(28|3D000)/;

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

const DAMAGED =
  'Keep this store as it is, and restore the last backup (docs/BACKUP.md); "bulkhead replay --verify" says where it is damaged.';

export function storeError(error: unknown): BulkheadError {
  if (isBulkheadError(error)) return error;
  const code = codeOf(error);
  const text = errorText(error) || code || 'unknown reason';
  if (code !== undefined && FULL.has(code)) {
    return new BulkheadError('STORE_FULL', `The database cannot write: ${text}.`, {
      hint: 'Free or add disk space; Bulkhead retries by itself and halts entries until it works.',
      cause: error,
    });
  }
  if (code !== undefined && CREDENTIALS.test(code)) {
    return new BulkheadError('STORE_UNAVAILABLE', `The database refuses us: ${text}.`, {
      hint: 'Check user, password and database name in the connection URL.',
      cause: error,
    });
  }
  const isSqlState = code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E');
  if (!isSqlState || PASSING.test(code)) {
    return new BulkheadError('STORE_UNAVAILABLE', `The database did not answer: ${text}.`, {
      hint: 'Check that the database runs and can be reached; Bulkhead reconnects by itself.',
      cause: error,
    });
  }
  if (code.startsWith('23') || code.startsWith('XX')) {
    return new BulkheadError('STORE_CORRUPT', `The database refuses a row: ${text} (${code}).`, {
      hint: DAMAGED,
      cause: error,
    });
  }
  return new BulkheadError('INTERNAL', `The database refuses a statement: ${text} (${code}).`, {
    cause: error,
  });
}

/** Runs a store operation; its errors come out as the port's. */
export async function guarded<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw storeError(error);
  }
}
