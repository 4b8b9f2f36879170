/**
 * The little of PostgreSQL's wire protocol that the embedded engine's host must know: where a client's batch
 * ends, and how to ask one question itself.
 */
import { BulkheadError } from '../core/errors.ts';

const SYNC = 0x53; // S
const QUERY = 0x51; // Q
const TERMINATE = 0x58; // X
const READY = 0x5a; // Z
const DATA_ROW = 0x44; // D
const ERROR_RESPONSE = 0x45; // E

export interface ClientBatch {
  readonly type: 'startup' | 'batch' | 'terminate';
  readonly bytes: Uint8Array;
}

/**
 * Cuts a client's bytes into whole batches. The engine must not see less than all up to a Sync or Query: a
 * part would be answered by a stray ReadyForQuery.
 */
export class BatchReader {
  #pending: Buffer = Buffer.alloc(0);
  #started = false;

  push(chunk: Uint8Array): ClientBatch[] {
    this.#pending = this.#pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#pending, chunk]);
    const batches: ClientBatch[] = [];
    for (let batch = this.#take(); batch; batch = this.#take()) batches.push(batch);
    return batches;
  }

  #take(): ClientBatch | undefined {
    if (!this.#started) {
      if (this.#pending.length < 4 || this.#pending.length < this.#pending.readUInt32BE(0)) return undefined;
      this.#started = true;
      return { type: 'startup', bytes: this.#cut(this.#pending.readUInt32BE(0)) };
    }
    for (let offset = 0; offset + 5 <= this.#pending.length; ) {
      const type = this.#pending[offset];
      const end = offset + 1 + this.#pending.readUInt32BE(offset + 1);
      if (end > this.#pending.length) return undefined;
      if (type === SYNC || type === QUERY || type === TERMINATE) {
        return { type: type === TERMINATE ? 'terminate' : 'batch', bytes: this.#cut(end) };
      }
      offset = end;
    }
    return undefined;
  }

  #cut(length: number): Uint8Array {
    const bytes = new Uint8Array(this.#pending.subarray(0, length));
    this.#pending = this.#pending.subarray(length);
    return bytes;
  }
}

/** True when an answer leaves its session outside a transaction. */
export function endsIdle(answer: Uint8Array): boolean {
  return answer.at(-6) === READY && answer.at(-1) === 0x49;
}

export function queryMessage(sql: string): Uint8Array {
  const text = Buffer.from(`${sql}\0`);
  const message = Buffer.alloc(5 + text.length);
  message[0] = QUERY;
  message.writeUInt32BE(4 + text.length, 1);
  text.copy(message, 5);
  return new Uint8Array(message);
}

/** The first column of the first row of an answer to `queryMessage`, as text; throws what the server did. */
export function firstValue(answer: Uint8Array): string | undefined {
  const bytes = Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength);
  let value: string | undefined;
  for (let offset = 0; offset + 5 <= bytes.length; offset += 1 + bytes.readUInt32BE(offset + 1)) {
    const body = offset + 5;
    if (bytes[offset] === ERROR_RESPONSE) {
      const end = offset + 1 + bytes.readUInt32BE(offset + 1);
      const fields = bytes.toString('utf8', body, end).split('\0');
      const message = fields.find((field) => field.startsWith('M'))?.slice(1);
      throw new BulkheadError('INTERNAL', `The embedded engine refused a statement: ${message}.`);
    }
    if (bytes[offset] !== DATA_ROW || value !== undefined) continue;
    const length = bytes.readInt32BE(body + 2);
    if (length >= 0) value = bytes.toString('utf8', body + 6, body + 6 + length);
  }
  return value;
}
