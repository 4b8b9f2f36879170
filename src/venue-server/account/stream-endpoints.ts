/** Listen keys: one for an account, an hour long, extended by asking again. */
import type { Json } from '../../core/json.ts';
import { WireError } from '../protocol.ts';
import type { Context, Route } from './context.ts';

const open = ({ account, at }: Context): Json => ({ listenKey: account.openListenKey(at) });

function extend({ account, at }: Context): Json {
  if (!account.hasListenKey(at)) throw new WireError(-1125, 'This listenKey does not exist.');
  return { listenKey: account.openListenKey(at) };
}

function close({ account, at }: Context): Json {
  account.closeListenKey(at, false);
  return {};
}

const base = { security: 'key', changes: true, weight: 1, path: '/fapi/v1/listenKey' } as const;

export const STREAM_ROUTES: readonly Route[] = [
  { ...base, method: 'POST', handle: open },
  { ...base, method: 'PUT', handle: extend },
  { ...base, method: 'DELETE', handle: close },
];
