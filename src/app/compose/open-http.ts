/** Opens what the run serves over HTTP, from its configuration: the page's files, the token, the port. */
import { HttpServer } from '../../http/http-server.ts';
import { pageFile } from '../../http/page-files.ts';
import { GIVEN, httpToken, insistOnToken } from '../../http/token.ts';
import type { Feed } from '../../operator/feed.ts';
import type { Operator } from '../../operator/operator.ts';
import type { Views } from '../../operator/views.ts';
import type { Session } from '../run/run-session.ts';

export interface Served {
  readonly server: HttpServer;
  readonly url: string;
  /** Where the token of the controls is found. */
  readonly token: string;
}

/** Ports that are tried, from the configured one on. */
const PORTS = 10;

export async function openHttp(
  { options, folder, io, log, secrets }: Pick<Session, 'options' | 'folder' | 'io' | 'log' | 'secrets'>,
  seat: {
    readonly views: Views;
    readonly operator: Operator;
    readonly feed: Feed;
    metrics(): Promise<{ readonly type: string; readonly text: string }>;
  },
): Promise<Served> {
  const { token, source } = httpToken(folder.path, options.secrets.httpToken);
  let isGiven = false;
  const server = new HttpServer({
    ...options.config.http,
    token,
    views: seat.views,
    operator: seat.operator,
    feed: seat.feed,
    file: pageFile,
    metrics: () => seat.metrics(),
    time: io.time,
    log,
  });
  secrets.add({
    what: 'the token of the controls',
    names: ['httpToken'],
    take: ({ httpToken: next = token }) => {
      insistOnToken(next, GIVEN);
      server.changeToken(next);
      isGiven = true;
    },
  });
  const url = await server.listen(PORTS);
  const { port } = options.config.http;
  if (port !== 0 && !url.endsWith(`:${port}`)) log.warn(`port ${port} is taken`, { instead: url });
  return {
    ...{ server, url },
    get token() {
      return isGiven ? GIVEN : source;
    },
  };
}
