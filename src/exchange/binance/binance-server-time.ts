/**
 * The clock of a venue on this machine, asked once before anything else: a recording is played in the time it
 * was made in, and the whole runtime then lives in that time. Unsigned and plain; Binance itself is never asked
 * this way.
 */
import { get } from 'node:http';
import { BulkheadError, errorText } from '../../core/errors.ts';

const DEADLINE_MS = 3_000;

/** Epoch ms by the venue's clock. Throws VENUE_UNREACHABLE. */
export async function localVenueTime(restUrl: string): Promise<number> {
  try {
    const { serverTime } = JSON.parse(await read(new URL('/fapi/v1/time', restUrl))) as {
      serverTime?: unknown;
    };
    if (typeof serverTime === 'number' && Number.isSafeInteger(serverTime)) return serverTime;
    throw new Error('its answer holds no time');
  } catch (error) {
    throw new BulkheadError('VENUE_UNREACHABLE', `${restUrl} cannot be asked: ${errorText(error)}`, {
      hint: 'Start "bulkhead exchange", or name its address with venue.restUrl. It is tried again.',
      cause: error,
    });
  }
}

function read(url: URL): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { signal: AbortSignal.timeout(DEADLINE_MS) }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('error', reject).on('end', () => {
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`it answered ${response.statusCode}`));
      });
    });
    request.on('error', reject);
  });
}
