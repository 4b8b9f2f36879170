/** The barest client of the venue there can be: one kept connection, a signature, JSON. What adapters are measured against. */
import { createHmac } from 'node:crypto';
import { Agent, request } from 'node:http';
import { DEMO_API_KEY, DEMO_API_SECRET } from '../src/venue-server/demo-account.ts';

export type Params = Readonly<Record<string, string | number>>;

export class SignedClient {
  readonly #port: number;
  readonly #agent: Agent;
  readonly #now: () => number;

  constructor(port: number, now: () => number = Date.now, sockets = 8) {
    this.#port = port;
    this.#now = now;
    this.#agent = new Agent({ keepAlive: true, maxSockets: sockets });
  }

  /** Throws at anything but 200. */
  send(method: string, path: string, params: Params = {}): Promise<unknown> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(params)) query.set(name, String(value));
    query.set('recvWindow', '60000');
    query.set('timestamp', String(this.#now()));
    const text = query.toString();
    const signature = createHmac('sha256', DEMO_API_SECRET).update(text).digest('hex');
    return this.#carry(method, `${path}?${text}&signature=${signature}`);
  }

  get(path: string): Promise<unknown> {
    return this.#carry('GET', path);
  }

  close(): void {
    this.#agent.destroy();
  }

  #carry(method: string, path: string): Promise<unknown> {
    const options = {
      host: '127.0.0.1',
      port: this.#port,
      method,
      path,
      agent: this.#agent,
      headers: { 'X-MBX-APIKEY': DEMO_API_KEY },
    };
    return new Promise((resolve, reject) => {
      const sent = request(options, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('error', reject).on('end', () => {
          if (response.statusCode === 200) resolve(JSON.parse(body));
          else reject(new Error(`${method} ${path.split('?')[0]}: ${response.statusCode} ${body}`));
        });
      });
      sent.on('error', reject).end();
    });
  }
}
