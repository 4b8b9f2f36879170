/**
 * The embedded engine seen from the runtime's thread: takes the folder's lock, starts the engine's thread,
 * hands out connections to it, and starts it again if it dies.
 *
 * Invariant: no connection before the probe has shown that commits reach the disk; after a failed flush the
 * engine is not started again, for the page cache may then lie about what is on the disk.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { BulkheadError, errorText } from '../core/errors.ts';
import { type FolderLock, lockFolder } from './pglite-lock.ts';
import { prepareFolder } from './pglite-template.ts';
import type { FromWorker, ToWorker, WorkerInput } from './pglite-worker.ts';

const WORKER = new URL('./pglite-worker.ts', import.meta.url);

interface Running {
  readonly worker: Worker;
  readonly probeFlushes: number;
  readonly exited: Promise<void>;
}

export class PgliteServer {
  readonly #input: WorkerInput;
  #lock: FolderLock | undefined;
  #running: Promise<Running> | undefined;
  #broken: BulkheadError | undefined;

  constructor(input: WorkerInput) {
    this.#input = input;
  }

  /** Starts what is not started and returns how many flushes the probe's commit took. */
  async start(): Promise<number> {
    return (await this.#engine()).probeFlushes;
  }

  async connect(): Promise<MessagePort> {
    const { worker } = await this.#engine();
    const { port1, port2 } = new MessageChannel();
    send(worker, { type: 'connect', port: port2 }, [port2]);
    return port1;
  }

  async kill(): Promise<void> {
    const running = await this.#running;
    await running?.worker.terminate();
    await running?.exited;
  }

  /** Ends the engine with a checkpoint and gives the folder free. */
  async stop(): Promise<void> {
    const running = await this.#running?.catch(() => undefined);
    if (running) {
      running.worker.ref();
      send(running.worker, { type: 'close' }, []);
      await running.exited;
    }
    this.#lock?.release();
    this.#lock = undefined;
  }

  #engine(): Promise<Running> {
    if (this.#broken) return Promise.reject(this.#broken);
    this.#running ??= this.#launch().catch((error: unknown) => {
      this.#running = undefined;
      throw error;
    });
    return this.#running;
  }

  async #launch(): Promise<Running> {
    makeParent(this.#input.dir);
    // The lock comes first: preparing the folder already writes to it.
    this.#lock ??= lockFolder(this.#input.dir);
    try {
      await prepareFolder(this.#input.dir);
      return await this.#spawn();
    } catch (error) {
      this.#lock.release();
      this.#lock = undefined;
      throw error;
    }
  }

  #spawn(): Promise<Running> {
    return new Promise((resolve, reject) => {
      const worker = new Worker(WORKER, { workerData: this.#input });
      const exited = new Promise<void>((done) => {
        worker.once('exit', () => {
          this.#running = undefined;
          reject(engineEnded('it ended while starting'));
          done();
        });
      });
      worker.on('error', (error) => reject(engineEnded(error.message)));
      worker.on('message', (message: FromWorker) => {
        if (message.type === 'ready') {
          worker.unref();
          resolve({ worker, probeFlushes: message.probeFlushes, exited });
        } else if (message.type === 'fatal') {
          const error = engineEnded(message.message);
          if (message.flushFailed) this.#broken = flushFailed(message.message);
          reject(error);
        }
      });
    });
  }
}

function send(worker: Worker, message: ToWorker, transfer: MessagePort[]): void {
  worker.postMessage(message, transfer);
}

function engineEnded(reason: string): BulkheadError {
  return new BulkheadError('STORE_UNAVAILABLE', `The embedded database ended: ${reason}.`, {
    hint: 'It is started again by itself and recovers from its log; look for a full or failing disk.',
  });
}

function flushFailed(reason: string): BulkheadError {
  return new BulkheadError('STORE_UNAVAILABLE', `The disk refused to make data durable: ${reason}.`, {
    hint: 'Check the disk, then start Bulkhead again: it recovers from what truly reached the disk.',
  });
}

function makeParent(dir: string): void {
  try {
    mkdirSync(path.dirname(dir), { recursive: true });
  } catch (error) {
    throw new BulkheadError('CANNOT_WRITE', `The store cannot be created in ${dir}: ${errorText(error)}.`, {
      hint: 'Give the user who runs Bulkhead write access there, or name another folder with --data-dir.',
      cause: error,
    });
  }
}
