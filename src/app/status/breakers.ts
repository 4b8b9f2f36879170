/** `bulkhead breakers`: every breaker of a data folder, and the kill switch, as the run last said. */
import { resolve } from 'node:path';
import type { CommandOptions, Io } from '../cli/io.ts';
import { moment } from '../cli/render-text.ts';
import { readKill } from '../kill/kill-file.ts';
import { readStatus } from './status-file.ts';

export async function breakers({ config, json }: CommandOptions, io: Io): Promise<number> {
  const dataDir = resolve(io.cwd, config.data.dir);
  const kill = readKill(dataDir) ?? null;
  const status = readStatus(dataDir);
  if (json) {
    const { tradingState } = status;
    io.stdout.write(`${JSON.stringify({ tradingState, kill, breakers: status.breakers })}\n`);
    return 0;
  }
  const width = Math.max(...status.breakers.map(({ name }) => name.length));
  const lines = status.breakers.map(({ name, state, effect, since, reason }) => {
    const why = [effect, reason].filter((word) => word !== undefined && word !== null).join(': ');
    return `${name.padEnd(width)}  ${state.padEnd(9)}  ${since === null ? '' : moment(since)}  ${why}`.trimEnd();
  });
  const head = [
    `trading is ${status.tradingState}`,
    kill
      ? `KILL SWITCH ENGAGED by ${kill.by}: ${kill.reason} (${kill.id}${kill.accountWide ? ', whole account' : ''})`
      : 'the kill switch is not engaged',
  ];
  io.stdout.write(`${[...head, '', ...lines].join('\n')}\n`);
  return 0;
}
