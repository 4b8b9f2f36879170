/** A websocket client that keeps what it hears; tests wait for frames, never for time. */
import { WebSocket } from 'ws';

const LIMIT_MS = 20_000;

export class TestSocket {
  readonly frames: Record<string, unknown>[] = [];
  readonly #ws: WebSocket;
  readonly #watchers = new Set<() => void>();
  readonly closed: Promise<number>;
  pings = 0;
  readonly #opened: Promise<void>;

  constructor(url: string, options: { readonly autoPong?: boolean } = {}) {
    this.#ws = new WebSocket(url.replace(/^http/, 'ws'), options);
    this.#ws.on('message', (data) => {
      this.frames.push(JSON.parse(String(data)) as Record<string, unknown>);
      this.#changed();
    });
    this.#ws.on('ping', () => {
      this.pings++;
      this.#changed();
    });
    this.closed = new Promise((resolve) => this.#ws.on('close', (code) => resolve(code)));
    this.#ws.on('error', () => {});
    this.#opened = new Promise((resolve, reject) => {
      this.#ws.on('open', () => resolve());
      this.#ws.on('error', reject);
    });
    this.#opened.catch(() => {});
  }

  static async open(
    t: { after(fn: () => void): void },
    url: string,
    options: { readonly autoPong?: boolean } = {},
  ): Promise<TestSocket> {
    const socket = new TestSocket(url, options);
    t.after(() => socket.terminate());
    await socket.#opened;
    return socket;
  }

  say(value: unknown): void {
    this.#ws.send(typeof value === 'string' ? value : JSON.stringify(value));
  }

  ping(): Promise<void> {
    this.#ws.ping();
    return new Promise((resolve) => this.#ws.once('pong', () => resolve()));
  }

  pause(): void {
    this.#ws.pause();
  }

  terminate(): void {
    this.#ws.terminate();
  }

  /** Asks and waits for the answer with its id. */
  async ask(method: string, params: unknown[], id: number | string): Promise<Record<string, unknown>> {
    this.say({ method, params, id });
    return this.frame((frame) => frame.id === id);
  }

  frame(wanted: (frame: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    return this.until(() => this.frames.find(wanted));
  }

  until<T>(look: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => {
        this.#watchers.delete(check);
        reject(new Error(`not heard in ${LIMIT_MS} ms; heard ${JSON.stringify(this.frames).slice(0, 800)}`));
      }, LIMIT_MS);
      const check = (): void => {
        const found = look();
        if (found === undefined) return;
        clearTimeout(limit);
        this.#watchers.delete(check);
        resolve(found);
      };
      this.#watchers.add(check);
      check();
    });
  }

  #changed(): void {
    for (const watch of [...this.#watchers]) watch();
  }
}
