/** A thread that runs one configuration after the other over the recording that it opened once. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Config } from '../../config/schema.ts';
import { defined } from '../../core/assert.ts';
import { systemTime } from '../../core/clock.ts';
import { BulkheadError, type ErrorCode, errorText } from '../../core/errors.ts';
import { type MarketWindow, openMarket } from '../compose/open-market.ts';
import { type RuleOutcome, runWithRules } from './rule-run.ts';

export interface RuleWorkerInput {
  readonly config: Config;
  readonly cwd: string;
  readonly window: MarketWindow;
}

export interface RuleTask {
  readonly id: number;
  readonly config: Config;
}

export type RuleAnswer =
  | { readonly id: number; readonly outcome: RuleOutcome }
  | { readonly id: number; readonly code: ErrorCode; readonly message: string; readonly hint: string };

const port = defined(parentPort, 'a thread has a parent');
const { config, cwd, window } = workerData as RuleWorkerInput;
const opened = openMarket(config, cwd, undefined, window);

port.on('message', async (task: RuleTask) => {
  port.postMessage(await answer(task));
});

async function answer({ id, config: wanted }: RuleTask): Promise<RuleAnswer> {
  try {
    const { market } = await opened;
    return { id, outcome: await runWithRules(wanted, market, systemTime()) };
  } catch (error) {
    const known = error instanceof BulkheadError ? error : new BulkheadError('INTERNAL', errorText(error));
    return { id, code: known.code, message: known.message, hint: known.hint ?? '' };
  }
}
