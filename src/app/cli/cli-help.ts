/** The help texts, made from the table of commands and the table of errors, so that neither can go stale. */
import { CONFIG_KEYS } from '../../config/keys.ts';
import { ERRORS } from '../../core/errors.ts';
import { COMMANDS } from './cli-commands.ts';
import { type CommandSpec, type FlagSpec, HELP } from './cli-spec.ts';

const SIGNALS: Readonly<Record<number, string>> = {
  130: 'stopped by SIGINT (Ctrl-C), after draining',
  143: 'stopped by SIGTERM, after draining',
};

/** Every exit code and what it means. */
export function exitCodes(): ReadonlyMap<number, string> {
  const codes = new Map<number, string>([
    [0, 'done'],
    [1, 'the answer is no: a check or a verification failed'],
  ]);
  for (const [code, { exit }] of Object.entries(ERRORS).sort(([, a], [, b]) => a.exit - b.exit)) {
    const names = codes.get(exit);
    codes.set(exit, names === undefined ? code : `${names}, ${code}`);
  }
  for (const [code, meaning] of Object.entries(SIGNALS)) codes.set(Number(code), meaning);
  return codes;
}

export function generalHelp(): string {
  return [
    'Bulkhead, a crash-proof trading runtime for Binance USD-M perpetual futures.',
    '',
    'Usage: bulkhead COMMAND [FLAGS]',
    '',
    'Commands:',
    ...table(COMMANDS.map((command) => [`${command.name} ${command.args ?? ''}`.trim(), command.summary])),
    '',
    'Exit codes:',
    ...table([...exitCodes()].map(([code, meaning]) => [String(code), meaning])),
    '',
    'bulkhead COMMAND --help tells more. docs/ERRORS.md explains each error.',
    '',
  ].join('\n');
}

export function commandHelp(command: CommandSpec): string {
  const flags = [...command.flags, HELP];
  const exits = Object.entries(command.exits ?? {});
  return [
    `bulkhead ${command.name}: ${command.summary}`,
    '',
    `Usage: bulkhead ${command.name}${command.args ? ` ${command.args}` : ''}${command.flags.length > 0 ? ' [FLAGS]' : ''}`,
    '',
    command.detail,
    '',
    'Flags:',
    ...table(flags.map((flag) => [spelled(flag), `${flag.summary}${defaultText(flag)}`])),
    '',
    'Exit codes:',
    ...table([...exits, ['other', 'see: bulkhead help']]),
    '',
    'Examples:',
    ...command.examples.map((example) => `  ${example}`),
    '',
  ].join('\n');
}

const spelled = (flag: FlagSpec): string => `--${flag.name}${flag.value ? ` ${flag.value}` : ''}`;

function defaultText(flag: FlagSpec): string {
  const value = flag.default ?? CONFIG_KEYS.find((key) => key.path === flag.key)?.defaultValue;
  return flag.value === undefined || value === undefined ? '' : ` (default: ${String(value)})`;
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
