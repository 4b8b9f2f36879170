/** OKX's v5 sockets on loopback: each argument is answered by itself, "ping" with "pong"; frames come from the test. */
import type { TestContext } from 'node:test';
import { type ServerConnection, type SocketServer, socketServer } from './socket-server.ts';

export interface OkxServer extends SocketServer {
  /** Every request, as "op channel instId". */
  readonly requests: readonly string[];
  pings(): number;
  /** To the connections that subscribed to its channel and instrument. */
  push(...frames: readonly OkxFrame[]): void;
}

export interface OkxFrame {
  readonly arg: { readonly channel: string; readonly instId: string };
}

export async function okxServer(t: TestContext): Promise<OkxServer> {
  const listeners = new Map<string, ServerConnection>();
  const requests: string[] = [];
  let pings = 0;
  const answer = (connection: ServerConnection, text: string): void => {
    if (text === 'ping') {
      pings++;
      connection.send('pong');
      return;
    }
    const { op, args } = JSON.parse(text) as { op: string; args: OkxFrame['arg'][] };
    for (const arg of args) {
      const name = `${arg.channel} ${arg.instId}`;
      requests.push(`${op} ${name}`);
      if (op === 'subscribe') listeners.set(name, connection);
      else listeners.delete(name);
      if (arg.instId.startsWith('NOSUCH'))
        connection.send({
          event: 'error',
          code: '60018',
          msg: `The instrument ${arg.instId} does not exist.`,
        });
      else connection.send({ event: op, arg, connId: 'c' });
    }
  };
  const server = await socketServer(t, { onText: answer });
  return {
    ...server,
    requests,
    pings: () => pings,
    push: (...frames) => {
      for (const frame of frames) {
        const name = `${frame.arg.channel} ${frame.arg.instId}`;
        const listener = listeners.get(name);
        if (!listener) throw new Error(`nobody listens to ${name}`);
        listener.send(frame);
      }
    },
  };
}
