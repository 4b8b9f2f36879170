/** What the flags of replay, backup and restore mean. */
import type { Config } from '../../config/schema.ts';
import { momentOf, type ParsedCommand, usage } from './cli-parse.ts';
import type {
  BackupOptions,
  CommandOptions,
  CompactOptions,
  ReplayMoment,
  ReplayOptions,
  ReplayTarget,
  RestoreOptions,
} from './io.ts';

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

const DAY_MS = 86_400_000;

export function compactChoice(
  { flags }: ParsedCommand,
  { retention }: Config,
): Omit<CompactOptions, keyof CommandOptions> {
  const days = textOf(flags.get('keep-days'));
  const keepMs = days === undefined ? retention.keepMs : Number(days) * DAY_MS;
  if (days !== undefined && !(/^\d+(\.\d+)?$/.test(days) && keepMs >= DAY_MS / 24))
    throw usage(`--keep-days ${days} is no number of days, an hour at least.`, 'Such as 30, or 0.5.');
  if (keepMs === 0)
    throw usage(
      'Nobody has said how much of the journal is kept.',
      'Set retention.keepMs, or give --keep-days 30.',
    );
  return { keepMs, dryRun: flags.has('dry-run') };
}

export const restoreChoice = ({
  args,
  flags,
}: ParsedCommand): Omit<RestoreOptions, keyof CommandOptions> => ({
  backup: args[0] ?? '',
  place: textOf(flags.get('place')),
  to: replayTarget(flags.get('to')),
});

function replayTarget(value: string | true | undefined, flag = 'to'): ReplayTarget | undefined {
  if (typeof value !== 'string') return undefined;
  if (/^\d+$/.test(value)) return { n: Number(value) };
  const at = momentOf(value);
  if (at === undefined) {
    throw usage(
      `--${flag} ${value} is neither a row number nor a time.`,
      'Give a number such as 1500, or a time with its zone such as 2025-05-04T12:00:00Z.',
    );
  }
  return { at };
}

const POSITION = /^(position\/.+|[A-Z0-9]{2,30}(\/LONG|\/SHORT)?(\/\d+)?)$/;

function replayMoment(flags: ParsedCommand['flags'], name: string): ReplayMoment | undefined {
  const value = textOf(flags.get(name));
  if (value === undefined || /^\d+$/.test(value) || !POSITION.test(value)) return replayTarget(value, name);
  return { position: value };
}

/** What replay does instead of going through the rows to one moment. */
const ELSEWHERE = ['step', 'diff', 'against', 'plan', 'apply', 'what-if'] as const;

export function replayChoice({ args, flags }: ParsedCommand): Omit<ReplayOptions, keyof CommandOptions> {
  const against = textOf(flags.get('against'));
  if (against !== undefined && against !== 'venue')
    throw usage(`--against ${against} is not known.`, 'The journal can be held against: venue.');
  const change = textOf(flags.get('what-if'));
  if (change === undefined && args.length > 0)
    throw usage(`bulkhead replay takes no argument "${args[0]}".`, 'Try: bulkhead replay --help');
  const other = ELSEWHERE.find((name) => flags.has(name));
  if (flags.has('verify') && other !== undefined)
    throw usage(`--verify does not go with --${other}.`, 'Verify first, in a command of its own.');
  return {
    to: replayMoment(flags, 'to'),
    from: replayMoment(flags, 'from'),
    verify: flags.has('verify'),
    machines: flags.has('machines'),
    step: flags.has('step'),
    actor: textOf(flags.get('actor')),
    diff: replayMoment(flags, 'diff'),
    againstVenue: against === 'venue' || flags.has('plan'),
    plan: textOf(flags.get('plan')),
    apply: textOf(flags.get('apply')),
    whatIf: change === undefined ? [] : [change, ...args],
  };
}
