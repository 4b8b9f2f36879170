/** The official client, pointed at a venue on this machine. Its clock is the process's own: tests set it. */
import { DerivativesTradingUsdsFutures } from '@binance/derivatives-trading-usds-futures';
import { DEMO_API_KEY, DEMO_API_SECRET } from '../../../src/venue-server/demo-account.ts';
import type { ConformanceVenue } from './conformance-venue.ts';

export type RestApi = DerivativesTradingUsdsFutures['restAPI'];

export function openSdk(venue: ConformanceVenue): DerivativesTradingUsdsFutures {
  return new DerivativesTradingUsdsFutures({
    configurationRestAPI: {
      apiKey: DEMO_API_KEY,
      apiSecret: DEMO_API_SECRET,
      basePath: venue.url,
      // A refusal that is worth another try elsewhere is what is looked for here.
      retries: 0,
    },
    configurationWebsocketStreams: { wsURL: venue.url.replace('http', 'ws'), reconnectDelay: 100 },
  });
}
