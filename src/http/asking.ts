/** What every server of ours reads of a request before anything else, and how it begins and ends to listen. */
import type { IncomingMessage, Server } from 'node:http';
import { text } from './answers.ts';
import type { Asked } from './guard.ts';

/** Undefined where the target is no address. */
export function addressOf({ url: target = '/' }: IncomingMessage): URL | undefined {
  return URL.canParse(target, 'http://self') ? new URL(target, 'http://self') : undefined;
}

export const askedOf = ({ headers, socket }: IncomingMessage): Asked => ({
  remote: socket.remoteAddress ?? '',
  host: headers.host,
  origin: headers.origin,
  fetchSite: text(headers['sec-fetch-site']),
  isForwarded: headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined,
  authorization: headers.authorization,
  contentType: headers['content-type'],
});

/** Rejects with what keeps it from listening. */
export function listenOn(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Whoever is still connected is cut off. */
export async function closeNow(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
