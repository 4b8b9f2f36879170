/** A real WebSocket server on loopback, with every connection and everything said on it kept for the test to look at. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';

export interface ServerConnection {
  /** Path and query of the dial. */
  readonly path: string;
  readonly socket: WebSocket;
  /** Texts received. */
  readonly said: string[];
  /** Pings received. */
  pings: number;
  send(...frames: readonly (string | object)[]): void;
}

export interface SocketServer {
  /** ws://127.0.0.1:PORT */
  readonly url: string;
  readonly connections: readonly ServerConnection[];
  /** Those still open. */
  open(): readonly ServerConnection[];
  /** The connection of this number, counted from 0 since the start. */
  connection(index: number): Promise<ServerConnection>;
  /** Resolves when the condition holds; it is looked at after everything that happens on a socket. */
  until(condition: () => unknown): Promise<void>;
  /** Tells waiters to look again: for what happens at the client. */
  changed(): void;
}

export interface SocketServerOptions {
  /** Called with every text received. */
  readonly onText?: (connection: ServerConnection, text: string) => void;
  readonly onConnection?: (connection: ServerConnection) => void;
  /** Pings are not answered: the peer looks dead. */
  readonly mute?: boolean;
  /** Refuses a dial with this HTTP status. */
  readonly refuse?: () => boolean;
}

export async function socketServer(t: TestContext, options: SocketServerOptions = {}): Promise<SocketServer> {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    autoPong: options.mute !== true,
    verifyClient: () => options.refuse?.() !== true,
  });
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  const connections: ServerConnection[] = [];
  const waiting = new Set<() => void>();
  const changed = (): void => {
    for (const look of waiting) look();
  };
  const until = (condition: () => unknown): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        let holds: unknown;
        try {
          holds = condition();
        } catch (error) {
          waiting.delete(look);
          reject(error);
          return;
        }
        if (!holds) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  server.on('connection', (socket, request) => {
    const connection: ServerConnection = {
      path: request.url ?? '',
      socket,
      said: [],
      pings: 0,
      send: (...frames) => {
        for (const frame of frames) socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
      },
    };
    connections.push(connection);
    socket.on('message', (data) => {
      const text = String(data);
      connection.said.push(text);
      options.onText?.(connection, text);
      changed();
    });
    socket.on('ping', () => {
      connection.pings++;
      changed();
    });
    socket.on('close', changed);
    socket.on('error', () => {});
    options.onConnection?.(connection);
    changed();
  });
  t.after(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  return {
    url: `ws://127.0.0.1:${address.port}`,
    connections,
    open: () => connections.filter(({ socket }) => socket.readyState === socket.OPEN),
    connection: async (index) => {
      await until(() => connections.length > index);
      return connections[index] as ServerConnection;
    },
    until,
    changed,
  };
}
