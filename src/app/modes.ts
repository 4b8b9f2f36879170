/** What each mode needs before it may start. A mode that lacks something refuses, naming all of it at once. */
import { BulkheadError } from '../core/errors.ts';
import type { CommandOptions } from './io.ts';

export function checkMode({ config, secrets }: Pick<CommandOptions, 'config' | 'secrets'>): void {
  if (config.mode === 'demo') return;
  const missing: string[] = [];
  if (config.mode === 'live') {
    if (secrets.apiKey === undefined)
      missing.push('an API key of the venue: set BULKHEAD_API_KEY or BULKHEAD_API_KEY_FILE');
    if (secrets.apiSecret === undefined)
      missing.push('its secret: set BULKHEAD_API_SECRET or BULKHEAD_API_SECRET_FILE');
    missing.push('a connection to the venue: this version trades on its simulated venue only');
  }
  missing.push('a live market feed: this version reads recordings and generated markets only');
  throw new BulkheadError(
    'MODE_UNAVAILABLE',
    `Mode ${config.mode} cannot start. Missing:\n${missing.map((line) => `  - ${line}`).join('\n')}`,
    {
      hint: 'To trade a recording or a generated market on paper: --mode demo, with --recording PATH for a recording.',
    },
  );
}
