/** A request's body as JSON, within a bound. */
import type { IncomingMessage } from 'node:http';
import { BulkheadError, isBulkheadError } from '../core/errors.ts';

const LARGEST_BYTES = 65_536;

export async function readBody(request: IncomingMessage): Promise<object> {
  return parseBody(Buffer.concat(await chunksOf(request)));
}

async function chunksOf(request: IncomingMessage): Promise<readonly Buffer[]> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request) {
      bytes += (chunk as Buffer).length;
      if (bytes > LARGEST_BYTES)
        throw new BulkheadError('USAGE', `The body is larger than ${LARGEST_BYTES} bytes.`, {
          hint: 'A command is small: send one at a time.',
        });
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    if (isBulkheadError(error)) throw error;
    // A client that leaves in the midst of it: nobody hears this, and it is no failure of ours.
    throw new BulkheadError('USAGE', 'The body broke off.', {
      hint: 'Send the command again.',
      cause: error,
    });
  }
  return chunks;
}

export function parseBody(bytes: Buffer): object {
  try {
    const body = JSON.parse(bytes.toString('utf8')) as unknown;
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  } catch {
    // Falls through to the same complaint.
  }
  throw new BulkheadError('USAGE', 'The body is no JSON object.', {
    hint: 'Send {"id": "…", "command": {"kind": "pause"}}.',
  });
}
