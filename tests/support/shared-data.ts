/** Where the real market data lies: BULKHEAD_DATA, or ../shared/data beside the checkout. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const BESIDE_CHECKOUT = fileURLToPath(new URL('../../../shared/data', import.meta.url));

/** Undefined where there is none: such tests skip, and in CI (REQUIRE_SERVICES=1) a skip is a failure. */
export function sharedData(): string | undefined {
  const folder = path.resolve(process.env.BULKHEAD_DATA ?? BESIDE_CHECKOUT);
  if (existsSync(folder)) return folder;
  if (process.env.REQUIRE_SERVICES === '1') {
    throw new Error(`No market data at ${folder}, and REQUIRE_SERVICES=1 forbids skipping.`);
  }
  return undefined;
}
