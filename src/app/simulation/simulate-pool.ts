/** Seeds over the machine's cores: each worker takes the next one, so that a long one holds nobody up. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { errorText } from '../../core/errors.ts';
import type { Answer, Job } from './job.ts';

/** A world makes much that is soon nobody's: with room for it less is taken for old that is not. */
const resourceLimits = { maxYoungGenerationSizeMb: 96 };

/** Gives each answer as it comes. */
export async function simulateAll(
  jobs: Iterable<Job>,
  workers: number | undefined,
  onAnswer: (answer: Answer, job: Job) => void,
): Promise<void> {
  const count = workers ?? availableParallelism();
  const next = jobs[Symbol.iterator]();
  await Promise.all(Array.from({ length: count }, () => work(next, onAnswer)));
}

function work(jobs: Iterator<Job>, onAnswer: (answer: Answer, job: Job) => void): Promise<void> {
  return new Promise((resolve) => {
    const first = jobs.next();
    if (first.done === true) {
      resolve();
      return;
    }
    const worker = new Worker(new URL('./simulate-worker.ts', import.meta.url), { resourceLimits });
    let job = first.value;
    const give = ({ value, done }: IteratorResult<Job, unknown> = jobs.next()): void => {
      if (done === true) {
        void worker.terminate().then(() => resolve());
        return;
      }
      job = value;
      worker.postMessage(value);
    };
    worker.on('message', (answer: Answer) => {
      onAnswer(answer, job);
      give();
    });
    // A world may take its whole thread with it: the others go on in a new one.
    worker.on('error', (error) => {
      onAnswer({ seed: job.seed, error: errorText(error) }, job);
      resolve(work(jobs, onAnswer));
    });
    give(first);
  });
}
