/**
 * What a person says to the run that uses a data folder: `bulkhead pause`, `close`, `lock` and all the others. The
 * word is left as a file; the run does it and answers.
 */
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { GUARDIAN_BAR } from '../../../machines/messages.ts';
import { sleep } from '../../core/clock.ts';
import { BulkheadError } from '../../core/errors.ts';
import { didYouMean } from '../../core/suggest.ts';
import type { Command } from '../../domain/command.ts';
import { isKillByHand, isOnlyNow, killWords } from '../../operator/command.ts';
import type { OperatorAnswer } from '../../operator/operator.ts';
import type { Io, SayOptions } from '../cli/io.ts';
import { isAlive } from '../status/status.ts';
import { readStatus, type StatusDocument } from '../status/status-file.ts';
import { leaveRequest, takeAnswer } from './person-requests.ts';

const LOOK_EVERY_MS = 100;
const PATIENCE_MS = 15_000;

export async function say({ config, command, json }: SayOptions, io: Io): Promise<number> {
  const dataDir = resolve(io.cwd, config.data.dir);
  const status = readStatus(dataDir);
  check(command, status);
  const isRunning = isAlive(status.pid) && status.state !== 'stopped' && status.state !== 'failed';
  if (!isRunning && isOnlyNow(command))
    throw new BulkheadError('NOT_FOUND', `No run uses ${dataDir} now: nobody would ${command.kind}.`, {
      hint: 'Start it first; "bulkhead kill" closes everything at the venue without a run.',
    });
  const id = leaveRequest(dataDir, { command, by: userInfo().username, at: io.time.clock.now() });
  const answer = isRunning ? await untilAnswered(dataDir, id, io) : undefined;
  const text = answer?.text ?? later(isRunning);
  const told = {
    asked: command.kind,
    id,
    outcome: answer?.outcome ?? 'left',
    code: answer?.code ?? null,
    text,
  };
  io.stdout.write(`${json ? JSON.stringify(told) : text}\n`);
  return answer?.outcome === 'refused' ? 1 : 0;
}

const later = (isRunning: boolean): string =>
  isRunning
    ? 'The run has not answered yet; it takes it up as soon as it can.'
    : 'No run is up; the next start takes it up.';

async function untilAnswered(dataDir: string, id: string, io: Io): Promise<OperatorAnswer | undefined> {
  const until = io.time.monotonic.now() + PATIENCE_MS;
  while (io.time.monotonic.now() < until) {
    const answer = takeAnswer(dataDir, id);
    if (answer) return answer;
    await sleep(io.time.timers, LOOK_EVERY_MS);
  }
  return undefined;
}

/** What can be seen to be wrong from here. */
function check(command: Command, status: StatusDocument): void {
  if ((command.kind === 'adopt' || command.kind === 'ignore') && status.mode === 'demo')
    throw new BulkheadError('USAGE', 'A demo has its venue to itself: nobody else opens positions there.', {
      hint: 'Name the data folder of a paper or live run with --data-dir.',
    });
  const { symbols } = status.market;
  const named = 'symbols' in command ? command.symbols : 'symbol' in command ? [command.symbol] : [];
  const unknown = named.find((symbol) => symbols.length > 0 && !symbols.includes(symbol));
  if (unknown !== undefined)
    throw new BulkheadError('USAGE', `This run does not trade ${unknown}.`, {
      hint: `It trades ${symbols.slice(0, 20).join(', ')}.`,
    });
  if (command.kind !== 'trip' && command.kind !== 'release') return;
  if (isKillByHand(command))
    throw new BulkheadError('USAGE', `"${command.kind} kill" is not done: ${killWords('cli')}.`, {
      hint:
        command.kind === 'trip'
          ? 'Write: bulkhead kill --reason "…"'
          : 'Write: bulkhead release --reason "…"',
    });
  // Cases of its own the guardian alone knows.
  if (command.kind === 'release' && command.breaker.startsWith(GUARDIAN_BAR)) return;
  const names = status.breakers.map(({ name }) => name);
  if (names.includes(command.breaker)) return;
  const meant = didYouMean(command.breaker, names);
  throw new BulkheadError('USAGE', `There is no breaker "${command.breaker}". ${meant}`.trim(), {
    hint: '"bulkhead breakers" lists them.',
  });
}
