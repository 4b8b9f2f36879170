/** What the flags of replay, backup and restore mean. */
import { momentOf, type ParsedCommand, usage } from './cli-parse.ts';
import type { BackupOptions, CommandOptions, ReplayTarget, RestoreOptions } from './io.ts';

const textOf = (value: string | true | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;

export function backupChoice({ flags }: ParsedCommand): Omit<BackupOptions, keyof CommandOptions> {
  return {
    place: textOf(flags.get('place')),
    list: flags.has('list'),
    verifyName: textOf(flags.get('verify')),
    verify: flags.has('no-verify') ? false : undefined,
    newKey: textOf(flags.get('new-key')),
  };
}

export const restoreChoice = ({
  args,
  flags,
}: ParsedCommand): Omit<RestoreOptions, keyof CommandOptions> => ({
  backup: args[0] ?? '',
  place: textOf(flags.get('place')),
  to: replayTarget(flags.get('to')),
});

export function replayTarget(value: string | true | undefined): ReplayTarget | undefined {
  if (typeof value !== 'string') return undefined;
  if (/^\d+$/.test(value)) return { n: Number(value) };
  const at = momentOf(value);
  if (at === undefined) {
    throw usage(
      `--to ${value} is neither a row number nor a time.`,
      'Give a number such as 1500, or a time with its zone such as 2025-05-04T12:00:00Z.',
    );
  }
  return { at };
}
