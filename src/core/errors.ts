/**
 * Every error a person can meet, in one file. A code is stable and documented (docs/ERRORS.md, held to this
 * table by a test); the message says what happened, the hint what to do; the kind says what the caller may
 * assume. `unknown` means the effect may or may not have happened: never retry blindly, look it up.
 */
export type ErrorKind = 'terminal' | 'retryable' | 'unknown';

export interface ErrorSpec {
  readonly kind: ErrorKind;
  /** Process exit code when it ends the program (sysexits where one fits). */
  readonly exit: number;
  readonly meaning: string;
}

export const ERRORS = {
  USAGE: { kind: 'terminal', exit: 64, meaning: 'The command line is wrong.' },
  DATA_INVALID: { kind: 'terminal', exit: 65, meaning: 'An input file is damaged or not in a known format.' },
  INPUT_MISSING: { kind: 'terminal', exit: 66, meaning: 'A file or folder that was named does not exist.' },
  NOT_FOUND: { kind: 'terminal', exit: 66, meaning: 'There is no such actor, row or store.' },
  INTERNAL: { kind: 'terminal', exit: 70, meaning: 'A defect in Bulkhead: an invariant was broken.' },
  CANNOT_WRITE: { kind: 'terminal', exit: 73, meaning: 'A file or folder cannot be created or written.' },
  STORE_UNAVAILABLE: { kind: 'unknown', exit: 69, meaning: 'The database cannot be reached.' },
  STORE_FULL: { kind: 'retryable', exit: 74, meaning: 'The disk of the store is full.' },
  STORE_CORRUPT: {
    kind: 'terminal',
    exit: 74,
    meaning: 'The journal is damaged: a gap, or a broken hash chain.',
  },
  STORE_NOT_DURABLE: {
    kind: 'terminal',
    exit: 74,
    meaning: 'The store would lose committed rows on power loss.',
  },
  STORE_NOT_EMPTY: { kind: 'terminal', exit: 73, meaning: 'A restore would overwrite a journal.' },
  BACKUP_INVALID: {
    kind: 'terminal',
    exit: 65,
    meaning: 'A backup is damaged, cut short, or sealed with another key.',
  },
  BACKUP_UNREACHABLE: {
    kind: 'retryable',
    exit: 69,
    meaning: 'The place where backups are kept cannot be reached, or refuses.',
  },
  STORE_LOCKED: { kind: 'terminal', exit: 75, meaning: 'Another process has the data folder open.' },
  LEASE_HELD: { kind: 'terminal', exit: 75, meaning: 'Another process trades this account.' },
  FENCED: {
    kind: 'terminal',
    exit: 75,
    meaning: 'Another process took the account over; this one must stop.',
  },
  HANDOVER_REFUSED: {
    kind: 'terminal',
    exit: 75,
    meaning: 'The account is not handed over: no standby is ready to take it.',
  },
  MIGRATION_MISMATCH: {
    kind: 'terminal',
    exit: 74,
    meaning: 'The database schema does not match this version.',
  },
  ACTOR_UNRESTORABLE: { kind: 'terminal', exit: 70, meaning: 'An actor\u2019s last row cannot be restored.' },
  JOURNAL_OVERLOADED: { kind: 'retryable', exit: 75, meaning: 'The journal\u2019s queue is full.' },
  CONFIG_INVALID: { kind: 'terminal', exit: 78, meaning: 'The configuration is wrong.' },
  NEEDS_RESTART: {
    kind: 'terminal',
    exit: 78,
    meaning: 'A key of the configuration cannot change while a run lasts.',
  },
  VENUE_UNREACHABLE: {
    kind: 'retryable',
    exit: 69,
    meaning: 'The venue cannot be reached, or does not answer.',
  },
  VENUE_REFUSED: {
    kind: 'terminal',
    exit: 77,
    meaning: 'The venue, its account or the API key is not fit to trade with.',
  },
  VAULT_UNREACHABLE: {
    kind: 'retryable',
    exit: 69,
    meaning: 'Vault cannot be reached, is sealed, or answers what nobody understands.',
  },
  VAULT_REFUSED: {
    kind: 'terminal',
    exit: 77,
    meaning: 'Vault does not know us, or does not let us read the secret.',
  },
  MODE_UNAVAILABLE: { kind: 'terminal', exit: 78, meaning: 'The mode needs something that is missing.' },
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof ERRORS;

export class BulkheadError extends Error {
  override readonly name = 'BulkheadError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }

  get kind(): ErrorKind {
    return ERRORS[this.code].kind;
  }

  get exitCode(): number {
    return ERRORS[this.code].exit;
  }
}

export function isBulkheadError(error: unknown, code?: ErrorCode): error is BulkheadError {
  return error instanceof BulkheadError && (code === undefined || error.code === code);
}

/** An error's text for a log or a journal row; never its stack, which may hold values. */
export function errorText(error: unknown): string {
  if (error instanceof Error)
    return error.name === 'Error' ? error.message : `${error.name}: ${error.message}`;
  return String(error);
}
