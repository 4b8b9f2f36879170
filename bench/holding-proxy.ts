/** A TCP proxy on loopback that can hold back what the server says, and then let all of it go at once: a burst. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

interface Line {
  readonly client: Socket;
  held: Buffer[];
}

export class HoldingProxy {
  readonly #server: Server;
  readonly #lines = new Set<Line>();
  #holding = false;

  constructor(targetPort: number) {
    this.#server = createServer((client) => {
      const upstream = connect(targetPort, '127.0.0.1');
      const line: Line = { client, held: [] };
      this.#lines.add(line);
      client.pipe(upstream);
      upstream.on('data', (chunk: Buffer) => {
        if (this.#holding) line.held.push(chunk);
        else client.write(chunk);
      });
      const end = (): void => {
        this.#lines.delete(line);
        client.destroy();
        upstream.destroy();
      };
      for (const socket of [client, upstream]) socket.setNoDelay(true).on('error', end).on('close', end);
    });
  }

  async open(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  hold(): void {
    this.#holding = true;
  }

  /** Resolves with the bytes that were held once the client's side has taken them. */
  async release(): Promise<number> {
    this.#holding = false;
    let bytes = 0;
    const written: Promise<void>[] = [];
    for (const line of this.#lines) {
      const held = Buffer.concat(line.held.splice(0));
      bytes += held.length;
      if (held.length > 0) written.push(new Promise((resolve) => line.client.write(held, () => resolve())));
    }
    await Promise.all(written);
    return bytes;
  }

  close(): void {
    this.#server.close();
    for (const { client } of this.#lines) client.destroy();
  }
}
