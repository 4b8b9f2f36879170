/**
 * The thread of load-charts.ts: loads modules afresh, gives the charts of what they export, and names every file that
 * was read on the way, also where the loading fails.
 */
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { errorText } from '../../core/errors.ts';
import { chartsIn, type Loaded } from './charts-in.ts';

const modules = workerData as readonly string[];
const files = new Set<string>();

registerHooks({
  load(url, context, next) {
    if (url.startsWith('file:') && !url.includes('/node_modules/')) files.add(fileURLToPath(url));
    return next(url, context);
  },
});

async function load(): Promise<Loaded> {
  try {
    const found = [];
    for (const module of modules) found.push(...chartsIn((await import(module)) as object));
    // One that is exported twice, or by two modules, is one.
    const charts = [...new Map(found.map((chart) => [chart.type, chart])).values()];
    const error =
      charts.length > 0 ? null : 'Nothing here is a statechart: export a machine, or its definition.';
    return { charts, error, files: [...files] };
  } catch (error) {
    const told = error instanceof Error ? (error.stack ?? error.message) : errorText(error);
    return { charts: [], error: told, files: [...files] };
  }
}

parentPort?.postMessage(await load());
