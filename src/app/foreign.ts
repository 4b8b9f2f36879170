/** `bulkhead adopt` and `bulkhead ignore`: a person's word on what somebody else opened at the venue. */
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { BulkheadError } from '../core/errors.ts';
import type { ForeignOptions, Io } from './io.ts';
import { leaveRequest } from './person-requests.ts';
import { isAlive } from './status.ts';
import { readStatus } from './status-file.ts';

export async function foreign(options: ForeignOptions, io: Io): Promise<number> {
  const { config, request, symbol, json } = options;
  const dataDir = resolve(io.cwd, config.data.dir);
  const status = readStatus(dataDir);
  if (status.mode === 'demo')
    throw new BulkheadError('USAGE', 'A demo has its venue to itself: nobody else opens positions there.', {
      hint: 'Name the data folder of a paper or live run with --data-dir.',
    });
  if (!status.market.symbols.includes(symbol))
    throw new BulkheadError('USAGE', `This run does not trade ${symbol}.`, {
      hint: `It trades ${status.market.symbols.slice(0, 20).join(', ')}.`,
    });
  leaveRequest(dataDir, { request, symbol, by: userInfo().username });
  const when = isAlive(status.pid) ? 'The run takes it up now' : 'The next start takes it up';
  const text = `${when}; bulkhead status shows what became of it.`;
  io.stdout.write(`${json ? JSON.stringify({ asked: request, symbol }) : text}\n`);
  return 0;
}
