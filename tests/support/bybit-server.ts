/** Bybit's public v5 socket on loopback: subscriptions, pings and the words of both; frames come from the test. */
import type { TestContext } from 'node:test';
import { type ServerConnection, type SocketServer, socketServer } from './socket-server.ts';

export interface BybitServer extends SocketServer {
  /** Topics subscribed to and not unsubscribed from, of all connections. */
  readonly topics: ReadonlySet<string>;
  /** Every request, as "op topic". */
  readonly requests: readonly string[];
  pings(): number;
  /** To whoever subscribed to its topic. */
  push(...frames: readonly { readonly topic: string }[]): void;
}

export async function bybitServer(t: TestContext): Promise<BybitServer> {
  const topics = new Set<string>();
  const requests: string[] = [];
  let pings = 0;
  const answer = (connection: ServerConnection, text: string): void => {
    const { op, args = [] } = JSON.parse(text) as { op: string; args?: string[] };
    const said = { success: true, ret_msg: '', conn_id: 'c', req_id: '', op };
    if (op === 'ping') {
      pings++;
      connection.send({ ...said, ret_msg: 'pong' });
      return;
    }
    for (const topic of args) {
      requests.push(`${op} ${topic}`);
      if (op === 'subscribe') topics.add(topic);
      else topics.delete(topic);
    }
    if (args.some((topic) => topic.endsWith('.NOSUCHUSDT')))
      connection.send({ ...said, success: false, ret_msg: 'error:handler not found,topic:NOSUCHUSDT' });
    else connection.send(said);
  };
  const server = await socketServer(t, { onText: answer });
  return {
    ...server,
    topics,
    requests,
    pings: () => pings,
    push: (...frames) => {
      for (const frame of frames) {
        if (!topics.has(frame.topic)) throw new Error(`nobody listens to ${frame.topic}`);
        for (const connection of server.open()) connection.send(frame);
      }
    },
  };
}
