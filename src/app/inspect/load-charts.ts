/**
 * Modules loaded afresh, in a thread of their own that ends with it: what an author wrote can fail, hang or leave things
 * behind there, and a thread reads every file anew.
 */
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Timers } from '../../core/clock.ts';
import { errorText } from '../../core/errors.ts';
import type { Loaded } from './charts-in.ts';

const TIMEOUT_MS = 60_000;

export function loadCharts(modules: readonly string[], timers: Timers): Promise<Loaded> {
  const worker = new Worker(new URL('./load-worker.ts', import.meta.url), {
    workerData: modules.map((module) => pathToFileURL(module).href),
  });
  const { promise, resolve } = Promise.withResolvers<Loaded>();
  const fail = (error: string): void => resolve({ charts: [], error, files: [] });
  const limit = timers.set(TIMEOUT_MS, () => fail(`Loading took longer than ${TIMEOUT_MS / 1000} s.`));
  worker.once('message', resolve);
  worker.once('error', (error) => fail(errorText(error)));
  worker.once('exit', () => fail('The module ended the thread that loaded it.'));
  return promise.finally(() => {
    limit.cancel();
    void worker.terminate();
  });
}
