/**
 * A connection to PostgreSQL that can be cut at the worst moments: before a statement arrives, or after it took
 * effect and before its answer is back.
 */
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { makeTempDir, removeTempDir } from './temp.ts';

export type Cut = 'before' | 'after';

export class PostgresProxy {
  readonly #target: net.NetConnectOpts;
  readonly #dir = makeTempDir('proxy');
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  /** Cuts at the next client bytes that contain this text. */
  #plan: { cut: Cut; text: string } | undefined;
  #cuts = 0;

  constructor(url: string) {
    const target = new URL(url);
    const socketDir = target.searchParams.get('host');
    const port = target.port === '' ? 5432 : Number(target.port);
    this.#target = socketDir
      ? { path: path.join(socketDir, `.s.PGSQL.${port}`) }
      : { host: target.hostname, port };
    this.#server = net.createServer((client) => this.#serve(client));
  }

  get cuts(): number {
    return this.#cuts;
  }

  /** The same database through the proxy. */
  async start(url: string): Promise<string> {
    this.#server.listen(path.join(this.#dir, '.s.PGSQL.5432'));
    await once(this.#server, 'listening');
    const proxied = new URL(url);
    proxied.hostname = 'localhost';
    proxied.port = '';
    proxied.searchParams.set('host', this.#dir);
    return proxied.href;
  }

  cutAt(cut: Cut, text: string): void {
    this.#plan = { cut, text };
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    removeTempDir(this.#dir);
  }

  #serve(client: net.Socket): void {
    const server = net.connect(this.#target);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    let swallow = false;
    server.on('data', (bytes) => {
      // The statement is done: the answer is here, and nobody will see it.
      if (swallow) client.destroy();
      else client.write(bytes);
    });
    client.on('data', (bytes) => {
      const plan = this.#plan;
      if (plan && bytes.includes(plan.text)) {
        this.#plan = undefined;
        this.#cuts += 1;
        if (plan.cut === 'before') {
          client.destroy();
          return;
        }
        swallow = true;
      }
      server.write(bytes);
    });
  }
}
