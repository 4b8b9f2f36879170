/** Starts the exchange of exchange-child.ts and asks it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ExchangeOptions } from '../src/app/exchange/exchange-flags.ts';
import type { ExchangeAnswer, ExchangeQuestion } from './exchange-child.ts';

const CHILD = fileURLToPath(new URL('./exchange-child.ts', import.meta.url));

/** Made-up symbols of the made-up market; a price is fixed by the name. */
export const symbolNames = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `S${String(index).padStart(4, '0')}USDT`);

export class BenchExchange {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: ExchangeAnswer) => void>();
  #asked = 0;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    child.on('message', (answer: ExchangeAnswer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  static async start(options: Partial<ExchangeOptions>): Promise<BenchExchange> {
    const execArgv = [...process.execArgv.filter((flag) => !flag.startsWith('--cpu-prof')), '--expose-gc'];
    if (process.env.BENCH_PROFILE) execArgv.push('--cpu-prof', `--cpu-prof-dir=${process.env.BENCH_PROFILE}`);
    const child = fork(CHILD, [JSON.stringify(options)], { execArgv });
    process.once('exit', () => child.kill('SIGKILL'));
    const ready = once(child, 'message') as Promise<[{ port: number }]>;
    const died = once(child, 'exit').then(([code]) => {
      throw new Error(`the exchange ended with ${String(code)}`);
    });
    const [{ port }] = await Promise.race([ready, died]);
    died.catch(() => {});
    return new BenchExchange(child, port);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  ask(ask: ExchangeQuestion['ask']): Promise<ExchangeAnswer> {
    const id = ++this.#asked;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.send({ id, ask } satisfies ExchangeQuestion);
    });
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }
}
