/** A request's body as JSON, within a bound. */
import type { IncomingMessage } from 'node:http';
import { BulkheadError } from '../core/errors.ts';

export const LARGEST_BYTES = 65_536;
export type TooLarge = 'too large';

export async function readBody(request: IncomingMessage): Promise<object | TooLarge> {
  const bytes = await bytesOf(request);
  return bytes === 'too large' ? bytes : parseBody(bytes);
}

async function bytesOf(request: IncomingMessage): Promise<Buffer | TooLarge> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    // Whoever is still sending hears nothing of an answer when the socket goes: what is left over is read and dropped,
    // which the server's own time for a request bounds.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      bytes += (chunk as Buffer).length;
      if (bytes > LARGEST_BYTES) break;
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    // A client that leaves in the midst of it: nobody hears this, and it is no failure of ours.
    throw new BulkheadError('USAGE', 'The body broke off.', {
      hint: 'Send the command again.',
      cause: error,
    });
  }
  if (bytes <= LARGEST_BYTES) return Buffer.concat(chunks);
  request.resume();
  return 'too large';
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
