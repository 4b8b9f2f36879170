/** Runs configurations over one recording in several threads at once; outcomes come in the order of the tasks. */
import { Worker } from 'node:worker_threads';
import type { Config } from '../../config/schema.ts';
import { BulkheadError } from '../../core/errors.ts';
import type { RuleOutcome } from './rule-run.ts';
import type { RuleAnswer, RuleTask, RuleWorkerInput } from './rule-worker.ts';

const WORKER = new URL('./rule-worker.ts', import.meta.url);

export async function runAll(
  input: RuleWorkerInput,
  configs: readonly Config[],
  jobs: number,
  onDone: (done: number) => void,
): Promise<readonly RuleOutcome[]> {
  const outcomes: RuleOutcome[] = [];
  const waiting: RuleTask[] = configs.map((config, id) => ({ id, config }));
  let done = 0;
  const work = async (): Promise<void> => {
    const worker = new Worker(WORKER, { workerData: input });
    try {
      for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
        outcomes[task.id] = await ask(worker, task);
        done += 1;
        onDone(done);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, configs.length) }, work));
  return outcomes;
}

function ask(worker: Worker, task: RuleTask): Promise<RuleOutcome> {
  return new Promise((resolve, reject) => {
    const over = (settle: () => void): void => {
      worker.off('message', heard);
      worker.off('error', reject);
      worker.off('exit', gone);
      settle();
    };
    const heard = (answer: RuleAnswer): void =>
      over(() =>
        'outcome' in answer
          ? resolve(answer.outcome)
          : reject(new BulkheadError(answer.code, answer.message, { hint: answer.hint })),
      );
    const gone = (code: number): void =>
      over(() => reject(new BulkheadError('INTERNAL', `a thread ended by itself with code ${code}`)));
    worker.on('message', heard);
    worker.on('error', reject);
    worker.on('exit', gone);
    worker.postMessage(task);
  });
}
