/** Where the real market data lies, for tests that need it: BULKHEAD_DATA, else ../shared/data beside the repository. */
import { existsSync } from 'node:fs';
import path from 'node:path';

export function sharedData(): string | undefined {
  const folder = process.env.BULKHEAD_DATA ?? path.join(import.meta.dirname, '../../../shared/data');
  return existsSync(folder) ? folder : undefined;
}
