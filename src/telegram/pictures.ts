/**
 * Draws pictures beside the runtime. Invariants: the thread starts with the first picture and ends with `close`; a
 * picture that is not there in time, or a thread that died, is a missing picture and nothing worse.
 */
import { Worker } from 'node:worker_threads';
import type { Time } from '../core/clock.ts';
import { errorText } from '../core/errors.ts';
import type { PictureAnswer, PictureRequest } from './svg-worker.ts';

const TIMEOUT_MS = 15_000;
const WORKER = new URL('./svg-worker.ts', import.meta.url);

export class Pictures {
  readonly #time: Time;
  readonly #waiting = new Map<number, { resolve(png: Uint8Array): void; reject(error: Error): void }>();
  #worker: Worker | undefined;
  #nextId = 1;

  constructor(time: Time) {
    this.#time = time;
  }

  /** PNG; rejects when it cannot be drawn in time. */
  draw(svg: string): Promise<Uint8Array> {
    const id = this.#nextId++;
    const worker = this.#start();
    return new Promise((resolve, reject) => {
      const timer = this.#time.timers.set(TIMEOUT_MS, () => {
        this.#settle(id)?.reject(new Error('the picture took too long'));
        this.#end(worker);
      });
      const done =
        <T>(finish: (value: T) => void) =>
        (value: T): void => {
          timer.cancel();
          finish(value);
        };
      this.#waiting.set(id, { resolve: done(resolve), reject: done(reject) });
      worker.postMessage({ id, svg } satisfies PictureRequest);
    });
  }

  close(): void {
    if (this.#worker) this.#end(this.#worker);
  }

  #start(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(WORKER);
    // A picture must not keep a process alive that has nothing else to do.
    worker.unref();
    worker.on('message', (answer: PictureAnswer) => {
      const waiting = this.#settle(answer.id);
      if ('png' in answer) waiting?.resolve(answer.png);
      else waiting?.reject(new Error(answer.failed));
    });
    worker.on('error', (error) => this.#end(worker, errorText(error)));
    this.#worker = worker;
    return worker;
  }

  #settle(id: number) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  /** Whatever it was drawing is lost; the next picture starts another thread. */
  #end(worker: Worker, reason = 'the drawing ended'): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(new Error(reason));
    void worker.terminate();
  }
}
