/** For a bench that runs the CLI: every command but `run`, which is the bench's own, does nothing. */
import type { Handlers } from '../src/app/cli/cli.ts';

const other = async (): Promise<number> => 0;

export const OTHER_COMMANDS: Omit<Handlers, 'run'> = {
  ...{ status: other, export: other, replay: other, explain: other, stats: other, rules: other },
  ...{ config: other, say: other, kill: other, release: other, breakers: other, exchange: other },
  ...{ doctor: other, backup: other, compact: other, restore: other, simulate: other },
  ...{ handover: other, migrate: other, inspect: other },
};
