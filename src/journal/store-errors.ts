/** The errors that every store raises in the same words. */
import { BulkheadError } from '../core/errors.ts';
import type { JournalHead, Lease } from './journal.ts';

export function fenced(lease: Lease, held: Lease | undefined): BulkheadError {
  const by = held ? `${held.owner} (epoch ${held.epoch})` : 'nobody';
  return new BulkheadError(
    'FENCED',
    `The lease of account ${lease.account}, epoch ${lease.epoch}, is no longer ours; held by ${by}.`,
    { hint: 'Nothing more is written or sent by this process. Start it again with --standby.' },
  );
}

export function leaseHeld(held: Lease): BulkheadError {
  return new BulkheadError(
    'LEASE_HELD',
    `Account ${held.account} is traded by ${held.owner} (epoch ${held.epoch}), whose lease has not run out.`,
    { hint: 'Stop the other process, or start this one as a standby, which waits for the lease.' },
  );
}

export function headMismatch(head: JournalHead, firstN: number): BulkheadError {
  return new BulkheadError(
    'STORE_CORRUPT',
    `Row ${firstN} cannot follow the journal's last row, ${head.n}.`,
    { hint: 'Something else changed the journal. Stop, find out what, and run "bulkhead replay --verify".' },
  );
}

export function notOpen(): BulkheadError {
  return new BulkheadError('STORE_UNAVAILABLE', 'The journal store is closed.');
}

export function duplicateRow(actor: string, seq: number): BulkheadError {
  return new BulkheadError(
    'STORE_CORRUPT',
    `Row ${seq} of actor ${actor} is there already, or leaves a gap.`,
    {
      hint: 'Run `bulkhead doctor`; this is a defect in Bulkhead or a journal changed by something else.',
    },
  );
}

export function notEmpty(account: string, n: number): BulkheadError {
  return new BulkheadError('STORE_NOT_EMPTY', `Account ${account} already has a journal of ${n} rows here.`, {
    hint: 'Restore into an empty folder (--data-dir), an empty database, or under another account.',
  });
}

export function configMismatch(version: number): BulkheadError {
  return new BulkheadError(
    'STORE_CORRUPT',
    `Version ${version} of the configuration is there already, or leaves a gap.`,
    { hint: 'Run `bulkhead doctor`: the store was changed by something else.' },
  );
}
