/** A request's body as JSON, within a bound. */
import type { IncomingMessage } from 'node:http';
import { BulkheadError } from '../core/errors.ts';

const LARGEST_BYTES = 65_536;

export async function readBody(request: IncomingMessage): Promise<object> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > LARGEST_BYTES)
      throw new BulkheadError('USAGE', `The body is larger than ${LARGEST_BYTES} bytes.`, {
        hint: 'A command is small: send one at a time.',
      });
    chunks.push(chunk as Buffer);
  }
  return parseBody(Buffer.concat(chunks));
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
