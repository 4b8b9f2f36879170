/** `bulkhead exchange` as a process of its own, and a client for it. */
import { createHmac } from 'node:crypto';
import { DEMO_API_KEY, DEMO_API_SECRET } from '../../src/venue-server/demo-account.ts';
import { CliProcess } from './cli-process.ts';

type Params = Readonly<Record<string, string>>;

export class ExchangeProcess {
  readonly process: CliProcess;
  readonly port: number;
  readonly adminPort: number;
  readonly recovered: number;

  constructor(process: CliProcess, ready: { port: number; adminPort: number; recovered: number }) {
    this.process = process;
    this.port = ready.port;
    this.adminPort = ready.adminPort;
    this.recovered = ready.recovered;
  }

  static async start(
    t: { after(fn: () => Promise<void>): void },
    flags: readonly string[],
    port = 0,
  ): Promise<ExchangeProcess> {
    const cli = new CliProcess(['exchange', '--json', '--port', String(port), ...flags]);
    t.after(() => cli.reap());
    const [line] = await cli.said(/^\{"ready":true.*\}\n/m);
    return new ExchangeProcess(
      cli,
      JSON.parse(line) as { port: number; adminPort: number; recovered: number },
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async get(path: string): Promise<unknown> {
    return (await fetch(`${this.url}${path}`)).json();
  }

  async now(): Promise<number> {
    return ((await this.get('/fapi/v1/time')) as { serverTime: number }).serverTime;
  }

  async signed(method: string, path: string, params: Params = {}, timestamp?: number) {
    const at = timestamp ?? (await this.now());
    const text = new URLSearchParams({ ...params, timestamp: String(at) }).toString();
    const signature = createHmac('sha256', DEMO_API_SECRET).update(text).digest('hex');
    const response = await fetch(`${this.url}${path}?${text}&signature=${signature}`, {
      method,
      headers: { 'X-MBX-APIKEY': DEMO_API_KEY },
    });
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  }

  async admin(method: string, path: string, body?: unknown, headers: Params = {}) {
    const response = await fetch(`http://127.0.0.1:${this.adminPort}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  }
}
