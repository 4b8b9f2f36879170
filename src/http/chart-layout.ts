/**
 * Where the boxes and arrows of a statechart lie: laid out by elkjs in a thread of its own, once for each version
 * of a machine, so that nobody who looks at a chart slows what trades.
 *
 * Invariants: the same drawing has the same layout; a layout that fails is tried again when it is next asked for;
 * one thread at a time, and none when nobody asks.
 */
import { Worker } from 'node:worker_threads';
import type { ChartDrawing, ChartLayout } from '../operator/chart-drawing.ts';

const TIMEOUT_MS = 30_000;

export class ChartLayouts {
  readonly #made = new Map<string, Promise<ChartLayout>>();
  #last: Promise<unknown> = Promise.resolve();

  /** @param key names the machine and its version. */
  of(key: string, drawing: ChartDrawing): Promise<ChartLayout> {
    const known = this.#made.get(key);
    if (known) return known;
    const made = this.#last.then(() => layOut(drawing));
    this.#made.set(key, made);
    this.#last = made.catch(() => this.#made.delete(key));
    return made;
  }
}

function layOut(drawing: ChartDrawing): Promise<ChartLayout> {
  const worker = new Worker(new URL('./chart-layout-worker.ts', import.meta.url), { workerData: drawing });
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  return new Promise<ChartLayout>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the layout ended without a result')));
    limit.addEventListener('abort', () => reject(new Error('the layout took too long')));
  }).finally(() => void worker.terminate());
}
