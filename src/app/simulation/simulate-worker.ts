/** One worker of `bulkhead simulate`: a seed in, its report out. */
import { parentPort } from 'node:worker_threads';
import { errorText } from '../../core/errors.ts';
import { simulateTimed } from '../compose/compose-simulation.ts';
import type { Answer, Job } from './job.ts';

parentPort?.on('message', (job: Job) => {
  simulateTimed(job).then(
    (answer) => parentPort?.postMessage(answer satisfies Answer),
    (error) => parentPort?.postMessage({ seed: job.seed, error: errorText(error) } satisfies Answer),
  );
});
