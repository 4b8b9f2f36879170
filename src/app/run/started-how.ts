/**
 * How a start came about, as its data folder tells: the folder's lock says that whoever wrote the status is gone.
 * 'crash': it went without a word; 'takeover': another one traded the account until now.
 */
import { isBulkheadError } from '../../core/errors.ts';
import { type RunState, readStatus } from '../status/status-file.ts';

export type StartedHow = 'first' | 'clean' | 'failed' | 'crash' | 'takeover';

/** States in which a process has the account. */
const TRADING: readonly RunState[] = ['recovering', 'connecting', 'running', 'stopping'];

/** Before this process writes a status of its own. */
export function startedHow(dataDir: string): StartedHow {
  try {
    const { state } = readStatus(dataDir);
    if (TRADING.includes(state)) return 'crash';
    return state === 'failed' ? 'failed' : 'clean';
  } catch (error) {
    if (isBulkheadError(error)) return 'first';
    throw error;
  }
}
