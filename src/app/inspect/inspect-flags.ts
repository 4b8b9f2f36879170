/** The flags of `bulkhead inspect` as its options. */
import { type ParsedCommand, usage } from '../cli/cli-parse.ts';
import type { InspectOptions } from '../cli/io.ts';

const PORT = 8_790;
const LARGEST_PORT = 65_535;

export function inspectOptions({ args, flags }: ParsedCommand): InspectOptions {
  const value = flags.get('port');
  const port = typeof value === 'string' ? Number(value) : PORT;
  if (!Number.isInteger(port) || port < 0 || port > LARGEST_PORT)
    throw usage(`--port ${String(value)} is no port.`, `Give a whole number from 0 to ${LARGEST_PORT}.`);
  return { modules: args, port, json: flags.has('json') };
}
