/** Loopback only: play money for this machine, with fixed keys, must not be reachable from anywhere else. */
import { BulkheadError } from '../../core/errors.ts';

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

export const isLoopback = (host: string): boolean => LOOPBACK.has(host.replace(/^\[|\]$/g, '').toLowerCase());

/** The address to bind, or a refusal. */
export function loopbackOnly(host: string): string {
  if (isLoopback(host)) return host === 'localhost' ? '127.0.0.1' : host.replace(/^\[|\]$/g, '');
  throw new BulkheadError(
    'CONFIG_INVALID',
    `The exchange does not listen on ${host}: it is for this machine only.`,
    {
      hint: 'Leave the address at 127.0.0.1. To reach it from elsewhere, forward the port through SSH.',
    },
  );
}

/** A page in a browser must not reach the admin through a name that it made point here. */
export function isOwnHost(hostHeader: string | undefined): boolean {
  if (hostHeader === undefined) return false;
  return isLoopback(hostHeader.replace(/:\d+$/, ''));
}

export function isOwnOrigin(origin: string | undefined): boolean {
  if (origin === undefined) return true;
  return URL.canParse(origin) && isLoopback(new URL(origin).hostname);
}
