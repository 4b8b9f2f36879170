/**
 * ccxt.pro's binanceusdm, pointed at a venue on this machine and otherwise as it comes: its own signing, parsing and
 * sockets. Three things are set right that depend on Binance's address or on its time (and are ccxt's affair, not
 * the venue's): the table of error codes, the clock that requests are stamped with, and the loss of HTTP status.
 */
import type { pro } from 'ccxt';
import { DEMO_API_KEY, DEMO_API_SECRET } from '../../../src/venue-server/demo-account.ts';
import type { ConformanceVenue } from './conformance-venue.ts';

type Ccxt = InstanceType<typeof pro.binanceusdm>;
type Frame = Readonly<Record<string, unknown>>;

const module = (await import(new URL('src/pro/binanceusdm.js', import.meta.resolve('ccxt')).href)) as {
  default: typeof pro.binanceusdm;
};

export interface Heard {
  readonly url: string;
  readonly frame: Frame;
}

export interface CcxtClient extends Ccxt {
  /** Every frame of every socket, before ccxt makes anything of it. */
  readonly heard: Heard[];
}

export async function openCcxt(venue: ConformanceVenue, options: object = {}): Promise<CcxtClient> {
  class Client extends module.default {
    heard: Heard[] = [];

    override nonce(): number {
      return venue.at;
    }

    // ccxt chooses its table by the beginning of the URL; on loopback it would choose none.
    override getExceptionsByUrl(_url: string, key: string): object {
      return super.getExceptionsByUrl('https://fapi.binance.com/', key) as object;
    }

    // Its refresh of the listen key, twenty minutes on, would keep the process alive for as long.
    override delay(ms: number, method: (...args: unknown[]) => unknown, ...args: unknown[]): void {
      setTimeout(() => void this.spawn(method, ...args), ms).unref();
    }

    override handleMessage(client: { url: string }, message: Frame): void {
      this.heard.push({ url: client.url, frame: structuredClone(message) });
      super.handleMessage(client as Parameters<Ccxt['handleMessage']>[0], message);
    }
  }
  const client = new Client({
    apiKey: DEMO_API_KEY,
    secret: DEMO_API_SECRET,
    enableRateLimit: false,
    options: {
      warnOnFetchOpenOrdersWithoutSymbol: false,
      // It starts a request that nobody waits for, and a socket that closes meanwhile would end the process.
      watchPositions: { fetchPositionsSnapshot: false, awaitPositionsSnapshot: false },
      ...options,
    },
  });
  redirect(client.urls.api as Record<string, unknown>, new URL(venue.url).host);
  await client.loadHttpProxyAgent();
  return client;
}

function redirect(urls: Record<string, unknown>, host: string): void {
  for (const [name, url] of Object.entries(urls)) {
    if (typeof url === 'string')
      urls[name] = url.replace(/^(http|ws)s?:\/\/[^/]+/, (_all, scheme: string) => `${scheme}://${host}`);
    else if (typeof url === 'object' && url !== null) redirect(url as Record<string, unknown>, host);
  }
}
