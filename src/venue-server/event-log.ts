/**
 * The venue's journal for people: requests, private events, sockets and faults, one JSON line each. A view, never
 * a source of truth: what a restart needs stands in the request journal.
 *
 * Invariant: no key, no secret, no signature and no listen key is in it.
 */
import { createWriteStream, type WriteStream } from 'node:fs';
import { BulkheadError, errorText } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import { redact } from '../core/redact.ts';

export class EventLog {
  readonly #now: () => number;
  readonly #secrets: readonly string[];
  readonly #stream: WriteStream;

  constructor(file: string, now: () => number, secrets: readonly string[], fail: (error: unknown) => void) {
    this.#now = now;
    this.#secrets = secrets;
    this.#stream = createWriteStream(file, { flags: 'a' });
    this.#stream.on('error', (error) =>
      fail(
        new BulkheadError('CANNOT_WRITE', `${file} cannot be written: ${errorText(error)}`, {
          hint: 'Make room, or name another file with --journal.',
          cause: error,
        }),
      ),
    );
  }

  note(what: string, fields: Readonly<Record<string, Json>>): void {
    const at = new Date(this.#now()).toISOString();
    this.#stream.write(
      `${JSON.stringify({ at, what, ...(redact(withoutKeys(fields), this.#secrets) as object) })}\n`,
    );
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#stream.end(resolve));
  }
}

/** Listen keys are as good as passwords for what they open. */
function withoutKeys(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutKeys);
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, name === 'listenKey' ? '***' : withoutKeys(inner)]),
  );
}
