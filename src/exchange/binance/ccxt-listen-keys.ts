/** Listen keys of the private stream, asked for with the API key alone. */
import type { VenueCaller } from './ccxt-caller.ts';
import { asRow, text } from './ccxt-rows.ts';
import type { ListenKeys } from './socket-user-stream.ts';

/** The venue gives the key that is alive, or a new one; all of it unsigned, by the API key alone. */
export function listenKeys(caller: VenueCaller): ListenKeys {
  return {
    create: async () =>
      text(asRow(await caller.act('createListenKey', {}, { lane: 'resolve' }), 'listen key'), 'listenKey'),
    renew: async (key) => {
      await caller.act('renewListenKey', { listenKey: key }, { lane: 'resolve' });
    },
    close: async (key) => {
      await caller.act('closeListenKey', { listenKey: key }, { lane: 'resolve' });
    },
  };
}
